#' Choose between tensors
#'
#' `k_switch()` takes one of two by a condition, `k_in_train_phase()` and `k_in_test_phase()` by the phase: training, or
#' inference.
#'
#' @param condition Truth values, or numbers that count as true where they differ from 0: one, or one for each element or
#'   sample.
#' @param then_expression,else_expression,x,alt Tensors, arrays, or functions without arguments that return them.
#' @param training `TRUE` or 1 for training, `FALSE` or 0 for inference; `NULL` (default) for the phase that the model or
#'   function runs in.
#'
#' @return A tensor. `k_switch()` computes both expressions where the condition depends on data, as gradients need them;
#'   a condition with fewer axes applies to all that its elements contain.
#' @section Errors:
#' `convnet_error_shape` where shapes do not fit.
#' @family tensor operations
#' @export
#' @examples
#' x <- k_constant(c(-1, 2))
#' k_switch(x > 0, x, 0)
#' k_in_train_phase(x * 2, x, training = FALSE)
k_switch <- function(condition, then_expression, else_expression) {
  condition <- k_cast(as_tensor(condition), "bool")
  if (is_constant(condition) && k_ndim(condition) == 0L) {
    return(as_tensor(value_of(if (condition$value) then_expression else else_expression)))
  }
  branches <- as_tensors(list(value_of(then_expression), value_of(else_expression)))
  rank <- max(vapply(branches, k_ndim, 1L))
  while (k_ndim(condition) > 0L && k_ndim(condition) < rank) condition <- k_expand_dims(condition)
  emit("select", c(list(condition), branches))
}

#' @rdname k_switch
#' @export
k_in_train_phase <- function(x, alt, training = NULL) {
  if (is.null(training) && is.null(the$trace)) {
    tensors <- as_tensors(list(value_of(x), value_of(alt)))
    if (!all(vapply(tensors, is_constant, NA))) return(phase_row(tensors, recording_for(tensors)))
    return(tensors[[if (isTRUE(the$learning_phase)) 1L else 2L]])
  }
  training <- check_flag(training %||% the$training %||% FALSE, "training")
  as_tensor(value_of(if (training) x else alt))
}

#' @rdname k_switch
#' @export
k_in_test_phase <- function(x, alt, training = NULL) k_in_train_phase(alt, x, training)

# Chooses when the record is traced for a phase.
phase_row <- function(tensors, record) {
  shapes <- lapply(tensors, function(t) t$shape)
  same <- length(shapes[[1]]) == length(shapes[[2]])
  if (!same || tensors[[1]]$dtype != tensors[[2]]$dtype) {
    abort_shape("What the two phases compute differs in its shape or type.",
                expected = paste(describe(tensors[[1]]), "in both"), received = describe(tensors[[2]]))
  }
  shape <- ifelse(shapes[[1]] %in% NA | shapes[[1]] != shapes[[2]], NA, shapes[[1]])
  append_row(record, "phase", vapply(tensors, row_in, 1L, record = record), shape = as.integer(shape),
             dtype = tensors[[1]]$dtype)
}

value_of <- function(x) if (is.function(x) && !is_layer(x)) with_user_code("The function", x()) else x

#' Fold and map over the first axis
#'
#' @param fn A function: of the value so far and of one part of `elems` for the folds, of one part for `k_map_fn()`. It is
#'   called once, when the operations are recorded, and may use other tensors.
#' @param elems A tensor or array, whose parts along the first axis are taken one by one; or a list of them, of which `fn`
#'   gets a list of parts.
#' @param initializer The value to start with; `NULL` (default) starts with the first part, or the last for `k_foldr()`.
#' @param name Not used: kept from Keras for R.
#' @param dtype Dtype of the result of `k_map_fn()`; `NULL` (default) for that of what `fn` returns.
#'
#' @return `k_foldl()` and `k_foldr()` the last value of `fn`, which has the shape of the first; `k_map_fn()` the values
#'   of `fn` along a new first axis.
#' @section Errors:
#' `convnet_error_shape` where the value changes its shape.
#' @seealso [k_rnn()]
#' @family tensor operations
#' @export
#' @examples
#' k_foldl(function(total, x) total + x, matrix(1:6, 3))
#' k_map_fn(function(row) row / k_sum(row), matrix(1:6, 3))
k_foldl <- function(fn, elems, initializer = NULL, name = NULL) fold(fn, elems, initializer, FALSE)

#' @rdname k_foldl
#' @export
k_foldr <- function(fn, elems, initializer = NULL, name = NULL) fold(fn, elems, initializer, TRUE)

#' @rdname k_foldl
#' @export
k_map_fn <- function(fn, elems, name = NULL, dtype = NULL) {
  check_function(fn, "fn")
  step <- function(parts, states) {
    value <- as_tensor(with_user_code("`fn`", fn(parts)))
    list(outputs = list(k_expand_dims(if (is.null(dtype)) value else k_cast(value, dtype), 1)), states = list())
  }
  k_squeeze(scan_parts(elems, list(), step)$outputs[[1]], 1)
}

fold <- function(fn, elems, initializer, backwards) {
  check_function(fn, "fn", "a function of what was found before and an element")
  if (backwards) elems <- each_part(elems, k_reverse, 1)
  if (is.null(initializer)) {
    initializer <- each_part(elems, function(x) x[[0L]])
    elems <- each_part(elems, function(x) {
      rank <- k_ndim(x)
      emit("slice", list(x), list(begin = c(1L, integer(rank - 1L)), size = rep(-1L, rank)))
    })
  }
  single <- !is.list(initializer)
  step <- function(parts, states) {
    value <- with_user_code("`fn`", fn(if (single) states[[1]] else states, parts))
    list(outputs = list(), states = lapply(as_list(value), as_tensor))
  }
  made <- scan_parts(elems, lapply(as_list(initializer), float_tensor), step)$states
  if (single) made[[1]] else made
}

each_part <- function(elems, f, ...) {
  if (is.list(elems)) lapply(elems, function(x) f(float_tensor(x), ...)) else f(float_tensor(elems), ...)
}

# A scan over the first axis: a sequence with one sample.
scan_parts <- function(elems, states, step) {
  single <- !is.list(elems)
  sequences <- lapply(as_list(elems), function(x) k_expand_dims(float_tensor(x), 1))
  at_once(c(sequences, states), scan(sequences, states, function(slices, states) {
    parts <- lapply(slices, k_squeeze, 1)
    step(if (single) parts[[1]] else parts, states)
  }))
}
