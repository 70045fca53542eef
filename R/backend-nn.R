#' Activations, normalization and cross-entropies of tensors
#'
#' The functions behind the layers, for custom layers, losses and metrics.
#'
#' @param x A tensor, number or array.
#' @param alpha Slope of `k_relu()` below its threshold, 0 at the start; scale of the negative part of `k_elu()`.
#' @param max_value Largest value of `k_relu()`; `NULL` (default) for none.
#' @param axis Axis, counted from 1; -1 (default) is the last one. For `k_softmax()` and `k_batch_normalization()` the
#'   axis of the classes or channels; for `k_l2_normalize()` one or several axes, `NULL` for all.
#' @param mean,var,beta,gamma Vectors with one number a channel: mean, variance, offset and scale. `beta = NULL` stands
#'   for 0, `gamma = NULL` for 1.
#' @param epsilon A small number added to the variance.
#' @param reduction_axes Axes over which `k_normalize_batch_in_training()` takes mean and variance, counted from 1.
#' @param target The true values: for `k_binary_crossentropy()` and `k_categorical_crossentropy()` probabilities of the
#'   shape of `output`; for `k_sparse_categorical_crossentropy()` class labels, counted from 0, without the axis of the
#'   classes or with size 1 there.
#' @param output Predicted probabilities, or with `from_logits = TRUE` values on the scale before sigmoid or softmax.
#' @param from_logits See `output`.
#'
#' @return A tensor of the shape of `x` or `output`; the categorical cross-entropies drop the axis of the classes.
#'   `k_normalize_batch_in_training()` a list: the normalized tensor, mean and variance.
#' @section Errors:
#' `convnet_error_argument` where an axis does not exist, `convnet_error_shape` where shapes do not fit.
#' @section Details:
#' Probabilities are kept between [k_epsilon()] and 1 - [k_epsilon()] before their logarithm is taken. Categorical ones
#' are first divided by their sum.
#' @seealso [activation_relu()] for activations of layers, [loss_binary_crossentropy()] for losses of models.
#' @family tensor operations
#' @name k_relu
#' @export
#' @examples
#' k_relu(c(-1, 0, 2))
#' k_softmax(matrix(c(0, 0, 1, 3), 2))
#' k_binary_crossentropy(c(1, 0), c(0.9, 0.2))
k_relu <- function(x, alpha = 0, max_value = NULL) activation_relu(x, alpha, max_value)

#' @rdname k_relu
#' @export
k_elu <- function(x, alpha = 1) activation_elu(x, alpha)

#' @rdname k_relu
#' @export
k_sigmoid <- function(x) unary("sigmoid", x)

#' @rdname k_relu
#' @export
k_hard_sigmoid <- function(x) k_clip(0.2 * float_tensor(x) + 0.5, 0, 1)

#' @rdname k_relu
#' @export
k_tanh <- function(x) unary("tanh", x)

#' @rdname k_relu
#' @export
k_softplus <- function(x) unary("softplus", x)

#' @rdname k_relu
#' @export
k_softsign <- function(x) {
  x <- float_tensor(x)
  x / (1 + k_abs(x))
}

#' @rdname k_relu
#' @export
k_softmax <- function(x, axis = -1) {
  x <- float_tensor(x)
  unary("softmax", x, list(axis = as_axis(axis, k_ndim(x), single = TRUE)))
}

#' @rdname k_relu
#' @export
k_l2_normalize <- function(x, axis = NULL) {
  x <- float_tensor(x)
  x * unary("rsqrt", k_maximum(k_sum(k_square(x), axis, keepdims = TRUE), 1e-12))
}

#' @rdname k_relu
#' @export
k_batch_normalization <- function(x, mean, var, beta = NULL, gamma = NULL, axis = -1, epsilon = 1e-3) {
  x <- float_tensor(x)
  vectors <- lapply(as_tensors(list(x, mean, var, gamma %||% k_ones_like(mean), beta %||% k_zeros_like(mean))[-1]),
                    function(v) if (k_ndim(v) == 1L) v else k_flatten(v))
  emit("batch_normalization", c(list(x), vectors),
       list(axis = as_axis(axis, k_ndim(x), single = TRUE), epsilon = check_number(epsilon, "epsilon", lower = 0)))
}

#' @rdname k_relu
#' @export
k_normalize_batch_in_training <- function(x, gamma, beta, reduction_axes, epsilon = 0.001) {
  x <- float_tensor(x)
  axes <- as_axis(reduction_axes, k_ndim(x)) + 1L
  mean <- k_mean(x, axes, keepdims = TRUE)
  var <- k_var(x, axes, keepdims = TRUE)
  per_channel <- function(v) if (is.null(v)) NULL else emit_shaped("reshape", list(like(v, x)), sizes_like(mean))
  normalized <- (x - mean) * unary("rsqrt", var + check_number(epsilon, "epsilon", lower = 0))
  if (!is.null(gamma)) normalized <- normalized * per_channel(gamma)
  if (!is.null(beta)) normalized <- normalized + per_channel(beta)
  list(normalized, k_squeeze(mean, axes), k_squeeze(var, axes))
}

#' @rdname k_relu
#' @export
k_binary_crossentropy <- function(target, output, from_logits = FALSE) {
  output <- float_tensor(output)
  target <- like(target, output)
  # -log(sigmoid(x)) = softplus(x) - x and -log(1 - sigmoid(x)) = softplus(x), without overflow.
  if (check_flag(from_logits, "from_logits")) return(k_softplus(output) - target * output)
  output <- clip_probability(output)
  -(target * log(output) + (1 - target) * log(1 - output))
}

#' @rdname k_relu
#' @export
k_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1) {
  output <- float_tensor(output)
  -k_sum(like(target, output) * log_probability(output, from_logits, axis), axis)
}

#' @rdname k_relu
#' @export
k_sparse_categorical_crossentropy <- function(target, output, from_logits = FALSE, axis = -1) {
  output <- float_tensor(output)
  axis <- as_axis(axis, k_ndim(output), single = TRUE) + 1L
  target <- one_hot_like(target, output, axis)
  # Keras keeps these probabilities in bounds before it divides by their sum, too.
  if (!check_flag(from_logits, "from_logits")) output <- clip_probability(output)
  k_categorical_crossentropy(target, output, from_logits, axis)
}

like <- function(x, tensor) if (is_tensor(x)) k_cast(x, tensor$dtype) else as_tensor(x, tensor$dtype)

clip_probability <- function(x) k_clip(x, the$epsilon, 1 - the$epsilon)

log_probability <- function(output, from_logits, axis) {
  if (check_flag(from_logits, "from_logits")) return(output - k_logsumexp(output, axis, keepdims = TRUE))
  log(clip_probability(output / k_sum(output, axis, keepdims = TRUE)))
}

# Class labels spread over the axis of the classes, in the dtype of the predictions.
one_hot_like <- function(labels, output, axis = k_ndim(output)) {
  classes <- if (axis > 0L) output$shape[[axis]] else NA
  if (is.na(classes)) {
    abort_shape("The number of classes is not known.", expected = sprintf("a size at axis %d of the predictions", axis),
                received = format_shape(output$shape))
  }
  labels <- if (is_tensor(labels)) k_cast(labels, "int32") else as_tensor(labels, "int32")
  if (k_ndim(labels) == k_ndim(output) - 1L) labels <- k_expand_dims(labels, axis)
  if (k_ndim(labels) != k_ndim(output) || !labels$shape[[axis]] %in% c(1L, NA)) {
    abort_shape("Labels do not fit the predictions.",
                expected = sprintf("one label a prediction: shape %s", format_shape(replace(output$shape, axis, 1L))),
                received = format_shape(labels$shape),
                remedy = "Labels are whole numbers from 0; for one-hot rows use categorical_crossentropy.")
  }
  numbers <- array(seq_len(classes) - 1L, c(classes, rep(1L, k_ndim(output) - axis)))
  k_cast(k_equal(labels, as_tensor(numbers, "int32")), output$dtype)
}
