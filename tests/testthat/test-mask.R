padded <- function() {
  x <- array(sin(1:24), c(2, 4, 3))
  x[1, 3:4, ] <- 0
  x[2, 1, ] <- 0
  x
}
masked_steps <- rbind(c(TRUE, TRUE, FALSE, FALSE), c(FALSE, TRUE, TRUE, TRUE))

test_that("recurrent layers skip the steps that a mask leaves out", {
  local_float64()
  for (layer in list(layer_lstm(units = 2), layer_gru(units = 2), layer_simple_rnn(units = 2))) {
    masked <- as.array(layer(layer_masking()(padded())))
    x <- padded()
    expect_equal(masked[1, ], as.array(layer(x[1, 1:2, , drop = FALSE]))[1, ], tolerance = 1e-14)
    expect_equal(masked[2, ], as.array(layer(x[2, 2:4, , drop = FALSE]))[1, ], tolerance = 1e-14)
    given <- as.array(layer(padded(), mask = masked_steps))
    expect_equal(given, masked)
  }
})

test_that("masks pass through models, wrappers and layers that work step by step, with any number of steps", {
  local_float64()
  lstm <- layer_lstm(units = 2, return_sequences = TRUE)
  inner <- keras_model_sequential(input_shape = list(NULL, 3)) %>% layer_dropout(0.5) %>% layer_dense(3, use_bias = FALSE)
  model <- keras_model_sequential(input_shape = list(NULL, 3)) %>% layer_masking() %>% inner %>%
    bidirectional(lstm) %>% time_distributed(layer_dense(units = 2)) %>% layer_gru(2)
  one <- function(x) predict(model, x)
  expect_equal(one(padded())[1, ], one(padded()[1, 1:2, , drop = FALSE])[1, ], tolerance = 1e-12)
  expect_equal(one(padded())[2, ], one(padded()[2, 2:4, , drop = FALSE])[1, ], tolerance = 1e-12)
  copy <- readRDS(saved(model))
  expect_identical(predict(copy, padded()), one(padded()))
})

test_that("embeddings mask their zeros", {
  model <- keras_model_sequential() %>% layer_embedding(5, 3, mask_zero = TRUE) %>% layer_simple_rnn(2)
  expect_identical(model$input_shape, c(NA_integer_, NA_integer_))
  expect_identical(model$layers[[1]]$output_shape, c(NA_integer_, NA_integer_, 3L))
  expect_equal(predict(model, rbind(c(3, 1, 0, 0))), predict(model, rbind(c(3, 1))), tolerance = 1e-6)
  plain <- keras_model_sequential() %>% layer_embedding(5, 3, input_length = 2)
  expect_identical(plain$output_shape, c(NA_integer_, 2L, 3L))
  vectors <- get_weights(plain)[[1]]
  expect_equal(predict(plain, rbind(c(4, 0)))[1, , ], vectors[c(5, 1), ], tolerance = 1e-6)
  expect_error(predict(plain, rbind(c(5, 0))), class = "convnet_error_argument")
  expect_error(layer_embedding(input_dim = 5, output_dim = 3, input_length = 2)(layer_input(3)), class = "convnet_error_shape")
})

test_that("losses and metrics are means over the steps that count", {
  local_float64()
  model <- keras_model_sequential(input_shape = c(4, 3)) %>% layer_masking() %>% layer_dense(1)
  model %>% compile("sgd", "mse", metrics = "mae")
  x <- padded()
  y <- array(cos(1:8), c(2, 4, 1))
  error <- (predict(model, x) - y)[, , 1]
  found <- evaluate(model, x, y, verbose = 0)
  expect_equal(found$loss, mean(error[masked_steps]^2))
  expect_equal(found[[2]], mean(abs(error[masked_steps])))
})

test_that("other layers drop masks, and custom ones compute their own", {
  set.seed(1)
  local_float64()
  x <- padded()
  rnn <- layer_simple_rnn(units = 2)
  tanh_of <- list(class_name = "TanhOf", call = function(self, inputs) k_tanh(inputs))
  plain <- as.array(rnn(create_layer(tanh_of)(layer_masking()(x))))
  expect_equal(plain, as.array(rnn(tanh(x))), tolerance = 1e-12)
  expect_gt(max(abs(plain - as.array(rnn(tanh(x), mask = masked_steps)))), 0.01)
  kept <- create_layer(c(tanh_of, supports_masking = TRUE))(layer_masking()(x))
  expect_equal(as.array(rnn(kept)), as.array(rnn(tanh(x), mask = masked_steps)), tolerance = 1e-12)
  first_only <- list(class_name = "FirstOnly", call = function(self, inputs, mask = NULL) {
    if (is.null(mask)) inputs else inputs * k_expand_dims(k_cast(mask, inputs$dtype))
  }, compute_mask = function(self, inputs, mask) k_equal(mask, FALSE))
  turned <- create_layer(first_only)(x + 1, mask = masked_steps)
  expect_equal(as.array(turned), (x + 1) * c(masked_steps))
  expect_equal(as.array(rnn(turned)), as.array(rnn(as.array(turned), mask = !masked_steps)))
})

test_that("get_input_mask_at() and get_output_mask_at() are the masks of a call", {
  input <- layer_input(c(4, 3))
  masking <- layer_masking()
  dense <- layer_dense(units = 2)
  masked <- masking(input)
  dense(masked)
  dense(input)
  expect_null(get_input_mask_at(masking, 1))
  expect_identical(dim(get_output_mask_at(dense, 1)), c(NA, 4L))
  run <- k_function(list(input), list(get_output_mask_at(masking, 1), get_input_mask_at(dense, 1),
                                      get_output_mask_at(dense, 1)))
  expect_identical(run(list(padded())), rep(list(masked_steps), 3))
  expect_null(get_output_mask_at(dense, 2))
  expect_error(get_output_mask_at(dense, 3), class = "convnet_error_argument")
  # Of several inputs, each.
  sum <- layer_add()
  sum(list(masked, input))
  masks <- get_input_mask_at(sum, 1)
  expect_identical(k_function(list(input), masks[1])(list(padded())), list(masked_steps))
  expect_null(masks[[2]])
  # On to models of their own, copied and saved.
  counts <- keras_model(input, k_sum(k_cast(get_output_mask_at(dense, 1), "float32"), axis = 2))
  for (model in list(counts, clone_model(counts), readRDS(saved(counts)))) {
    expect_equal(c(predict(model, padded())), c(2, 3))
  }
})

test_that("wrappers, embeddings, models and lambdas pass masks as Keras does", {
  input <- layer_input(c(4, 3))
  masked <- layer_masking(input)
  both <- bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE), merge_mode = NULL)
  both(masked)
  last <- bidirectional(layer = layer_gru(units = 2))
  last(masked)
  timed <- time_distributed(layer = layer_dense(units = 2))
  timed(masked)
  model <- keras_model_sequential(input_shape = c(4, 3)) %>% layer_dropout(0.5) %>% layer_dense(2)
  model(masked)
  plain <- layer_lambda(f = function(x) x)
  plain(masked)
  turned <- layer_lambda(f = function(x) x, mask = function(inputs, mask) k_equal(mask, FALSE))
  turned(masked)
  mask_of_call <- function(layer, call = 1) {
    masks <- get_output_mask_at(layer, call)
    k_function(list(input), if (is.list(masks)) masks else list(masks))(list(padded()))
  }
  expect_identical(mask_of_call(both), rep(list(masked_steps), 2))
  expect_null(get_output_mask_at(last, 1))
  expect_identical(mask_of_call(timed), list(masked_steps))
  expect_identical(mask_of_call(model, 2), list(masked_steps))
  expect_null(get_output_mask_at(plain, 1))
  expect_identical(mask_of_call(turned), list(!masked_steps))
  words <- layer_input(3)
  embedding <- layer_embedding(input_dim = 5, output_dim = 2, mask_zero = TRUE)
  embedding(words)
  f <- k_function(list(words), list(get_output_mask_at(embedding, 1)))
  expect_identical(f(list(rbind(c(0, 4, 1)))), list(rbind(c(FALSE, TRUE, TRUE))))
})

test_that("functions compute with masks", {
  model <- keras_model_sequential(input_shape = c(4, 3)) %>% layer_masking() %>%
    layer_lambda(function(x, mask) (x + 1) * k_expand_dims(k_cast(mask, "float32")))
  expect_equal(predict(model, padded()), (padded() + 1) * c(masked_steps), tolerance = 1e-6)
})

test_that("what is joined to a sequence with a mask counts", {
  input <- layer_input(c(4, 3))
  masked <- layer_masking(input)
  along <- layer_concatenate(axis = 1)
  beside <- layer_concatenate()
  for (join in list(along, beside)) join(list(masked, layer_zero_padding_1d(input, 0)))
  for (join in list(along, beside)) join(list(input, input))
  masks <- k_function(list(input), list(get_output_mask_at(along, 1), get_output_mask_at(beside, 1)))(list(padded()))
  expect_identical(masks, list(cbind(masked_steps, matrix(TRUE, 2, 4)), masked_steps))
  expect_null(get_output_mask_at(along, 2))
  expect_null(get_output_mask_at(beside, 2))
})
