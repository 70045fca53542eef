x <- matrix(c(1, -2, 3, 4), 2)

test_that("a function is a layer", {
  layer <- layer_lambda(f = function(x, power, shift = 0) x^power + shift, arguments = list(power = 2))
  expect_equal(as.array(layer(x)), x^2)
  model <- keras_model_sequential(input_shape = 2) %>% layer_lambda(function(x) k_sum(x, 2, keepdims = TRUE))
  expect_equal(predict(model, x), matrix(rowSums(x)))
  expect_identical(model$output_shape, c(NA, 1L))
})

test_that("it takes and returns several tensors, and knows the phase", {
  a <- layer_input(2)
  b <- layer_input(2)
  model <- keras_model(list(a, b), layer_lambda(list(a, b), function(xs) list(xs[[1]] * xs[[2]], xs[[1]])))
  expect_equal(predict(model, list(x, x)), list(x^2, x))
  phase <- layer_lambda(f = function(x, training) if (training) x * 2 else x)
  expect_equal(as.array(phase(x, training = TRUE)), 2 * x)
  expect_equal(as.array(phase(x)), x)
})

test_that("gradients go through it, and it is saved with the model", {
  local_float64()
  slope <- 3
  model <- keras_model_sequential(input_shape = 2) %>%
    layer_dense(1, use_bias = FALSE, weights = list(matrix(1:2))) %>%
    layer_lambda(function(x) x * slope)
  model %>% compile(optimizer_sgd(0.1), "mse")
  copy <- readRDS(saved(model))
  train_on_batch(model, x, c(0, 0))
  gradient <- t(x) %*% (2 * 9 * (x %*% 1:2)) / 2
  expect_equal(get_weights(model)[[1]], matrix(1:2) - 0.1 * gradient)
  train_on_batch(copy, x, c(0, 0))
  expect_identical(get_weights(copy), get_weights(model))
  there <- in_new_process(function(model, x) predict(model, x), model, x)
  expect_identical(there, predict(model, x))
})

test_that("what is wrong with the function is said with the layer's name", {
  k_reset_uids()
  expect_snapshot_errors({
    layer_lambda(f = "square")
    layer_lambda(f = identity, arguments = list(2))
    layer_lambda(layer_input(2), function(x) stop("not today"), name = "mine")
    layer_lambda(layer_input(2), function(x) "text", name = "mine")
    layer_lambda(layer_input(2), function(x) k_reshape(x, c(3, 3)) + k_ones_like(x), name = "mine")
  })
  error <- tryCatch(layer_lambda(layer_input(2), function(x) stop("not today")), error = identity)
  expect_identical(conditionMessage(error$parent), "not today")
})
