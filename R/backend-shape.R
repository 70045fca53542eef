#' Shape and type of a tensor
#'
#' @param x A tensor, number or array.
#' @return `k_int_shape()` a [shape()]: a list with one element an axis, `NULL` where the size is not known yet.
#'   `k_ndim()` the number of axes, `k_dtype()` the name of the dtype.
#' @family tensor operations
#' @export
#' @examples
#' x <- layer_input(shape = c(28, 28, 1))
#' k_int_shape(x)
#' k_ndim(x)
#' k_dtype(x)
k_int_shape <- function(x) shape(as_tensor(x)$shape)

#' @rdname k_int_shape
#' @export
k_ndim <- function(x) length(as_tensor(x)$shape)

#' @rdname k_int_shape
#' @export
k_dtype <- function(x) as_tensor(x)$dtype

#' Change the shape of a tensor
#'
#' Elements are read and filled in row-major order, the last axis changing fastest, as [array_reshape()] does.
#'
#' @param x A tensor, number or array.
#' @param shape New shape: whole numbers or a [shape()]. One of them may be -1 (or `NA`, or `NULL` in a list): it is
#'   computed from the others. In a list sizes may be tensors, such as `k_shape(y)[[0]]`.
#' @param axis Axis, counted from 1; -1 is the last one. For `k_expand_dims()` the place of the new axis in the result,
#'   for `k_squeeze()` the axis of size 1 to drop.
#' @param pattern The axes of `x` in their new order, counted from 1: a permutation.
#'
#' @return A tensor of the dtype of `x`. `k_flatten()` makes one axis of all; `k_batch_flatten()` keeps the first axis;
#'   `k_transpose()` reverses the axes.
#' @section Errors:
#' `convnet_error_shape` where the numbers of elements differ, where the axis to drop is longer than 1; and
#' `convnet_error_argument` where an axis does not exist or `pattern` is no permutation.
#' @family tensor operations
#' @export
#' @examples
#' x <- matrix(1:6, 2)
#' k_reshape(x, c(3, -1))
#' k_flatten(x)
#' k_transpose(x)
#' k_expand_dims(x, axis = 1)
#' k_permute_dimensions(array(0, c(2, 3, 4)), c(3, 1, 2))
k_reshape <- function(x, shape) {
  read <- read_sizes(shape)
  if (sum(is.na(read$sizes)) > 1L + length(read$at)) {
    abort_argument("`shape` may leave one size open.", expected = "at most one -1, NA or NULL",
                   received = format_shape(read$sizes))
  }
  emit_shaped("reshape", list(as_tensor(x)), shape)
}

#' @rdname k_reshape
#' @export
k_flatten <- function(x) reshape(as_tensor(x), -1L)

#' @rdname k_reshape
#' @export
k_batch_flatten <- function(x) {
  x <- as_tensor(x)
  features <- prod(x$shape[-1])
  # 0 keeps an axis as it is: beside it -1 may stand for the features.
  reshape(x, if (is.na(features)) c(0, -1) else c(if (is.na(x$shape[1])) -1 else x$shape[1], features))
}

#' @rdname k_reshape
#' @export
k_expand_dims <- function(x, axis = -1) {
  x <- as_tensor(x)
  rank <- k_ndim(x)
  at <- as_axis(axis, rank + 1L, single = TRUE)
  arrange_axes(x, append(seq_len(rank), NA, after = at))
}

#' @rdname k_reshape
#' @export
k_squeeze <- function(x, axis = NULL) {
  x <- as_tensor(x)
  rank <- k_ndim(x)
  at <- if (is.null(axis)) which(x$shape == 1L) else as_axis(axis, rank) + 1L
  if (!all(x$shape[at] %in% c(1L, NA))) {
    abort_shape("`axis` to drop is longer than 1.", expected = sprintf("size 1 at axis %s", toString(at)),
                received = format_shape(x$shape))
  }
  arrange_axes(x, setdiff(seq_len(rank), at))
}

#' @rdname k_reshape
#' @export
k_transpose <- function(x) {
  x <- as_tensor(x)
  transpose(x, rev(seq_len(k_ndim(x)) - 1L))
}

#' @rdname k_reshape
#' @export
k_permute_dimensions <- function(x, pattern) {
  x <- as_tensor(x)
  axes <- unlist(pattern)
  if (!is.numeric(axes) || !setequal(axes, seq_len(k_ndim(x))) || length(axes) != k_ndim(x)) {
    abort_argument("`pattern` is no permutation of the axes.",
                   expected = sprintf("the numbers from 1 to %d, each once", k_ndim(x)),
                   received = describe(pattern))
  }
  transpose(x, axes - 1L)
}

reshape <- function(x, shape) emit("reshape", list(x), list(shape = as.numeric(shape)))

transpose <- function(x, perm) emit("transpose", list(x), list(perm = perm))

known_or_open <- function(shape) ifelse(is.na(shape), -1L, shape)

#' Join, stack, repeat and reverse tensors
#'
#' @param tensors A list of tensors or arrays that agree in all sizes but that of `axis`.
#' @param x A tensor or array; for `k_stack()` a list of them, all of one shape.
#' @param axis Axis along which they are joined, counted from 1; -1 is the last one. For `k_stack()` the place of the new
#'   axis in the result.
#' @param n For `k_repeat()` how many times each row of a matrix is repeated, along a new second axis; for `k_tile()` how
#'   many times the tensor is repeated along each axis.
#' @param rep How many times each element is repeated, the copies following each other.
#' @param axes Axes along which the order is reversed.
#' @return A tensor.
#' @section Errors:
#' `convnet_error_shape` where other sizes differ, `convnet_error_argument` for axes and counts that do not exist.
#' @family tensor operations
#' @export
#' @examples
#' k_concatenate(list(matrix(1, 2, 1), matrix(2, 2, 2)))
#' k_stack(list(c(1, 2), c(3, 4)))
#' k_tile(c(1, 2), 3)
#' k_repeat_elements(c(1, 2), 3, axis = 1)
#' k_reverse(matrix(1:6, 2), axes = 2)
k_concatenate <- function(tensors, axis = -1) {
  tensors <- as_tensors(as_list(tensors))
  if (!length(tensors)) abort_argument("There is nothing to join.", expected = "a list of tensors")
  emit("concatenate", tensors, list(axis = as_axis(axis, k_ndim(tensors[[1]]), single = TRUE)))
}

#' @rdname k_concatenate
#' @export
k_stack <- function(x, axis = 1) {
  tensors <- as_tensors(as_list(x))
  k_concatenate(lapply(tensors, k_expand_dims, axis), axis)
}

#' @rdname k_concatenate
#' @export
k_repeat <- function(x, n) k_repeat_elements(k_expand_dims(x, 2), n, axis = 2)

#' @rdname k_concatenate
#' @export
k_repeat_elements <- function(x, rep, axis) {
  x <- as_tensor(x)
  rep <- check_counts(rep, "rep")
  at <- as_axis(axis, k_ndim(x), single = TRUE) + 1L
  copies <- k_concatenate(rep_len(list(k_expand_dims(x, at + 1L)), rep), at + 1L)
  sizes <- as.list(sizes_like(x))
  sizes[[at]] <- sizes[[at]] * rep
  emit_shaped("reshape", list(copies), sizes)
}

#' @rdname k_concatenate
#' @export
k_tile <- function(x, n) {
  x <- as_tensor(x)
  n <- check_counts(n, "n", k_ndim(x))
  for (axis in which(n > 1L)) x <- k_concatenate(rep_len(list(x), n[axis]), axis)
  x
}

#' @rdname k_concatenate
#' @export
k_reverse <- function(x, axes) {
  x <- as_tensor(x)
  emit("reverse", list(x), list(axes = as_axis(axes, k_ndim(x))))
}

#' Multiply matrices
#'
#' `k_dot()` sums over the last axis of `x` and the last but one of `y` (the only one, where it has one axis).
#' `k_batch_dot()` does so for each sample, over the axes that are named.
#'
#' @param x,y Tensors or arrays of floating-point numbers. Both may have more than two axes: the result of `k_dot()` then
#'   has all others of `x`, followed by all others of `y`; that of `k_batch_dot()` has the samples before them once, and
#'   an axis of size 1 where none of the others is left.
#' @param axes The axis of `x` and that of `y` to sum over, counted from 1, the first one being the samples; one number
#'   for both. `NULL` (default): the last axis of `x` and the last but one of `y`, or its last if it has two.
#' @return A tensor. On R 4.3 or later `%*%` does what `k_dot()` does.
#' @section Errors:
#' `convnet_error_shape` where the two sizes differ or a tensor has no axes.
#' @family tensor operations
#' @export
#' @examples
#' k_dot(matrix(1:6, 2), diag(3))
#' x <- array(1:24, c(2, 3, 4))
#' k_batch_dot(x, x, axes = c(3, 3))
k_dot <- function(x, y) {
  tensors <- as_tensors(list(x = x, y = y))
  x <- as_float(tensors$x)
  y <- as_float(tensors$y)
  if (k_ndim(x) == 0L || k_ndim(y) == 0L) {
    abort_shape("There is no axis to multiply along.", expected = "two tensors with axes",
                received = paste(format_shape(x$shape), "and", format_shape(y$shape)),
                remedy = "Multiply numbers with `*`.")
  }
  if (k_ndim(x) == 2L && k_ndim(y) == 2L) return(emit("matmul", list(x, y)))
  inner <- max(1L, k_ndim(y) - 1L)
  rows <- x$shape[-k_ndim(x)]
  columns <- y$shape[-inner]
  y <- transpose(y, c(inner, setdiff(seq_len(k_ndim(y)), inner)) - 1L)
  flat <- emit("matmul", list(reshape(x, c(-1L, x$shape[k_ndim(x)])), reshape(y, c(y$shape[1], -1L))))
  reshape(flat, known_or_open(c(rows, columns)))
}

#' @rdname k_dot
#' @export
k_batch_dot <- function(x, y, axes = NULL) {
  tensors <- as_tensors(list(x = x, y = y))
  x <- as_float(tensors$x)
  y <- as_float(tensors$y)
  if (k_ndim(x) < 2L || k_ndim(y) < 2L) {
    abort_shape("`k_batch_dot()` needs batches.", expected = "two tensors of at least two axes",
                received = paste(format_shape(x$shape), "and", format_shape(y$shape)))
  }
  axes <- if (is.null(axes)) c(k_ndim(x), max(2L, k_ndim(y) - 1L)) else check_counts(axes, "axes", 2, lower = -k_ndim(x))
  a <- as_axis(axes[1], k_ndim(x), single = TRUE) + 1L
  b <- as_axis(axes[2], k_ndim(y), single = TRUE) + 1L
  if (a == 1L || b == 1L) {
    abort_argument("`axes` must not be those of the samples.", expected = "two numbers of at least 2",
                   received = format_sizes(axes))
  }
  kept_x <- setdiff(seq_along(x$shape), c(1L, a))
  kept_y <- setdiff(seq_along(y$shape), c(1L, b))
  rows <- as_matrices(x, kept_x, a)
  columns <- as_matrices(y, kept_y, b)
  product <- emit("matmul", list(rows, columns), list(transpose_b = 1))
  sizes <- c(sizes_like(x)[c(1L, kept_x)], sizes_like(y)[kept_y])
  emit_shaped("reshape", list(product), if (length(sizes) == 1L) c(sizes, 1L) else sizes)
}

# (samples, all of the axes `rows` as one, the axis `column`)
as_matrices <- function(x, rows, column) {
  sizes <- as.list(sizes_like(x))
  moved <- transpose(x, c(1L, rows, column) - 1L)
  emit_shaped("reshape", list(moved), c(sizes[1], list(-1L), sizes[column]))
}

#' Pick elements, encode classes
#'
#' @param reference A tensor or array.
#' @param indices Whole numbers. In `k_gather()` numbers of R count the elements from 1; a tensor of indices, such as a
#'   result of [k_argmax()], counts from 0. In `k_one_hot()` they are class labels, which count from 0.
#' @param num_classes Number of classes.
#' @param predictions Scores: `(samples, classes)`.
#' @param targets Class labels of the samples, counted from 0.
#' @param k How many of the highest scores count.
#'
#' @return `k_gather()`: the elements of the first axis of `reference`, in the shape of `indices` followed by the other
#'   axes. `k_one_hot()`: a tensor of one more axis, of size `num_classes`, with 1 at the class and 0 elsewhere; a label
#'   outside 0 to `num_classes - 1` has zeros only. `k_in_top_k()`: for each sample whether fewer than `k` classes have a
#'   higher score than its target.
#' @section Errors:
#' `convnet_error_argument` where an index lies outside the first axis.
#' @seealso [to_categorical()] for labels in R.
#' @family tensor operations
#' @export
#' @examples
#' k_gather(matrix(1:6, 3), c(3, 1))
#' k_one_hot(c(0, 2), 3)
k_gather <- function(reference, indices) {
  from_zero <- if (is_tensor(indices)) k_cast(indices, "int32") else as_tensor(float_tensor(indices)$value - 1, "int32")
  emit("gather", list(as_tensor(reference), from_zero), list(axis = 0))
}

#' @rdname k_gather
#' @export
k_one_hot <- function(indices, num_classes) {
  num_classes <- check_counts(num_classes, "num_classes")
  labels <- k_expand_dims(if (is_tensor(indices)) k_cast(indices, "int32") else as_tensor(indices, "int32"))
  k_cast_to_floatx(k_equal(labels, as_tensor(array(seq_len(num_classes) - 1L), "int32")))
}

#' @rdname k_gather
#' @export
k_in_top_k <- function(predictions, targets, k) {
  predictions <- float_tensor(predictions)
  k <- check_counts(k, "k")
  chosen <- one_hot_like(targets, predictions) > 0
  score <- k_sum(select(chosen, predictions, 0), axis = -1, keepdims = TRUE)
  k_sum(k_cast(predictions > score, predictions$dtype), axis = -1) < k
}
