# What each metric computes beside the losses: a value for each sample.
metric_formulas <- list(
  binary_accuracy = function(y_true, y_pred, threshold = 0.5) {
    k_mean(k_equal(y_true, k_cast(y_pred > threshold, y_pred$dtype)), -1)
  },
  categorical_accuracy = function(y_true, y_pred) {
    k_cast(k_equal(k_argmax(y_true), k_argmax(y_pred)), y_pred$dtype)
  },
  sparse_categorical_accuracy = function(y_true, y_pred) {
    k_cast(k_equal(class_labels(y_true, y_pred), k_argmax(y_pred)), y_pred$dtype)
  },
  top_k_categorical_accuracy = function(y_true, y_pred, k = 5) {
    k_cast(k_in_top_k(y_pred, k_argmax(y_true), k), y_pred$dtype)
  },
  sparse_top_k_categorical_accuracy = function(y_true, y_pred, k = 5) {
    k_cast(k_in_top_k(y_pred, class_labels(y_true, y_pred), k), y_pred$dtype)
  },
  cosine_similarity = function(y_true, y_pred, axis = -1) cosine(y_true, y_pred, axis)
)

# Without the axis of the classes, as argmax has them.
class_labels <- function(y_true, y_pred) {
  labels <- if (is_tensor(y_true)) k_cast(y_true, "int32") else as_tensor(y_true, "int32")
  if (k_ndim(labels) == k_ndim(y_pred)) k_squeeze(labels, -1) else labels
}

# Names whose meaning depends on the output and the loss.
metric_kinds <- c(accuracy = "accuracy", acc = "accuracy", crossentropy = "crossentropy", ce = "crossentropy")

# A metric object is plain data: its name in the history and `fn`, the name of a formula or a user's own function.
metric <- function(formula, y_true, y_pred, name, ...) {
  metric <- new_metric(name, formula, check_loss_config(list(...)))
  if (missing(y_true) && missing(y_pred)) return(metric)
  metric_per_sample(metric, y_true, y_pred)
}

new_metric <- function(name, fn, config = list()) {
  structure(list(name = name, fn = fn, config = config), class = c("convnet_metric", "convnet_member"))
}

# The metric for an output of shape `output_shape` that is trained with `loss`; named as the user wrote it.
get_metric <- function(x, output_shape, loss) {
  if (inherits(x, "convnet_metric")) return(x)
  if (is.list(x) && length(x) == 1L) {
    metric <- get_metric(x[[1]], output_shape, loss)
    metric$name <- names(x) %||% metric$name
    return(metric)
  }
  if (is.function(x)) return(metric_of_function(x))
  if (is_string(x) && x %in% names(metric_kinds)) {
    return(new_metric(x, metric_of_kind(metric_kinds[[x]], output_shape, loss)))
  }
  known <- unique(c(names(metric_formulas), names(loss_formulas)))
  formula <- find_member(x, "a metric", c("accuracy", known), c(loss_aliases, metric_kinds))
  if (formula %in% metric_kinds) formula <- metric_of_kind(formula, output_shape, loss)
  new_metric(x, formula)
}

# Our own metric_*() and loss_*() functions are known by name; they are called for their defaults.
metric_of_function <- function(f) {
  named <- c(names(metric_formulas), "cosine_proximity", names(loss_formulas))
  if (!is.null(member_of(f, "metric_", named))) return(f())
  loss <- member_of(f, "loss_", names(loss_formulas))
  if (!is.null(loss)) return(new_metric(loss, loss))
  new_metric(attr(f, "metric_name") %||% "custom_metric", f)
}

metric_of_kind <- function(kind, output_shape, loss) {
  loss <- if (is.null(loss)) "" else loss_name(get_loss(loss))
  if (output_shape[length(output_shape)] %in% 1L || loss == "binary_crossentropy") {
    paste0("binary_", kind)
  } else if (loss == "sparse_categorical_crossentropy") {
    paste0("sparse_categorical_", kind)
  } else {
    paste0("categorical_", kind)
  }
}

metric_per_sample <- function(metric, y_true, y_pred) {
  if (is.function(metric$fn)) return(check_result(metric$fn(y_true, y_pred), "The metric function"))
  formula <- metric_formulas[[metric$fn]] %||% loss_formulas[[metric$fn]]
  apply_formula(formula, metric$fn, metric$config, y_true, y_pred)
}

#' @export
format.convnet_metric <- function(x, ...) {
  if (is.function(x$fn)) sprintf("metric \"%s\" of your own", x$name)
  else format_member(paste0("metric_", x$fn), c(x$config, list(name = x$name)))
}
