test_that("losses and metrics are given as names, functions and objects alike", {
  x <- matrix(c(1, 2, 3, 4), 2)  # predictions 2 and 3
  y <- c(1, 5)
  expected <- mean((c(2, 3) - y)^2)
  for (loss in list("mse", "MeanSquaredError", loss_mean_squared_error, loss_mean_squared_error(), list("mse"),
                    function(y_true, y_pred) k_mean(k_square(y_true - y_pred), axis = -1),
                    function(y_true, y_pred) k_square(y_true - y_pred),
                    function(y_true, y_pred) k_mean(k_square(y_true - y_pred)))) {
    model <- small_line(loss = loss, metrics = list("mae", own = function(y_true, y_pred) k_max(y_pred), custom_metric("low", function(y_true, y_pred) k_min(y_pred))))
    expect_equal(evaluate(model, x, y, verbose = 0), list(loss = expected, mae = 1.5, own = 3, low = 2), tolerance = 1e-6)
  }
  named <- small_line(loss = loss_huber(delta = 1), metrics = c(error = "mae", "mse"))
  expect_equal(evaluate(named, x, y, verbose = 0), list(loss = mean(c(0.5, 1.5)), error = 1.5, mse = 2.5), tolerance = 1e-6)
  expect_identical(names(evaluate(small_line(loss = "mse", metrics = list("mae", "mae")), x, y, verbose = 0)), c("loss", "mae", "mae_1"))
})

test_that("metrics with arguments may stand in c()", {
  local_float64()
  x <- matrix(c(0, 0.4, 0.6, 1))
  y <- c(0, 1, 1, 1)
  model <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, kernel_initializer = "ones", name = "out")
  values <- function(metrics) unlist((model %>% compile("sgd", "mse", metrics = metrics) %>% evaluate(x, y, verbose = 0))[-1])
  strict <- metric_binary_accuracy(name = "strict", threshold = 0.3)
  expected <- c(mae = 0.25, strict = 1, accuracy = 0.75)
  expect_equal(values(list("mae", strict, "accuracy")), expected)
  expect_equal(values(c("mae", strict, "accuracy")), expected)
  expect_equal(values(c(strict, metric_binary_accuracy(name = "loose", threshold = 0.9))), c(strict = 1, loose = 0.5))
  expect_equal(values(list(out = c("mae", strict))), expected[1:2])
})

test_that("accuracy is that of the output and the loss", {
  probabilities <- rbind(c(0.1, 0.7, 0.2), c(0.5, 0.3, 0.2), c(0.2, 0.2, 0.6), c(0.3, 0.4, 0.3))
  same <- function(units, loss) {
    model <- keras_model_sequential(input_shape = units) %>% layer_activation("linear")
    model %>% compile("sgd", loss, metrics = "accuracy")
    model
  }
  sparse <- evaluate(same(3, "sparse_categorical_crossentropy"), probabilities, c(1, 0, 1, 1), verbose = 0)
  expect_equal(sparse, list(loss = -mean(log(c(0.7, 0.5, 0.2, 0.4))), accuracy = 0.75), tolerance = 1e-6)
  expect_equal(evaluate(same(3, "categorical_crossentropy"), probabilities, to_categorical(c(1, 0, 1, 1), 3), verbose = 0), sparse, tolerance = 1e-6)
  binary <- evaluate(same(1, "binary_crossentropy"), c(0.9, 0.2, 0.6), c(1, 0, 0), verbose = 0)
  expect_equal(binary, list(loss = -mean(log(c(0.9, 0.8, 0.4))), accuracy = 2 / 3), tolerance = 1e-6)
})

test_that("a loss may use tensors of the model itself", {
  model <- keras_model_sequential(input_shape = 2) %>%
    layer_dense(2, use_bias = FALSE, weights = list(rbind(c(1, 2), c(0, 1))), name = "hidden") %>%
    layer_dense(1, use_bias = FALSE, weights = list(matrix(c(1, 1))), name = "out")
  hidden <- get_layer(model, "hidden")$output
  model %>% compile(optimizer_sgd(0.1), function(y_true, y_pred) {
    loss_mean_squared_error(y_true, y_pred) + k_sum(k_square(hidden), axis = -1)
  })
  # hidden = (1, 3), output 4
  expect_equal(evaluate(model, rbind(c(1, 1)), 1, verbose = 0)$loss, 9 + 10, tolerance = 1e-6)
  fit(model, rbind(c(1, 1)), 1, epochs = 1, verbose = 0)
  expect_equal(get_weights(model)[[2]], matrix(1 - 0.1 * 6 * c(1, 3)), tolerance = 1e-6)
  slope <- 6 * c(1, 1) + 2 * c(1, 3)
  expect_equal(get_weights(model)[[1]], rbind(c(1, 2), c(0, 1)) - 0.1 * rbind(slope, slope, deparse.level = 0), tolerance = 1e-6)
})

test_that("weighted metrics are weighed, others are not", {
  model <- small_line(loss = "mse", metrics = "mae", weighted_metrics = list(w = "mae"))
  x <- matrix(c(1, 2, 3, 4), 2)  # predictions 2 and 3
  result <- evaluate(model, x, c(1, 6), sample_weight = c(1, 3), verbose = 0)
  expect_equal(result, list(loss = (1 + 3 * 9) / 2, mae = 2, w = (1 + 3 * 3) / 4), tolerance = 1e-6)
  # The same over batches of one.
  expect_equal(evaluate(model, x, c(1, 6), sample_weight = c(1, 3), batch_size = 1, verbose = 0), result, tolerance = 1e-6)
  expect_equal(evaluate(model, x, c(1, 6), verbose = 0), list(loss = 5, mae = 2, w = 2), tolerance = 1e-6)
})

test_that("loss_weights scale the loss, penalties are added", {
  model <- small_line(loss = "mse", loss_weights = 10)
  expect_equal(evaluate(model, matrix(2, 1, 2), 0, verbose = 0)$loss, 40, tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = 1) %>%
    layer_dense(1, kernel_initializer = initializer_constant(3), kernel_regularizer = regularizer_l2(0.1),
                bias_initializer = initializer_constant(-2), bias_regularizer = regularizer_l1(0.5))
  model %>% compile(optimizer_sgd(0.1), "mse", metrics = "mse")
  expect_equal(evaluate(model, 1, 1, verbose = 0), list(loss = 0.9 + 1, mse = 0), tolerance = 1e-6)
  fit(model, 1, 1, epochs = 1, verbose = 0)
  expect_equal(get_weights(model), list(matrix(3 - 0.1 * 0.6), array(-2 + 0.1 * 0.5)), tolerance = 1e-6)
})

test_that("constraints hold after every step", {
  model <- keras_model_sequential(input_shape = 2) %>%
    layer_dense(1, kernel_initializer = "ones", kernel_constraint = constraint_maxnorm(1), bias_constraint = constraint_nonneg())
  model %>% compile(optimizer_sgd(0.1), "mse")
  fit(model, rbind(c(1, 0)), 0, epochs = 1, verbose = 0)
  stepped <- c(1 - 0.2, 1)
  expect_equal(get_weights(model), list(matrix(stepped / sqrt(sum(stepped^2))), array(0)), tolerance = 1e-5)
  own <- keras_model_sequential(input_shape = 1) %>%
    layer_dense(1, use_bias = FALSE, kernel_initializer = "ones", kernel_constraint = function(w) k_clip(w, 0.95, 2))
  own %>% compile(optimizer_sgd(0.1), "mse")
  fit(own, 1, 0, epochs = 1, verbose = 0)
  expect_equal(get_weights(own), list(matrix(0.95)), tolerance = 1e-6)
})

test_that("compile() again begins with a fresh optimizer and keeps the weights", {
  model <- small_line(optimizer = optimizer_adam(0.1), loss = "mse")
  fit(model, matrix(1, 4, 2), 1:4, epochs = 3, verbose = 0)
  expect_identical(model$optimizer$iterations, 3)
  before <- get_weights(model)
  optimizer <- optimizer_adam(0.1)
  model %>% compile(optimizer, "mae")
  expect_identical(model$optimizer$iterations, 0)
  expect_identical(get_weights(model), before)
  fit(model, matrix(1, 4, 2), 1:4, epochs = 1, verbose = 0)
  expect_identical(optimizer$iterations, 0)  # the model has a copy of its own
})
