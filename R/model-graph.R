# The graph of a model as nodes: its inputs, the calls of its layers, and the
# operations between them, in Keras's order. A node is a list of
#   row     its row in the record
#   kind    "input", "layer" or "operation"
#   layer   the layer of a call, slot its place in the record
#   parents rows of the nodes that it takes tensors of, tensors: which (from 0)
#   shapes  of its outputs
#   depth   how many nodes come after it at most

graph_nodes <- function(inputs, outputs) {
  record <- record_of(outputs[[1]])
  fed <- vapply(inputs, function(t) t$row, 1L)
  wanted <- vapply(outputs, function(t) t$row, 1L)
  behind <- rows_behind(record$rows, wanted, function(i) i %in% fed)
  for (i in behind) if (record$rows[[i]]$op == "input") abort_disconnected(record$rows[[i]])
  ops <- vapply(record$rows, function(row) row$op, "")
  at <- sort(unique(c(fed, behind[!ops[behind] %in% c("output", "variable", "constant")])))
  nodes <- lapply(at, new_node, record, fed, which(ops == "output"))
  in_keras_order(nodes, unlist(lapply(wanted, source_row, record$rows, fed)))
}

# outputs: the rows of that kind.
new_node <- function(row, record, fed, outputs) {
  it <- record$rows[[row]]
  kind <- if (row %in% fed) "input" else if (it$op == "layer") "layer" else "operation"
  from <- if (kind != "input") it$inputs
  sources <- lapply(from, source_row, record$rows, fed)
  known <- lengths(sources) > 0
  if (it$op %in% c("layer", "scan")) {
    shown <- outputs[vapply(record$rows[outputs], function(output) output$inputs == row, NA)]
  } else {
    shown <- row
  }
  list(row = row, kind = kind, op = it$op, slot = it$slot, layer = if (kind == "layer") record$layers[[it$slot]],
       parents = unlist(sources), tensors = vapply(from[known], tensor_index, 0L, record$rows, fed),
       shapes = lapply(record$rows[shown], function(output) output$shape))
}

# The node that a row belongs to; NULL for constants and variables.
source_row <- function(row, rows, fed) {
  if (row %in% fed) return(row)
  switch(rows[[row]]$op, output = rows[[row]]$inputs, variable = , constant = NULL, row)
}

tensor_index <- function(row, rows, fed) {
  if (!row %in% fed && rows[[row]]$op == "output") as.integer(rows[[row]]$attrs$index) - 1L else 0L
}

# The nodes of a model with the names of what they are, unique for operations, and
# the tensors that they take as Keras writes them, "dense[0][1]": the second output
# of the first call.
model_nodes <- function(model) {
  data <- environment(model)
  wiring <- wiring_of(model)
  nodes <- graph_nodes(wiring$inputs, wiring$outputs)
  layers <- lapply(nodes, function(node) {
    if (node$kind != "input") return(node$layer)
    Find(function(layer) layer$class_name == "InputLayer" && layer$output$row == node$row, data$stack)
  })
  named <- !vapply(layers, is.null, NA)
  names <- vapply(nodes, function(node) node$op, "")
  names[named] <- vapply(layers[named], function(layer) layer$name, "")
  names[!named] <- make.unique(c(unique(names[named]), names[!named]), "_")[-seq_along(unique(names[named]))]
  rows <- vapply(nodes, function(node) node$row, 1L)
  calls <- mapply(call_number, nodes, layers, MoreArgs = list(record = record_of(wiring$outputs[[1]])))
  Map(function(node, layer, name) {
    at <- match(node$parents, rows)
    node$from <- sprintf("%s[%d][%d]", names[at], calls[at], node$tensors)
    node["layer"] <- list(layer)
    c(node, list(name = name))
  }, nodes, layers, names)
}

# Which call of its layer, in any model, a node is; from 0.
call_number <- function(node, layer, record) {
  if (node$kind != "layer") return(0L)
  calls <- vapply(nodes_of(layer), function(n) {
    made_in <- record_of(n$outputs[[1]])
    if (identical(made_in, record)) source_row(n$outputs[[1]]$row, record$rows, integer()) else NA_integer_
  }, 1L)
  max(match(node$row, calls, nomatch = 1L) - 1L, 0L)
}

# Nodes far from the outputs first, a layer at its deepest call; at equal depth as
# one meets them from the outputs.
in_keras_order <- function(nodes, outputs) {
  rows <- vapply(nodes, function(node) node$row, 1L)
  parents <- lapply(nodes, function(node) match(node$parents, rows))
  # Calls of one layer count as one.
  layer <- vapply(nodes, function(node) if (node$kind == "layer") node$slot else -node$row, 1L)
  layer <- match(layer, unique(layer))
  depth <- integer(length(nodes))
  deepest <- integer(length(nodes))
  for (i in rev(seq_along(nodes))) {
    deepest[layer[i]] <- depth[i] <- max(depth[i], deepest[layer[i]])
    depth[parents[[i]]] <- pmax(depth[parents[[i]]], depth[i] + 1L)
  }
  met <- rep(length(nodes) + 1L, length(nodes))
  seen <- logical(length(nodes))
  todo <- match(outputs, rows)
  while (length(todo)) {
    i <- todo[[1]]
    todo <- todo[-1]
    if (seen[i]) next
    seen[i] <- TRUE
    met[layer[i]] <- min(met[layer[i]], sum(seen))
    todo <- c(parents[[i]], todo)
  }
  nodes <- Map(function(node, depth) c(node, list(depth = depth)), nodes, depth)
  nodes[order(-deepest[layer], met[layer], rows)]
}
