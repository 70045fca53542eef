#' Learning rates, logs and bad losses
#'
#' `callback_learning_rate_scheduler()` sets the learning rate at the beginning of each epoch, `callback_csv_logger()`
#' writes a line of a file at its end, and `callback_terminate_on_naan()` ends training when the loss of a batch is `NaN` or
#' infinite.
#'
#' @param schedule Function of `(epoch, lr)` or `(epoch)` that returns the learning rate. `epoch` counts from 0, `lr` is
#'   the learning rate so far.
#' @return A callback for the argument `callbacks` of [fit()].
#' @section Errors: `convnet_error_argument` for a schedule that is no function or returns no number.
#' @family training
#' @examples
#' log <- tempfile(fileext = ".csv")
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(optimizer = optimizer_sgd(lr = 0.1), loss = "mse")
#' model %>% fit(matrix(rnorm(20), 10), rnorm(10), epochs = 4, verbose = 0, callbacks = list(
#'   callback_learning_rate_scheduler(function(epoch, lr) if (epoch < 2) lr else lr / 10),
#'   callback_csv_logger(log),
#'   callback_terminate_on_naan()
#' ))
#' model$optimizer$lr
#' read.csv(log)
#' @export
callback_learning_rate_scheduler <- function(schedule) {
  if (!is.function(schedule)) {
    abort_argument("`schedule` must be a function.", expected = "a function of the epoch and the learning rate",
                   received = describe(schedule))
  }
  Scheduler$new(schedule)
}

Scheduler <- R6::R6Class("Scheduler", inherit = KerasCallback, public = list(
  schedule = NULL,
  initialize = function(schedule) self$schedule <- schedule,
  on_epoch_begin = function(epoch, logs = NULL) {
    optimizer <- self$model$optimizer
    arguments <- list(epoch, optimizer$learning_rate)
    known <- names(formals(args(self$schedule)))
    if (length(known) < 2 && !"..." %in% known) arguments <- arguments[1]
    optimizer$learning_rate <- as.vector(do.call(self$schedule, arguments))
  }
))

#' @rdname callback_learning_rate_scheduler
#' @param filename The file. Its first column is the epoch, counted from 0.
#' @param separator What separates the columns.
#' @param append Go on with a file that exists.
#' @export
callback_csv_logger <- function(filename, separator = ",", append = FALSE) {
  CSVLogger$new(check_string(filename, "filename"), check_string(separator, "separator"), check_flag(append, "append"))
}

CSVLogger <- R6::R6Class("CSVLogger", inherit = KerasCallback, public = list(
  filename = NULL,
  separator = NULL,
  append = NULL,
  initialize = function(filename, separator, append) {
    self$filename <- filename
    self$separator <- separator
    self$append <- append
  },
  on_train_begin = function(logs = NULL) if (!self$append) unlink(self$filename),
  on_epoch_end = function(epoch, logs = NULL) {
    line <- as.data.frame(c(list(epoch = epoch), logs), check.names = FALSE)
    begun <- file.exists(self$filename)
    utils::write.table(line, self$filename, append = begun, sep = self$separator, row.names = FALSE,
                       col.names = !begun, quote = FALSE)
  }
))

#' @rdname callback_learning_rate_scheduler
#' @export
callback_terminate_on_naan <- function() TerminateOnNaN$new()

TerminateOnNaN <- R6::R6Class("TerminateOnNaN", inherit = KerasCallback, public = list(
  on_batch_end = function(batch, logs = NULL) {
    if (is.finite(logs$loss)) return()
    self$model$stop_training <- TRUE
    cat("Batch ", batch, ": the loss is ", logs$loss, ", training ends.\n", sep = "")
  }
))
