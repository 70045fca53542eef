test_that("layers are added in place, whether or not the result is kept", {
  model <- keras_model_sequential(input_shape = 3)
  model %>% layer_dense(2)
  model |> layer_dense(1)
  expect_length(model$layers, 2)
  expect_identical(model$output_shape, c(NA, 1L))
  other_name <- model
  other_name %>% layer_dense(5)
  expect_identical(model$output_shape, c(NA, 5L))
  expect_identical(model, other_name)
})

test_that("a model can be made of a list of layers", {
  layers <- list(layer_dense(units = 2, input_shape = 3, name = "a"), layer_dense(units = 1, name = "b"))
  model <- keras_model_sequential(layers, name = "listed")
  expect_identical(model$name, "listed")
  expect_identical(model$layers[[1]], layers[[1]])
  expect_identical(model$output_shape, c(NA, 1L))
  # keras3 has the shape first.
  expect_identical(keras_model_sequential(c(4, 4, 1))$input_shape, NULL)
  expect_identical((keras_model_sequential(c(4, 4, 1)) %>% layer_flatten())$output_shape, c(NA, 16L))
})

test_that("shapes of batches are those that were asked for", {
  open <- keras_model_sequential() %>% layer_dense(1, input_shape = 3)
  batch <- keras_model_sequential() %>% layer_dense(1, input_shape = 3, batch_size = 4)
  full <- keras_model_sequential() %>% layer_dense(1, batch_input_shape = list(NULL, 3))
  both <- keras_model_sequential() %>% layer_dense(1, batch_input_shape = c(2, 3), input_shape = 7)
  expect_identical(list(open$input_shape, batch$input_shape, full$input_shape, both$input_shape),
                   list(c(NA, 3L), c(4L, 3L), c(NA, 3L), c(2L, 3L)))
  expect_identical(batch$output_shape, c(4L, 1L))
  images <- keras_model_sequential() %>% layer_conv_2d(2, 3, input_shape = list(NULL, NULL, 1))
  expect_identical(images$output_shape, c(NA, NA, NA, 2L))
  expect_identical(dim(predict(images, ramp(2, 5, 7, 1))), c(2L, 3L, 5L, 2L))
  expect_identical(dim(predict(images, ramp(1, 3, 3, 1))), c(1L, 1L, 1L, 2L))
})

test_that("a model without shape is built by its first data", {
  model <- keras_model_sequential() %>% layer_dense(2, kernel_initializer = "ones") %>% layer_dense(1, kernel_initializer = "ones")
  expect_false(model$built)
  expect_identical(model$weights, list())
  expect_null(model$input_shape)
  expect_equal(predict(model, matrix(1:6, 2)), matrix(c(18, 24)))
  expect_true(model$built)
  expect_identical(model$input_shape, c(NA, 3L))
  expect_identical(count_params(model), 11)
  expect_error(predict(model, matrix(1, 2, 2)), class = "convnet_error_shape")

  # compile() comes first as a rule: what is trained is noted when the model is built.
  late <- keras_model_sequential() %>% layer_dense(1, kernel_initializer = "zeros", use_bias = FALSE)
  late %>% compile(optimizer_sgd(0.5), "mse")
  late %>% fit(matrix(2), 1, epochs = 1, verbose = 0)
  expect_equal(get_weights(late), list(matrix(0.5 * 2 * 2)))
})

test_that("the last layer can be removed and replaced", {
  model <- keras_model_sequential(input_shape = 2) %>%
    layer_dense(3, weights = list(matrix(1:6, 2), rep(0, 3))) %>% layer_dense(1)
  pop_layer(model)
  expect_length(model$layers, 1)
  expect_identical(model$output_shape, c(NA, 3L))
  expect_equal(predict(model, rbind(c(1, 1))), rbind(c(3, 7, 11)))
  model %>% layer_dense(1, weights = list(matrix(1, 3, 1), 1))
  expect_equal(predict(model, rbind(c(1, 1))), matrix(22))
  pop_layer(model) %>% pop_layer()
  expect_length(model$layers, 0)
  expect_false(model$built)
  model %>% layer_dense(1, weights = list(matrix(1, 2, 1), 0))
  expect_equal(predict(model, rbind(c(1, 1))), matrix(2))
})

test_that("a removed layer is not saved with the model", {
  model <- keras_model_sequential(input_shape = 100) %>% layer_dense(50) %>% layer_dense(1000)
  pop_layer(model)
  bytes_of_kept_weights <- 4 * (100 * 50 + 50)
  expect_lt(length(serialize(model, NULL)), bytes_of_kept_weights + 20000)
})

test_that("layers are found by name and position, and are not copies", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(3, name = "first") %>% layer_dense(1, name = "last")
  expect_identical(get_layer(model, "last"), model$layers[[2]])
  expect_identical(get_layer(model, index = 1), model$layers[[1]])
  expect_identical(get_layer(model, 2)$name, "last")
  set_weights(get_layer(model, "last"), list(matrix(0, 3, 1), 7))
  expect_equal(predict(model, matrix(1, 2, 2)), matrix(7, 2))
  # The layer knows the tensors between which it stands: features of a hidden layer.
  features <- k_function(model$input, get_layer(model, "first")$output)
  first <- get_weights(get_layer(model, "first"))
  expect_equal(features(list(matrix(1, 2, 2)))[[1]], matrix(1, 2, 2) %*% first[[1]], tolerance = 1e-6)
})

test_that("a model is a layer of other models", {
  encoder <- keras_model_sequential(input_shape = 2, name = "encoder") %>%
    layer_dense(2, weights = list(rbind(c(1, 0), c(1, 1)), c(0, 0)), name = "inner")
  model <- keras_model_sequential(input_shape = 2) %>% encoder()
  expect_identical(model$layers[[1]]$name, "encoder")
  model %>% layer_dense(1, weights = list(matrix(1, 2, 1), 0), name = "outer")
  expect_equal(predict(model, rbind(c(1, 2))), matrix(5))
  expect_identical(count_params(model), 9)
  model %>% compile(optimizer_sgd(0.1), "mse")
  model %>% fit(rbind(c(1, 2)), 0, epochs = 1, verbose = 0)
  # Both share the weights: training one trains the other.
  expect_equal(get_weights(encoder)[[1]], rbind(c(1, 0), c(1, 1)) - 0.1 * 2 * 5 * rbind(c(1, 1), c(2, 2)), tolerance = 1e-6)
})

test_that("models are functions of arrays and tensors", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1, weights = list(matrix(c(1, 2)), 0)) %>% layer_dropout(0.5)
  expect_equal(as.array(model(rbind(c(1, 1)))), matrix(3))
  set.seed(1)
  noisy <- as.vector(as.array(model(matrix(1, 100, 2), training = TRUE)))
  expect_true(all(noisy %in% c(0, 6)))
  expect_true(all(c(0, 6) %in% noisy))
  x <- layer_input(2)
  f <- k_function(x, model(x * 2))
  expect_equal(f(list(rbind(c(1, 1))))[[1]], matrix(6))
})

test_that("model$get_layer() counts from 0, as in Python", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(2, name = "a") %>% layer_dense(2, name = "b")
  expect_identical(model$get_layer("b"), get_layer(model, "b"))
  expect_identical(model$get_layer(index = 0L), get_layer(model, "a"))
})
