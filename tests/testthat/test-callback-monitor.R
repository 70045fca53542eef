# A model whose validation loss is what the test says: its weight is set before each epoch.
follow <- function(weights, callbacks, verbose = 0, ...) {
  model <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, use_bias = FALSE)
  model %>% compile(optimizer_sgd(lr = 0), loss = "mae", metrics = "accuracy")
  put <- callback_lambda(on_epoch_begin = function(epoch, logs) set_weights(model, list(matrix(weights[epoch + 1]))))
  history <- model %>% fit(matrix(1), 0, epochs = length(weights), verbose = 0, callbacks = c(list(put), callbacks),
                           validation_data = list(matrix(1), 0), ...)
  list(model = model, losses = history$metrics$val_loss)
}

test_that("training stops when it gets no better", {
  stop_at <- function(weights, ...) length(follow(weights, list(callback_early_stopping(...)))$losses)
  expect_identical(stop_at(c(4, 3, 3, 2, 2, 2)), 3L)
  expect_identical(stop_at(c(4, 3, 3, 2, 2, 2), patience = 2), 6L)
  expect_identical(stop_at(c(4, 3, 3, 3, 2, 2), patience = 2), 4L)
  expect_identical(stop_at(c(4, 3, 2, 1), min_delta = 1), 2L)
  expect_identical(stop_at(c(4, 3, 2, 1), min_delta = 0.5), 4L)
  expect_identical(stop_at(1:4, monitor = "loss", mode = "max"), 4L)
  expect_identical(stop_at(c(4, 4, 4, 3, 3), start_from_epoch = 2), 5L)
  # The first epochs have to beat the baseline within the patience.
  expect_identical(stop_at(c(9, 8, 8, 1, 1), baseline = 5, patience = 3), 3L)
  expect_identical(suppressWarnings(stop_at(c(NaN, NaN, 1))), 2L)
  expect_output(stop_at(c(1, 1, 1), verbose = 1), "Epoch 00002: early stopping", fixed = TRUE)
})

test_that("one object serves several runs, and accuracy is better when it is larger", {
  stopper <- callback_early_stopping(monitor = "val_accuracy", patience = 1)
  expect_identical(stopper$sign, -1)
  stopper <- callback_early_stopping()
  for (i in 1:2) expect_length(follow(c(4, 3, 3, 2), list(stopper))$losses, 3)
})

test_that("the best weights come back", {
  weight <- function(...) c(get_weights(follow(c(4, 1, 3, 2), list(callback_early_stopping(...)))$model)[[1]])
  expect_identical(weight(patience = 1), 3)
  expect_identical(weight(patience = 1, restore_best_weights = TRUE), 1)
  expect_identical(weight(patience = 9, restore_best_weights = TRUE), 1)
})

test_that("a value that is not there is a warning", {
  model <- small_line(optimizer = "sgd", loss = "mse")
  run <- function(callback) fit(model, matrix(1, 4, 2), 1:4, epochs = 2, verbose = 0, callbacks = list(callback))
  expect_warning(expect_warning(run(callback_early_stopping()), class = "convnet_warning_monitor"), "validation_split")
  expect_warning(expect_warning(run(callback_reduce_lr_on_plateau("val_mse")), "\"loss\""), "val_mse")
})

test_that("the learning rate gets smaller where the loss does not", {
  rates <- function(weights, ...) {
    seen <- numeric()
    model <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, use_bias = FALSE)
    model %>% compile(optimizer_sgd(lr = 1), loss = "mae")
    put <- callback_lambda(
      on_epoch_begin = function(epoch, logs) {
        set_weights(model, list(matrix(weights[epoch + 1])))
        seen <<- c(seen, model$optimizer$lr)
      })
    # The input 0 has no gradient: the weight stays as it was put, and 1 shows it.
    model %>% fit(matrix(0), 0, epochs = length(weights), verbose = 0, validation_data = list(matrix(1), 0),
                  callbacks = list(put, callback_reduce_lr_on_plateau(...)))
    c(seen[-1], model$optimizer$lr)
  }
  expect_equal(rates(c(4, 3, 3, 3, 3, 3), patience = 2, factor = 0.5), c(1, 1, 1, 0.5, 0.5, 0.25))
  expect_equal(rates(c(4, 4, 4, 4, 4), patience = 1, factor = 0.5, cooldown = 2), c(1, 0.5, 0.5, 0.25, 0.25))
  expect_equal(rates(c(4, 4, 4, 4), patience = 1, factor = 0.1, min_lr = 0.05), c(1, 0.1, 0.05, 0.05))
  expect_equal(rates(c(4, 3.5, 3), patience = 1, min_delta = 0.6), c(1, 0.1, 0.1))
  expect_output(rates(c(1, 1), patience = 1, verbose = 1), "Epoch 00002: reducing learning rate to 0.1.", fixed = TRUE)
})

test_that("models are saved: every epoch, the best, their weights", {
  folder <- withr::local_tempdir()
  file <- file.path(folder, "{epoch:02d}-{val_loss:.1f}.rds")
  run <- follow(c(4, 2, 3, 1), list(callback_model_checkpoint(file)))
  expect_identical(list.files(folder), c("01-4.0.rds", "02-2.0.rds", "03-3.0.rds", "04-1.0.rds"))
  expect_identical(predict(readRDS(file.path(folder, "02-2.0.rds")), matrix(1)), matrix(2))
  best <- file.path(folder, "best.hdf5")
  saved <- list(callback_model_checkpoint(best, save_best_only = TRUE, save_weights_only = TRUE, verbose = 1))
  expect_output(follow(c(4, 2, 3), saved), "Epoch 00002: saving to", fixed = TRUE)
  expect_identical(readRDS(best), list(matrix(2)))
  follow(c(5, 1, 7, 8, 9), list(callback_model_checkpoint(file.path(folder, "p{epoch}"), period = 2)))
  expect_identical(list.files(folder, "^p"), c("p2", "p4"))
})

test_that("schedules are functions of the epoch, and of the learning rate if they like", {
  rates <- function(schedule, epochs = 4) {
    model <- small_line(optimizer = optimizer_sgd(lr = 1), loss = "mse")
    seen <- numeric()
    note <- callback_lambda(on_epoch_end = function(epoch, logs) seen <<- c(seen, model$optimizer$lr))
    fit(model, matrix(0, 4, 2), 1:4, epochs = epochs, verbose = 0,
        callbacks = list(callback_learning_rate_scheduler(schedule), note))
    seen
  }
  expect_identical(rates(function(epoch) 1 / 2^epoch), c(1, 0.5, 0.25, 0.125))
  expect_identical(rates(function(epoch, lr) if (epoch < 2) lr else lr / 2), c(1, 1, 0.5, 0.25))
  expect_error(rates(function(epoch) "small"), class = "convnet_error_argument")
})

test_that("logs are a table, with what was there before if that is wanted", {
  file <- withr::local_tempfile()
  model <- small_line(optimizer = "sgd", loss = "mse", metrics = "mae")
  run <- function(...) {
    fit(model, matrix(1:8, 4), 1:4, epochs = 2, verbose = 0, callbacks = list(callback_csv_logger(file, ...)))
  }
  run()
  history <- run()
  table <- utils::read.csv(file)
  expect_identical(names(table), c("epoch", "loss", "mae"))
  expect_identical(table$epoch, 0:1)
  expect_equal(table$mae, history$metrics$mae, tolerance = 1e-6)
  run(append = TRUE)
  expect_identical(utils::read.csv(file)$epoch, c(0L, 1L, 0L, 1L))
})

test_that("a loss that is no number ends training", {
  model <- small_line(optimizer = optimizer_sgd(lr = 1e30), loss = "mse")
  expect_output(
    suppressWarnings(history <- fit(model, matrix(1:8, 4), 1:4, batch_size = 1, epochs = 5, verbose = 0,
                                    callbacks = list(callback_terminate_on_naan()))),
    "Batch [0-3]: the loss is (Inf|NaN)")
  expect_length(history$metrics$loss, 1)
})

test_that("arguments of callbacks are checked", {
  expect_snapshot_errors({
    callback_early_stopping(mode = "least")
    callback_early_stopping(patience = -1)
    callback_early_stopping(monitor = 3)
    callback_reduce_lr_on_plateau(factor = 1)
    callback_model_checkpoint("a", save_freq = 100)
    callback_learning_rate_scheduler(0.1)
    fit(small_line(optimizer = "sgd", loss = "mse"), matrix(1, 4, 2), 1:4, epochs = 1, verbose = 0,
        callbacks = callback_model_checkpoint("{val_los:.2f}", "loss"))
    fit(small_line(optimizer = "sgd", loss = "mse"), matrix(1, 4, 2), 1:4, epochs = 1, verbose = 0,
        callbacks = callback_model_checkpoint("{loss:02d}", "loss"))
  })
})
