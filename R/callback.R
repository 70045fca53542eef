#' Callbacks
#'
#' Functions that [fit()], [evaluate()] and [predict()] call while they work. `on_epoch_end` has the epoch, counted from 0
#' as in Keras, and the values of loss and metrics. Setting `model$stop_training <- TRUE` ends training. Functions of
#' batches make the loop hand control back to R after every batch. A class of callbacks with fields of its own inherits
#' from [KerasCallback]. Ready-made ones are [callback_early_stopping()], [callback_learning_rate_scheduler()] and the
#' functions described with them.
#'
#' @param on_epoch_begin,on_epoch_end Functions of `(epoch, logs)`.
#' @param on_batch_begin,on_batch_end,on_train_batch_begin,on_train_batch_end Functions of `(batch, logs)` for a batch of
#'   training, counted from 0; `logs` are values over the epoch so far. The names mean the same.
#' @param on_train_begin,on_train_end Functions of `(logs)`.
#' @param on_predict_batch_begin,on_predict_batch_end Functions of `(batch, logs)` for a batch of `predict()`.
#' @param on_predict_begin,on_predict_end Functions of `(logs)`.
#' @param on_test_batch_begin,on_test_batch_end Functions of `(batch, logs)` for a batch of `evaluate()`, or of validation.
#' @param on_test_begin,on_test_end Functions of `(logs)`.
#' @return A callback for the argument `callbacks` of [fit()], [evaluate()] and [predict()].
#' @section Errors: `convnet_error_argument` for what is not a function.
#' @family training
#' @examples
#' shout <- callback_lambda(on_epoch_end = function(epoch, logs) {
#'   cat("epoch", epoch, "loss", logs$loss, "\n")
#' })
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(loss = "mse", optimizer = "sgd")
#' model %>% fit(matrix(rnorm(20), 10), rnorm(10), epochs = 2, verbose = 0,
#'               callbacks = list(shout))
#' @export
callback_lambda <- function(on_epoch_begin = NULL, on_epoch_end = NULL, on_batch_begin = NULL, on_batch_end = NULL,
                            on_train_batch_begin = NULL, on_train_batch_end = NULL, on_train_begin = NULL,
                            on_train_end = NULL, on_predict_batch_begin = NULL, on_predict_batch_end = NULL,
                            on_predict_begin = NULL, on_predict_end = NULL, on_test_batch_begin = NULL,
                            on_test_batch_end = NULL, on_test_begin = NULL, on_test_end = NULL) {
  events <- Filter(Negate(is.null), mget(names(formals())))
  for (event in names(events)) check_function(events[[event]], event, "a function, or NULL")
  structure(events, class = "keras_callback")
}

# One object that calls every callback. params: what callbacks of classes find in `self$params`.
new_callback_list <- function(callbacks, model, params) {
  if (is.null(callbacks)) return(no_callbacks)
  if (!is.list(callbacks) || inherits(callbacks, "keras_callback")) callbacks <- list(callbacks)
  callbacks <- lapply(callbacks, callback_functions, model, params)
  fire <- function(events, ...) {
    for (callback in callbacks) {
      for (event in intersect(events, names(callback))) {
        with_user_code(paste0("A callback's ", event, "()"), callback[[event]](...))
      }
    }
  }
  wants <- function(...) any(c(...) %in% unlist(lapply(callbacks, names)))
  list(
    wants_batches = wants("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    wants_test_batches = wants("on_test_batch_begin", "on_test_batch_end"),
    wants_predict_batches = wants("on_predict_batch_begin", "on_predict_batch_end"),
    on_begin = function(stage) fire(paste0("on_", stage, "_begin"), list()),
    on_end = function(stage, logs = list()) fire(paste0("on_", stage, "_end"), logs),
    on_epoch_begin = function(epoch) fire("on_epoch_begin", epoch - 1, list()),
    on_epoch_end = function(epoch, logs) fire("on_epoch_end", epoch - 1, logs),
    on_batch_begin = function(stage, batch) fire(batch_events(stage, "begin"), batch - 1, list()),
    on_batch_end = function(stage, batch, logs) fire(batch_events(stage, "end"), batch - 1, logs)
  )
}

# Batches of training have two names.
batch_events <- function(stage, when) {
  c(if (stage == "train") paste0("on_batch_", when), paste0("on_", stage, "_batch_", when))
}

# The functions that a callback has, by event.
callback_functions <- function(callback, model, params) {
  if (inherits(callback, "keras_callback")) return(callback)
  if (inherits(callback, "KerasCallback")) return(callback_methods(callback, model, params))
  remedy <- if (is_class(callback)) paste0("Make an object of the class: ", callback$classname, "$new().")
  abort_argument("`callbacks` must be a list of callbacks.",
                 expected = "what callback_lambda() returns, or an object of a class that inherits from KerasCallback",
                 received = describe(callback), remedy = remedy)
}

no_callbacks <- new_callback_list(list(), NULL, NULL)
