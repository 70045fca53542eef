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
