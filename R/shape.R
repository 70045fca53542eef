#' A shape
#'
#' Sizes of a tensor, with room for sizes that are not known yet.
#'
#' @param ... Sizes: whole numbers, or vectors and lists of them, which are joined. `NULL`, `NA` and -1 stand for an
#'   unknown size. An array or a tensor stands for its dimensions.
#' @return A list of class `convnet_shape` with one element a dimension: an integer, or `NULL` where the size is unknown.
#'   It is accepted wherever a shape is, as `c(28, 28, 1)` is. `as.integer()` makes it a vector with `NA` for unknown
#'   sizes; `length()` is the rank.
#' @section Errors:
#' `convnet_error_argument` where a size is no whole number.
#' @family compatibility
#' @export
#' @examples
#' shape(28, 28, 1)
#' shape(NULL, NULL, 3)
#' as.integer(shape(NULL, 28, 28))
#' shape(array(0, c(2, 3)), 4)
shape <- function(...) {
  sizes <- as.integer(unlist(lapply(list(...), as_sizes), use.names = FALSE))
  structure(lapply(sizes, function(size) if (!is.na(size)) size), class = c("convnet_shape", "list"))
}

# NA stands for unknown, so that unlist() keeps the place.
as_sizes <- function(x) {
  if (is.null(x)) return(NA_integer_)
  if (!is.null(dim(x))) return(dim(x))
  if (is.list(x)) return(lapply(unclass(x), as_sizes))
  valid <- (is.numeric(x) || is.logical(x) && all(is.na(x))) &&
    all(is.na(x) & !is.nan(x) | is.finite(x) & x == trunc(x) & x >= -1 & x <= .Machine$integer.max)
  if (!valid) {
    abort_argument("A shape holds whole numbers from 0 up.",
      received = describe(x), remedy = "Write NULL, NA or -1 for a size that is not known.")
  }
  replace(x, x %in% -1, NA)
}

#' @export
`[.convnet_shape` <- function(x, i) structure(unclass(x)[i], class = class(x))

#' @export
destructure.convnet_shape <- destructure.convnet_tuple

#' @export
as.integer.convnet_shape <- function(x, ...) {
  vapply(unclass(x), function(size) if (is.null(size)) NA_integer_ else size, 1L)
}

#' @export
as.double.convnet_shape <- function(x, ...) as.double(as.integer(x))

#' @export
format.convnet_shape <- function(x, ...) {
  sizes <- as.integer(x)
  sprintf("shape(%s)", paste(ifelse(is.na(sizes), "NULL", sizes), collapse = ", "))
}

#' @export
print.convnet_shape <- print.convnet_tuple

# Shapes of which some sizes are tensors: k_random_normal(list(k_shape(x)[[0]], 2)). The core turns such tensors into
# numbers as soon as the shapes of the data are known (graph/sizes.h).

# sizes: whole numbers, NA for those left open; tensors: those that tell the sizes at the places `at`.
read_sizes <- function(shape, arg = "shape") {
  entries <- if (is_tensor(shape)) elements_of(shape) else if (is.function(shape) || is.environment(shape)) list(shape)
             else as.list(shape)
  entries <- lapply(entries, function(e) if (is_tensor(e)) size_of(e) else e)
  symbolic <- vapply(entries, is_tensor, NA)
  sizes <- rep(NA_integer_, length(entries))
  sizes[!symbolic] <- as.integer(unlist(as_sizes(entries[!symbolic])))
  list(sizes = sizes, at = which(symbolic), tensors = entries[symbolic])
}

# Sizes of a tensor that is made: none may be left open.
closed_sizes <- function(read) {
  if (anyNA(read$sizes[setdiff(seq_along(read$sizes), read$at)])) {
    abort_argument("A shape leaves a size open.", expected = "whole numbers of at least 0, or tensors in a list",
                   received = format_shape(read$sizes), remedy = "Take the sizes of another tensor with k_shape().")
  }
  read$sizes
}

# A size as a number where it is known, else as a tensor without dimensions.
size_of <- function(tensor) {
  if (length(tensor$shape) > 1L || !isTRUE(prod(tensor$shape) == 1)) {
    abort_shape("A size is one number.", expected = "a tensor of one element", received = describe(tensor))
  }
  if (is_constant(tensor)) return(as.integer(tensor$value))
  tensor <- k_cast(tensor, "int32")
  if (length(tensor$shape)) reshape(tensor, integer()) else tensor
}

elements_of <- function(tensor) {
  n <- tensor$shape
  if (length(n) != 1L || is.na(n)) {
    if (!length(n)) return(list(tensor))
    abort_shape("A shape is a vector of sizes.", expected = "a tensor of one axis", received = describe(tensor))
  }
  lapply(seq_len(n), function(i) element(tensor, i))
}

# The i-th element of a vector; a size that is known already is a constant.
element <- function(vector, i) {
  known <- known_shape(vector)
  if (!is.null(known) && !is.na(known[i])) return(as_tensor(known[i], "int32"))
  reshape(emit("slice", list(vector), list(begin = i - 1L, size = 1L)), integer())
}

# The shape that a tensor made by k_shape() holds, NA where it is not known; NULL for other tensors.
known_shape <- function(tensor) {
  if (is_constant(tensor) || is_variable(tensor)) return(NULL)
  rows <- record_of(tensor)$rows
  row <- rows[[tensor$row]]
  if (row$op == "shape_of") rows[[row$inputs]]$shape
}

# The sizes of x, as a shape to give: tensors for those that only the data tell.
sizes_like <- function(x) {
  if (!anyNA(x$shape)) return(x$shape)
  elements_of(k_shape(x))
}

# An operation with an attribute `shape`. Where `shape` has tensors they become its last inputs.
emit_shaped <- function(op, inputs, shape, attrs = list()) {
  read <- read_sizes(shape)
  emit(op, c(inputs, read$tensors),
       c(attrs, list(shape = ifelse(is.na(read$sizes), -1L, read$sizes), sizes = if (length(read$at)) read$at - 1L)))
}

infer_shaped <- function(inputs, attrs) {
  open <- attrs$shape == -1L
  open[attrs$sizes + 1L] <- TRUE
  list(shape = as.integer(ifelse(open, NA, attrs$shape)), dtype = attrs$dtype %||% inputs[[1]]$dtype)
}
