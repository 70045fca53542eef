#' Constants, variables and their values
#'
#' A constant is a tensor whose value is known; operations on constants compute
#' at once. A variable is a tensor with a value that can change: the weights of
#' a layer are variables.
#'
#' @param value A number, vector, matrix or array. `x[i, j, ...]` in R is that
#'   element of the tensor.
#' @param dtype `"float32"`, `"float64"`, `"int32"` or `"bool"`; `NULL` for the
#'   default of [k_floatx()].
#' @param shape Shape to fill or to arrange the values in, in row-major (C)
#'   order; `NULL` takes the dimensions of `value`.
#' @param name A name for messages.
#' @param constraint Applied after each step of training where a layer owns the
#'   variable, see [constraint_maxnorm()]; without effect elsewhere.
#' @param x A constant, a variable, or a tensor computed from those.
#'
#' @details `k_set_value(model$optimizer$lr, 0.01)`, as scripts have it, is `model$optimizer$lr <- 0.01`.
#' @return `k_constant()` and `k_variable()` a tensor; `k_get_value()` and
#'   `k_eval()` an R array (a number for a tensor without dimensions);
#'   `k_set_value()` the variable, invisibly.
#' @section Errors: `convnet_error_argument` for NA or values that are no
#'   numbers; `convnet_error_weights` when the new value has another shape.
#' @family tensor operations
#' @examples
#' k_constant(matrix(1:4, 2))
#' v <- k_variable(c(1, 2, 3))
#' k_set_value(v, c(4, 5, 6))
#' k_get_value(v)
#' k_eval(k_square(v))
#' @export
k_constant <- function(value, dtype = NULL, shape = NULL, name = NULL) {
  if (is_constant(value)) return(value)
  if (is_tensor(value)) value <- k_get_value(value)
  dtype <- check_dtype(dtype %||% if (is.logical(value)) "bool" else the$floatx)
  if (!is.null(name)) check_string(name, "name")
  constant <- as_tensor(value, dtype)
  if (!is.null(shape)) {
    shape <- closed_sizes(read_sizes(shape))
    cpp_check_size(shape, dtype)
    value <- rep_len(constant$value, prod(shape))
    constant <- new_constant(if (length(shape)) array_reshape(value, shape) else value, shape, dtype)
  }
  constant$name <- name
  constant
}

#' @rdname k_constant
#' @export
k_variable <- function(value, dtype = NULL, name = NULL, constraint = NULL) {
  value <- if (is_tensor(value)) k_get_value(value) else as_tensor(value)$value
  dtype <- check_dtype(dtype %||% the$floatx)
  if (!is.null(name)) check_string(name, "name")
  new_variable(value, shape_of_array(value), dtype, name %||% auto_name("variable"),
               trainable = dtype %in% c("float32", "float64"), constraint = get_constraint(constraint))
}

#' @rdname k_constant
#' @export
k_get_value <- function(x) {
  if (is_variable(x)) return(variable_value(x))
  x <- as_tensor(x)
  if (is_constant(x)) return(x$value)
  k_function(list(), list(x))(list())[[1]]
}

#' @rdname k_constant
#' @export
k_eval <- k_get_value

#' @rdname k_constant
#' @export
k_set_value <- function(x, value) {
  field <- substitute(x)
  if (!is_variable(x) && is.call(field) && identical(field[[1]], quote(`$`))) {
    optimizer <- eval(field[[2]], parent.frame())
    if (inherits(optimizer, "keras_optimizer")) {
      `$<-.keras_optimizer`(optimizer, as.character(field[[3]]), as.vector(value))
      return(invisible(value))
    }
  }
  check_variable(x)
  set_variable(x, value)
}

check_variable <- function(x) {
  if (!is_variable(x)) {
    abort_argument("Only a variable can be given a value.", expected = "a variable",
                   received = describe(x), remedy = "Make one with k_variable().")
  }
}

#' A tensor to be fed
#'
#' @param shape Shape with the batch dimension first; `NA` or `NULL` entries are
#'   unknown.
#' @param ndim Number of dimensions, all unknown, when `shape` is not given.
#' @param dtype,name See [k_constant()].
#' @param sparse Accepted for Keras's signature; tensors are dense.
#' @return A symbolic tensor, for [k_function()].
#' @section Errors: `convnet_error_argument` where `shape` is not a shape.
#' @family tensor operations
#' @examples
#' x <- k_placeholder(shape = list(NULL, 3))
#' f <- k_function(list(x), list(k_sum(k_square(x))))
#' f(list(matrix(1:6, 2)))
#' @export
k_placeholder <- function(shape = NULL, ndim = NULL, dtype = NULL, sparse = FALSE, name = NULL) {
  shape <- if (is.null(shape)) rep(NA_integer_, check_counts(ndim %||% 0, "ndim", lower = 0)) else as_shape(shape)
  if (!is.null(name)) check_string(name, "name")
  input_row(new_record(), shape, check_dtype(dtype %||% the$floatx), name)
}

#' Gradients of a loss
#'
#' Differentiates automatically; gradients are tensors like any other and can be
#' differentiated again.
#'
#' @param loss A tensor; its elements are summed.
#' @param variables A variable or tensor, or a list of them.
#' @return A list of tensors, each of the shape of its variable; zeros where the
#'   loss does not depend on it.
#' @section Errors: `convnet_error_argument` where `variables` are not tensors.
#' @family tensor operations
#' @examples
#' x <- k_variable(c(1, 2, 3))
#' g <- k_gradients(k_sum(k_square(x)), x)
#' k_eval(g[[1]])
#' @export
k_gradients <- function(loss, variables) {
  variables <- as_list(variables)
  check_tensors(variables, "variables")
  loss <- as_tensor(loss)
  record <- recording_for(c(list(loss), variables))
  lapply(variables, function(v) gradient_row(loss, v, record))
}

#' Compute tensors from tensors
#'
#' @param inputs A list of symbolic tensors that will be given as arrays.
#' @param outputs A tensor or list of tensors to compute.
#' @param updates A list of updates made by [k_update()], carried out after the
#'   outputs have been computed.
#' @param ... Ignored; for Keras's signature.
#' @return A function of a list of arrays that returns a list of arrays.
#' @section Errors: `convnet_error_argument` where `inputs` cannot be fed, and where
#'   the function is given another number of arrays; `convnet_error_shape` where an
#'   array does not have the shape of its input.
#' @family tensor operations
#' @examples
#' x <- k_placeholder(shape = list(NULL, 2))
#' y <- k_exp(x)
#' f <- k_function(list(x), list(y, k_gradients(y, x)[[1]]))
#' f(list(matrix(0, 1, 2)))
#' @export
k_function <- function(inputs, outputs, updates = NULL, ...) {
  inputs <- as_list(inputs)
  updates <- as_list(updates %||% list())
  check_tensors(inputs, "inputs")
  if (any(vapply(inputs, function(t) is_constant(t) || is_variable(t), NA))) {
    abort_argument("Constants and variables cannot be fed.",
                   expected = "`inputs` from k_placeholder() or layer_input()")
  }
  check_tensors(updates, "updates")
  new_function(inputs, lapply(as_list(outputs), as_tensor), updates,
               the$learning_phase %||% FALSE)
}

# In a frame of its own: the function may be saved, and with it all that it sees.
new_function <- function(inputs, outputs, updates, training) {
  wanted <- c(outputs, updates)
  force(training)
  make <- function() {
    made <- trace_outputs(inputs, wanted, training)
    program_from(made$trace, made$outputs[seq_along(outputs)])
  }
  program <- make()
  dtypes <- vapply(inputs, function(t) t$dtype, "")
  function(arrays = list()) {
    if (!is.list(arrays)) arrays <- list(arrays)
    if (length(arrays) != length(inputs)) {
      abort_argument("A function was given another number of arrays than it has inputs.",
                     expected = count_of(length(inputs), "array"),
                     received = count_of(length(arrays), "array"))
    }
    if (!is_live(program)) program <<- make()
    feeds <- Map(as_dataset, arrays, dtypes, paste("input", seq_along(arrays)))
    run_program(program, feeds)
  }
}

#' Change a variable when a function runs
#'
#' @param x A variable.
#' @param new_x,increment,decrement,value A tensor or array of the variable's shape.
#' @param momentum Weight of the old value in a moving average.
#' @return A tensor: the new value. Pass it to [k_function()] as one of `updates`.
#' @section Errors: `convnet_error_argument` where `x` is not a variable,
#'   `convnet_error_shape` and `convnet_error_dtype` where the new value is unlike it.
#' @family tensor operations
#' @examples
#' counter <- k_variable(0)
#' step <- k_function(list(), list(k_identity(counter)), updates = list(k_update_add(counter, 1)))
#' step(list())
#' k_get_value(counter)
#' @export
k_update <- function(x, new_x) {
  check_variable(x)
  new_x <- as_tensors(list(x, new_x))[[2]]
  record <- recording_for(list(new_x))
  update <- update_row(x, new_x, record)
  record$updates <- c(record$updates, list(update))
  update
}

#' @rdname k_update
#' @export
k_update_add <- function(x, increment) k_update(x, pending_value(x) + increment)

#' @rdname k_update
#' @export
k_update_sub <- function(x, decrement) k_update(x, pending_value(x) - decrement)

#' @rdname k_update
#' @export
k_moving_average_update <- function(x, value, momentum) {
  momentum <- number_or_tensor(momentum)
  k_update(x, pending_value(x) * momentum + float_tensor(value) * (1 - momentum))
}

# What a variable will be after the updates that the trace holds so far: the
# updates of a layer that is called twice follow each other.
pending_value <- function(variable) {
  trace <- the$trace
  if (is.null(trace)) return(variable)
  row <- variable_row(variable, trace)
  for (update in rev(trace$updates)) {
    if (trace$rows[[update$row]]$inputs[[1]] == row) return(update)
  }
  variable
}

#' Shape of a tensor
#'
#' @param x A tensor or array.
#' @return An integer tensor: the shape, known when the data are.
#' @family tensor operations
#' @examples
#' k_eval(k_shape(matrix(0, 2, 3)))
#' @export
k_shape <- function(x) emit("shape_of", list(as_tensor(x)))

# The number of rows as a tensor without dimensions.
batch_size_of <- function(x) {
  emit("reshape", list(emit("slice", list(k_shape(x)), list(begin = 0, size = 1))),
       list(shape = numeric()))
}

#' Forget everything that the session keeps
#'
#' Releases the workspace that all models share and starts automatic names anew.
#' Models stay as they are.
#'
#' @return `NULL`, invisibly.
#' @family tensor operations
#' @examples
#' k_clear_session()
#' @export
k_clear_session <- function() {
  cpp_release_workspace()
  k_reset_uids()
}

#' @rdname k_clear_session
#' @export
k_reset_uids <- function() {
  the$uids <- list()
  invisible(NULL)
}

#' The phase that functions run in
#'
#' Layers such as dropout and batch normalization behave differently in
#' training. `fit()` and `predict()` choose the phase themselves;
#' [k_function()] takes the one that is set here.
#'
#' @param value 0 or `FALSE` for inference, 1 or `TRUE` for training.
#' @return `k_learning_phase()` 0 or 1; `k_set_learning_phase()` `NULL`, invisibly.
#' @section Errors: `convnet_error_argument` for any other value.
#' @family tensor operations
#' @examples
#' k_learning_phase()
#' @export
k_set_learning_phase <- function(value) {
  the$learning_phase <- check_flag(value, "value")
  invisible(NULL)
}

#' @rdname k_set_learning_phase
#' @export
k_learning_phase <- function() as.integer(the$learning_phase %||% FALSE)
