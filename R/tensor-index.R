#' Parts of tensors
#'
#' `x[i, j, ...]` takes a part of a tensor as R takes it of an array: indices count from 1, an empty one stands for all,
#' negative ones leave out, truth values choose. Sizes may be unknown: `x[, 1:2]` works for any number of samples.
#'
#' @param x A tensor.
#' @param ... One index for each axis: empty, whole numbers, or truth values; `NULL` makes a new axis of size 1. One of
#'   them, where all others are empty, may be a tensor of whole numbers (dtype `"int32"`) with one axis or none, which
#'   count from 1, too.
#' @param i For `[[`: one whole number, counted from 0; -1 is the last.
#' @param drop `TRUE` (default) drops each axis for which one number is given; `FALSE` keeps it, with size 1. Other axes of
#'   size 1 stay.
#'
#' @return A tensor.
#' @section Two ways to count:
#' `x[[i]]` takes the part number `i` of the first axis and counts from 0, as scripts written for Keras for R do:
#' `k_shape(x)[[0]]` is the number of samples. Tensors with indices, such as what [k_argmax()] returns, are counted from 0 by
#' [k_gather()] and from 1 by `[`: `x[k_argmax(scores) + 1L, ]`.
#' @section Errors:
#' `convnet_error_argument` for indices that are no whole numbers, lie outside or are too many or too few, and for a tensor
#' that is not the only index.
#' @family tensor operations
#' @name tensor-index
#' @export
#' @examples
#' x <- k_constant(matrix(1:6, 2))
#' x[1, ]
#' x[, 2:3]
#' x[, -1, drop = FALSE]
#' batch <- layer_input(shape = c(28, 28, 1))
#' batch[, 1:27, , ] - batch[, 2:28, , ]
#' k_shape(batch)[[1]]
#' x[, k_argmax(x[1, ], axis = 1) + 1L]
`[.convnet_tensor` <- function(x, ..., drop = TRUE) {
  drop <- check_flag(drop, "drop")
  empty <- vapply(as.list(substitute(list(...)))[-1L], identical, NA, quote(expr = ))
  given <- lapply(seq_along(empty), function(k) if (empty[k]) all_indices else ...elt(k))
  if (length(given) == 1L && empty) return(x)
  new <- vapply(given, is.null, NA)
  rank <- k_ndim(x)
  if (sum(!new) != rank) {
    abort_argument("A tensor needs one index for each axis.",
                   expected = sprintf("%s for a tensor of shape %s", count_of(rank, "index", "indices"),
                                      format_shape(x$shape)),
                   received = count_of(sum(!new), "index", "indices"), remedy = "Leave an index empty to take all.")
  }
  tensors <- vapply(given, is_tensor, NA)
  if (any(tensors)) given[tensors] <- lapply(which(tensors), function(k) index_tensor(given[[k]], k, given[-k]))
  parts <- Map(read_index, given[!new], x$shape, seq_len(rank))
  # Axes of the result: those of x that stay, and new ones.
  axes <- rep(NA_integer_, length(given))
  axes[!new] <- seq_len(rank)
  dropped <- drop & vapply(parts, function(part) part$single, NA)
  arrange_axes(take(x, parts), axes[is.na(axes) | !axes %in% which(dropped)])
}

all_indices <- structure(list(), class = "all_indices")

# Index number k, a tensor, checked: a number of R where its value is known.
index_tensor <- function(index, k, others) {
  alone <- all(vapply(others, function(other) is.null(other) || inherits(other, "all_indices"), NA))
  if (index$dtype != "int32" || k_ndim(index) > 1L || !alone) {
    refuse_index(index, k, "a tensor of dtype int32, with one axis or none, as the only index",
                 remedy = "Use k_gather(), or k_cast() for another dtype.")
  }
  if (is_constant(index)) as.vector(k_get_value(index)) else index
}

refuse_index <- function(index, k, expected, ...) {
  abort_argument(sprintf("Index %d is not one of a tensor.", k), expected = expected, received = describe(index), ...)
}

# An index of one axis, counted from 1, as a range (begin from 0, size -1 for all, stride) or as positions from 0.
read_index <- function(index, extent, axis) {
  if (inherits(index, "all_indices")) return(list(begin = 0L, size = -1L, stride = 1L, single = FALSE))
  if (is_tensor(index)) {
    single <- k_ndim(index) == 0L
    return(list(positions = (if (single) k_reshape(index, 1L) else index) - 1L, single = single))
  }
  positions <- index_positions(index, extent, axis)
  if (!is.numeric(positions)) return(positions)
  n <- length(positions)
  step <- if (n > 1L) unique(diff(positions)) else 1L
  single <- n == 1L && is.numeric(index) && index > 0
  if (n == 0L) return(list(begin = 0L, size = 0L, stride = 1L, single = FALSE))
  if (length(step) == 1L && step > 0) return(list(begin = positions[1] - 1L, size = n, stride = step, single = single))
  list(positions = positions - 1L, single = FALSE)
}

index_positions <- function(index, extent, axis) {
  refuse <- function(expected) refuse_index(index, axis, expected)
  if (is.logical(index) && !anyNA(index)) {
    if (is.na(extent) || length(index) != extent) {
      refuse(if (is.na(extent)) "numbers, as the size of the axis is not known"
             else sprintf("truth values for the %d elements of the axis", extent))
    }
    return(which(index))
  }
  if (!is.numeric(index) || anyNA(index) || any(index != round(index)) || any(index == 0) ||
      any(index > 0) && any(index < 0)) {
    refuse("whole numbers from 1, or negative ones to leave out")
  }
  if (!is.na(extent) && any(abs(index) > extent)) refuse(sprintf("numbers up to %d", extent))
  if (!any(index < 0)) return(as.integer(index))
  if (!is.na(extent)) return(setdiff(seq_len(extent), -index))
  # Of an axis of unknown size the first elements can be left out.
  if (!setequal(-index, seq_along(unique(index)))) refuse("-1, or -1 to -n, where the size of the axis is not known")
  list(begin = max(-index), size = -1L, stride = 1L, single = FALSE)
}

take <- function(x, parts) {
  ranges <- lapply(parts, function(part) {
    if (is.null(part$positions)) part else list(begin = 0L, size = -1L, stride = 1L)
  })
  field <- function(name) vapply(ranges, function(range) as.integer(range[[name]]), 1L)
  if (any(field("begin") != 0L | field("size") != -1L)) {
    x <- emit("slice", list(x), list(begin = field("begin"), size = field("size"), stride = field("stride")))
  }
  for (axis in seq_along(parts)) {
    positions <- parts[[axis]]$positions
    if (is.null(positions)) next
    index <- if (is_tensor(positions)) positions else as_tensor(array(positions), "int32")
    x <- emit("gather", list(x, index), list(axis = axis - 1L))
  }
  x
}

# Axes of x (counted from 1) in this order, NA for a new one of size 1; those that are not listed have size 1.
# The order is that of x, so that elements keep their places.
arrange_axes <- function(x, axes) {
  if (identical(axes, seq_along(x$shape))) return(x)
  sizes <- ifelse(is.na(axes), 1L, x$shape[axes])
  open <- which(is.na(sizes))
  if (length(open) <= 1L) return(reshape(x, replace(sizes, open, -1L)))
  extents <- elements_of(k_shape(x))
  sizes <- as.list(sizes)
  sizes[open] <- extents[axes[open]]
  emit_shaped("reshape", list(x), sizes)
}

#' @rdname tensor-index
#' @export
`[[.convnet_tensor` <- function(x, i) {
  if (is.character(i)) return(.subset2(x, i))
  extent <- x$shape[1]
  if (k_ndim(x) == 0L) abort_argument("A tensor without axes has no parts.", received = describe(x))
  i <- check_whole(i, "i")
  if (!is.na(extent) && (i < -extent || i >= extent)) {
    abort_argument("`[[` names no part of the tensor.", received = i,
                   expected = sprintf("a number from 0 to %d: `[[` counts from 0, `[` from 1", extent - 1L))
  }
  if (k_ndim(x) == 1L && i >= 0L) return(element(x, i + 1L))
  rest <- k_ndim(x) - 1L
  part <- emit("slice", list(x), list(begin = c(i, integer(rest)), size = c(1L, rep(-1L, rest))))
  arrange_axes(part, seq_len(rest) + 1L)
}

#' @export
rev.convnet_tensor <- function(x) {
  if (k_ndim(x) != 1L) {
    abort_argument("`rev()` needs a vector.", expected = "a tensor of one axis", received = describe(x),
                   remedy = "Use k_reverse(), which names the axes.")
  }
  k_reverse(x, 1)
}

#' @export
t.convnet_tensor <- function(x) {
  if (k_ndim(x) > 2L) {
    abort_argument("`t()` needs a matrix.", expected = "a tensor of at most two axes", received = describe(x),
                   remedy = "Use k_permute_dimensions().")
  }
  if (k_ndim(x) == 1L) k_expand_dims(x, 1) else k_transpose(x)
}
