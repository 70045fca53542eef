test_that("every event fires in order, with epochs and batches counted from 0", {
  seen <- character()
  note <- function(event) function(...) {
    args <- list(...)
    index <- if (is.list(args[[1]])) "" else args[[1]]
    seen <<- c(seen, paste0(event, index, if (length(args[[length(args)]])) "+"))
  }
  model <- small_line(optimizer = "sgd", loss = "mse")
  everything <- callback_lambda(
    on_train_begin = note("train_begin"), on_train_end = note("train_end"), on_epoch_begin = note("epoch_begin"),
    on_epoch_end = note("epoch_end"), on_batch_begin = note("batch_begin"), on_batch_end = note("batch_end")
  )
  fit(model, matrix(1, 3, 2), 1:3, epochs = 2, batch_size = 2, verbose = 0, callbacks = everything)
  epoch <- c("batch_begin0", "batch_end0+", "batch_begin1", "batch_end1+")
  expect_identical(seen, c("train_begin", "epoch_begin0", epoch, "epoch_end0+", "epoch_begin1", epoch, "epoch_end1+", "train_end"))
  seen <- character()
  fit(model, matrix(1, 2, 2), 1:2, epochs = 1, verbose = 0,
      callbacks = list(callback_lambda(on_train_batch_end = note("a")), callback_lambda(on_train_batch_end = note("b"))))
  expect_identical(seen, c("a0+", "b0+"))
})

test_that("logs are the values of the history", {
  logs <- list()
  model <- small_line(optimizer = "sgd", loss = "mse", metrics = "mae")
  history <- fit(model, matrix(1:8, 4), 1:4, epochs = 3, validation_split = 0.5, verbose = 0,
                 callbacks = callback_lambda(on_epoch_end = function(epoch, values) logs[[epoch + 1]] <<- values))
  expect_identical(names(logs[[1]]), c("loss", "mae", "val_loss", "val_mae"))
  expect_identical(vapply(logs, function(l) l$val_mae, 0), history$metrics$val_mae)
})

test_that("a callback stops training", {
  model <- small_line(optimizer = "sgd", loss = "mse")
  ended <- FALSE
  stopper <- callback_lambda(on_epoch_end = function(epoch, logs) if (epoch == 1) model$stop_training <- TRUE,
                             on_train_end = function(logs) ended <<- TRUE)
  history <- fit(model, matrix(1, 4, 2), 1:4, epochs = 10, verbose = 0, callbacks = list(stopper))
  expect_length(history$metrics$loss, 2)
  expect_true(ended)
  expect_false(history$params$interrupted)
  # Within an epoch, after the first batch.
  early <- callback_lambda(on_batch_end = function(batch, logs) model$stop_training <- TRUE)
  steps <- model$optimizer$iterations
  fit(model, matrix(1, 4, 2), 1:4, epochs = 10, batch_size = 1, verbose = 0, callbacks = list(early))
  expect_identical(model$optimizer$iterations, steps + 1)
  # The next fit() is not stopped by the last one.
  expect_length(fit(model, matrix(1, 4, 2), 1:4, epochs = 3, verbose = 0)$metrics$loss, 3)
})

test_that("a callback may change the learning rate and use the model", {
  model <- small_line(optimizer = optimizer_sgd(0.1), loss = "mse")
  predictions <- numeric()
  change <- callback_lambda(
    on_epoch_begin = function(epoch, logs) model$optimizer$lr <- if (epoch == 1) 0 else 0.1,
    on_epoch_end = function(epoch, logs) predictions[epoch + 1] <<- predict(model, matrix(1, 1, 2))
  )
  fit(model, matrix(1, 1, 2), 5, epochs = 3, verbose = 0, callbacks = list(change))
  # Error e before a step is e (1 - 0.1 * 2 * 3) after it.
  expect_equal(predictions, 5 - 4 * c(0.4, 0.4, 0.16), tolerance = 1e-5)
})

test_that("a callback that fails ends the fit and leaves a model that works", {
  model <- small_line(optimizer = optimizer_sgd(0.1), loss = "mse")
  expect_error(
    fit(model, matrix(1, 1, 2), 5, epochs = 3, verbose = 0,
        callbacks = list(callback_lambda(on_epoch_end = function(epoch, logs) stop("disk full")))),
    "disk full", class = "convnet_error_function"
  )
  expect_identical(model$optimizer$iterations, 1)
  expect_length(fit(model, matrix(1, 1, 2), 5, epochs = 2, verbose = 0)$metrics$loss, 2)
  expect_identical(model$optimizer$iterations, 3)
})

test_that("callbacks see evaluate() and predict(), and validation", {
  seen <- character()
  note <- function(event) function(...) {
    args <- list(...)
    seen <<- c(seen, paste0(event, if (length(args) == 2) args[[1]], if (length(args[[length(args)]])) "+"))
  }
  events <- names(formals(callback_lambda))
  everything <- do.call(callback_lambda, stats::setNames(lapply(events, note), events))
  model <- small_line(optimizer = "sgd", loss = "mse")
  x <- matrix(1:6, 3)
  plain <- evaluate(model, x, 1:3, batch_size = 2, verbose = 0)
  expect_identical(evaluate(model, x, 1:3, batch_size = 2, verbose = 0, callbacks = list(everything)), plain)
  test <- c("on_test_begin", "on_test_batch_begin0", "on_test_batch_end0+", "on_test_batch_begin1",
            "on_test_batch_end1+", "on_test_end+")
  expect_identical(seen, test)
  seen <- character()
  expect_identical(predict(model, x, batch_size = 2, callbacks = everything), predict(model, x))
  expect_identical(seen, c("on_predict_begin", "on_predict_batch_begin0", "on_predict_batch_end0",
                           "on_predict_batch_begin1", "on_predict_batch_end1", "on_predict_end"))
  seen <- character()
  fit(model, x[1:2, ], 1:2, epochs = 1, batch_size = 2, verbose = 0, validation_data = list(x, 1:3),
      callbacks = list(everything))
  # Both names of a batch of training.
  expect_identical(seen, c("on_train_begin", "on_epoch_begin0", "on_batch_begin0", "on_train_batch_begin0",
                           "on_batch_end0+", "on_train_batch_end0+", test, "on_epoch_end0+", "on_train_end"))
})

test_that("predictions of several outputs and ranks are the same batch by batch", {
  input <- layer_input(c(3, 2))
  model <- keras_model(input, list(a = layer_dense(input, 2), b = input %>% layer_flatten() %>% layer_dense(1)))
  x <- ramp(5, 3, 2)
  watcher <- callback_lambda(on_predict_batch_end = function(batch, logs) NULL)
  watched <- predict(model, x, batch_size = 2, callbacks = list(watcher))
  expect_identical(watched, predict(model, x, batch_size = 2))
})

Recorder <- R6::R6Class("Recorder", inherit = KerasCallback, public = list(
  losses = NULL,
  epochs = NULL,
  patience = 1,
  initialize = function(patience = 1) self$patience <- patience,
  on_train_begin = function(logs = list()) self$losses <- c(),
  on_batch_end = function(batch, logs = list()) self$losses <- c(self$losses, logs[["loss"]]),
  on_epoch_end = function(epoch, logs = NULL) {
    super$on_epoch_end(epoch, logs)
    self$epochs <- c(self$epochs, epoch)
    if (length(self$epochs) > self$patience) self$model$stop_training <- TRUE
  }
))

test_that("callbacks are objects of classes that inherit from KerasCallback", {
  model <- small_line(optimizer = optimizer_sgd(0.01), loss = "mse", metrics = "mae")
  recorder <- Recorder$new(patience = 2)
  history <- fit(model, matrix(1:8, 4), 1:4, epochs = 5, batch_size = 2, verbose = 0, validation_split = 0.5,
                 shuffle = FALSE, callbacks = list(recorder))
  expect_identical(recorder$epochs, c(0, 1, 2))
  expect_identical(recorder$losses, history$metrics$loss)
  expect_identical(recorder$model, model)
  expect_identical(recorder$params, list(batch_size = 2L, epochs = 5L, steps = 1, samples = 2L, verbose = 0,
                                         do_validation = TRUE, metrics = c("loss", "mae", "val_loss", "val_mae")))
  # Schedules of a class's own.
  Halving <- R6::R6Class("Halving", inherit = KerasCallback, public = list(
    on_epoch_begin = function(epoch, logs) self$model$optimizer$lr <- 0.1 / 2^epoch
  ))
  fit(model, matrix(1, 1, 2), 5, epochs = 3, verbose = 0, callbacks = Halving$new())
  expect_identical(model$optimizer$lr, 0.1 / 4)
  Watcher <- R6::R6Class("Watcher", inherit = KerasCallback, public = list(
    seen = 0, on_test_batch_end = function(batch, logs) self$seen <- self$seen + logs$loss
  ))
  watcher <- Watcher$new()
  loss <- evaluate(model, matrix(1, 1, 2), 5, verbose = 0, callbacks = list(watcher))$loss
  expect_identical(watcher$seen, loss)
  expect_identical(watcher$params$samples, 1L)
})

test_that("what fails in a callback's class is said in its own words", {
  model <- small_line(optimizer = "sgd", loss = "mse")
  Failing <- R6::R6Class("Failing", inherit = KerasCallback, public = list(
    on_epoch_end = function(epoch, logs) stop("no space left")
  ))
  error <- expect_error(fit(model, matrix(1, 1, 2), 5, epochs = 2, verbose = 0, callbacks = list(Failing$new())),
                        class = "convnet_error_function")
  expect_match(conditionMessage(error), "A callback's on_epoch_end() failed.", fixed = TRUE)
  expect_identical(conditionMessage(error$parent), "no space left")
  expect_identical(model$optimizer$iterations, 1)
})

test_that("Callback() makes a class of functions, with fields and arguments", {
  callback_count <- Callback("Count",
    initialize = function(step, ...) {
      super$initialize(...)
      self$step <- step
    },
    on_epoch_end = function(epoch, logs = NULL) {
      self$seen <- c(self$seen, self$next_value(epoch))
      if (epoch == 2) self$model$stop_training <- TRUE
    },
    seen = NULL,
    next_value = function(epoch) private$offset + self$step * epoch,
    private = list(offset = 10))
  count <- callback_count(step = 2)
  model <- small_line(optimizer = "sgd", loss = "mse")
  fit(model, matrix(1, 4, 2), 1:4, epochs = 9, verbose = 0, callbacks = count)
  expect_identical(count$seen, c(10, 12, 14))
  expect_identical(callback_count(1)$step, 1)
  expect_error(Callback(3), class = "convnet_error_argument")
})
