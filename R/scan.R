# A scan runs a body once for each step of its sequences. It is one "scan" row with
# the body as plain data, list(rows, outputs), and an "output" row for each result:
# the outputs of all steps along axis 2, the outputs of the last step, the last
# states. The core takes it apart into steps when it knows how many there are.

# step(slices, states) returns list(outputs, states): lists of tensors. Sequences are
# (samples, steps, ...); slices lack the second axis. Tensors of the record around it
# may be used inside step(). Returns list(outputs, last, states).
scan <- function(sequences, states, step, backwards = FALSE) {
  record <- recording_for(c(sequences, states))
  body <- new_record()
  body$outer <- record
  n <- n_steps(sequences)
  slices <- lapply(sequences, function(t) input_row(body, t$shape[-2], t$dtype))
  held <- lapply(states, function(t) input_row(body, t$shape, t$dtype))
  made <- with_trace(body, the$training, step(slices, held))
  made <- list(outputs = lapply(made$outputs, as_tensor), states = lapply(made$states, as_tensor))
  check_new_states(made$states, states)
  outputs <- vapply(c(made$outputs, made$states), row_in, 1L, record = body)
  check_body(body)
  rows <- c(vapply(c(sequences, states), row_in, 1L, record = record), body$captured)
  attrs <- list(sequences = length(sequences), states = length(states),
                backwards = as.integer(backwards))
  row <- append_row(record, "scan", rows, attrs, body = list(rows = body$rows, outputs = outputs))$row
  result <- function(i, t, shape) append_row(record, "output", row, list(index = i), shape, t$dtype)
  k <- length(made$outputs)
  list(outputs = Map(function(t, i) result(i, t, c(t$shape[1], n, t$shape[-1])), made$outputs, seq_len(k)),
       last = Map(function(t, i) result(i, t, t$shape), made$outputs, k + seq_len(k)),
       states = Map(function(t, i) result(i, t, t$shape), made$states, 2 * k + seq_along(states)))
}

# The input of a body that stands for a tensor of the record around it.
captured_row <- function(tensor, body) {
  row <- row_in(tensor, body$outer)
  fed <- body$n_inputs - length(body$captured)
  found <- match(row, body$captured)
  if (is.na(found)) {
    body$captured <- c(body$captured, row)
    return(input_row(body, tensor$shape, tensor$dtype)$row)
  }
  for (i in seq_along(body$rows)) {
    if (body$rows[[i]]$op == "input" && body$rows[[i]]$slot == fed + found) return(i)
  }
}

n_steps <- function(sequences) {
  steps <- unique(vapply(sequences, function(t) t$shape[2], 1L))
  steps <- steps[!is.na(steps)]
  if (length(steps) > 1) {
    abort_shape("The sequences have different numbers of steps.",
                expected = "one number of steps", received = format_sizes(steps))
  }
  if (length(steps)) steps else NA_integer_
}

check_new_states <- function(new, old) {
  fits <- length(new) == length(old) && all(unlist(Map(function(a, b) {
    length(a$shape) == length(b$shape) && a$dtype == b$dtype &&
      all(is.na(a$shape) | is.na(b$shape) | a$shape == b$shape)
  }, new, old)))
  if (!fits) {
    text <- function(states) paste(vapply(states, format, ""), collapse = ", ")
    abort_shape("A step does not return states like those that it was given.",
                expected = text(old), received = if (length(new)) text(new) else "no states")
  }
}

# What would be lost: the rows of a body belong to no training step.
check_body <- function(body) {
  if (length(body$losses) || length(body$updates)) {
    abort_argument("A step of a recurrent layer cannot add losses or change variables.",
                   remedy = "Return what the step computes, and use it after the last step.")
  }
}

replay_scan <- function(inputs, row) {
  n <- row$attrs$sequences
  fed <- seq_len(n + row$attrs$states)
  step <- function(slices, states) {
    given <- c(slices, states, inputs[-fed])
    rows <- row$body$rows
    at <- which(vapply(rows, function(r) r$op == "input", NA))
    origin <- new_origin(list(rows = rows), lapply(at, function(i) list(row = i)),
                         lapply(at, function(i) given[[rows[[i]]$slot]]))
    replay(origin, row$body$outputs, the$trace)
    made <- lapply(row$body$outputs, function(i) origin$tensors[[as.character(i)]])
    last <- length(made) - length(states)
    list(outputs = made[seq_len(last)], states = made[last + seq_along(states)])
  }
  made <- scan(inputs[seq_len(n)], inputs[fed][-seq_len(n)], step, row$attrs$backwards == 1)
  c(made$outputs, made$last, made$states)
}

# A scan that `code` records; where all tensors are constants, with the values that it computes instead of its results.
at_once <- function(tensors, code) {
  now <- is.null(the$trace) && all(vapply(tensors, is_constant, NA))
  record <- if (now) new_record() else recording_for(tensors)
  made <- with_trace(record, the$training, code)
  if (!now) return(made)
  flat <- do.call(c, unname(made))
  values <- run_program(program_from(record, flat))
  constants <- Map(function(value, t) new_constant(value, shape_of_array(value), t$dtype), values, flat)
  split(unname(constants), factor(rep(names(made), lengths(made)), levels = names(made)))
}
