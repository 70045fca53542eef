#' Metrics
#'
#' Numbers that are shown and kept in the history beside the loss. Give them to [compile()] by name
#' (`metrics = c("accuracy", "mae")`), as functions (`metrics = list(metric_mean_absolute_error)`) or with arguments
#' (`metrics = list(metric_binary_accuracy(threshold = 0.7))`). Any function of `(y_true, y_pred)` that returns a tensor
#' is a metric; it takes its name from a named list or from `custom_metric()`.
#'
#' @inheritParams loss_mean_squared_error
#' @param y_true True values: a tensor or array of the shape of `y_pred`. For metrics named `sparse` class labels, whole
#'   numbers from 0.
#' @param threshold Predictions above it count as 1, 0.5 (default).
#' @param k Number of largest predictions among which the true class counts as found, 5 (default).
#' @param name Name in the history: in `metric_*()` the function's name without `metric_` unless you give another.
#' @param metric_fn A function of `(y_true, y_pred)`.
#'
#' @return With `y_true` and `y_pred` a tensor with the value of each sample; the metric is their mean. Without them a
#'   metric object for [compile()]. `custom_metric()` returns the function, with the name.
#'
#' @section Names:
#' `"accuracy"` or `"acc"` is binary accuracy where the output has one unit or the loss is binary cross-entropy, sparse
#' categorical accuracy where the loss is sparse categorical cross-entropy, else categorical accuracy; in the same way
#' `"crossentropy"` or `"ce"`. All names of losses are metrics, too: see [loss_mean_squared_error()] for their formulas;
#' `"mse"`, `"mae"`, `"mape"`, `"msle"` and `"cosine"` are short names. The metric `"cosine_similarity"` is the cosine
#' itself, without the minus sign that the loss has.
#'
#' @inheritSection loss_mean_squared_error Errors
#' @family metrics
#' @name metric_binary_accuracy
#' @export
#' @examples
#' y_true <- rbind(c(0, 1), c(1, 0))
#' y_pred <- rbind(c(0.2, 0.8), c(0.4, 0.6))
#' metric_categorical_accuracy(y_true, y_pred)
#'
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(1)
#' largest_error <- custom_metric("largest_error", function(y_true, y_pred) {
#'   k_max(k_abs(y_true - y_pred))
#' })
#' model %>% compile(optimizer = "sgd", loss = "mse", metrics = list("mae", largest_error))
metric_binary_accuracy <- function(y_true, y_pred, threshold = 0.5, name = "binary_accuracy") {
  metric("binary_accuracy", y_true, y_pred, name, threshold = check_number(threshold, "threshold"))
}

#' @rdname metric_binary_accuracy
#' @export
metric_categorical_accuracy <- function(y_true, y_pred, name = "categorical_accuracy") {
  metric("categorical_accuracy", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_sparse_categorical_accuracy <- function(y_true, y_pred, name = "sparse_categorical_accuracy") {
  metric("sparse_categorical_accuracy", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5, name = "top_k_categorical_accuracy") {
  metric("top_k_categorical_accuracy", y_true, y_pred, name, k = check_counts(k, "k"))
}

#' @rdname metric_binary_accuracy
#' @export
metric_sparse_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5,
                                                     name = "sparse_top_k_categorical_accuracy") {
  metric("sparse_top_k_categorical_accuracy", y_true, y_pred, name, k = check_counts(k, "k"))
}

#' @rdname metric_binary_accuracy
#' @export
metric_cosine_similarity <- function(y_true, y_pred, axis = -1, name = "cosine_similarity") {
  metric("cosine_similarity", y_true, y_pred, name, axis = axis)
}

#' @rdname metric_binary_accuracy
#' @export
metric_cosine_proximity <- function(y_true, y_pred, name = "cosine_proximity") {
  metric("cosine_similarity", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_mean_squared_error <- function(y_true, y_pred, name = "mean_squared_error") {
  metric("mean_squared_error", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_mean_absolute_error <- function(y_true, y_pred, name = "mean_absolute_error") {
  metric("mean_absolute_error", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_mean_absolute_percentage_error <- function(y_true, y_pred, name = "mean_absolute_percentage_error") {
  metric("mean_absolute_percentage_error", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_mean_squared_logarithmic_error <- function(y_true, y_pred, name = "mean_squared_logarithmic_error") {
  metric("mean_squared_logarithmic_error", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1,
                                       name = "binary_crossentropy") {
  metric("binary_crossentropy", y_true, y_pred, name, from_logits = from_logits, label_smoothing = label_smoothing,
         axis = axis)
}

#' @rdname metric_binary_accuracy
#' @export
metric_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1,
                                            name = "categorical_crossentropy") {
  metric("categorical_crossentropy", y_true, y_pred, name, from_logits = from_logits,
         label_smoothing = label_smoothing, axis = axis)
}

#' @rdname metric_binary_accuracy
#' @export
metric_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1,
                                                   name = "sparse_categorical_crossentropy") {
  metric("sparse_categorical_crossentropy", y_true, y_pred, name, from_logits = from_logits, axis = axis)
}

#' @rdname metric_binary_accuracy
#' @export
metric_kullback_leibler_divergence <- function(y_true, y_pred, name = "kullback_leibler_divergence") {
  metric("kullback_leibler_divergence", y_true, y_pred, name)
}

#' @rdname metric_binary_accuracy
#' @export
metric_poisson <- function(y_true, y_pred, name = "poisson") metric("poisson", y_true, y_pred, name)

#' @rdname metric_binary_accuracy
#' @export
metric_hinge <- function(y_true, y_pred, name = "hinge") metric("hinge", y_true, y_pred, name)

#' @rdname metric_binary_accuracy
#' @export
metric_squared_hinge <- function(y_true, y_pred, name = "squared_hinge") metric("squared_hinge", y_true, y_pred, name)

#' @rdname metric_binary_accuracy
#' @export
custom_metric <- function(name, metric_fn) {
  check_string(name, "name")
  check_function(metric_fn, "metric_fn", "a function of `(y_true, y_pred)`")
  structure(metric_fn, metric_name = name)
}
