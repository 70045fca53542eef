test_that("bidirectional() joins two layers in each of its modes", {
  local_float64()
  x <- array(sin(1:24), c(2, 4, 3))
  forward <- layer_gru(units = 2, return_sequences = TRUE)
  for (mode in list("concat", "sum", "mul", "ave", NULL)) {
    both <- bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE), merge_mode = mode)
    y <- both(x)
    weights <- get_weights(both)
    a <- forward(x)
    set_weights(forward, weights[1:3])
    a <- as.array(forward(x))
    set_weights(forward, weights[4:6])
    b <- as.array(forward(x[, 4:1, ]))[, 4:1, ]
    expected <- switch(mode %||% "none", concat = array(c(a, b), c(2, 4, 4)), sum = a + b, mul = a * b, ave = (a + b) / 2)
    if (is.null(mode)) {
      expect_equal(lapply(y, as.array), list(a, b))
    } else {
      expect_equal(as.array(y), expected)
    }
  }
})

test_that("bidirectional() takes and returns states, of the forward layer first", {
  local_float64()
  x <- array(sin(1:24), c(2, 4, 3))
  both <- bidirectional(layer = layer_lstm(units = 2, return_state = TRUE))
  found <- both(x)
  expect_length(found, 5)
  expect_equal(as.array(found[[1]]), cbind(as.array(found[[2]]), as.array(found[[4]])))
  again <- both(x, initial_state = found[-1])
  forward <- layer_lstm(units = 2)
  forward(x)
  set_weights(forward, get_weights(both)[1:3])
  expect_equal(as.array(again[[2]]), as.array(forward(x, initial_state = found[2:3])))
  expect_equal(as.array(both(c(list(x), found[-1]))[[1]]), as.array(again[[1]]))
})

test_that("wrappers keep their layer over configuration, copies and saveRDS(), and train it", {
  set.seed(1)
  x <- array(rnorm(32 * 5 * 2), c(32, 5, 2))
  y <- apply(x, 1:2, sum)
  model <- keras_model_sequential(input_shape = list(NULL, 2)) %>%
    bidirectional(layer_lstm(units = 4, return_sequences = TRUE), merge_mode = "ave", name = "both") %>%
    time_distributed(layer_dense(units = 1), name = "each")
  expect_length(model$weights, 8)
  expect_identical(model$output_shape, c(NA, NA, 1L))
  copy <- clone_model(model)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))
  expect_false(identical(copy$layers[[1]]$layer, model$layers[[1]]$layer))
  model %>% compile(optimizer_adam(0.05), "mse")
  history <- fit(model, x, array(y, c(32, 5, 1)), epochs = 10, batch_size = 8, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1] / 4)
  expect_identical(predict(readRDS(saved(model)), x), predict(model, x))
  freeze_weights(model, "both", "both")
  expect_length(model$trainable_weights, 2)
})

test_that("time_distributed() wraps models, and layers of images of unknown size", {
  local_float64()
  x <- array(sin(1:(2 * 3 * 4 * 5)), c(2, 3, 4, 5, 1))
  inner <- keras_model_sequential(input_shape = c(4, 5, 1)) %>% layer_conv_2d(2, 2) %>% layer_flatten()
  each <- time_distributed(layer = inner)
  y <- as.array(each(x))
  expect_identical(dim(y), c(2L, 3L, 24L))
  for (t in 1:3) expect_equal(y[, t, ], predict(inner, array(x[, t, , , ], c(2, 4, 5, 1))))
  conv <- layer_conv_2d(filters = 2, kernel_size = 2)
  open <- keras_model_sequential(input_shape = list(NULL, NULL, NULL, 1)) %>% time_distributed(conv)
  expect_equal(predict(open, x), as.array(time_distributed(layer = conv)(x)))
  normalized <- time_distributed(layer = layer_batch_normalization())
  normalized(x, training = TRUE)
  expect_gt(max(abs(get_weights(normalized)[[3]])), 0)
})

test_that("wrappers refuse what they cannot wrap", {
  k_reset_uids()
  expect_snapshot_errors({
    bidirectional(layer = layer_dense(units = 2))
    bidirectional(layer = "lstm")
    bidirectional(layer = layer_lstm(units = 2), merge_mode = "max")
    bidirectional(layer = layer_lstm(units = 2), backward_layer = layer_gru(units = 2))
    time_distributed(layer = 3)
    time_distributed()
    time_distributed(layer = layer_dense(units = 2), name = "each")(1:3)
    time_distributed(layer = layer_conv_2d(filters = 1, kernel_size = 2, name = "conv"), name = "each")(array(0, c(2, 3, 4)))
    layer_embedding(input_dim = 0, output_dim = 3)
    layer_masking(mask_value = "x")
    layer_masking(name = "mask")(matrix(0, 2, 2))
  })
})
