#' Elementwise functions
#'
#' Functions of every element. On arrays and constants they compute at once, on other tensors they describe what is to
#' be computed.
#'
#' @param x A tensor, number or array.
#' @param a Exponent: a number, array or tensor.
#' @param min_value,max_value Bounds: numbers, arrays or tensors; `NULL` for none.
#'
#' @return A tensor of the shape of `x`.
#' @section Errors:
#' `convnet_error_argument` where `x` holds no numbers or has missing values, `convnet_error_dtype` where a tensor of
#' whole numbers meets a function that needs floating-point ones (convert with [k_cast_to_floatx()]).
#' @section Details:
#' `k_sign()` is 0 at 0; `k_round()` rounds halves to the even neighbour. The gradient of `k_abs()` at 0 is 0. For
#' activation functions see [k_relu()].
#' @family tensor operations
#' @name k_exp
#' @export
#' @examples
#' k_exp(c(0, 1))
#' k_clip(c(-2, 0.5, 2), -1, 1)
#' k_pow(1:3, 2)
k_exp <- function(x) unary("exp", x)

#' @rdname k_exp
#' @export
k_log <- function(x) unary("log", x)

#' @rdname k_exp
#' @export
k_sqrt <- function(x) unary("sqrt", x)

#' @rdname k_exp
#' @export
k_square <- function(x) unary("square", x)

#' @rdname k_exp
#' @export
k_pow <- function(x, a) {
  if (is.numeric(a) && identical(as.numeric(a), 2)) k_square(x) else binary("power", x, a)
}

#' @rdname k_exp
#' @export
k_abs <- function(x) unary("abs", x)

#' @rdname k_exp
#' @export
k_sign <- function(x) unary("sign", x)

#' @rdname k_exp
#' @export
k_round <- function(x) unary("round", x)

#' @rdname k_exp
#' @export
k_sin <- function(x) unary("sin", x)

#' @rdname k_exp
#' @export
k_cos <- function(x) unary("cos", x)

#' @rdname k_exp
#' @export
k_clip <- function(x, min_value = NULL, max_value = NULL) {
  x <- float_tensor(x)
  if (!is.null(min_value)) x <- k_maximum(x, min_value)
  if (!is.null(max_value)) x <- k_minimum(x, max_value)
  x
}

#' Compare tensors element by element
#'
#' The larger or the smaller of two, and comparisons, which the operators `==`, `!=`, `>`, `>=`, `<` and `<=` do as
#' well. Shapes broadcast.
#'
#' @param x,y Tensors, numbers or arrays of one dtype; numbers take the dtype of the tensor beside them.
#'
#' @return A tensor of the common shape: `k_maximum()` and `k_minimum()` of the common dtype, the others of dtype
#'   `"bool"`. Where two values are equal each gets half of the gradient of the maximum.
#' @inheritSection tensor-ops Errors
#' @family tensor operations
#' @name k_maximum
#' @export
#' @examples
#' k_maximum(c(1, 5, 3), 2)
#' k_greater(c(1, 5, 3), 2)
k_maximum <- function(x, y) binary("maximum", x, y)

#' @rdname k_maximum
#' @export
k_minimum <- function(x, y) binary("minimum", x, y)

#' @rdname k_maximum
#' @export
k_equal <- function(x, y) binary("equal", x, y)

#' @rdname k_maximum
#' @export
k_not_equal <- function(x, y) binary("not_equal", x, y)

#' @rdname k_maximum
#' @export
k_greater <- function(x, y) binary("greater", x, y)

#' @rdname k_maximum
#' @export
k_greater_equal <- function(x, y) binary("greater_equal", x, y)

#' @rdname k_maximum
#' @export
k_less <- function(x, y) binary("less", x, y)

#' @rdname k_maximum
#' @export
k_less_equal <- function(x, y) binary("less_equal", x, y)

#' Change the type, fill, pass on
#'
#' @param x A tensor, number or array.
#' @param dtype `"float32"`, `"float64"`, `"int32"` or `"bool"`; in `k_zeros_like()` and `k_ones_like()` `NULL` for the
#'   dtype of `x`.
#' @param name Not used: kept from Keras for R.
#' @param variables A tensor, or a list of tensors.
#'
#' @return A tensor of the shape of `x`. `k_cast()` to whole numbers drops the fraction, to `"bool"` it asks whether the
#'   value is different from 0. `k_stop_gradient()` gives the same values, which count as constant when gradients are
#'   taken; for a list, a list.
#' @section Errors:
#' `convnet_error_argument` for an unknown dtype.
#' @family tensor operations
#' @name k_cast
#' @export
#' @examples
#' k_cast(c(-1.5, 2.7), "int32")
#' k_ones_like(matrix(0, 2, 2))
#' x <- k_variable(c(1, 2))
#' k_eval(k_gradients(k_sum(x * k_stop_gradient(x)), x)[[1]])
k_cast <- function(x, dtype) {
  x <- as_tensor(x)
  check_dtype(dtype)
  if (identical(x$dtype, dtype)) x else emit("cast", list(x), list(dtype = dtype))
}

#' @rdname k_cast
#' @export
k_cast_to_floatx <- function(x) k_cast(x, the$floatx)

#' @rdname k_cast
#' @export
k_zeros_like <- function(x, dtype = NULL, name = NULL) fill_like(x, 0, dtype)

#' @rdname k_cast
#' @export
k_ones_like <- function(x, dtype = NULL, name = NULL) fill_like(x, 1, dtype)

fill_like <- function(x, value, dtype) {
  filled <- unary("fill_like", x, list(value = value))
  if (is.null(dtype)) filled else k_cast(filled, dtype)
}

#' @rdname k_cast
#' @export
k_identity <- function(x, name = NULL) unary("identity", x)

#' @rdname k_cast
#' @export
k_stop_gradient <- function(variables) {
  if (is.list(variables)) lapply(variables, k_stop_gradient) else unary("stop_gradient", variables)
}
