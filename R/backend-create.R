#' Tensors to begin with
#'
#' @param shape Shape: whole numbers, or a list in which sizes may be tensors, such as `list(k_shape(x)[[0]], 2)`.
#' @param dtype `"float32"`, `"float64"`, `"int32"` or `"bool"`; `NULL` for [k_floatx()].
#' @param name A name for messages.
#' @param size Number of rows and of columns.
#' @param start,stop,step Numbers from `start` up to but without `stop`; with one of them, from 0 up to but without it.
#'
#' @return `k_zeros()`, `k_ones()` and `k_eye()` a variable, or a tensor where a size is one; `k_arange()` a constant.
#' @section Errors:
#' `convnet_error_argument` for sizes and numbers that do not exist.
#' @family tensor operations
#' @name k_zeros
#' @export
#' @examples
#' k_zeros(c(2, 3))
#' k_eye(3)
#' k_arange(2, 10, 3)
k_zeros <- function(shape, dtype = NULL, name = NULL) filled(0, shape, dtype, name)

#' @rdname k_zeros
#' @export
k_ones <- function(shape, dtype = NULL, name = NULL) filled(1, shape, dtype, name)

filled <- function(value, shape, dtype, name) {
  read <- read_sizes(shape)
  sizes <- closed_sizes(read)
  dtype <- check_dtype(dtype %||% the$floatx)
  if (length(read$at)) return(emit_shaped("broadcast_to", list(as_tensor(value, dtype)), shape))
  cpp_check_size(sizes, dtype)
  k_variable(if (length(sizes)) array(value, sizes) else value, dtype, name)
}

#' @rdname k_zeros
#' @export
k_eye <- function(size, dtype = NULL, name = NULL) {
  size <- check_counts(size, "size")
  cpp_check_size(c(size, size), check_dtype(dtype %||% the$floatx))
  k_variable(diag(size), dtype, name)
}

#' @rdname k_zeros
#' @export
k_arange <- function(start, stop = NULL, step = 1, dtype = "int32") {
  check_number(start, "start")
  if (is.null(stop)) {
    stop <- start
    start <- 0
  }
  check_number(stop, "stop")
  if (check_number(step, "step") == 0) {
    abort_argument("`step` must not be 0.", expected = "a number other than 0", received = "0")
  }
  count <- max(0, ceiling((stop - start) / step))
  if (!isTRUE(count <= .Machine$integer.max)) {
    abort_convnet("memory", "The sequence is longer than memory can address.",
                  expected = paste("at most", .Machine$integer.max, "numbers"), received = describe(count),
                  remedy = "Use a nearer `stop` or a larger `step`.")
  }
  k_cast(as_tensor(array(start + step * (seq_len(count) - 1)), "float64"), dtype)
}
