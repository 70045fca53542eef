# One weight w, x = 1, y = 0, loss w^2: the gradient is 2 w.
steps_of <- function(optimizer, n, start = 1) {
  local_float64()
  model <- keras_model_sequential(input_shape = 1) %>%
    layer_dense(1, use_bias = FALSE, kernel_initializer = initializer_constant(start))
  model %>% compile(optimizer, "mse")
  vapply(seq_len(n), function(i) {
    fit(model, 1, 0, epochs = 1, verbose = 0)
    as.vector(get_weights(model)[[1]])
  }, 0)
}

walk <- function(n, start, step) {
  w <- start
  for (t in seq_len(n)) {
    w <- step(w, 2 * w, t)
    start <- c(start, w)
  }
  start[-1]
}

test_that("gradient descent", {
  expect_equal(steps_of(optimizer_sgd(0.1), 3), walk(3, 1, function(w, g, t) w - 0.1 * g))
  expect_equal(steps_of("sgd", 2), walk(2, 1, function(w, g, t) w - 0.01 * g))
  expect_equal(steps_of(optimizer_sgd(0.1, decay = 0.5), 3), walk(3, 1, function(w, g, t) w - 0.1 / (1 + 0.5 * (t - 1)) * g))
  v <- 0
  expect_equal(steps_of(optimizer_sgd(0.1, momentum = 0.9), 4), walk(4, 1, function(w, g, t) {
    v <<- 0.9 * v - 0.1 * g
    w + v
  }))
  v <- 0
  expect_equal(steps_of(optimizer_sgd(0.1, momentum = 0.9, nesterov = TRUE), 4), walk(4, 1, function(w, g, t) {
    v <<- 0.9 * v - 0.1 * g
    w + 0.9 * v - 0.1 * g
  }))
})

test_that("RMSprop and Adam", {
  r <- 0
  expect_equal(steps_of(optimizer_rmsprop(0.1, rho = 0.8, epsilon = 1e-3), 4), walk(4, 1, function(w, g, t) {
    r <<- 0.8 * r + 0.2 * g^2
    w - 0.1 * g / sqrt(r + 1e-3)
  }))
  m <- s <- 0
  expect_equal(steps_of(optimizer_adam(0.1, beta_1 = 0.8, beta_2 = 0.9, epsilon = 1e-8), 4), walk(4, 1, function(w, g, t) {
    m <<- 0.8 * m + 0.2 * g
    s <<- 0.9 * s + 0.1 * g^2
    w - 0.1 * (m / (1 - 0.8^t)) / (sqrt(s / (1 - 0.9^t)) + 1e-8)
  }))
})

test_that("Adagrad, Adadelta, Adamax and Nadam", {
  s <- 0.5
  expect_equal(steps_of(optimizer_adagrad(0.1, epsilon = 1e-3, initial_accumulator_value = 0.5), 4),
               walk(4, 1, function(w, g, t) {
    s <<- s + g^2
    w - 0.1 * g / sqrt(s + 1e-3)
  }))
  s <- d <- 0
  expect_equal(steps_of(optimizer_adadelta(rho = 0.8, epsilon = 1e-3), 4), walk(4, 1, function(w, g, t) {
    s <<- 0.8 * s + 0.2 * g^2
    step <- sqrt(d + 1e-3) / sqrt(s + 1e-3) * g
    d <<- 0.8 * d + 0.2 * step^2
    w - step
  }))
  m <- u <- 0
  expect_equal(steps_of(optimizer_adamax(0.1, beta_1 = 0.8, beta_2 = 0.9, epsilon = 1e-3), 4), walk(4, 1, function(w, g, t) {
    m <<- 0.8 * m + 0.2 * g
    u <<- max(0.9 * u, abs(g))
    w - 0.1 / (1 - 0.8^t) * m / (u + 1e-3)
  }))
  m <- v <- 0
  momentum <- function(t) 0.8 * (1 - 0.5 * 0.96^(0.1 * t))
  nadam <- optimizer_nadam(0.1, beta_1 = 0.8, beta_2 = 0.9, epsilon = 1e-3, schedule_decay = 0.1)
  expect_equal(steps_of(nadam, 4), walk(4, 1, function(w, g, t) {
    m <<- 0.8 * m + 0.2 * g
    v <<- 0.9 * v + 0.1 * g^2
    ahead <- momentum(t + 1) * m / (1 - prod(momentum(1:(t + 1)))) + (1 - momentum(t)) * g / (1 - prod(momentum(1:t)))
    w - 0.1 * ahead / (sqrt(v / (1 - 0.9^t)) + 1e-3)
  }))
})

test_that("gradients are clipped", {
  expect_equal(steps_of(optimizer_sgd(0.1, clipvalue = 0.5), 1, start = 3), 3 - 0.1 * 0.5)
  expect_equal(steps_of(optimizer_sgd(0.1, clipnorm = 2), 1, start = -3), -3 + 0.1 * 2)
  expect_equal(steps_of(optimizer_sgd(0.1, clipnorm = 20), 1, start = 3), 3 - 0.1 * 6)
  expect_equal(steps_of(optimizer_sgd(0.1, weight_decay = 0.5), 1), 1 * (1 - 0.1 * 0.5) - 0.1 * 2)
  # Over both weights together: gradients (6, 6), norm sqrt(72).
  local_float64()
  model <- small_line(optimizer = optimizer_sgd(1, global_clipnorm = 1), loss = "mse")
  set_weights(model, list(matrix(0, 2, 1), 3))
  fit(model, rbind(c(1, 0)), 0, epochs = 1, verbose = 0)
  expect_equal(get_weights(model), list(matrix(c(-1 / sqrt(2), 0)), array(3 - 1 / sqrt(2))))
})

test_that("the learning rate can be changed between fits", {
  model <- small_line(optimizer = optimizer_sgd(lr = 0.5), loss = "mse")
  expect_identical(model$optimizer$lr, 0.5)
  model$optimizer$lr <- 0
  before <- get_weights(model)
  fit(model, matrix(1, 2, 2), 5:6, epochs = 1, verbose = 0)
  expect_identical(get_weights(model), before)
  model$optimizer$learning_rate <- 0.1
  fit(model, matrix(1, 1, 2), 5, epochs = 1, verbose = 0)
  expect_equal(get_weights(model), list(matrix(0.5 + 0.8, 2, 1), array(0.8)), tolerance = 1e-6)
  expect_identical(model$optimizer$iterations, 2)
})

test_that("arguments of optimizers", {
  expect_snapshot_errors({
    optimizer_sgd(lr = -1)
    optimizer_sgd(momentum = 2)
    optimizer_adam(beta_1 = "a")
    optimizer_adam(amsgrad = 3)
    optimizer_rmsprop(epsilon = -1)
    optimizer_sgd(clipnorm = -1)
  })
  expect_identical(optimizer_adam(lr = 0.3)$learning_rate, optimizer_adam(learning_rate = 0.3)$learning_rate)
  expect_snapshot(optimizer_sgd(0.1, momentum = 0.9, nesterov = TRUE))
})

test_that("k_set_value() sets what model$optimizer$lr says", {
  model <- keras_model_sequential(input_shape = 1) %>%
    layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros")
  model %>% compile(optimizer_sgd(lr = 0.5), "mse")
  k_set_value(model$optimizer$lr, 0.25)
  expect_identical(k_get_value(model$optimizer$lr), 0.25)
  model %>% train_on_batch(matrix(1), 1)
  expect_equal(c(get_weights(model)[[1]]), 0.5)
  callback <- callback_lambda(on_epoch_begin = function(epoch, logs) k_set_value(model$optimizer$lr, k_constant(0)))
  model %>% fit(matrix(1), 1, epochs = 2, verbose = 0, callbacks = list(callback))
  expect_equal(c(get_weights(model)[[1]]), 0.5)
  expect_error(k_set_value(model$optimizer$lr, -1), class = "convnet_error_argument")
  expect_error(k_set_value(model$name, 1), class = "convnet_error_argument")
})

test_that("settings that an optimizer does not have cannot be set", {
  optimizer <- optimizer_sgd()
  error <- expect_error(optimizer$learning_rte <- 0.1, class = "convnet_error_argument")
  expect_identical(error$remedy, "Did you mean \"learning_rate\"?")
  expect_error(optimizer$iterations <- "a", class = "convnet_error_argument")
  optimizer$iterations <- 7
  optimizer$lr <- 0.5
  expect_identical(c(optimizer$iterations, optimizer$learning_rate), c(7, 0.5))
})
