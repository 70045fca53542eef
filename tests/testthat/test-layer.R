test_that("a layer without object is a function of arrays and tensors", {
  layer <- layer_dense(units = 2, weights = list(rbind(c(1, 2), c(3, 4)), c(10, 20)))
  expect_true(is.function(layer))
  expect_false(layer$built)
  expect_equal(as.array(layer(rbind(c(1, 0), c(0, 1)))), rbind(c(11, 22), c(13, 24)))
  expect_true(layer$built)
  expect_identical(count_params(layer), 6)

  # Called on a symbolic tensor it shares its weights.
  x <- layer_input(2)
  f <- k_function(x, layer(x))
  expect_equal(f(list(rbind(c(1, 1))))[[1]], rbind(c(14, 26)))
  expect_error(layer(c(1, 2)), class = "convnet_error_shape")
  expect_error(layer(rbind(1:3)), class = "convnet_error_shape")
})

test_that("both pipes and plain calls compose alike", {
  weights <- list(matrix(c(1, -1), 2), 0.5)
  expected <- matrix(c(-0.5, 0.5))
  x <- rbind(c(1, 2), c(2, 2))
  piped <- keras_model_sequential(input_shape = 2) %>% layer_dense(1, weights = weights)
  native <- keras_model_sequential(input_shape = 2) |> layer_dense(1, weights = weights)
  plain <- layer_dense(keras_model_sequential(input_shape = 2), 1, weights = weights)
  on_array <- x %>% layer_dense(1, weights = weights)
  input <- layer_input(2)
  on_tensor <- k_function(input, input %>% layer_dense(1, weights = weights))
  for (values in list(predict(piped, x), predict(native, x), predict(plain, x), as.array(on_array), on_tensor(list(x))[[1]])) {
    expect_equal(values, expected)
  }
})

test_that("automatic names count in the session and from left to right", {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = c(6, 6, 1)) %>% layer_conv_2d(1, 3) %>% layer_conv_2d(1, 3) %>%
    layer_conv_2d_transpose(1, 3) %>% layer_flatten() %>% layer_batch_normalization() %>% layer_dense(1)
  expect_identical(vapply(model$layers, function(l) l$name, ""),
                   c("conv2d", "conv2d_1", "conv2d_transpose", "flatten", "batch_normalization", "dense"))
  expect_identical(layer_dense(units = 1)$name, "dense_1")
  expect_identical(keras_model_sequential()$name, "sequential_1")
  expect_identical(layer_max_pooling_2d()$name, "max_pooling2d")
  k_clear_session()
  expect_identical(layer_dense(units = 1)$name, "dense")
  k_reset_uids()
  nested <- layer_dense(layer_dense(keras_model_sequential(input_shape = 1), 1), 1)
  expect_identical(vapply(nested$layers, function(l) l$name, ""), c("dense", "dense_1"))
})

test_that("one layer called twice has one set of weights, whose gradients add up", {
  local_float64()
  x <- layer_input(1)
  layer <- layer_dense(units = 1, use_bias = FALSE, weights = list(matrix(3)))
  y <- layer(layer(x))
  f <- k_function(x, list(y, k_gradients(y, layer$kernel)[[1]]))
  values <- f(list(matrix(2)))
  expect_equal(values[[1]], matrix(18))
  expect_equal(values[[2]], matrix(12))  # d(w^2 x)/dw = 2 w x
})

test_that("a layer class of one's own is trained, cloned and saved", {
  scale <- list(
    class_name = "Scale",
    init = function(args) {
      args$start <- args$start %||% 1
      args
    },
    build = function(self, input_shape) {
      self$factor <- self$add_weight("factor", input_shape[length(input_shape)],
                                     initializer_constant(self$start), trainable = TRUE)
      self$calls <- self$add_weight("calls", 1L, "zeros", trainable = FALSE)
    },
    call = function(self, inputs, training = FALSE) {
      if (isTRUE(training)) k_update_add(self$calls, 1)
      inputs * self$factor
    }
  )
  `%||%` <- function(x, y) if (is.null(x)) y else x
  layer_scale <- function(object, start = 1, ...) create_layer(scale, object, list(start = start, ...))
  k_reset_uids()
  model <- keras_model_sequential(input_shape = 2) %>% layer_scale(start = 2)
  expect_identical(model$layers[[1]]$name, "scale")
  x <- rbind(c(1, 2), c(3, 4))
  expect_equal(predict(model, x), 2 * x)
  expect_identical(vapply(model$weights, function(w) w$name, ""), c("scale/factor", "scale/calls"))
  expect_length(model$trainable_weights, 1)

  model %>% compile(optimizer_sgd(0.1), "mse")
  fit(model, x, 0 * x, epochs = 1, batch_size = 2, verbose = 0)
  # d/df mean((f x)^2) = 2 f mean(x^2) over the rows, halved by the mean over two columns
  expect_equal(get_weights(model)[[1]], array(2 - 0.1 * 2 * c(5, 10) * 2 / 2), tolerance = 1e-6)
  expect_equal(get_weights(model)[[2]], array(1))
  evaluate(model, x, x, verbose = 0)
  expect_equal(get_weights(model)[[2]], array(1))

  copy <- clone_model(model)
  expect_equal(predict(copy, x), 2 * x)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))

  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(model, file)
  loaded <- readRDS(file)
  expect_identical(predict(loaded, x), predict(model, x))
  fit(loaded, x, 0 * x, epochs = 1, batch_size = 2, verbose = 0)
  fit(model, x, 0 * x, epochs = 1, batch_size = 2, verbose = 0)
  expect_identical(get_weights(loaded), get_weights(model))
})

test_that("activity regularizers are divided by the number of samples", {
  model <- keras_model_sequential(input_shape = 2) %>%
    layer_dense(2, use_bias = FALSE, weights = list(diag(2)), activity_regularizer = regularizer_l2(0.5))
  model %>% compile("sgd", "mse")
  x <- rbind(c(1, 2), c(3, 4), c(5, 6))
  expect_equal(evaluate(model, x, x, verbose = 0)$loss, 0.5 * sum(x^2) / 3, tolerance = 1e-6)
})

test_that("layers work in the dtype they are given", {
  narrow <- layer_dense(units = 1, use_bias = FALSE, weights = list(matrix(1 / 3)))
  wide <- layer_dense(units = 1, use_bias = FALSE, weights = list(matrix(1 / 3)), dtype = "float64")
  expect_identical(as.vector(as.array(wide(matrix(1)))), 1 / 3)
  expect_gt(abs(as.vector(as.array(narrow(matrix(1)))) - 1 / 3), 1e-9)
  expect_identical(wide(matrix(1))$dtype, "float64")

  model <- keras_model_sequential() %>%
    layer_dense(1, use_bias = FALSE, weights = list(matrix(1 / 3)), dtype = "float64", input_shape = 1)
  expect_identical(as.vector(predict(model, 1)), 1 / 3)
  model %>% compile(optimizer_sgd(0.1), "mse")
  model %>% fit(1, 0, epochs = 1, verbose = 0)
  expect_equal(get_weights(model)[[1]], matrix(1 / 3 - 0.1 * 2 / 3), tolerance = 1e-15)
  local_float64()
  expect_identical(layer_dense(units = 1)$dtype, "float64")
})

test_that("fields can be read, and set where that makes sense", {
  layer <- layer_dense(units = 2, name = "d", activation = "relu")
  expect_identical(layer$units, 2L)
  expect_identical(layer[["name"]], "d")
  expect_null(layer$nothing_like_it)
  layer$trainable <- FALSE
  expect_false(layer$trainable)
  layer$note <- "mine"
  expect_identical(layer$note, "mine")
  expect_error(layer$weights <- list(1), class = "convnet_error_argument")
  expect_true(all(c("units", "weights", "trainable") %in% .DollarNames(layer)))
})
