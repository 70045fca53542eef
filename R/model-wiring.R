# The wiring of a model is list(inputs, outputs): the tensors that it is between. They
# point into the record that they were made in, which may hold far more than the model.
# The model keeps its wiring for the session. What it is saved with is its graph: the
# rows that the outputs need, as columns
#   op, dtype (factors), inputs, shape, id   as in a row; inputs of the model come first
#             and masks of tensors are there although no output may need them
#   slot      of layers, those of inputs among them, their position in the stack, 0 for
#             none and for the model itself; of variables in `variables`; the index of outputs
#   more      the other fields of the row that are not empty
# and `outputs`, rows. From it a wiring is made in a record of its own when the model is
# used in another session.

set_wiring <- function(model, wiring) {
  data <- environment(model)
  data$built <- !is.null(wiring$outputs)
  if (data$built) draw_graph(data, wiring) else data$graph <- NULL
  data$input_shape <- if (data$built) shapes_of(wiring$inputs)
  data$output_shape <- if (data$built) shapes_of(wiring$outputs)
  assign("wiring", wiring, session_of(data))
  forget_programs(data)
  begin_era()
}

wiring_of <- function(model) {
  data <- environment(model)
  session <- session_of(data)
  if (is.null(session$wiring) && !is.null(data$graph)) session$wiring <- wiring_from_graph(model)
  if (is.null(session$wiring) && !is.null(data$outputs)) adopt_wiring(model)
  session$wiring
}

is_wired <- function(model) {
  data <- environment(model)
  !is.null(data$graph) || !is.null(data$outputs)
}

# Of models and layers that version 0.1.0 saved, which held their tensors.
adopt_wiring <- function(model) {
  data <- environment(model)
  for (inner in lapply(c(data$stack, model), environment)) {
    if (is.null(inner$nodes)) next
    set_calls(inner, inner$nodes)
    rm("nodes", envir = inner)
  }
  set_wiring(model, list(inputs = data$inputs, outputs = data$outputs))
  rm("inputs", "outputs", envir = data)
}

# A stack of layers grows: of a graph that goes on only the new rows are looked at.
draw_graph <- function(data, wiring) {
  session <- session_of(data)
  record <- record_of(wiring$outputs[[1]])
  fed <- vapply(wiring$inputs, row_in, 1L, record)
  wanted <- vapply(wiring$outputs, row_in, 1L, record)
  computed <- setdiff(rows_behind(record$rows, wanted, function(i) i %in% fed), fed)
  at <- c(fed, sort(union(computed, masks_of_rows(record$rows, computed))))
  drawn <- session$drawn
  if (!identical(record, drawn$record) || !identical(at[seq_along(drawn$at)], drawn$at)) data$graph <- NULL
  columns <- graph_columns(data, wiring, record, at[seq_along(at) > length(data$graph$op)], at)
  if (!is.null(data$graph)) columns <- Map(c, data$graph[names(columns)], columns)
  data$graph <- c(columns, list(outputs = match(wanted, at)))
  session$drawn <- list(record = record, at = at)
}

# Of the rows `new` among all, `at`.
graph_columns <- function(data, wiring, record, new, at) {
  identify_rows(record, new)
  rows <- record$rows[new]
  cut <- seq_along(wiring$inputs)[is.null(data$graph)]
  rows[cut] <- lapply(rows[cut], function(row) c(list(op = "input"), row[c("shape", "dtype", "id", "name")]))
  op <- operations(rows)
  of <- function(kind) rows[op == kind]
  slot <- integer(length(rows))
  slot[cut] <- positions_of(lapply(wiring$inputs[cut], input_layer_of, data$stack), data$stack)
  slot[op == "layer"] <- positions_of(record$layers[slots(of("layer"))], data$stack)
  slot[op == "variable"] <- length(data$graph$variables) + seq_along(of("variable"))
  slot[op == "output"] <- vapply(of("output"), function(row) as.integer(row$attrs$index), 1L)
  more <- vector("list", length(rows))
  more[op != "output"] <- lapply(rows[op != "output"], rest_of_row)
  list(op = factor(op), dtype = factor(vapply(rows, function(row) row$dtype %||% NA_character_, "")),
       inputs = lapply(rows, function(row) match(row$inputs, at)), shape = lapply(rows, .subset2, "shape"),
       id = row_ids(rows), slot = slot, more = more, variables = record$variables[slots(of("variable"))])
}

# The rows that are masks of tensors at these positions.
masks_of_rows <- function(rows, at) {
  masks <- which(operations(rows) == "mask")
  masks[vapply(rows[masks], .subset2, 1L, "inputs") %in% at]
}

slots <- function(rows) vapply(rows, .subset2, 1L, "slot")

positions_of <- function(layers, stack) {
  cpp_match_environments(lapply(layers, function(layer) if (!is.null(layer)) environment(layer)), lapply(stack, environment))
}

rest_of_row <- function(row) {
  rest <- row[lengths(row) > 0L & !names(row) %in% c("op", "dtype", "inputs", "shape", "id", "slot")]
  if (identical(rest$where, "")) rest$where <- NULL
  if (length(rest)) rest
}

# Layers learn of their calls, too.
wiring_from_graph <- function(model) {
  data <- environment(model)
  graph <- data$graph
  record <- new_record()
  record$rows <- rows_of_graph(graph, length(data$stack) + 1L)
  record$variables <- graph$variables
  record$layers <- c(data$stack, list(model))
  record$n_inputs <- sum(graph$op == "input")
  tensors <- Map(function(row, at) new_tensor(record, at, row$shape, row$dtype), record$rows, seq_along(record$rows))
  for (i in which(graph$op == "mask")) assign("mask", tensors[[i]], tensors[[graph$inputs[[i]]]])
  inputs <- tensors[seq_len(record$n_inputs)]
  for (i in which(graph$op == "input" & graph$slot > 0L)) {
    remember_call(data$stack[[graph$slot[[i]]]], tensors[i], tensors[i])
  }
  results <- which(graph$op == "output")
  made_by <- vapply(graph$inputs[results], identity, 1L)
  for (i in which(graph$op == "layer" & graph$slot > 0L)) {
    row <- record$rows[[i]]
    given <- as_list(fill_call(call_form(row), tensors[row$inputs])[[1]])
    remember_call(record$layers[[row$slot]], given, tensors[results[made_by == i]])
  }
  list(inputs = inputs, outputs = tensors[graph$outputs])
}

# self: the slot of the model itself.
rows_of_graph <- function(graph, self) {
  ops <- as.character(graph$op)
  dtypes <- as.character(graph$dtype)
  lapply(seq_along(ops), function(i) {
    op <- ops[[i]]
    slot <- graph$slot[[i]]
    row <- list(op = op, attrs = if (op == "output") list(index = slot) else list(), inputs = graph$inputs[[i]], where = "",
                shape = graph$shape[[i]], dtype = if (!is.na(dtypes[[i]])) dtypes[[i]], id = graph$id[[i]],
                slot = switch(op, input = i, layer = if (slot > 0L) slot else self, variable = slot))
    more <- graph$more[[i]]
    row[names(more)] <- more
    row
  })
}

# A call that another model of the file has told of already is the same.
remember_call <- function(layer, inputs, outputs) {
  id <- function(tensor) record_of(tensor)$rows[[tensor$row]]$id
  known <- lapply(calls_of(environment(layer)), function(node) id(node$outputs[[1]]))
  if (position(id(outputs[[1]]), known) == 0L) add_node(layer, inputs, outputs)
}
