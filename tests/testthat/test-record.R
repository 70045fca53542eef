test_that("tensors that begin apart come together", {
  local_float64()
  a <- k_placeholder(list(NULL, 2))
  b <- k_placeholder(list(NULL, 2))
  c <- k_placeholder(list(NULL, 2))
  a2 <- a * 2
  b3 <- b + 3
  early <- k_function(b, b3)  # before the records merge
  bc <- b3 * c
  all <- a2 - bc
  f <- k_function(list(a, b, c), c(list(all), k_gradients(all, list(a, b, c))))
  values <- list(rbind(c(1, 2)), rbind(c(3, 4)), rbind(c(5, 6)))
  expect_equal(f(values), list(rbind(c(2, 4)) - rbind(c(6, 7)) * rbind(c(5, 6)), rbind(c(2, 2)), -values[[3]], -(values[[2]] + 3)))
  expect_equal(early(values[2]), list(rbind(c(6, 7))))
  # The order is that of the function, not that of the tensors.
  expect_equal(k_function(list(c, a, b), all)(values[c(3, 1, 2)]), list(f(values)[[1]]))
  expect_equal(k_function(b, b3)(values[2]), early(values[2]))
})

test_that("operations between layers belong to the function", {
  x <- layer_input(2)
  layer <- layer_dense(units = 2, use_bias = FALSE, weights = list(diag(2)))
  y <- k_exp(layer(x * 2)) + x
  f <- k_function(x, y)
  expect_equal(f(list(rbind(c(0, 1)))), list(rbind(c(1, exp(2) + 1))), tolerance = 1e-6)
  set_weights(layer, list(2 * diag(2)))
  expect_equal(f(list(rbind(c(0, 1)))), list(rbind(c(1, exp(4) + 1))), tolerance = 1e-6)
  # Two calls are two tensors: the one is not computed from the other.
  expect_error(k_function(layer(x), layer(x)), class = "convnet_error_argument")
})

test_that("an inner tensor can be fed in the place of what it is computed from", {
  x <- layer_input(2)
  h <- x * 10
  y <- h + 1
  expect_equal(k_function(x, y)(list(rbind(c(1, 2)))), list(rbind(c(11, 21))))
  expect_equal(k_function(h, y)(list(rbind(c(1, 2)))), list(rbind(c(2, 3))))
  other <- layer_input(2, name = "missing_one")
  expect_error(k_function(x, y * other), "missing_one", class = "convnet_error_argument")
})

test_that("a tensor of another model is refused in a loss", {
  other <- layer_input(2) * 2
  model <- small_line(loss = function(y_true, y_pred) k_mean(y_pred) + k_mean(other))
  expect_error(fit(model, matrix(1, 2, 2), 1:2, verbose = 0), "another model", class = "convnet_error_argument")
})

test_that("functions survive saveRDS", {
  x <- k_placeholder(list(NULL, 2))
  v <- k_variable(c(1, 2))
  f <- k_function(x, x * v)
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(f, file)
  k_set_value(v, c(100, 100))
  expect_equal(readRDS(file)(list(rbind(c(1, 1)))), list(rbind(c(1, 2))))
  expect_equal(f(list(rbind(c(1, 1)))), list(rbind(c(100, 100))))
})

test_that("updates of one variable follow each other, and reads precede them", {
  counting <- list(
    class_name = "Counting",
    build = function(self, input_shape) self$n <- self$add_weight("n", 1L, "zeros", trainable = FALSE),
    call = function(self, inputs, training = FALSE) {
      if (isTRUE(training)) {
        k_update_add(self$n, 1)
        k_update_add(self$n, 2)
      }
      inputs + self$n
    }
  )
  model <- keras_model_sequential(input_shape = 1) %>% create_layer(counting, .)
  model %>% compile("sgd", "mse")
  expect_equal(train_on_batch(model, 1, 1)$loss, 0)
  expect_equal(get_weights(model), list(array(3)))
  expect_equal(train_on_batch(model, 1, 1)$loss, 9)
  expect_equal(get_weights(model), list(array(6)))
  expect_equal(predict(model, 1), matrix(7))
  expect_equal(get_weights(model), list(array(6)))
})
