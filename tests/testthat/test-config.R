# Every layer with arguments other than the defaults.
layers_with_arguments <- function() {
  list(
    layer_dense(units = 3, activation = "tanh", use_bias = FALSE, kernel_initializer = initializer_random_normal(0, 0.1, seed = 3),
                kernel_regularizer = regularizer_l1_l2(0.1, 0.2), kernel_constraint = constraint_maxnorm(2),
                activity_regularizer = regularizer_l2(0.3), input_shape = 4, name = "a", trainable = FALSE, dtype = "float64"),
    layer_conv_2d(filters = 4, kernel_size = c(3, 2), strides = c(2, 1), padding = "same", data_format = "channels_first",
                  activation = activation_relu, groups = 2, bias_initializer = "ones", batch_input_shape = c(3, 2, 5, 6),
                  name = "b"),
    layer_conv_2d(filters = 1, kernel_size = 2, dilation_rate = c(2, 3), input_shape = c(9, 9, 1), name = "c"),
    layer_conv_2d_transpose(filters = 2, kernel_size = 4, strides = 3, padding = "same", output_padding = c(1, 2),
                            bias_constraint = constraint_nonneg(), input_shape = c(3, 3, 1), name = "d"),
    layer_flatten(data_format = "channels_first", input_shape = c(2, 3, 4), name = "e"),
    layer_reshape(target_shape = c(-1, 2), input_shape = 8, name = "f"),
    layer_activation(activation = function(x) x * 2, input_shape = 3, name = "g"),
    layer_dropout(rate = 0.25, noise_shape = list(NULL, 1), seed = 5, input_shape = 3, name = "h"),
    layer_max_pooling_2d(pool_size = c(2, 3), strides = 1, padding = "same", input_shape = c(5, 5, 2), name = "i"),
    layer_batch_normalization(axis = 1, momentum = 0.5, epsilon = 0.1, center = FALSE, gamma_initializer = initializer_constant(2),
                              moving_variance_initializer = initializer_constant(4), input_shape = c(3, 2), name = "j")
  )
}

test_that("a layer made from a configuration is the same layer", {
  for (layer in layers_with_arguments()) {
    copy <- from_config(get_config(layer))
    expect_identical(get_config(copy), get_config(layer), label = layer$name)
    expect_false(identical(copy, layer))
    shape <- layer$batch_input_shape
    shape[is.na(shape)] <- 2L
    x <- ramp(shape)
    set.seed(1)
    expected <- layer(x)
    set.seed(1)
    expect_identical(as.array(copy(x)), as.array(expected), label = layer$name)
    expect_identical(get_weights(copy), get_weights(layer), label = layer$name)
    expect_identical(length(copy$trainable_weights), length(layer$trainable_weights))
    # The seeds of dropout are part of the configuration.
    expect_identical(as.array(copy(x, training = TRUE)), as.array(layer(x, training = TRUE)), label = layer$name)
  }
})

test_that("a configuration says what was given", {
  config <- get_config(layer_conv_2d_transpose(filters = 2, kernel_size = 3, strides = c(2, 1), activation = "relu", name = "up"))
  expect_identical(config[c("name", "filters", "kernel_size", "strides", "padding", "activation", "use_bias")],
                   list(name = "up", filters = 2L, kernel_size = c(3L, 3L), strides = c(2L, 1L), padding = "valid",
                        activation = "relu", use_bias = TRUE))
  expect_null(config$output_padding)
  config$filters <- 5
  changed <- from_config(config)
  expect_identical(changed$filters, 5L)
  expect_error(from_config(replace(config, "filters", -5)), class = "convnet_error_argument")
})

test_that("a clone has the structure, new weights and no optimizer", {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(4, 4, 1), name = "original") %>%
    layer_conv_2d(2, 3, name = "conv", kernel_regularizer = "l2") %>% layer_flatten() %>%
    layer_dense(1, name = "out", trainable = FALSE)
  model %>% compile("adam", "mse")
  copy <- clone_model(model)
  expect_identical(format(copy), format(model))
  expect_null(copy$optimizer)
  expect_false(identical(get_weights(copy)[[1]], get_weights(model)[[1]]))
  set_weights(copy, get_weights(model))
  x <- ramp(2, 4, 4, 1)
  expect_identical(predict(copy, x), predict(model, x))
  before <- get_weights(model)
  copy %>% compile(optimizer_sgd(0.1), "mse")
  fit(copy, x, 1:2, epochs = 1, verbose = 0)
  expect_identical(get_weights(model), before)
  expect_identical(get_weights(copy)[3:4], before[3:4])
  expect_gt(max(abs(get_weights(copy)[[1]] - before[[1]])), 1e-4)

  # A model built by data stays built; one that is not stays open.
  open <- keras_model_sequential() %>% layer_dense(2)
  expect_false(clone_model(open)$built)
  predict(open, matrix(1, 2, 3))
  expect_identical(clone_model(open)$input_shape, c(NA, 3L))

  outer <- keras_model_sequential(input_shape = c(4, 4, 1)) %>% model()
  nested <- clone_model(outer)
  set_weights(nested, get_weights(outer))
  expect_identical(predict(nested, x), predict(model, x))
})
