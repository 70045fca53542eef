# Least squares y = x w + b by gradient descent, by hand. weights: one a row; the loss is the mean of weighted squares.
descend <- function(x, y, w, b, rate, batches, weights = rep(1, nrow(x))) {
  losses <- numeric()
  for (rows in batches) {
    e <- as.vector(x[rows, , drop = FALSE] %*% w) + b - y[rows]
    losses <- c(losses, mean(weights[rows] * e^2))
    w <- w - rate * 2 * colMeans(weights[rows] * e * x[rows, , drop = FALSE])
    b <- b - rate * 2 * mean(weights[rows] * e)
  }
  list(weights = list(matrix(w), array(b)), losses = losses)
}

line_data <- function() {
  x <- cbind(c(1, 2, 3, 4, 5, 6, 7), c(1, 0, 1, 0, 1, 0, 1)) / 7
  list(x = x, y = c(1, 3, 2, 5, 4, 7, 6) / 7)
}

fit_line <- function(..., x = line_data()$x, y = line_data()$y, rate = 0.1, metrics = NULL) {
  model <- small_line(optimizer = optimizer_sgd(rate), loss = "mse", metrics = metrics)
  history <- fit(model, x, y, verbose = 0, ...)
  list(model = model, history = history, weights = get_weights(model))
}

test_that("training is gradient descent over the batches in order", {
  local_float64()
  d <- line_data()
  expected <- descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, list(1:3, 4:6, 7, 1:3, 4:6, 7))
  fitted <- fit_line(batch_size = 3, epochs = 2, shuffle = FALSE)
  expect_equal(fitted$weights, expected$weights)
  epoch <- c(sum(expected$losses[1:3] * c(3, 3, 1)), sum(expected$losses[4:6] * c(3, 3, 1))) / 7
  expect_equal(fitted$history$metrics$loss, epoch)
  expect_identical(fitted$history$params$samples, 7L)
  expect_identical(fitted$model$optimizer$iterations, 6)
})

test_that("shuffling draws from R's generator: set.seed() repeats a run", {
  local_float64()
  d <- line_data()
  set.seed(3)
  order <- sample.int(7)
  set.seed(3)
  fitted <- fit_line(batch_size = 7, epochs = 1)
  # One batch of all rows: the order does not matter but for rounding.
  expect_equal(fitted$weights, descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, list(1:7))$weights)
  set.seed(3)
  first <- fit_line(batch_size = 2, epochs = 3)
  set.seed(3)
  second <- fit_line(batch_size = 2, epochs = 3)
  set.seed(4)
  third <- fit_line(batch_size = 2, epochs = 3)
  expect_identical(first$weights, second$weights)
  expect_identical(first$history$metrics, second$history$metrics)
  expect_false(identical(first$weights, third$weights))
  expected <- descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, split(order, c(1, 1, 2, 2, 3, 3, 4)))
  set.seed(3)
  expect_equal(fit_line(batch_size = 2, epochs = 1)$weights, expected$weights)
  # Batches keep their rows, in another order.
  orders <- lapply(1:20, function(seed) {
    set.seed(seed)
    fit_line(batch_size = 3, epochs = 1, shuffle = "batch", x = d$x[1:6, ], y = d$y[1:6])$weights
  })
  forwards <- descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, list(1:3, 4:6))$weights
  backwards <- descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, list(4:6, 1:3))$weights
  is_near <- function(a, b) isTRUE(all.equal(a, b))
  which_way <- vapply(orders, function(w) if (is_near(w, forwards)) 1 else if (is_near(w, backwards)) 2 else 0, 0)
  expect_setequal(which_way, c(1, 2))
})

test_that("the last rows are held out, and evaluated after each epoch", {
  local_float64()
  d <- line_data()
  fitted <- fit_line(batch_size = 10, epochs = 2, validation_split = 0.3, metrics = "mae")
  expected <- descend(d$x[1:4, ], d$y[1:4], c(0.5, 0.5), 0, 0.1, list(1:4, 1:4))
  expect_equal(fitted$weights, expected$weights)
  e <- as.vector(d$x[5:7, ] %*% expected$weights[[1]]) + expected$weights[[2]][1] - d$y[5:7]
  expect_equal(fitted$history$metrics$val_loss[2], mean(e^2))
  expect_equal(fitted$history$metrics$val_mae[2], mean(abs(e)))
  expect_identical(names(fitted$history$metrics), c("loss", "mae", "val_loss", "val_mae"))
  expect_identical(fitted$history$params[c("samples", "validation_samples", "do_validation")],
                   list(samples = 4L, validation_samples = 3L, do_validation = TRUE))

  given <- fit_line(x = d$x[1:4, ], y = d$y[1:4], batch_size = 10, epochs = 2, metrics = "mae",
                    validation_data = list(d$x[5:7, ], d$y[5:7]))
  expect_equal(given$history$metrics, fitted$history$metrics)
  weighed <- fit_line(x = d$x[1:4, ], y = d$y[1:4], batch_size = 10, epochs = 2,
                      validation_data = list(d$x[5:7, ], d$y[5:7], c(0, 3, 0)))
  expect_equal(weighed$history$metrics$val_loss[2], e[2]^2)
  short <- fit_line(x = d$x[1:4, ], y = d$y[1:4], batch_size = 2, epochs = 1, shuffle = FALSE, validation_steps = 1,
                    validation_data = list(d$x[5:7, ], d$y[5:7]))
  expect_identical(short$history$params$validation_samples, 2L)
})

test_that("samples and classes are weighed", {
  local_float64()
  d <- line_data()
  weights <- c(1, 0, 2, 1, 0.5, 3, 1)
  expected <- descend(d$x, d$y, c(0.5, 0.5), 0, 0.1, list(1:4, 5:7), weights)
  fitted <- fit_line(sample_weight = weights, batch_size = 4, epochs = 1, shuffle = FALSE)
  expect_equal(fitted$weights, expected$weights)
  expect_equal(fitted$history$metrics$loss, sum(expected$losses * c(4, 3)) / 7)

  classes <- c(0, 1, 1, 0, 2, 1, 0)
  by_class <- list("0" = 1, "1" = 2, "2" = 0.5)
  expected <- descend(d$x, classes, c(0.5, 0.5), 0, 0.1, list(1:7), c(1, 2, 0.5)[classes + 1])
  expect_equal(fit_line(y = classes, class_weight = by_class, batch_size = 7, epochs = 1)$weights, expected$weights)
  expect_equal(fit_line(y = classes, class_weight = c(1, 2, 0.5), batch_size = 7, epochs = 1)$weights, expected$weights)
  both <- descend(d$x, classes, c(0.5, 0.5), 0, 0.1, list(1:7), weights * c(1, 2, 0.5)[classes + 1])
  expect_equal(fit_line(y = classes, class_weight = by_class, sample_weight = weights, batch_size = 7, epochs = 1)$weights,
               both$weights)
  # Rows of to_categorical() are classes, too.
  x <- ramp(4, 6, 6, 1)
  labels <- c(0, 1, 2, 0)
  one <- small_classifier("categorical_crossentropy")
  other <- small_classifier("sparse_categorical_crossentropy")
  fit(one, x, to_categorical(labels), class_weight = by_class, epochs = 1, verbose = 0, shuffle = FALSE)
  fit(other, x, labels, class_weight = by_class, epochs = 1, verbose = 0, shuffle = FALSE)
  expect_equal(get_weights(one), get_weights(other))
})

test_that("epochs resume and can be cut short", {
  resumed <- fit_line(epochs = 5, initial_epoch = 3)
  expect_length(resumed$history$metrics$loss, 2)
  expect_identical(resumed$model$optimizer$iterations, 2)
  expect_identical(as.data.frame(resumed$history)$epoch[4:5], 4:5)
  nothing <- fit_line(epochs = 2, initial_epoch = 2)
  expect_length(nothing$history$metrics, 0)
  few <- fit_line(epochs = 2, batch_size = 2, steps_per_epoch = 2)
  expect_identical(few$model$optimizer$iterations, 4)
  expect_identical(few$history$params$samples, 4L)
  # Training in two parts is training once.
  set.seed(1)
  once <- fit_line(epochs = 4, batch_size = 2)
  set.seed(1)
  twice <- fit_line(epochs = 2, batch_size = 2)
  fit(twice$model, line_data()$x, line_data()$y, epochs = 2, batch_size = 2, verbose = 0)
  expect_identical(get_weights(twice$model), once$weights)
})

test_that("data come as tables, factors, whole numbers, bytes, truth values, lists and vectors", {
  d <- line_data()
  x <- matrix(c(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 5)
  y <- c(0, 1, 1, 0, 1)
  expected <- fit_line(x = x, y = y, rate = 0.01, epochs = 2, shuffle = FALSE)$weights
  bytes <- array(as.raw(x), dim(x))
  whole <- array(as.integer(x), dim(x))
  for (input in list(as.data.frame(x), bytes, whole, list(x), k_constant(x))) {
    expect_identical(fit_line(x = input, y = y, rate = 0.01, epochs = 2, shuffle = FALSE)$weights, expected)
  }
  for (target in list(factor(y), factor(c("no", "yes", "yes", "no", "yes")), as.integer(y), y == 1, as.raw(y), matrix(y), list(y),
                      data.frame(y = y), data.frame(y = factor(y)))) {
    expect_identical(fit_line(x = x, y = target, rate = 0.01, epochs = 2, shuffle = FALSE)$weights, expected)
  }
  images <- ramp(4, 6, 6, 1)
  labels <- c(0, 1, 2, 0)
  trained <- function(loss, y) {
    model <- small_classifier(loss)
    fit(model, images, y, epochs = 1, verbose = 0, shuffle = FALSE)
    get_weights(model)
  }
  expected <- trained("sparse_categorical_crossentropy", labels)
  expect_identical(trained("sparse_categorical_crossentropy", matrix(labels)), expected)
  expect_identical(trained("sparse_categorical_crossentropy", factor(c("a", "b", "c", "a"))), expected)
  expect_equal(trained("categorical_crossentropy", factor(c("a", "b", "c", "a"))), expected, tolerance = 1e-6)

  column <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, kernel_initializer = "ones")
  column %>% compile(optimizer_sgd(0.1), "mse")
  expect_equal(predict(column, 1:3), matrix(c(1, 2, 3)))
  column %>% fit(c(1, 2), c(1, 2), epochs = 1, verbose = 0)
  expect_equal(get_weights(column), list(matrix(1), array(0)))
})

test_that("an interrupt keeps the model and returns the epochs so far", {
  d <- line_data()
  model <- small_line(optimizer = optimizer_sgd(0.1), loss = "mse")
  history <- fit(model, d$x, d$y, epochs = 10, verbose = 0, shuffle = FALSE, callbacks = list(callback_lambda(
    on_epoch_begin = function(epoch, logs) if (epoch == 2) rlang::interrupt()
  )))
  expect_length(history$metrics$loss, 2)
  expect_true(history$params$interrupted)
  expect_identical(get_weights(model), fit_line(epochs = 2, shuffle = FALSE)$weights)
  # In the first epoch, after a batch: its step stays.
  model <- small_line(optimizer = optimizer_sgd(0.1), loss = "mse")
  history <- fit(model, d$x, d$y, epochs = 10, batch_size = 7, verbose = 0, shuffle = FALSE, callbacks = list(callback_lambda(
    on_batch_end = function(batch, logs) rlang::interrupt()
  )))
  expect_length(history$metrics, 0)
  expect_identical(model$optimizer$iterations, 1)
  expect_equal(get_weights(model), fit_line(epochs = 1, batch_size = 7)$weights)
  expect_output(print(history), "Interrupted before the end of the first epoch")
  more <- fit(model, d$x, d$y, epochs = 3, verbose = 0)
  expect_false(more$params$interrupted)
  expect_length(more$metrics$loss, 3)
})

test_that("Ctrl-C reaches a running fit()", {
  skip_on_os("windows") # where processx cannot send an interrupt
  skip_if_not_installed("callr")
  skip_on_cran() # waits for a process, on a clock
  process <- callr::r_bg(function() {
    library(convnet)
    model <- keras_model_sequential(input_shape = 50) %>% layer_dense(50) %>% layer_dense(1)
    compile(model, "sgd", "mse")
    started <- callback_lambda(on_epoch_begin = function(epoch, logs) if (epoch == 1) file.create(file.path(tempdir(), "started")))
    x <- matrix(0.01, 2000, 50)
    writeLines(tempdir())
    history <- fit(model, x, numeric(2000), epochs = 1e6, verbose = 0, callbacks = list(started))
    list(interrupted = history$params$interrupted, epochs = length(history$metrics$loss),
         finite = all(is.finite(unlist(get_weights(model)))), prediction = dim(predict(model, x)))
  }, stdout = "|")
  withr::defer(process$kill())
  folder <- character()
  for (i in 1:600) {
    if (length(folder) == 0) folder <- process$read_output_lines(1)
    if (length(folder) && file.exists(file.path(folder[1], "started"))) break
    Sys.sleep(0.05)
  }
  process$interrupt()
  process$wait(20000)
  result <- process$get_result()
  expect_true(result$interrupted)
  expect_gte(result$epochs, 1)
  expect_true(result$finite)
  expect_identical(result$prediction, c(2000L, 1L))
})

test_that("performance arguments of Keras are accepted, the history is invisible", {
  d <- line_data()
  model <- small_line(optimizer = "sgd", loss = "mse", run_eagerly = TRUE)
  expect_invisible(fit(model, d$x, d$y, epochs = 1, verbose = 0, workers = 4L))
  expect_length(fit(model, d$x, d$y, epochs = 2, verbose = FALSE)$metrics$loss, 2)
  expect_output(fit(model, d$x, d$y, epochs = 1, verbose = 2), "Epoch 1/1 - .* - loss: 0\\.[0-9]{4}")
  expect_silent(fit(model, d$x, d$y, epochs = 1, verbose = 0))
})
