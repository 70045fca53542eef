#' Change the dimensions of an array, row by row
#'
#' Reads the elements of `x` in row-major order, the last index changing fastest, and fills the new array in the same
#' order. This is what NumPy and Keras mean by reshaping. `dim(x) <- dim` goes column by column and gives other results
#' as soon as there are two dimensions.
#'
#' @param x Vector, matrix, array or data frame of any type.
#' @param dim New dimensions: whole numbers, or a [shape()]. One of them may be -1 (or `NA`, or `NULL` in a list): it is
#'   computed from the length of `x`.
#' @param order `"C"` (default): row-major, the last index changes fastest. `"F"`: column-major, the first index changes
#'   fastest, as `dim(x) <- dim` does.
#'
#' @return An array of dimensions `dim`, of the type of `x`, without dimension names.
#'
#' @section Errors:
#' `convnet_error_shape` where `dim` asks for another number of elements than `x` has; `convnet_error_argument` where
#' `dim` holds anything but sizes, or more than one -1.
#'
#' @seealso [k_reshape()] for tensors, [layer_reshape()] inside a model.
#' @family data
#' @export
#' @examples
#' array_reshape(1:6, c(2, 3))
#'
#' # Images get a channel, or become rows of pixels.
#' x <- dataset_digits()$test$x
#' dim(array_reshape(x, c(-1, 28, 28, 1)))
#' dim(array_reshape(x, c(-1, 784)))
#'
#' # Column-major, as R itself does it:
#' array_reshape(1:6, c(2, 3), order = "F")
array_reshape <- function(x, dim, order = c("C", "F")) {
  order <- check_choice(first_choice(order), c("C", "F"), "order")
  x <- as_plain_array(x, "x")
  dim <- resolve_dim(dim, length(x))
  # One dimension reads the same in both orders.
  if (order == "F") return(array(x, dim))
  if (length(dim(x)) > 1L) x <- aperm(x)
  x <- array(x, rev(dim))
  if (length(dim) > 1L) aperm(x) else x
}

resolve_dim <- function(dim, n) {
  sizes <- if (is.list(dim)) lapply(dim, function(d) if (is.null(d)) -1 else d) else dim
  sizes <- if ((is.atomic(sizes) || is.list(sizes)) && all(lengths(sizes) == 1L)) unlist(sizes)
  if (is.logical(sizes)) sizes <- ifelse(is.na(sizes), -1, NaN)
  if (is.numeric(sizes)) sizes[is.na(sizes) & !is.nan(sizes)] <- -1
  valid <- is.numeric(sizes) && length(sizes) > 0L && all(is.finite(sizes)) &&
    all(sizes == trunc(sizes) & sizes >= -1) && sum(sizes == -1) <= 1L
  if (!valid) {
    abort_argument("`dim` must hold whole numbers from 0 up, at most one of them -1.",
      received = if (is.numeric(sizes) && length(sizes)) paste(sizes, collapse = ", ") else describe(dim),
      remedy = "For images with one channel write, for instance, `dim = c(-1, 28, 28, 1)`.")
  }
  known <- prod(sizes[sizes != -1])
  free <- any(sizes == -1)
  if (if (free) known == 0 || n %% known != 0 else known != n) {
    abort_shape("`dim` does not fit the number of elements of `x`.",
      expected = sprintf("%s%.0f elements for `dim` = %s", if (free) "a multiple of " else "", known,
                         format_shape(ifelse(sizes == -1, NA, sizes))),
      received = sprintf("%.0f", n),
      remedy = "Put -1 in the place of the dimension that is to be computed.")
  }
  sizes[sizes == -1] <- n / known
  as.integer(sizes)
}

#' Class labels as a matrix of zeros and ones
#'
#' Turns labels into one column a class, with 1 in the column of the label's class: the form that
#' [loss_categorical_crossentropy()] expects of `y`. [loss_sparse_categorical_crossentropy()] takes the labels as
#' they are.
#'
#' @param y Labels: whole numbers counted from 0, as in Keras, or a factor (its first level becomes column 1), or logical
#'   values. An array keeps its dimensions; a last dimension of 1 is dropped.
#' @param num_classes Number of classes, hence of columns. `NULL` (default): the number of levels of a factor, and
#'   otherwise the largest label + 1.
#' @param dtype Type of the values: `"float32"` (default), `"float64"` and the other floating types return doubles, the
#'   integer types integers, `"bool"` logical values.
#'
#' @return A matrix `[n, num_classes]` for `n` labels. For an array of labels, an array with the classes as an additional
#'   last dimension.
#'
#' @section Errors:
#' `convnet_error_argument` where labels are missing, negative, fractional, text, or not below `num_classes`.
#'
#' @seealso [array_reshape()], [normalize()]
#' @family data
#' @export
#' @examples
#' to_categorical(c(0, 2, 1, 2))
#' to_categorical(c(0, 2), num_classes = 4)
#' to_categorical(iris$Species[c(1, 51, 101)])
to_categorical <- function(y, num_classes = NULL, dtype = "float32") {
  as_type <- categorical_type(dtype)
  levels <- if (is.factor(y)) nlevels(y)
  index <- label_index(y)
  if (!is.null(num_classes)) num_classes <- check_counts(num_classes, "num_classes", lower = 0)
  # Keras takes 0 for NULL.
  if (is.null(num_classes) || num_classes == 0) {
    if (length(index) == 0L && is.null(levels)) {
      abort_argument("The number of classes of empty labels is unknown.",
        received = "`y` without elements", remedy = "Give `num_classes`.")
    }
    num_classes <- levels %||% (max(index) + 1)
  }
  high <- which(index >= num_classes)[1L]
  if (!is.na(high)) {
    abort_argument(sprintf("`num_classes` = %.0f allows labels from 0 to %.0f.", num_classes, num_classes - 1),
      received = sprintf("%.0f at position %d of `y`", index[high], high),
      remedy = "Labels count from 0: subtract 1 from labels that count from 1.")
  }
  if (num_classes > .Machine$integer.max) {
    abort_convnet("memory", "There are more classes than an array can have columns.",
      expected = paste("labels below", .Machine$integer.max), received = sprintf("%.0f", max(index)))
  }
  dim <- dim(y) %||% length(y)
  if (length(dim) > 1L && dim[length(dim)] == 1L) dim <- dim[-length(dim)]
  out <- array(as_type(0), c(dim, num_classes))
  out[seq_along(index) + length(index) * index] <- as_type(1)
  out
}

# Zero-based labels as doubles: positions in the result may exceed the integers.
label_index <- function(y) {
  refuse <- function(received, remedy) {
    abort_argument("`y` must hold class labels: whole numbers from 0 up.", received = received, remedy = remedy)
  }
  if (is.factor(y)) {
    index <- as.double(unclass(y)) - 1
  } else if (is_numbers(y)) {
    index <- as.double(y)
  } else {
    refuse(describe(y), if (is.character(y)) "Turn text into classes with `factor(y)`." else numbers_remedy(y))
  }
  at <- function(bad, what, remedy) {
    if (any(bad)) refuse(sprintf("%s at position %d of `y`", what(index[bad][1L]), which(bad)[1L]), remedy)
  }
  at(is.na(index), function(v) "a missing value", "Remove these samples or give them a label.")
  at(index < 0, format, "Labels count from 0; Keras has no negative labels.")
  at(index != trunc(index), format, "Round the labels, or turn them into classes with `factor(y)`.")
  index
}

categorical_type <- function(dtype) {
  types <- c(
    float16 = "double", bfloat16 = "double", float32 = "double", float64 = "double",
    int8 = "integer", int16 = "integer", int32 = "integer", int64 = "integer",
    uint8 = "integer", uint16 = "integer", uint32 = "integer", uint64 = "integer",
    bool = "logical"
  )
  switch(types[[check_choice(dtype, names(types), "dtype")]], double = as.double, integer = as.integer, logical = as.logical)
}

#' Scale vectors along an axis to norm 1
#'
#' Divides every vector along `axis` by its norm. A vector of zeros stays as it is.
#'
#' @param x Numeric vector, matrix, array or data frame.
#' @param axis Axis of the vectors, counted from 1; -1 (default) is the last one, -2 the one before.
#' @param order Order p of the norm, `sum(abs(v)^p)^(1/p)`: 1 for the sum of absolute values, 2 (default) for the
#'   Euclidean length, `Inf` for the largest absolute value.
#'
#' @return An array of doubles of the dimensions of `x`.
#'
#' @section Errors:
#' `convnet_error_argument` where `x` is not numeric or has missing values, where `axis` is no axis of `x`, and where
#' `order` is below 1.
#'
#' @seealso [layer_batch_normalization()] to normalize inside a model.
#' @family data
#' @export
#' @examples
#' x <- rbind(c(3, 4), c(6, 8), c(0, 0))
#' normalize(x)
#' normalize(x, axis = 1)
#' normalize(x, order = 1)
normalize <- function(x, axis = -1, order = 2) {
  x <- as_plain_array(x, "x", keep_names = TRUE)
  if (!is.numeric(x) && !is.logical(x)) {
    abort_argument("`x` must be numeric.", received = describe(x))
  }
  missing <- which(is.na(x) & !is.nan(x))
  if (length(missing)) {
    abort_argument("`x` must not have missing values.",
      received = sprintf("%d missing, the first at position %d", length(missing), missing[1L]),
      remedy = "Remove or replace them before.")
  }
  rank <- max(1L, length(dim(x)))
  if (!is_whole(axis) || axis == 0 || abs(axis) > rank) {
    abort_argument(sprintf("`axis` must be from 1 to %d, or from -%d to -1.", rank, rank),
      received = describe(axis), remedy = "Axes count from 1; -1 is the last one.")
  }
  if (!(is_whole(order) && order >= 1 || is.numeric(order) && identical(as.numeric(order), Inf))) {
    abort_argument("`order` must be a whole number from 1 up, or Inf.",
      received = describe(order), remedy = "`order = 2` is the Euclidean length.")
  }
  dims <- if (is.null(dim(x))) length(x) else dim(x)
  axis <- if (axis < 0) rank + 1 + axis else axis
  others <- setdiff(seq_len(rank), axis)

  vectors <- abs(if (rank > 1L) aperm(x, c(axis, others)) else as.vector(x))
  dim(vectors) <- c(dims[axis], prod(dims[others]))
  norms <- if (is.infinite(order)) {
    Reduce(function(largest, i) pmax(largest, vectors[i, ]), seq_len(nrow(vectors)), numeric(ncol(vectors)))
  } else {
    colSums(vectors^order)^(1 / order)
  }
  norms[norms %in% 0] <- 1
  storage.mode(x) <- "double"
  if (rank > 1L) sweep(x, others, array(norms, dims[others]), "/") else x / norms
}

# R's own containers as a plain array; a tensor, a list or a function is refused by name.
as_plain_array <- function(x, arg, keep_names = FALSE) {
  if (is.data.frame(x)) x <- as.matrix(x)
  if (is.factor(x) || inherits(x, "integer64") || !is.atomic(x) || is.null(x)) {
    abort_argument(sprintf("`%s` must be a vector, a matrix, an array or a data frame.", arg),
      received = if (is.factor(x)) sprintf("a factor of length %d", length(x)) else describe(x),
      remedy = if (is.factor(x)) "Turn a factor into numbers with `as.integer()` or `to_categorical()`."
               else numbers_remedy(x))
  }
  if (keep_names) x else unname(x)
}

is_whole <- function(x) is.numeric(x) && length(x) == 1L && is.finite(x) && x == trunc(x)
