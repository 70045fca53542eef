#' Activation functions
#'
#' Give one of them to `activation =` of a layer, by name (`"relu"`) or as the function itself, or call it on a tensor
#' or array.
#'
#' @param x A tensor, number or array.
#' @param alpha `activation_relu()`: slope below the threshold, 0 (default) for none. `activation_elu()`: scale of the
#'   negative part, 1 (default). `activation_leaky_relu()`: slope for negative values, 0.2 (default).
#' @param max_value Largest value; `NULL` (default) for none.
#' @param threshold Values up to here count as negative, 0 (default).
#' @param axis Axis whose values are made to sum to 1. As in Keras for R, axes count from 0 here, 0 being the batch; -1
#'   (default) is the last one.
#' @param approximate `TRUE` uses the tanh approximation of the GELU; `FALSE` (default) the error function.
#'
#' @return A tensor of the shape of `x`.
#'
#' @section Functions:
#' | name | value |
#' |---|---|
#' | `"linear"` | x |
#' | `"relu"` | max(x, 0); in general `max_value` above it, `alpha * (x - threshold)` up to the threshold, x between |
#' | `"relu6"` | min(max(x, 0), 6) |
#' | `"leaky_relu"` | x where positive, else `alpha` x |
#' | `"elu"` | x where positive, else `alpha` (exp(x) - 1) |
#' | `"selu"` | 1.0507 times the ELU with `alpha` = 1.67326 |
#' | `"gelu"` | x times the normal distribution function at x |
#' | `"silu"`, `"swish"` | x sigmoid(x) |
#' | `"mish"` | x tanh(softplus(x)) |
#' | `"sigmoid"` | 1 / (1 + exp(-x)) |
#' | `"hard_sigmoid"` | 0.2 x + 0.5, cut at 0 and 1 |
#' | `"tanh"` | hyperbolic tangent |
#' | `"softplus"` | log(1 + exp(x)) |
#' | `"softsign"` | x / (1 + abs(x)) |
#' | `"exponential"` | exp(x) |
#' | `"softmax"` | exp(x) divided by its sum along the last axis |
#' | `"log_softmax"` | logarithm of softmax |
#'
#' @section Errors:
#' `convnet_error_argument` where `x` holds no numbers or an axis does not exist.
#' @references
#' Klambauer, Unterthiner, Mayr and Hochreiter (2017), Self-Normalizing Neural Networks,
#' \doi{10.48550/arXiv.1706.02515} (selu). Clevert, Unterthiner and Hochreiter (2016), \doi{10.48550/arXiv.1511.07289}
#' (elu). Hendrycks and Gimpel (2016), \doi{10.48550/arXiv.1606.08415} (gelu).
#' @seealso [layer_activation()]
#' @family activations
#' @name activation_relu
#' @export
#' @examples
#' x <- c(-2, -0.5, 0, 1, 8)
#' activation_relu(x)
#' activation_relu(x, alpha = 0.1, max_value = 6)
#' activation_softmax(matrix(x[1:4], 2))
#'
#' layer_dense(units = 10, activation = "elu")
#' layer_dense(units = 10, activation = activation_elu)
activation_relu <- function(x, alpha = 0, max_value = NULL, threshold = 0) {
  x <- float_tensor(x)
  alpha <- number_or_tensor(alpha)
  threshold <- number_or_tensor(threshold)
  y <- if (keeps_sign(alpha) && is.numeric(threshold) && identical(as.numeric(threshold), 0)) {
    unary("relu", x, if (alpha > 0) list(alpha = alpha) else list())
  } else {
    above <- if (identical(threshold, 0)) x else x - threshold
    select(x > threshold, x, if (is.numeric(alpha) && alpha == 0) 0 else alpha * above)
  }
  k_clip(y, max_value = max_value)
}

#' @rdname activation_relu
#' @export
activation_elu <- function(x, alpha = 1) {
  x <- float_tensor(x)
  alpha <- number_or_tensor(alpha)
  if (keeps_sign(alpha)) return(unary("elu", x, list(alpha = alpha)))
  positive <- x > 0
  # The branch that is not chosen must not overflow: exp() sees negative numbers only.
  select(positive, x, alpha * expm1(select(positive, 0, x)))
}

#' @rdname activation_relu
#' @export
activation_selu <- function(x) 1.05070098735548049342 * activation_elu(x, 1.67326324235437728481)

#' @rdname activation_relu
#' @export
activation_hard_sigmoid <- function(x) k_hard_sigmoid(x)

#' @rdname activation_relu
#' @export
activation_linear <- function(x) float_tensor(x)

#' @rdname activation_relu
#' @export
activation_sigmoid <- function(x) k_sigmoid(x)

#' @rdname activation_relu
#' @export
activation_softmax <- function(x, axis = -1) k_softmax(x, axis_from_zero(axis, x))

#' @rdname activation_relu
#' @export
activation_softplus <- function(x) k_softplus(x)

#' @rdname activation_relu
#' @export
activation_softsign <- function(x) k_softsign(x)

#' @rdname activation_relu
#' @export
activation_tanh <- function(x) k_tanh(x)

#' @rdname activation_relu
#' @export
activation_exponential <- function(x) k_exp(x)

#' @rdname activation_relu
#' @export
activation_gelu <- function(x, approximate = FALSE) {
  x <- float_tensor(x)
  if (check_flag(approximate, "approximate")) return(0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x))))
  0.5 * x * (1 + unary("erf", x / sqrt(2)))
}

#' @rdname activation_relu
#' @export
activation_silu <- function(x) {
  x <- float_tensor(x)
  x * k_sigmoid(x)
}

#' @rdname activation_relu
#' @export
activation_leaky_relu <- function(x, alpha = 0.2) activation_relu(x, alpha)

#' @rdname activation_relu
#' @export
activation_mish <- function(x) {
  x <- float_tensor(x)
  x * tanh(k_softplus(x))
}

#' @rdname activation_relu
#' @export
activation_relu6 <- function(x) activation_relu(x, max_value = 6)

#' @rdname activation_relu
#' @export
activation_log_softmax <- function(x, axis = -1) {
  x <- float_tensor(x)
  x - k_logsumexp(x, axis_from_zero(axis, x), keepdims = TRUE)
}

# Slopes with which results have the signs of arguments: gradients then need the results alone.
keeps_sign <- function(alpha) is.numeric(alpha) && length(alpha) == 1 && is.finite(alpha) && alpha >= 0
