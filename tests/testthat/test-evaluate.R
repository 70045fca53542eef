test_that("batches give what one batch gives", {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(6, 6, 2)) %>%
    layer_conv_2d(3, 3, activation = "relu") %>% layer_conv_2d_transpose(2, 3, strides = 2) %>% layer_batch_normalization() %>%
    layer_dropout(0.5) %>% layer_flatten() %>% layer_dense(3, activation = "softmax")
  model %>% compile("sgd", "categorical_crossentropy", metrics = c("accuracy", "mae"))
  x <- array(rnorm(11 * 72), c(11, 6, 6, 2))
  y <- to_categorical(rep(0:2, length.out = 11))
  whole <- predict(model, x, batch_size = 11)
  for (size in c(1, 4, 10, 100)) expect_equal(predict(model, x, batch_size = size), whole, tolerance = 1e-5)
  expect_identical(predict(model, x, batch_size = 4), predict(model, x, batch_size = 4))
  expect_equal(predict_on_batch(model, x), whole)
  expect_equal(unname(rowSums(whole)), rep(1, 11), tolerance = 1e-5)
  all_rows <- evaluate(model, x, y, batch_size = 11, verbose = 0)
  expect_identical(names(all_rows), c("loss", "accuracy", "mae"))
  expect_equal(evaluate(model, x, y, batch_size = 4, verbose = 0), all_rows, tolerance = 1e-5)
  expect_equal(all_rows$loss, mean(-log(whole[cbind(1:11, rep(1:3, length.out = 11))])), tolerance = 1e-5)
  expect_equal(all_rows$accuracy, mean(max.col(whole) == rep(1:3, length.out = 11)), tolerance = 1e-6)
  expect_equal(as.list(test_on_batch(model, x, y)), all_rows, tolerance = 1e-5)
  expect_equal(evaluate(model, x, y, batch_size = 4, steps = 2, verbose = 0),
               evaluate(model, x[1:8, , , ], y[1:8, ], verbose = 0), tolerance = 1e-5)
  expect_equal(predict(model, x, batch_size = 4, steps = 2), whole[1:8, ], tolerance = 1e-5)
})

test_that("each call sees the weights as they are", {
  set.seed(2)
  model <- keras_model_sequential(input_shape = c(8, 8, 2)) %>%
    layer_conv_2d(4, 3) %>% layer_batch_normalization(beta_initializer = "random_normal") %>% layer_activation("relu") %>%
    layer_conv_2d_transpose(3, 3, use_bias = FALSE) %>% layer_batch_normalization(gamma_initializer = "random_normal") %>%
    layer_flatten() %>% layer_dense(5) %>% layer_batch_normalization(scale = FALSE)
  model %>% compile(optimizer_sgd(0), "mse")
  x <- array(rnorm(10 * 128), c(10, 8, 8, 2))
  # One layer after the other, so that nothing is computed together.
  layer_by_layer <- function() {
    for (layer in model$layers) x <- as.array(layer(k_constant(x)))
    x
  }
  for (step in 1:3) {
    weights <- lapply(get_weights(model), function(w) w + array(runif(length(w), 0.1, 0.5), dim(w)))
    set_weights(model, weights)
    expected <- layer_by_layer()
    for (size in c(1, 3, 10)) expect_equal(predict(model, x, batch_size = size), expected, tolerance = 1e-4)
    expect_equal(evaluate(model, x, 0 * expected, batch_size = 3, verbose = 0)$loss, mean(expected^2), tolerance = 1e-4)
    fit(model, x, expected, epochs = 1, batch_size = 5, verbose = 0)  # moves the statistics
    expect_equal(predict(model, x), layer_by_layer(), tolerance = 1e-4)
  }
})

test_that("prediction draws nothing from R's generator and changes nothing", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dropout(0.5) %>% layer_batch_normalization() %>% layer_dense(1)
  model %>% compile("sgd", "mse")
  before <- get_weights(model)
  set.seed(1)
  seed <- .Random.seed
  predict(model, matrix(1, 5, 2))
  evaluate(model, matrix(1, 5, 2), 1:5, verbose = 0)
  expect_identical(.Random.seed, seed)
  expect_identical(get_weights(model), before)
})

test_that("a batch trained by hand is a fit of one batch", {
  d <- list(x = rbind(c(1, 2), c(3, 4), c(5, 6)), y = c(1, 0, 1))
  by_fit <- small_line(optimizer = optimizer_adam(0.1), loss = "mse", metrics = "mae")
  by_hand <- small_line(optimizer = optimizer_adam(0.1), loss = "mse", metrics = "mae")
  histories <- fit(by_fit, d$x, d$y, epochs = 3, shuffle = FALSE, verbose = 0, sample_weight = c(1, 2, 3))
  logs <- lapply(1:3, function(i) train_on_batch(by_hand, d$x, d$y, sample_weight = c(1, 2, 3)))
  expect_identical(get_weights(by_hand), get_weights(by_fit))
  expect_identical(vapply(logs, function(l) l$loss, 0), histories$metrics$loss)
  expect_identical(names(logs[[1]]), c("loss", "mae"))
  # What is returned was measured before the step: 0.5 (x1 + x2)
  expect_equal(logs[[1]]$mae, mean(abs(c(1.5, 3.5, 5.5) - d$y)), tolerance = 1e-6)
  expect_equal(as.list(test_on_batch(by_hand, d$x, d$y)), evaluate(by_fit, d$x, d$y, verbose = 0))
})

test_that("values of a batch are numbers, in scripts of every generation", {
  x <- rbind(c(1, 2), c(3, 4))
  plain <- small_line(optimizer = "sgd", loss = "mse")
  loss <- test_on_batch(plain, x, 0:1)
  expect_true(is.numeric(loss))
  expect_identical(names(loss), "loss")
  # 0.5 (x1 + x2)
  expect_equal(as.numeric(loss), mean((c(1.5, 3.5) - 0:1)^2))
  expect_equal(as.numeric(loss + train_on_batch(plain, x, 0:1)), 2 * as.numeric(loss))
  losses <- numeric(2)
  losses[2] <- loss
  expect_equal(losses, c(0, loss[[1]]))
  model <- small_line(optimizer = "sgd", loss = "mse", metrics = "mae")
  for (both in list(test_on_batch(model, x, 0:1), train_on_batch(model, x, 0:1))) {
    expect_equal(c(both), c(loss = 4.25, mae = 2))
    expect_equal(both[1], c(loss = 4.25))
    expect_equal(both[["mae"]], 2)
    expect_equal(both$mae, 2)
    expect_null(both$accuracy)
    expect_output(cat(both), "4.25 2", fixed = TRUE)
    expect_output(print(both), "^loss  mae \n4.25 2.00 $")
    expect_identical(sprintf("%.1f", both), c("4.2", "2.0"))
    expect_equal(rbind(NULL, unlist(both)), rbind(c(loss = 4.25, mae = 2)))
  }
})

test_that("predictions keep the shape of the output", {
  model <- keras_model_sequential(input_shape = c(2, 3)) %>% layer_dense(4)
  expect_identical(dim(predict(model, ramp(5, 2, 3))), c(5L, 2L, 4L))
  expect_identical(dim(predict(model, ramp(1, 2, 3))), c(1L, 2L, 4L))
  expect_identical(dim(predict(keras_model_sequential(input_shape = c(2, 2, 1)) %>% layer_max_pooling_2d(), ramp(3, 2, 2, 1))),
                   c(3L, 1L, 1L, 1L))
})
