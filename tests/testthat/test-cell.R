values <- function(...) array(sin(seq_len(prod(...)) * 1.3), c(...))

recurrent <- list(
  LSTM = function(...) layer_lstm(units = 3, ...),
  GRU = function(...) layer_gru(units = 3, ...),
  SimpleRNN = function(...) layer_simple_rnn(units = 3, ...),
  ConvLSTM2D = function(...) layer_conv_lstm_2d(filters = 3, kernel_size = 2, padding = "same", ...)
)
steps_for <- function(name, n = 2, steps = 4) if (name == "ConvLSTM2D") values(c(n, steps, 3, 4, 2)) else values(c(n, steps, 2))
steps_between <- function(x, from, to) {
  if (length(dim(x)) == 3) x[, from:to, , drop = FALSE] else x[, from:to, , , , drop = FALSE]
}

test_that("initial states continue a sequence, in the list of inputs or as an argument", {
  local_float64()
  for (name in names(recurrent)) {
    layer <- recurrent[[name]](return_state = TRUE)
    x <- steps_for(name)
    whole <- layer(x)
    begun <- layer(steps_between(x, 1, 1))
    expect_length(whole, if (name %in% c("GRU", "SimpleRNN")) 2 else 3)
    expect_identical(as.array(whole[[1]]), as.array(whole[[2]]))
    rest <- layer(c(list(steps_between(x, 2, 4)), begun[-1]))
    Map(function(a, b) expect_equal(as.array(a), as.array(b), tolerance = 1e-14, label = name), rest, whole)
    named <- layer(steps_between(x, 2, 4), initial_state = begun[-1])
    expect_identical(as.array(named[[1]]), as.array(rest[[1]]))
  }
})

test_that("the states of channels first are images of channels first", {
  local_float64()
  last <- layer_conv_lstm_2d(filters = 3, kernel_size = 2, padding = "same", return_state = TRUE)
  first <- layer_conv_lstm_2d(filters = 3, kernel_size = 2, padding = "same", return_state = TRUE,
                              data_format = "channels_first")
  x <- steps_for("ConvLSTM2D")
  turned <- aperm(x, c(1, 2, 5, 3, 4))
  expected <- last(x)
  first(turned)
  set_weights(first, get_weights(last))
  found <- first(turned)
  for (i in 1:3) expect_equal(as.array(found[[i]]), aperm(as.array(expected[[i]]), c(1, 4, 2, 3)))
  expect_equal(as.array(first(c(list(turned), found[-1]))[[1]]),
               aperm(as.array(last(c(list(x), expected[-1]))[[1]]), c(1, 4, 2, 3)))
})

test_that("the number of steps may be unknown and change", {
  for (name in names(recurrent)) {
    x <- steps_for(name, steps = 5)
    model <- keras_model_sequential(input_shape = c(list(NULL), as.list(dim(x)[-(1:2)])))
    recurrent[[name]](object = model, return_sequences = TRUE)
    expect_identical(model$output_shape[1:2], c(NA_integer_, NA_integer_))
    long <- predict(model, x)
    expect_equal(predict(model, steps_between(x, 1, 2)), steps_between(long, 1, 2), tolerance = 1e-6)
  }
})

test_that("stateful layers keep their states over predict(), fit() and saveRDS() until they are reset", {
  for (name in names(recurrent)) {
    x <- steps_for(name)
    model <- recurrent[[name]](object = keras_model_sequential(), stateful = TRUE, batch_input_shape = dim(x))
    stateless <- recurrent[[name]](object = keras_model_sequential(), input_shape = dim(x)[-1])
    set_weights(stateless, get_weights(model))
    expect_length(get_weights(model), 3)
    first <- predict(model, x)
    expect_equal(first, predict(stateless, x), tolerance = 1e-6)
    loaded <- readRDS(saved(model))
    second <- predict(model, x)
    expect_gt(max(abs(second - first)), 1e-3)
    expect_identical(predict(loaded, x), second)
    reset_states(model)
    expect_identical(predict(model, x), first)
    model %>% compile("sgd", "mse")
    expect_error(predict(model, steps_for(name, 3)), class = "convnet_error_shape")
    train_on_batch(model, x, second)
    expect_gt(max(abs(predict(model, x) - first)), 1e-3)
  }
})

test_that("dropout masks stay the same over all steps and differ between gates and batches", {
  set.seed(1)
  x <- array(1, c(1, 3, 400))
  layer <- layer_simple_rnn(units = 400, activation = NULL, use_bias = FALSE, dropout = 0.25, return_sequences = TRUE,
                            weights = list(diag(400), matrix(0, 400, 400)))
  y <- as.array(layer(x, training = TRUE))
  expect_setequal(round(unique(c(y)), 5), round(c(0, 4 / 3), 5))
  expect_close(mean(y == 0), 0.25, 0.08)
  expect_identical(y[, 1, ], y[, 3, ])
  expect_gt(sum(y != as.array(layer(x, training = TRUE))), 50)
  expect_identical(as.array(layer(x)), x)

  recurrent <- layer_simple_rnn(units = 400, activation = NULL, use_bias = FALSE, recurrent_dropout = 0.25,
                                return_sequences = TRUE, weights = list(diag(400), diag(400)))
  y <- as.array(recurrent(x, training = TRUE))
  kept <- y[1, 2, ] > 1
  expect_equal(y[1, 2, ], ifelse(kept, 1 + 4 / 3, 1), tolerance = 1e-6)
  expect_equal(y[1, 3, ], ifelse(kept, 1 + (1 + 4 / 3) * 4 / 3, 1), tolerance = 1e-6)

  gates <- layer_lstm(units = 2, activation = NULL, recurrent_activation = NULL, use_bias = FALSE, dropout = 0.5,
                      weights = list(matrix(1, 400, 8), matrix(0, 2, 8)), seed = 3)
  found <- as.array(gates(array(1, c(1, 1, 400)), training = TRUE))
  expect_identical(as.array(gates(array(1, c(1, 1, 400)), training = TRUE)), found)
  # The product of what three gates see: the cube of an even number if they had one mask.
  root <- found[1]^(1 / 3)
  expect_gt(abs(root - round(root / 2) * 2), 1e-3)
})

test_that("the forget gate begins open", {
  model <- keras_model_sequential(list(layer_lstm(units = 2, input_shape = c(3, 1))))
  expect_equal(get_weights(model)[[3]], array(c(0, 0, 1, 1, 0, 0, 0, 0)))
  model <- keras_model_sequential(list(layer_cudnn_lstm(units = 1, input_shape = c(3, 1))))
  expect_equal(get_weights(model)[[3]], array(c(0, 0, 0, 0, 0, 1, 0, 0)))
  model <- keras_model_sequential(list(layer_conv_lstm_1d(filters = 1, kernel_size = 1, unit_forget_bias = FALSE,
                                                          input_shape = c(3, 2, 1))))
  expect_equal(get_weights(model)[[3]], array(rep(0, 4)))
})

test_that("the layers of cuDNN are those of the same arithmetic", {
  x <- values(c(2, 4, 3))
  kernel <- values(c(3, 8))
  recurrent_kernel <- values(c(2, 8)) / 2
  bias <- array(cos(1:16))
  plain <- layer_lstm(units = 2, recurrent_activation = "sigmoid",
                      weights = list(kernel, recurrent_kernel, array(bias[1:8] + bias[9:16])))
  expect_equal(as.array(layer_cudnn_lstm(units = 2, weights = list(kernel, recurrent_kernel, bias))(x)),
               as.array(plain(x)), tolerance = 1e-6)
  plain <- layer_gru(units = 2, recurrent_activation = "sigmoid", reset_after = TRUE,
                     weights = list(kernel[, 1:6], recurrent_kernel[, 1:6], rbind(bias[1:6], bias[7:12])))
  expect_equal(as.array(layer_cudnn_gru(units = 2, weights = list(kernel[, 1:6], recurrent_kernel[, 1:6], array(bias[1:12])))(x)),
               as.array(plain(x)), tolerance = 1e-6)
})

test_that("models with recurrent layers learn", {
  set.seed(1)
  x <- array(rnorm(64 * 6), c(64, 6, 1))
  y <- apply(x, 1, sum)
  for (layer in list(layer_lstm, layer_gru)) {
    model <- keras_model_sequential(input_shape = c(6, 1)) %>% layer(units = 8, dropout = 0.05) %>% layer_dense(1)
    model %>% compile(optimizer_adam(0.03), "mse")
    history <- fit(model, x, y, epochs = 15, batch_size = 16, verbose = 0)
    expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1] / 4)
  }
})

test_that("a ConvLSTM learns where moving digits go", {
  set.seed(2)
  digits <- dataset_digits()$train$x[1:20, seq(1, 28, 2), seq(1, 28, 2)] / 255
  films <- array(0, c(20, 5, 14, 14, 1))
  for (t in 1:5) films[, t, , , 1] <- digits[, , c(t:14, seq_len(t - 1))]
  model <- keras_model_sequential(input_shape = list(NULL, 14, 14, 1)) %>%
    layer_conv_lstm_2d(filters = 6, kernel_size = 3, padding = "same", return_sequences = TRUE) %>%
    layer_conv_3d(filters = 1, kernel_size = 1, activation = "sigmoid")
  model %>% compile(optimizer_adam(0.02), "mse")
  history <- fit(model, films[, 1:4, , , , drop = FALSE], films[, 2:5, , , , drop = FALSE], epochs = 12,
                 batch_size = 5, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1] / 2)
  expect_identical(dim(predict(model, films[1:2, 1:2, , , , drop = FALSE])), c(2L, 2L, 14L, 14L, 1L))
})

test_that("layers inside others forget their states, too", {
  model <- keras_model_sequential() %>%
    bidirectional(layer_gru(units = 2, stateful = TRUE), batch_input_shape = c(1, 3, 2))
  x <- values(c(1, 3, 2))
  first <- predict(model, x)
  expect_false(identical(predict(model, x), first))
  reset_states(model)
  expect_identical(predict(model, x), first)
})

test_that("bad arguments and inputs are refused", {
  k_reset_uids()
  x <- values(c(2, 3, 2))
  expect_snapshot_errors({
    layer_lstm(units = 0)
    layer_lstm(units = 2, dropout = 1.5)
    layer_gru(units = 2, recurrent_dropout = -0.1)
    layer_simple_rnn(units = 2, return_state = "yes")
    layer_lstm(units = 2, recurent_dropout = 0.5)
    layer_lstm(units = 2, name = "memory")(matrix(0, 2, 3))
    layer_lstm(units = 2, name = "memory")(layer_input(list(NULL, NULL)))
    layer_lstm(units = 2, name = "memory", stateful = TRUE)(layer_input(c(3, 2)))
    layer_lstm(units = 2, name = "memory")(list(x, matrix(0, 2, 2)))
    layer_gru(units = 2, name = "gate")(list(x, x))
    layer_gru(units = 2, name = "gate")(list(x, matrix(0, 2, 3)))
    layer_conv_lstm_2d(filters = 2, kernel_size = 3, name = "film")(array(0, c(2, 5, 5, 1)))
    layer_conv_lstm_2d(filters = 2, kernel_size = 3, strides = 2, dilation_rate = 2)
    layer_conv_lstm_2d(filters = 2, kernel_size = 3, name = "film", stateful = TRUE,
                       batch_input_shape = list(2, 3, NULL, NULL, 1))(layer_input(batch_shape = list(2, 3, NULL, NULL, 1)))
    reset_states(1)
  })
})

test_that("a model for batches of one size runs through all batches of its data, states kept from one to the next", {
  x <- array(sin(1:24), c(6, 2, 2))
  model <- keras_model_sequential() %>% layer_lstm(3, stateful = TRUE, batch_size = 2, input_shape = c(2, 2))
  whole <- predict(model, x)
  reset_states(model)
  parts <- lapply(1:3, function(i) predict(model, x[2 * i - 1:0, , ]))
  expect_identical(whole, do.call(rbind, parts))
  model %>% compile("sgd", "mse")
  history <- model %>% fit(x, whole, epochs = 1, verbose = 0, shuffle = FALSE, validation_data = list(x, whole))
  expect_identical(history$params$batch_size, 2L)
  expect_identical(model$optimizer$iterations, 3)
  weights <- get_weights(model)
  expect_snapshot_errors({
    model %>% fit(x[1:5, , ], whole[1:5, ])
    model %>% fit(x, whole, batch_size = 3)
    model %>% fit(x, whole, validation_split = 0.5)
    model %>% predict(x, batch_size = 32)
    model %>% evaluate(x, whole, batch_size = 4, verbose = 0)
  })
  expect_identical(get_weights(model), weights)
})
