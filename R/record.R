# A record is a flat table of rows: operations, layer calls, and their inputs by
# position. Tensors point into it. Rows are lists of
#   op      an operation of the core, or "input", "variable", "constant",
#           "gradient", "update", "scan", "output", and above the core "layer", "phase", "mask"
#   attrs, inputs, where, shape, dtype; slot, value, call where they apply
#   id      of rows that a model is made of: an environment, which tells the same row in
#           another record, that of a model read from a file
# A trace is the record in which every layer call has been replaced by its
# operations, for one phase; a program is made from it.

new_record <- function() {
  record <- new.env(parent = emptyenv())
  record$rows <- list()
  record$variables <- list()  # by slot
  record$layers <- list()     # by slot of "layer" rows
  record$n_inputs <- 0L
  record$losses <- list()     # tensors that training adds to the loss
  record$updates <- list()    # tensors of "update" rows
  record$calls <- list()      # of layers in a trace: list(layer, shapes of its outputs)
  record$origins <- list()    # what this record replays: list(record, tensors by row)
  record$forward <- NULL      # where the rows went when records were merged
  record$outer <- NULL        # of the body of a scan: the record around it
  record$captured <- integer()  # rows of that record that the body reads
  record$strays <- NULL       # of the trial of a call that is recorded: list(tensor, row)
  record
}

append_row <- function(record, op, inputs = integer(), attrs = list(), shape = NULL,
                       dtype = NULL, ...) {
  force(inputs)  # may append rows itself
  row <- length(record$rows) + 1L
  record$rows[[row]] <- list(op = op, attrs = attrs, inputs = inputs,
                             where = the$where %||% "", shape = shape, dtype = dtype, ...)
  new_tensor(record, row, shape, dtype)
}

input_row <- function(record, shape, dtype, name = NULL) {
  record$n_inputs <- record$n_inputs + 1L
  append_row(record, "input", shape = as.integer(shape), dtype = dtype,
             slot = record$n_inputs, name = name)
}

# The record that a tensor lives in now; merged records are followed.
record_of <- function(tensor) {
  while (!is.null(forward <- tensor$record$forward)) {
    # Version 0.1.0 saved an offset.
    tensor$row <- if (is.null(forward$rows)) tensor$row + forward$offset else forward$rows[[tensor$row]]
    tensor$record <- forward$record
  }
  tensor$record
}

position <- function(x, objects) {
  for (i in seq_along(objects)) if (identical(objects[[i]], x)) return(i)
  0L
}

# Each object once; unique() does not know identity.
unique_objects <- function(objects) {
  found <- list()
  for (x in objects) if (position(x, found) == 0L) found <- c(found, list(x))
  found
}

# The position of x in a list of the record, appended when it is not there yet.
slot_of <- function(record, list_name, x) {
  slot <- position(x, record[[list_name]])
  if (slot == 0L) {
    slot <- length(record[[list_name]]) + 1L
    record[[list_name]][[slot]] <- x
  }
  slot
}

# Where operations on these tensors are recorded.
recording_for <- function(tensors) {
  if (!is.null(the$trace)) return(the$trace)
  into <- NULL
  for (tensor in tensors) {
    if (is_constant(tensor) || is_variable(tensor)) next
    record <- record_of(tensor)
    if (is.null(into)) into <- record
    else if (!identical(into, record)) into <- merge_records(into, record)
  }
  for (tensor in tensors) record_of(tensor)  # their rows may be others now
  into %||% new_record()
}

# One record of two, in which rows that both have are there once. Returns it.
merge_records <- function(into, from) {
  at <- cpp_match_environments(row_ids(from$rows), row_ids(into$rows))
  # What is an input of a model that was cut out of another one is computed by the other.
  both <- which(at > 0L)
  if (any(operations(into$rows[at[both]]) == "input" & operations(from$rows[both]) != "input")) {
    return(merge_records(from, into))
  }
  for (i in which(at == 0L)) {
    row <- from$rows[[i]]
    row$inputs <- at[row$inputs]
    if (row$op == "variable") {
      row$slot <- slot_of(into, "variables", from$variables[[row$slot]])
    } else if (row$op == "layer") {
      row$slot <- slot_of(into, "layers", from$layers[[row$slot]])
    } else if (row$op == "input") {
      into$n_inputs <- into$n_inputs + 1L
      row$slot <- into$n_inputs
    }
    into$rows[[length(into$rows) + 1L]] <- row
    at[[i]] <- length(into$rows)
  }
  from$forward <- list(record = into, rows = at)
  from$rows <- from$variables <- from$layers <- list()
  into
}

row_ids <- function(rows) lapply(rows, .subset2, "id")
operations <- function(rows) vapply(rows, .subset2, "", "op")

# Gives the rows at these positions ids, if they have none.
identify_rows <- function(record, at) {
  rows <- record$rows
  for (i in at) if (is.null(rows[[i]]$id)) rows[[i]]$id <- new.env(hash = FALSE, parent = emptyenv())
  record$rows <- rows
}

# The row that stands for a tensor in this record.
row_in <- function(tensor, record) {
  if (is_variable(tensor)) return(variable_row(tensor, record))
  if (is_constant(tensor)) return(constant_row(tensor, record))
  if (identical(record_of(tensor), record)) return(tensor$row)
  made <- replayed(tensor, record)
  if (!is.null(made)) return(made$row)
  if (!is.null(record$outer)) return(captured_row(tensor, record))
  if (!is.null(record$strays)) return(stray_row(tensor, record))
  abort_argument("A tensor of another model was used here.",
                 remedy = "Use tensors of the model itself, or add the other tensor as an input.")
}

# In the trial of a call: a tensor that call() uses without having been given it.
stray_row <- function(tensor, record) {
  for (stray in record$strays) if (identical(stray$tensor, tensor)) return(stray$row)
  row <- input_row(record, tensor$shape, tensor$dtype)$row
  record$strays <- c(record$strays, list(list(tensor = tensor, row = row)))
  row
}

# The tensor of a record that this one replays, inside this one; NULL for others.
replayed <- function(tensor, record) {
  origin <- origin_of(record_of(tensor), record)
  if (is.null(origin)) return(NULL)
  replay(origin, tensor$row, record)
  origin$tensors[[as.character(tensor$row)]]
}

origin_of <- function(from, record) {
  for (origin in rev(record$origins)) if (identical(origin$record, from)) return(origin)
  for (origin in rev(record$origins)) {
    if (is.null(origin <- same_origin(origin, from))) next
    record$origins <- c(record$origins, list(origin))
    return(origin)
  }
}

# The origin for a record that has rows of another origin: a loss that was saved with a model may use tensors of it.
same_origin <- function(origin, record) {
  done <- as.integer(ls(origin$tensors))
  at <- cpp_match_environments(row_ids(origin$record$rows[done]), row_ids(record$rows))
  if (any(at > 0L)) {
    new_origin(record, lapply(at[at > 0L], function(i) list(row = i)), mget(as.character(done[at > 0L]), origin$tensors))
  }
}

# As a tensor of this record, with the mask that it has there.
tensor_in <- function(tensor, record) {
  made <- if (!is_variable(tensor) && !is_constant(tensor)) replayed(tensor, record)
  with_mask(new_tensor(record, row_in(tensor, record), tensor$shape, tensor$dtype), made$mask)
}

constant_row <- function(constant, record) {
  if (!is.null(record$outer)) return(captured_row(constant, record))
  append_row(record, "constant", shape = constant$shape, dtype = constant$dtype,
             value = constant$value)$row
}

variable_row <- function(variable, record) {
  if (!is.null(record$outer)) return(captured_row(variable, record))
  slot <- slot_of(record, "variables", variable)
  for (i in seq_along(record$rows)) {
    row <- record$rows[[i]]
    if (row$op == "variable" && row$slot == slot) return(i)
  }
  append_row(record, "variable", shape = variable$shape, dtype = variable$dtype, slot = slot)$row
}

# What a record replays: its rows' tensors in the trace, filled on demand.
new_origin <- function(record, from, to) {
  tensors <- new.env(parent = emptyenv())
  for (i in seq_along(from)) tensors[[as.character(from[[i]]$row)]] <- to[[i]]
  list(record = record, tensors = tensors)
}

# Computes `row` of the origin's record, and what it needs, inside `record`.
replay <- function(origin, row, record) {
  rows <- origin$record$rows
  known <- function(i) exists(as.character(i), origin$tensors, inherits = FALSE)
  for (i in rows_behind(rows, row, known)) {
    origin$tensors[[as.character(i)]] <- replay_row(origin, rows[[i]], record)
  }
}

# The rows that these are computed from, themselves included, but for what is known.
rows_behind <- function(rows, wanted, known) {
  needed <- logical(length(rows))
  needed[wanted] <- TRUE
  for (i in rev(seq_len(max(wanted)))) {
    if (!needed[i]) next
    if (known(i)) needed[i] <- FALSE
    else needed[rows[[i]]$inputs] <- TRUE
  }
  which(needed)
}

replay_row <- function(origin, row, record) {
  inputs <- lapply(row$inputs, function(i) origin$tensors[[as.character(i)]])
  switch(row$op,
    input = abort_disconnected(row),
    variable = new_tensor(record, variable_row(origin$record$variables[[row$slot]], record),
                          row$shape, row$dtype),
    constant = new_constant(row$value, row$shape, row$dtype),
    layer = as_list(do.call(call_instance, c(list(origin$record$layers[[row$slot]]), fill_call(call_form(row), inputs)))),
    output = inputs[[1]][[row$attrs$index]],
    mask = inputs[[1]]$mask,
    gradient = gradient_row(inputs[[1]], inputs[[2]], record),
    update = update_row(inputs[[1]], inputs[[2]], record),
    scan = replay_scan(inputs, row),
    phase = inputs[[if (isTRUE(the$training)) 1L else 2L]],
    emit(row$op, inputs, row$attrs)
  )
}

# The form of a call: that of layer(x) is not written down.
plain_call <- list(structure(1L, class = "convnet_place"))

call_form <- function(row) {
  if (is.null(row$call)) return(plain_call)
  if (is.null(row$call$single)) return(row$call)
  # Saved by version 0.1.0.
  places <- lapply(seq_along(row$inputs), structure, class = "convnet_place")
  list(if (row$call$single) places[[1]] else places, training = row$call$training)
}

abort_disconnected <- function(row) {
  abort_argument(paste0("The outputs depend on an input that is not given",
                        if (!is.null(row$name)) paste0(": \"", row$name, "\""), "."),
                 remedy = "List every input that the outputs are computed from.")
}

# Runs code with the core operations of `record` being recorded.
with_trace <- function(record, training, code) {
  before <- list(trace = the$trace, training = the$training)
  on.exit({
    the$trace <- before$trace
    the$training <- before$training
  })
  the$trace <- record
  the$training <- training
  code
}

# The trace that computes `outputs` from `inputs`, all tensors of one record,
# with inputs as its first inputs. Returns the outputs in the trace.
trace_outputs <- function(inputs, outputs, training, trace = new_record()) {
  record <- recording_for(c(inputs, outputs))
  fed <- lapply(inputs, function(t) {
    input_row(trace, t$shape, t$dtype, record_of(t)$rows[[t$row]]$name)
  })
  origin <- new_origin(record, inputs, fed)
  trace$origins <- c(trace$origins, list(origin))
  outputs <- with_trace(trace, training, lapply(outputs, tensor_in, trace))
  list(trace = trace, outputs = outputs)
}

gradient_row <- function(loss, wrt, record) {
  append_row(record, "gradient", c(row_in(loss, record), row_in(wrt, record)),
             shape = wrt$shape, dtype = wrt$dtype)
}

update_row <- function(variable, value, record) {
  type <- cpp_infer("update", list(), list(variable$shape, value$shape),
                    c(variable$dtype, value$dtype))
  append_row(record, "update", c(row_in(variable, record), row_in(value, record)),
             shape = type$shape, dtype = type$dtype)
}
