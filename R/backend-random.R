#' Random numbers
#'
#' Tensors of random numbers. In a layer, loss or metric they are drawn anew in each step; where the shape has no tensors
#' and no layer is being called they are drawn at once. `set.seed()` fixes them.
#'
#' @param shape Shape of the result: whole numbers, or a list in which sizes may be tensors, such as
#'   `list(k_shape(x)[[0]], 2)`; or a tensor of sizes, such as `k_shape(x)`.
#' @param mean,stddev Mean and standard deviation: numbers, arrays or tensors that broadcast to `shape`.
#' @param minval,maxval,low,high Bounds. `minval` may occur, `maxval` does not.
#' @param p Probability of 1.
#' @param scale Standard deviation of the initial values.
#' @param dtype `"float32"` or `"float64"`, and for `k_random_uniform()` and `k_random_binomial()` `"int32"`; `NULL` for
#'   [k_floatx()].
#' @param name Name of the variable.
#' @param seed A whole number that decides what is drawn; `NULL` (default) leaves it to `set.seed()`.
#' @param x A tensor, number or array.
#' @param level Share of the values that become 0, from 0 up to 1.
#' @param noise_shape Shape of the mask: 1 where all values along an axis share their fate; `NULL` for that of `x`.
#'
#' @return A tensor, for the last two of the functions a variable. `k_truncated_normal()` draws again what lies beyond two
#'   standard deviations. `k_dropout()` divides the values that it keeps by `1 - level`.
#' @section Errors:
#' `convnet_error_argument` where a number is not what it must be, or where a size depends on the values of data.
#' @references Salmon, J. K. et al. (2011), *Parallel random numbers: as easy as 1, 2, 3*, SC11: the generator.
#' @family tensor operations
#' @name k_random_normal
#' @export
#' @examples
#' set.seed(1)
#' k_random_normal(c(2, 3))
#' k_random_uniform(4, minval = -1, maxval = 1)
#' x <- layer_input(shape = 2)
#' x + k_random_normal(k_shape(x), stddev = 0.1)
k_random_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  scaled(random("normal", shape, dtype, seed), stddev, mean)
}

#' @rdname k_random_normal
#' @export
k_random_uniform <- function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
  if (identical(dtype, "int32")) return(k_cast(floor(k_random_uniform(shape, minval, maxval, NULL, seed)), dtype))
  minval <- number_or_tensor(minval)
  scaled(random("uniform", shape, dtype, seed), number_or_tensor(maxval) - minval, minval)
}

#' @rdname k_random_normal
#' @export
k_random_binomial <- function(shape, p = 0, dtype = NULL, seed = NULL) {
  k_cast(random("uniform", shape, NULL, seed) < number_or_tensor(p), dtype %||% the$floatx)
}

#' @rdname k_random_normal
#' @export
k_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  scaled(random("truncated_normal", shape, dtype, seed), stddev, mean)
}

#' @rdname k_random_normal
#' @export
k_dropout <- function(x, level, noise_shape = NULL, seed = NULL) {
  check_number(level, "level", 0, 1)
  if (!is.null(noise_shape)) noise_shape <- as_shape(noise_shape, "noise_shape")
  unary("dropout", x, list(rate = level, stream = 0, seed = check_seed(seed), noise_shape = noise_shape))
}

#' @rdname k_random_normal
#' @export
k_random_normal_variable <- function(shape, mean, scale, dtype = NULL, name = NULL, seed = NULL) {
  k_variable(k_random_normal(shape, mean, scale, dtype, seed), dtype, name)
}

#' @rdname k_random_normal
#' @export
k_random_uniform_variable <- function(shape, low, high, dtype = NULL, name = NULL, seed = NULL) {
  k_variable(k_random_uniform(shape, low, high, dtype, seed), dtype, name)
}

random <- function(distribution, shape, dtype = NULL, seed = NULL) {
  dtype <- check_choice(dtype %||% the$floatx, c("float32", "float64"), "dtype")
  closed_sizes(read_sizes(shape))
  emit_shaped("random", list(), shape,
              list(distribution = distribution, dtype = dtype, stream = 0, seed = check_seed(seed)))
}

check_seed <- function(seed) if (!is.null(seed)) check_whole(seed, "seed")

scaled <- function(x, factor, offset) {
  factor <- number_or_tensor(factor)
  offset <- number_or_tensor(offset)
  if (!identical(factor, 1)) x <- x * factor
  if (identical(offset, 0)) x else x + offset
}
