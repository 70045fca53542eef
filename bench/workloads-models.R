# The whole models of bench/workloads.R: each makes a model, the name of its loss and one batch. The architectures, batch
# sizes and losses are those of workloads_torch.py.

random <- function(...) array(stats::runif(prod(...)), c(...))
leaky <- function(x) activation_relu(x, alpha = 0.3)

next_frame <- function(extent, filters, batch) {
  model <- keras_model_sequential(input_shape = c(10, extent, extent, 1)) %>%
    layer_conv_lstm_2d(filters, 3, padding = "same", return_sequences = TRUE) %>%
    layer_batch_normalization() %>%
    layer_conv_lstm_2d(filters, 3, padding = "same", return_sequences = TRUE) %>%
    layer_batch_normalization() %>%
    layer_conv_3d(1, 3, padding = "same", activation = "sigmoid")
  frames <- c(batch, 10, extent, extent, 1)
  list(model = model, loss = "binary_crossentropy", x = random(frames), y = round(random(frames)))
}

workloads <- list(
  W1 = list(title = "mnist_cnn, batch 128", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(32, 3, activation = "relu") %>%
      layer_conv_2d(64, 3, activation = "relu") %>%
      layer_max_pooling_2d(2) %>%
      layer_dropout(0.25) %>%
      layer_flatten() %>%
      layer_dense(128, activation = "relu") %>%
      layer_dropout(0.5) %>%
      layer_dense(10, activation = "softmax")
    list(model = model, loss = "categorical_crossentropy", x = random(c(128, 28, 28, 1)),
      y = diag(10)[sample(10, 128, replace = TRUE), ])
  }),
  W2 = list(title = "convolutional autoencoder, batch 128", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(32, 3, padding = "same", activation = "relu") %>%
      layer_max_pooling_2d(2, padding = "same") %>%
      layer_conv_2d(32, 3, padding = "same", activation = "relu") %>%
      layer_max_pooling_2d(2, padding = "same") %>%
      layer_conv_2d_transpose(32, 3, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(32, 3, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(1, 3, padding = "same", activation = "sigmoid")
    list(model = model, loss = "binary_crossentropy", x = random(c(128, 28, 28, 1)), y = round(random(c(128, 28, 28, 1))))
  }),
  W3 = list(title = "DCGAN generator 32x32, batch 64", build = function() {
    model <- keras_model_sequential(input_shape = 100) %>%
      layer_dense(4 * 4 * 256, use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_reshape(c(4, 4, 256)) %>%
      layer_conv_2d_transpose(128, 5, strides = 2, padding = "same", use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_conv_2d_transpose(64, 5, strides = 2, padding = "same", use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_conv_2d_transpose(3, 5, strides = 2, padding = "same", use_bias = FALSE, activation = "tanh")
    list(model = model, loss = "mse", x = random(c(64, 100)), y = random(c(64, 32, 32, 3)))
  }),
  W4 = list(title = "U-Net 64x64, batch 16", build = function() {
    pair <- function(x, filters) {
      x %>%
        layer_conv_2d(filters, 3, padding = "same", activation = "relu") %>%
        layer_conv_2d(filters, 3, padding = "same", activation = "relu")
    }
    up <- function(x, beside, filters) {
      larger <- layer_conv_2d_transpose(x, filters, 2, strides = 2)
      pair(layer_concatenate(list(larger, beside)), filters)
    }
    input <- layer_input(c(64, 64, 3))
    wide <- pair(input, 16)
    middle <- pair(layer_max_pooling_2d(wide, 2), 32)
    narrow <- pair(layer_max_pooling_2d(middle, 2), 64)
    output <- up(up(narrow, middle, 32), wide, 16) %>% layer_conv_2d(1, 1, activation = "sigmoid")
    list(model = keras_model(input, output), loss = "binary_crossentropy", x = random(c(16, 64, 64, 3)),
      y = round(random(c(16, 64, 64, 1))))
  }),
  W5 = list(title = "deconvolutional VAE's encoder and decoder, batch 100", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(1, 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 2, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 3, padding = "same", activation = "relu") %>%
      layer_flatten() %>%
      layer_dense(128, activation = "relu") %>%
      layer_dense(2) %>%
      layer_dense(128, activation = "relu") %>%
      layer_dense(64 * 14 * 14, activation = "relu") %>%
      layer_reshape(c(14, 14, 64)) %>%
      layer_conv_2d_transpose(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(64, 3, strides = 2, activation = "relu") %>%
      layer_conv_2d(1, 2, activation = "sigmoid")
    list(model = model, loss = "binary_crossentropy", x = random(c(100, 28, 28, 1)), y = round(random(c(100, 28, 28, 1))))
  }),
  W6 = list(title = "ConvLSTM2D, 10 frames 24x24, batch 8", build = function() next_frame(24, 24, 8)),
  W7 = list(title = "FSRCNN x3, batch 16", build = function() {
    model <- keras_model_sequential(input_shape = c(32, 32, 1)) %>%
      layer_conv_2d(56, 5, padding = "same", activation = "relu") %>%
      layer_conv_2d(12, 1, activation = "relu")
    for (i in 1:4) model %>% layer_conv_2d(12, 3, padding = "same", activation = "relu")
    model %>%
      layer_conv_2d(56, 1, activation = "relu") %>%
      layer_conv_2d_transpose(1, 9, strides = 3, padding = "same")
    list(model = model, loss = "mse", x = random(c(16, 32, 32, 1)), y = random(c(16, 96, 96, 1)))
  }),
  W8 = list(title = "imdb_cnn, batch 32", build = function() {
    model <- keras_model_sequential() %>%
      layer_embedding(5000, 50, input_length = 400) %>%
      layer_dropout(0.2) %>%
      layer_conv_1d(250, 3, activation = "relu") %>%
      layer_global_max_pooling_1d() %>%
      layer_dense(250, activation = "relu") %>%
      layer_dropout(0.2) %>%
      layer_dense(1, activation = "sigmoid")
    list(model = model, loss = "binary_crossentropy", x = matrix(sample(0:4999, 32 * 400, replace = TRUE), 32),
      y = round(random(c(32, 1))))
  }),
  W9 = list(title = "ConvLSTM2D, 10 frames 40x40, 40 filters, batch 4", build = function() next_frame(40, 40, 4))
)

# Multiply-adds that cannot be saved, times two, of one row's way through the model: of convolutions and dense layers.
flop <- function(model) {
  of <- vapply(model$layers, function(layer) {
    kernels <- Filter(function(w) length(dim(w)) > 1, layer$get_weights())
    if (length(kernels) == 0 || layer$class_name == "Embedding") return(0)
    positions <- function(shape) prod(unlist(shape)[-c(1, length(shape))])
    shape <- if (grepl("Transpose", layer$class_name)) layer$input_shape else layer$output_shape
    2 * sum(vapply(kernels, length, 1)) * if (length(dim(kernels[[1]])) == 2) 1 else positions(shape)
  }, 0)
  arithmetic <- of[of > 0]
  # Backward once more for the weights and once more for the data: for those of the first layer only if
  # an embedding makes them.
  trained <- model$layers[[1]]$class_name == "Embedding"
  list(forward = sum(arithmetic), step = 3 * sum(arithmetic) - if (trained) 0 else arithmetic[1])
}

rows_of <- function(x, rows) {
  do.call(`[`, c(list(x, rows), rep(list(TRUE), length(dim(x)) - 1), drop = FALSE))
}
