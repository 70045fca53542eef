#' Sums, means and extremes
#'
#' Reduce a tensor along some of its axes, or along all.
#'
#' @param x A tensor, number or array. Truth values and whole numbers count as numbers.
#' @param axis Axes to reduce, counted from 1; -1 is the last one, -2 the one before. `NULL` (default): all of them.
#'   `k_argmax()`, `k_argmin()`, `k_cumsum()` and `k_cumprod()` take one.
#' @param keepdims `TRUE` keeps a reduced axis with size 1, so that the result broadcasts against `x`; `FALSE` (default)
#'   drops it.
#'
#' @return A tensor without the axes that were reduced; without dimensions for `axis = NULL`. `k_argmax()` and
#'   `k_argmin()` give positions along the axis, counted from 0 as class labels are, in dtype `"int32"`; the first of equal
#'   values counts. `k_any()` and `k_all()` give truth values, asking numbers whether they differ from 0. `k_cumsum()` and
#'   `k_cumprod()` have the shape of `x`: sums and products of what comes first along the axis.
#' @section Errors:
#' `convnet_error_argument` where `axis` is no axis of `x`.
#' @section Details:
#' `k_var()` and `k_std()` divide by the number of elements. `k_logsumexp()` is \eqn{\log \sum e^x}{log(sum(exp(x)))}
#' without overflow. Equal extremes share the gradient of `k_max()` and `k_min()`.
#' @family tensor operations
#' @name k_sum
#' @export
#' @examples
#' x <- matrix(1:6, 2)
#' k_sum(x)
#' k_mean(x, axis = 1)
#' k_max(x, axis = -1, keepdims = TRUE)
#' k_argmax(x)
#' k_any(x > 5, axis = 2)
#' k_cumsum(x, axis = 2)
k_sum <- function(x, axis = NULL, keepdims = FALSE) reduce("sum", x, axis, keepdims)

#' @rdname k_sum
#' @export
k_mean <- function(x, axis = NULL, keepdims = FALSE) reduce("mean", x, axis, keepdims)

#' @rdname k_sum
#' @export
k_max <- function(x, axis = NULL, keepdims = FALSE) reduce("max", x, axis, keepdims)

#' @rdname k_sum
#' @export
k_min <- function(x, axis = NULL, keepdims = FALSE) reduce("min", x, axis, keepdims)

#' @rdname k_sum
#' @export
k_prod <- function(x, axis = NULL, keepdims = FALSE) {
  x <- as_float(x)
  axes <- as_axis(axis, k_ndim(x)) + 1L
  keepdims <- check_flag(keepdims, "keepdims")
  kept <- setdiff(seq_along(x$shape), axes)
  sizes <- as.list(sizes_like(x))
  rows <- emit_shaped("reshape", list(transpose(x, c(kept, axes) - 1L)), c(sizes[kept], list(-1L)))
  # Products of all but one are products of what comes before and after: right where factors are 0, too.
  last <- emit("slice", list(k_cumprod(rows, -1)), list(begin = c(integer(length(kept)), -1L),
                                                       size = c(rep(-1L, length(kept)), 1L)))
  emit_shaped("reshape", list(last), if (keepdims) replace(sizes, axes, 1L) else sizes[kept])
}

#' @rdname k_sum
#' @export
k_any <- function(x, axis = NULL, keepdims = FALSE) k_cast(reduce_truth("max", x, axis, keepdims), "bool")

#' @rdname k_sum
#' @export
k_all <- function(x, axis = NULL, keepdims = FALSE) k_cast(reduce_truth("min", x, axis, keepdims), "bool")

reduce_truth <- function(op, x, axis, keepdims) {
  reduce(op, k_cast(k_cast(as_tensor(x), "bool"), the$floatx), axis, keepdims)
}

#' @rdname k_sum
#' @export
k_cumsum <- function(x, axis = 1) {
  x <- as_float(x)
  accumulate(k_ones_like(x), x, axis)
}

#' @rdname k_sum
#' @export
k_cumprod <- function(x, axis = 1) {
  x <- as_float(x)
  accumulate(x, k_zeros_like(x), axis, start = 1)
}

accumulate <- function(factors, terms, axis, start = 0) {
  axis <- as_axis(axis, k_ndim(factors), single = TRUE)
  emit("recurrence", list(factors, terms), list(axis = axis, start = start))
}

#' @rdname k_sum
#' @export
k_var <- function(x, axis = NULL, keepdims = FALSE) {
  x <- as_float(x)
  k_mean(k_square(x - k_mean(x, axis, keepdims = TRUE)), axis, keepdims)
}

#' @rdname k_sum
#' @export
k_std <- function(x, axis = NULL, keepdims = FALSE) k_sqrt(k_var(x, axis, keepdims))

#' @rdname k_sum
#' @export
k_logsumexp <- function(x, axis = NULL, keepdims = FALSE) {
  x <- as_float(x)
  # Any shift gives the same value, so that the shift counts as constant.
  shift <- k_stop_gradient(k_max(x, axis, keepdims = TRUE))
  total <- k_log(k_sum(k_exp(x - shift), axis, keepdims))
  total + if (keepdims) shift else k_sum(shift, axis)
}

#' @rdname k_sum
#' @export
k_argmax <- function(x, axis = -1) {
  x <- as_float(x)
  emit("argmax", list(x), list(axis = as_axis(axis, k_ndim(x), single = TRUE)))
}

#' @rdname k_sum
#' @export
k_argmin <- function(x, axis = -1) k_argmax(-as_float(x), axis)

reduce <- function(op, x, axis, keepdims) {
  x <- as_float(x)
  emit(op, list(x), list(axes = as_axis(axis, k_ndim(x)), keepdims = check_flag(keepdims, "keepdims")))
}

# Axes counted from 0, as the core has them. In R the first is number `first`, -1 is the last one; NULL stands for all.
as_axis <- function(axis, rank, single = FALSE, first = 1L) {
  if (is.null(axis) && !single) return(seq_len(rank) - 1L)
  values <- unlist(axis)
  wrong <- !is.numeric(values) || anyNA(values) || any(values != round(values)) ||
    any(values >= 0 & values < first) || any(values < -rank | values >= rank + first) || single && length(values) != 1L
  if (!wrong) {
    from_zero <- as.integer(ifelse(values < 0, rank + values, values - first))
    wrong <- anyDuplicated(from_zero) > 0L
  }
  if (wrong) {
    abort_argument("`axis` names no axis of the tensor.",
                   expected = sprintf("%s from %d to %d, or from -%d to -1",
                                      if (single) "a number" else "different numbers", first, rank + first - 1L, rank),
                   received = if (is.numeric(values)) toString(values) else describe(axis),
                   remedy = sprintf("Axes count from %d; -1 is the last one.", first))
  }
  from_zero
}

# Axes counted from 0, where Keras for R does so, as the k_ functions take them.
axis_from_zero <- function(axis, x) as_axis(axis, k_ndim(x), first = 0L) + 1L
