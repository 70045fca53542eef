#' Callbacks of your own
#'
#' The [R6][R6::R6Class] class that classes of callbacks inherit from. An object of such a class is given to [fit()],
#' [evaluate()] or [predict()], which fills in the fields `model`, the model itself, and `params`, and calls the methods that
#' the class defines: those named like the arguments of [callback_lambda()], with the same arguments. `Callback()` makes
#' such a class of functions.
#'
#' `params` is a list of `batch_size`, `epochs`, `steps` (batches in an epoch), `samples`, `verbose`, `do_validation` and
#' `metrics`, the names of the values in `logs`.
#'
#' @param classname Name of the class.
#' @param on_epoch_begin,on_epoch_end,on_train_begin,on_train_end,on_train_batch_begin,on_train_batch_end Methods, see
#'   [callback_lambda()]. Epochs and batches count from 0.
#' @param on_test_begin,on_test_end,on_test_batch_begin,on_test_batch_end,on_predict_begin,on_predict_end More methods.
#' @param on_predict_batch_begin,on_predict_batch_end More methods.
#' @param ... Other methods, `initialize()` among them, and fields.
#' @param public,private Lists of further methods and fields.
#' @param inherit The class to inherit from.
#' @param parent_env The environment in which methods look for what is not theirs.
#' @return `Callback()` a function of the arguments of `initialize()` that returns a callback.
#' @section Errors: `convnet_error_function` when a method fails: its error is the `parent` of the condition.
#' @family training
#' @examples
#' LossHistory <- R6::R6Class("LossHistory", inherit = KerasCallback, public = list(
#'   losses = NULL,
#'   on_batch_end = function(batch, logs = list()) {
#'     self$losses <- c(self$losses, logs$loss)
#'     if (logs$loss < 0.01) self$model$stop_training <- TRUE
#'   }
#' ))
#' losses <- LossHistory$new()
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(loss = "mse", optimizer = "sgd")
#' model %>% fit(matrix(1:20, 10) / 20, 1:10 / 10, batch_size = 5, epochs = 2, verbose = 0,
#'               callbacks = list(losses))
#' losses$losses
#'
#' callback_patient <- Callback("Patient",
#'   initialize = function(least) self$least <- least,
#'   on_epoch_end = function(epoch, logs = NULL) {
#'     if (logs$loss < self$least) self$model$stop_training <- TRUE
#'   }
#' )
#' model %>% fit(matrix(1:20, 10) / 20, 1:10 / 10, epochs = 5, verbose = 0,
#'               callbacks = list(callback_patient(least = 0.1)))
#' @export
KerasCallback <- R6::R6Class("KerasCallback", public = list(
  params = NULL,
  model = NULL,
  initialize = function() {},
  set_context = function(params = NULL, model = NULL) {
    self$params <- params
    self$model <- model
  },
  on_epoch_begin = function(epoch, logs = NULL) {},
  on_epoch_end = function(epoch, logs = NULL) {},
  on_batch_begin = function(batch, logs = NULL) {},
  on_batch_end = function(batch, logs = NULL) {},
  on_train_batch_begin = function(batch, logs = NULL) {},
  on_train_batch_end = function(batch, logs = NULL) {},
  on_train_begin = function(logs = NULL) {},
  on_train_end = function(logs = NULL) {},
  on_predict_batch_begin = function(batch, logs = NULL) {},
  on_predict_batch_end = function(batch, logs = NULL) {},
  on_predict_begin = function(logs = NULL) {},
  on_predict_end = function(logs = NULL) {},
  on_test_batch_begin = function(batch, logs = NULL) {},
  on_test_batch_end = function(batch, logs = NULL) {},
  on_test_begin = function(logs = NULL) {},
  on_test_end = function(logs = NULL) {}
))

# The methods that the callback's class defines, by event: a loop that nobody watches is faster.
callback_methods <- function(callback, model, params) {
  callback$set_context(params, model)
  methods <- mget(names(formals(callback_lambda)), callback)
  Filter(function(method) !identical(body(method), quote({})), methods)
}

#' @rdname KerasCallback
#' @export
Callback <- function(classname, on_epoch_begin = NULL, on_epoch_end = NULL, on_train_begin = NULL, on_train_end = NULL,
                     on_train_batch_begin = NULL, on_train_batch_end = NULL, on_test_begin = NULL, on_test_end = NULL,
                     on_test_batch_begin = NULL, on_test_batch_end = NULL, on_predict_begin = NULL,
                     on_predict_end = NULL, on_predict_batch_begin = NULL, on_predict_batch_end = NULL, ...,
                     public = list(), private = list(), inherit = KerasCallback, parent_env = parent.frame()) {
  check_string(classname, "classname")
  events <- grep("^on_", names(formals()), value = TRUE)
  methods <- Filter(Negate(is.null), mget(events))
  do.call(R6::R6Class, list(classname, public = c(methods, list(...), public), private = private,
                            inherit = inherit %||% KerasCallback, parent_env = parent_env, lock_objects = FALSE))$new
}
