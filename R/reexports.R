#' The pipe
#'
#' `lhs %>% rhs` calls `rhs` with `lhs` as its first argument. It is the pipe of package magrittr; R's own `|>` works as
#' well.
#'
#' @param lhs A value.
#' @param rhs A call that takes `lhs` as its first argument.
#' @return What `rhs` returns.
#' @name pipe
#' @rdname pipe
#' @importFrom magrittr %>%
#' @aliases %>%
#' @usage lhs \%>\% rhs
#' @export %>%
#' @references \link[magrittr:pipe]{magrittr}
#' @family compatibility
#' @examples
#' c(1, 4, 9) %>% sqrt() %>% sum()
NULL

#' Assign several names at once
#'
#' `c(a, b) %<-% value` gives the first element of `value` the name `a`, the second the name `b`. It is the operator of
#' package zeallot.
#'
#' @param x Names, as `c(a, b)`; they may be nested.
#' @param value A list or vector of as many elements, for instance one of the data sets.
#' @return `value`, invisibly.
#' @name multi-assign
#' @rdname multi-assign
#' @importFrom zeallot %<-%
#' @aliases %<-%
#' @usage x \%<-\% value
#' @export %<-%
#' @references \link[zeallot:operator]{zeallot}
#' @family compatibility
#' @examples
#' c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_digits()
#' dim(x_test)
NULL

# Documented with their methods.
#' @importFrom generics compile
#' @export compile
#' @importFrom generics fit
#' @export fit
NULL

# Not generics::evaluate(x, ...): `evaluate(model, x = images, y = labels)` would dispatch on the images there. Methods
# are registered on both, so that it does not matter which of the two is attached last.
#' @rdname evaluate
#' @rawNamespace S3method(evaluate, keras_model)
#' @export
evaluate <- function(object, ...) UseMethod("evaluate")

#' @export
evaluate.default <- function(object, ...) {
  # Methods for the generic of package generics, which are not ours to call by name.
  for (class in class(object)) {
    method <- utils::getS3method("evaluate", class, optional = TRUE, envir = asNamespace("generics"))
    if (!is.null(method)) return(method(object, ...))
  }
  abort_argument("There is nothing to evaluate.", expected = "a model", received = describe(object))
}

#' A tuple
#'
#' Keras for R has `tuple()` for Python's lists that do not change. Here it is a list: wherever sizes or several values
#' are expected, `tuple(28, 28)`, `list(28, 28)` and, for numbers, `c(28, 28)` mean the same.
#'
#' @param ... Values. A single list stands for its elements.
#' @return A list of class `convnet_tuple`.
#' @family compatibility
#' @export
#' @examples
#' tuple(3, 3)
#' c(rows, columns) %<-% tuple(28, 28)
#' rows
tuple <- function(...) {
  values <- list(...)
  if (length(values) == 1L && is.list(values[[1L]])) values <- values[[1L]]
  structure(as.list(values), class = c("convnet_tuple", "list"))
}

format_element <- function(x) if (inherits(x, "convnet_tuple")) format(x) else paste(deparse(x), collapse = " ")

#' @export
format.convnet_tuple <- function(x, ...) {
  sprintf("tuple(%s)", paste(vapply(unclass(x), format_element, ""), collapse = ", "))
}

# What `%<-%` takes apart.
#' @importFrom zeallot destructure
#' @export
destructure.convnet_tuple <- function(x) unclass(x)

#' @export
print.convnet_tuple <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

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
