#' Callbacks of your own
#'
#' The [R6][R6::R6Class] class that classes of callbacks inherit from. An object of such a class is given to [fit()],
#' [evaluate()] or [predict()], which fills in the fields `model`, the model itself, and `params`, and calls the methods that
#' the class defines: those named like the arguments of [callback_lambda()], with the same arguments.
#'
#' `params` is a list of `batch_size`, `epochs`, `steps` (batches in an epoch), `samples`, `verbose`, `do_validation` and
#' `metrics`, the names of the values in `logs`.
#'
#' @format An R6 class.
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
#' @export
KerasCallback <- R6::R6Class("KerasCallback", public = list(
  params = NULL,
  model = NULL,
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
