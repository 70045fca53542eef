#' Configure a model for training
#'
#' @param object A model.
#' @param optimizer An optimizer such as [optimizer_adam()], or its name:
#'   `"sgd"`, `"rmsprop"`, `"adam"`. The model keeps its own copy, with fresh state.
#' @param loss Name of a loss (`"mse"`, `"binary_crossentropy"`, ...), a
#'   `loss_*()` function, or your own function of two tensors `(y_true, y_pred)`
#'   that returns a tensor; its mean is minimised. A list for several outputs.
#' @param metrics Names of metrics (`"accuracy"`, `"mae"`, ...), `metric_*()`
#'   functions or your own; a vector or list, names being used in the history.
#' @param loss_weights Factors of the losses of several outputs.
#' @param sample_weight_mode,target_tensors For Keras's signature; must be `NULL`.
#' @param weighted_metrics Metrics that `sample_weight` and `class_weight` weigh.
#' @param ... Not used.
#' @return The model, changed in place, invisibly. The weights that are trainable
#'   now are the ones that [fit()] trains, until `compile()` is called again.
#' @section Errors: `convnet_error_argument` for an unknown optimizer, loss or
#'   metric, with a suggestion.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>%
#'   layer_dense(3, activation = "softmax")
#' model %>% compile(optimizer = optimizer_adam(), loss = "categorical_crossentropy",
#'                   metrics = "accuracy")
#' @name compile
#' @method compile keras_model
#' @export
compile.keras_model <- function(object, optimizer = "rmsprop", loss = NULL, metrics = NULL,
                                loss_weights = NULL, sample_weight_mode = NULL,
                                weighted_metrics = NULL, target_tensors = NULL, ...) {
  check_dots(list(...), names(formals()))
  for (arg in c("sample_weight_mode", "target_tensors")) {
    if (!is.null(get(arg))) {
      abort_argument(paste0("`", arg, "` is not supported."), expected = "NULL",
                     received = describe(get(arg)))
    }
  }
  if (is.null(loss)) {
    abort_argument("A model needs a loss to be trained.", where = label_of(object),
                   expected = "`loss`, for example \"mse\" or \"categorical_crossentropy\"",
                   received = "NULL")
  }
  data <- environment(object)
  losses <- if (is.list(loss) && !inherits(loss, "convnet_loss")) loss else list(loss)
  check_loss_count(object, losses, loss_weights)
  compiled <- list(
    optimizer = get_optimizer(optimizer),
    losses = without_source(lapply(losses, get_loss)),
    loss_weights = unlist(loss_weights) %||% rep(1, length(losses)),
    metrics = without_source(as_metric_list(metrics)),
    weighted_metrics = without_source(as_metric_list(weighted_metrics)),
    trainable = if (data$built) trainable_weights_of(object)
  )
  for (metric in c(compiled$metrics, compiled$weighted_metrics)) check_metric(metric)
  data$compiled <- compiled
  data$programs <- NULL
  invisible(object)
}

# One loss for each output; a model that is not built yet has one output.
check_loss_count <- function(model, losses, loss_weights) {
  n <- max(1, length(environment(model)$outputs))
  if (length(losses) != n) {
    abort_argument("`loss` must have one loss for each output.", where = label_of(model),
                   expected = count_of(n, "loss", "losses"), received = count_of(length(losses), "loss", "losses"))
  }
  weights <- unlist(loss_weights)
  if (!is.null(weights) && (!is.numeric(weights) || length(weights) != n || anyNA(weights))) {
    abort_argument("`loss_weights` must have one number for each output.", where = label_of(model),
                   expected = count_of(n, "number"), received = describe(loss_weights))
  }
}

as_metric_list <- function(metrics) {
  if (is.null(metrics)) list()
  else if (is.function(metrics) || inherits(metrics, "convnet_metric")) list(metrics)
  else as.list(metrics)
}

# Known names only; "accuracy" waits for the output's shape.
check_metric <- function(metric) {
  get_metric(metric, c(NA, 1L), NULL)
}

require_compiled <- function(model) {
  if (is.null(environment(model)$compiled)) {
    abort_argument("The model has not been compiled.", where = label_of(model),
                   remedy = "Call compile() with an optimizer and a loss first.")
  }
}
