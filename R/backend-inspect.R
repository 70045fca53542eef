#' Ask what a tensor is, read and write several
#'
#' @param x,tensor,ops,lists For the `k_is_` functions any object; for `k_to_dense()` a tensor; for `k_count_params()` and
#'   `k_get_variable_shape()` a tensor or variable; for `k_batch_get_value()` a list of tensors; for
#'   `k_batch_set_value()` a list of pairs, `list(variable, value)`.
#' @param message Text to print before the value.
#' @param prefix What is counted.
#'
#' @return `k_is_tensor()` is `TRUE` for every tensor, `k_is_keras_tensor()` for those that a model is made of (inputs and
#'   what is computed from them), `k_is_placeholder()` for what is fed, `k_is_sparse()` for none. `k_to_dense()` returns
#'   its argument, as all tensors are dense. `k_count_params()` the number of elements, `k_get_variable_shape()` a
#'   [shape()], `k_batch_get_value()` a list of arrays, `k_get_uid()` 1, 2, 3, ... for each prefix. `k_backend()` is
#'   `"convnet"`. `k_print_tensor()` returns its argument: it prints the value of a constant or variable, and what is known
#'   of another tensor once, when it is recorded.
#' @section Errors:
#' `convnet_error_argument` where something else is given; `convnet_error_weights` where a value does not fit its variable:
#' none of the variables is changed then.
#' @family tensor operations
#' @name k_is_tensor
#' @export
#' @examples
#' x <- layer_input(shape = 3)
#' k_is_keras_tensor(x)
#' k_is_keras_tensor(k_variable(1))
#' k_count_params(k_variable(matrix(0, 2, 3)))
k_is_tensor <- function(x) is_tensor(x)

#' @rdname k_is_tensor
#' @export
k_is_keras_tensor <- function(x) is_tensor(x) && !is_constant(x) && !is_variable(x)

#' @rdname k_is_tensor
#' @export
k_is_placeholder <- function(x) k_is_keras_tensor(x) && record_of(x)$rows[[x$row]]$op == "input"

#' @rdname k_is_tensor
#' @export
k_is_sparse <- function(tensor) {
  check_tensors(list(tensor), "tensor")
  FALSE
}

#' @rdname k_is_tensor
#' @export
k_to_dense <- function(tensor) {
  check_tensors(list(tensor), "tensor")
  tensor
}

#' @rdname k_is_tensor
#' @export
k_count_params <- function(x) length(as_tensor(x))

#' @rdname k_is_tensor
#' @export
k_get_variable_shape <- function(x) k_int_shape(x)

#' @rdname k_is_tensor
#' @export
k_batch_get_value <- function(ops) lapply(as_list(ops), k_get_value)

#' @rdname k_is_tensor
#' @export
k_batch_set_value <- function(lists) {
  if (is.list(lists)) lists <- unclass(lists)
  pairs <- is.list(lists) && all(vapply(lists, is.list, NA)) && all(lengths(lists) == 2)
  if (!pairs) {
    abort_argument("`lists` must be pairs.", expected = "a list of `list(variable, value)`", received = describe(lists))
  }
  for (pair in lists) {
    check_variable(pair[[1]])
    check_variable_value(pair[[1]], pair[[2]])
  }
  for (pair in lists) set_variable(pair[[1]], pair[[2]])
  invisible(NULL)
}

#' @rdname k_is_tensor
#' @export
k_print_tensor <- function(x, message = "") {
  if (!identical(message, "")) cat(check_string(message, "message"), "\n", sep = "")
  print(as_tensor(x))
  invisible(x)
}

#' @rdname k_is_tensor
#' @export
k_get_uid <- function(prefix = "") {
  key <- paste0("uid of ", if (!identical(prefix, "")) check_string(prefix, "prefix"))
  the$uids[[key]] <- (the$uids[[key]] %||% 0L) + 1L
  the$uids[[key]]
}

#' @rdname k_is_tensor
#' @export
k_backend <- function() "convnet"
