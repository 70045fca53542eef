#' Run a step function over time
#'
#' What the recurrent layers are made of: calls the same step for each time step, with the states that the step before
#' returned. The function runs once, when the operations are recorded; the number of steps may be unknown.
#'
#' @param step_function A function of the input at one step, `(samples, ...)`, and of the list of states, that returns
#'   `list(output, new_states)`. New states have the shapes and dtypes of the old ones.
#' @param inputs A tensor or array `(samples, steps, ...)`, or a list of them: the step function then gets a list.
#' @param initial_states A list of tensors or arrays.
#' @param go_backwards `TRUE` begins with the last step; outputs come in the order in which they are computed.
#' @param mask A tensor `(samples, steps)` of truth values. Where it is false the states stay and the output is that of
#'   the step before, 0 at the start.
#' @param constants A list of tensors that are appended to the states which the step function gets.
#' @param unroll,input_length For Keras's signature: steps are always unrolled when their number is known.
#'
#' @return A list: `last_output`, `outputs` `(samples, steps, ...)` and `new_states`, a list.
#' @section Errors:
#' `convnet_error_shape` where sequences differ in their number of steps, there is none, or new states differ from the
#' old ones; `convnet_error_argument` where the step function does not return such a list, adds a loss or updates a
#' variable.
#' @family tensor operations
#' @export
#' @examples
#' x <- array(1:6, c(2, 3, 1))
#' sums <- k_rnn(function(x, states) list(x + states[[1]], list(x + states[[1]])),
#'               x, initial_states = list(matrix(0, 2, 1)))
#' sums$outputs
k_rnn <- function(step_function, inputs, initial_states, go_backwards = FALSE, mask = NULL, constants = NULL,
                  unroll = FALSE, input_length = NULL) {
  check_function(step_function, "step_function", "a function of an input and a list of states")
  go_backwards <- check_flag(go_backwards, "go_backwards")
  single <- !is.list(inputs)
  sequences <- lapply(as_list(inputs), as_tensor)
  for (x in sequences) {
    if (k_ndim(x) < 2L) {
      abort_shape("A sequence has samples and steps.", expected = "shape (samples, steps, ...)",
                  received = paste("shape", format_shape(x$shape)))
    }
  }
  states <- as_tensors(c(sequences[1], as_list(initial_states)))[-1]
  constants <- lapply(as_list(constants %||% list()), as_tensor)
  step <- function(slices, states) {
    inputs <- if (single) slices[[1]] else slices
    checked_step(with_user_code("`step_function`", step_function(inputs, c(states, constants))))
  }
  made <- at_once(c(sequences, states, constants), {
    if (is.null(mask)) scan(sequences, states, step, go_backwards)
    else masked_scan(sequences, states, step, go_backwards, as_tensor(mask))
  })
  list(last_output = made$last[[1]], outputs = made$outputs[[1]], new_states = made$states)
}

checked_step <- function(made) {
  if (!is.list(made) || length(made) < 2 || !is.list(made[[2]])) {
    abort_argument("The step function does not return an output and states.",
                   expected = "list(output, list_of_states)", received = describe(made))
  }
  list(outputs = made[1], states = made[[2]])
}

# The last output is a state beside the others.
masked_scan <- function(sequences, states, step, backwards, mask) {
  if (k_ndim(mask) == 3L) mask <- k_squeeze(mask, 3)
  outputs <- step(lapply(sequences, first_step), states)$outputs
  zero <- emit("fill_like", list(as_tensor(outputs[[1]])), list(value = 0))
  made <- scan(c(sequences, list(k_cast(mask, "bool"))), c(states, list(zero)), function(slices, held) {
    now <- slices[[length(slices)]]
    new <- step(slices[-length(slices)], held[-length(held)])
    kept <- Map(function(new, old) {
      along <- if (k_ndim(old) == 1L) now else k_reshape(now, c(-1, rep(1, k_ndim(old) - 1)))
      select(along, new, old)
    }, c(new$states, new$outputs), held)
    list(outputs = kept[length(kept)], states = kept)
  }, backwards)
  made$states <- made$states[-length(made$states)]
  made
}

# The first of the steps of a sequence, where only its shape counts.
first_step <- function(x) {
  rank <- k_ndim(x)
  first <- emit("slice", list(x), list(begin = rep(0, rank), size = replace(rep(-1, rank), 2, 1)))
  emit("sum", list(first), list(axes = 1, keepdims = 0))
}
