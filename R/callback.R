#' Callbacks
#'
#' Functions that [fit()] calls while it trains. `on_epoch_end` has the epoch,
#' counted from 0 as in Keras, and the values of loss and metrics. Setting
#' `model$stop_training <- TRUE` ends training. Batch-level functions make
#' training hand control back to R after every batch.
#'
#' @param on_epoch_begin,on_epoch_end Functions of `(epoch, logs)`.
#' @param on_batch_begin,on_batch_end,on_train_batch_begin,on_train_batch_end
#'   Functions of `(batch, logs)`, the batch counted from 0.
#' @param on_train_begin,on_train_end Functions of `(logs)`.
#' @return A callback for the argument `callbacks` of [fit()].
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
callback_lambda <- function(on_epoch_begin = NULL, on_epoch_end = NULL, on_batch_begin = NULL,
                            on_batch_end = NULL, on_train_batch_begin = on_batch_begin,
                            on_train_batch_end = on_batch_end, on_train_begin = NULL,
                            on_train_end = NULL) {
  events <- list(on_epoch_begin = on_epoch_begin, on_epoch_end = on_epoch_end,
                 on_batch_begin = on_train_batch_begin, on_batch_end = on_train_batch_end,
                 on_train_begin = on_train_begin, on_train_end = on_train_end)
  events <- Filter(Negate(is.null), events)
  for (event in names(events)) {
    if (!is.function(events[[event]])) {
      abort_argument(paste0("`", event, "` must be a function."), expected = "a function, or NULL",
                     received = describe(events[[event]]))
    }
  }
  structure(events, class = "keras_callback")
}

# One object that calls every callback.
new_callback_list <- function(callbacks, model, options) {
  if (!is.null(callbacks) && (!is.list(callbacks) || inherits(callbacks, "keras_callback"))) {
    callbacks <- list(callbacks)
  }
  for (callback in callbacks) {
    if (!inherits(callback, "keras_callback")) {
      abort_argument("`callbacks` must be a list of callbacks.",
                     expected = "what callback_lambda() returns", received = describe(callback))
    }
  }
  fire <- function(event, ...) {
    for (callback in callbacks) {
      if (is.null(callback[[event]])) next
      with_user_code(paste0("A callback's ", event, "()"), callback[[event]](...))
    }
  }
  list(
    wants_batches = any(vapply(callbacks, function(cb) {
      any(c("on_batch_begin", "on_batch_end") %in% names(cb))
    }, NA)),
    on_train_begin = function() fire("on_train_begin", list()),
    on_train_end = function() fire("on_train_end", list()),
    on_epoch_begin = function(epoch) fire("on_epoch_begin", epoch - 1, list()),
    on_epoch_end = function(epoch, logs) fire("on_epoch_end", epoch - 1, logs),
    on_batch_begin = function(batch) fire("on_batch_begin", batch - 1, list()),
    on_batch_end = function(batch, logs) fire("on_batch_end", batch - 1, logs)
  )
}
