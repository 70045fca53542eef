#' Show a model
#'
#' `summary()` prints the layers of a model with their output shapes and numbers of parameters; `print()` shows the same,
#' `format()` returns the lines. `None` is a dimension that the data decide, as a rule the number of samples.
#'
#' Where the graph is not a chain, a column "Connected to" says where the tensors come from: `dense[1][0]` is the first
#' output (0) of the second call (1) of layer `dense`, calls in other models included. Operations between layers have
#' rows of their own then.
#'
#' The output shape of a layer that makes tensors of different shapes in several calls is `multiple`.
#'
#' A column "Trainable" appears when a layer with weights is frozen, see [freeze_weights()]. A model that has not been
#' built has neither shapes nor parameters yet: it lists its layers and says how it is built.
#'
#' Text that does not fit its column is continued on the next line, unless other columns have room to spare.
#'
#' @param object,x A model, or, for `print()` and `format()`, a layer.
#' @param line_length Width of the table in characters.
#' @param positions Ends of the columns: fractions of `line_length`, or numbers of characters. `NULL` for the default.
#' @param ... Arguments of `summary()`, for `print()` and `format()` of a model. Otherwise not used.
#'
#' @return `format()`: a character vector, one element a line. `summary()`: the same, invisibly. `print()`: `x`,
#'   invisibly.
#' @section Errors: `convnet_error_argument` for a `line_length` below 20 and for `positions` that are not increasing
#'   numbers, one for each column.
#' @seealso [plot.keras_model()] for a picture, [count_params()]
#' @family models
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
#'   layer_conv_2d(16, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
#'   layer_conv_2d_transpose(1, kernel_size = 3, strides = 2, padding = "same")
#' summary(model)
#' summary(model, line_length = 60)
#'
#' model$layers[[2]]
summary.keras_model <- function(object, line_length = getOption("width"), positions = NULL, ...) {
  lines <- format(object, line_length = line_length, positions = positions)
  cat(lines, sep = "\n")
  invisible(lines)
}

#' @rdname summary.keras_model
#' @export
print.keras_model <- function(x, ...) {
  summary(x, ...)
  invisible(x)
}

#' @rdname summary.keras_model
#' @export
format.keras_model <- function(x, line_length = getOption("width"), positions = NULL, ...) {
  check_counts(line_length, "line_length", lower = 20)
  parts <- model_parts(x)
  field <- function(name) unname(lapply(parts, function(part) part[[name]]))
  columns <- list("Layer (type)" = unlist(field("title")), "Output Shape" = unlist(field("shape")),
                  "Param #" = unlist(field("parameters")))
  graph <- inherits(x, "keras_model_functional") && !is_chain(parts)
  if (graph) columns[["Connected to"]] <- field("from")
  # Keras gives the last column 11 characters.
  frozen <- any(unlist(field("frozen")))
  width <- line_length - if (frozen) 11L else 0L
  default <- if (graph) c(0.33, 0.55, 0.67, 1) else c(0.45, 0.85, 1)
  ends <- column_ends(columns, width, positions %||% default, fixed = !is.null(positions))
  if (frozen) {
    columns$Trainable <- ifelse(unlist(field("trainable")), "Y", "N")
    ends <- c(ends, ends[length(ends)] + 11L)
  }
  c(sprintf("Model: \"%s\"", x$name), format_table(columns, ends), parameter_totals(x), rule("_", max(ends)))
}

#' @rdname summary.keras_model
#' @export
format.keras_layer <- function(x, ...) {
  shapes <- if (!is.null(x$output_shape)) {
    sprintf(", %s -> %s", format_shapes(x$input_shape), format_shapes(x$output_shape))
  }
  state <- if (!x$built) "not built" else {
    n <- count_params(x)
    paste0(big_count(n), if (n == 1) " parameter" else " parameters", if (n > 0 && !x$trainable) ", frozen")
  }
  paste0("<layer ", x$name, ": ", x$class_name, shapes, ", ", state, ">")
}

#' @rdname summary.keras_model
#' @export
print.keras_layer <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

# What the table has a row for: layers and, in a graph, operations between them.
model_parts <- function(model) {
  if (!inherits(model, "keras_model_functional")) {
    return(lapply(model$layers, layer_part, traced = if (!is_graph(model) && is_wired(model)) traced_calls(model)))
  }
  parts <- list()
  for (node in model_nodes(model)) {
    part <- parts[[node$name]] %||% if (is.null(node$layer)) operation_part(node) else layer_part(node$layer)
    part$from <- c(part$from, node$from)
    part$calls <- part$calls + 1L
    parts[[node$name]] <- part
  }
  parts
}

# traced: calls of layers in a trace.
layer_part <- function(layer, traced = NULL) {
  list(title = sprintf("%s (%s)", layer$name, layer$class_name), shape = shapes_made(layer, traced),
       parameters = if (layer$built) plain_count(count_params(layer)) else "?", from = character(), calls = 0L,
       frozen = !layer$trainable && length(layer$weights) > 0L, trainable = layer$trainable)
}

# Those of its calls; of calls inside a function of the user's only a trace knows.
shapes_made <- function(layer, traced) {
  shapes <- c(lapply(nodes_of(layer), function(node) shapes_of(node$outputs)),
              lapply(Filter(function(call) identical(call$layer, layer), traced), function(call) call$shapes))
  shapes <- unique(vapply(shapes, format_shapes, ""))
  if (length(shapes) == 0) "?" else if (length(shapes) > 1) "multiple" else shapes
}

traced_calls <- function(model) {
  wiring <- wiring_of(model)
  trace_outputs(wiring$inputs, wiring$outputs, FALSE)$trace$calls
}

operation_part <- function(node) {
  list(title = sprintf("%s (operation)", node$name), shape = format_shapes(single_tensor(node$shapes)),
       parameters = "0", from = character(), calls = 0L, frozen = FALSE, trainable = TRUE)
}

# Whether each part takes what the one before it gives, and nothing else.
is_chain <- function(parts) {
  for (i in seq_along(parts)) {
    from <- sub("\\[.*$", "", parts[[i]]$from)
    if (parts[[i]]$calls > 1L || !identical(from, as.character(names(parts)[i - 1L]))) return(FALSE)
  }
  TRUE
}

parameter_totals <- function(model) {
  if (!model$built) {
    return(if (length(model$layers)) {
      c("The model is not built: its shapes and parameters follow from the data.",
        "Give the first layer an `input_shape`, or train the model.")
    } else "The model has no layers.")
  }
  count <- function(weights) big_count(sum(0, vapply(weights, count_params, 0)))
  c(paste("Total params:", count(model$weights)),
    paste("Trainable params:", count(model$trainable_weights)),
    paste("Non-trainable params:", count(model$non_trainable_weights)))
}

plain_count <- function(n) sprintf("%.0f", n)

big_count <- function(n) prettyNum(plain_count(n), big.mark = ",")

# One shape, a list of them for several tensors, or none.
format_shapes <- function(shapes) {
  if (is.null(shapes)) return("?")
  if (!is.list(shapes)) return(format_shape(shapes))
  sprintf("[%s]", paste(vapply(shapes, format_shape, ""), collapse = ", "))
}

# Tables in Keras's style: a named list of columns, each a character vector or, for cells of several lines, a list of
# them; columns end at the positions `ends`.
format_table <- function(columns, ends) {
  rows <- lapply(seq_along(columns[[1L]]), function(i) {
    format_row(lapply(columns, function(column) column[[i]]), ends)
  })
  last <- length(rows)
  rows <- Map(function(row, i) c(row, rule(if (i == last) "=" else "_", max(ends))), rows, seq_along(rows))
  c(rule("_", max(ends)), format_row(as.list(names(columns)), ends), rule("=", max(ends)), unlist(rows))
}

format_row <- function(cells, ends) {
  widths <- diff(c(0L, ends))
  # The last character of a column is a space.
  cells <- Map(function(text, width) as.character(unlist(lapply(text, wrap_cell, width - 1L))), cells, widths)
  lines <- lapply(cells, `length<-`, max(lengths(cells)))
  padded <- Map(function(text, width) formatC(ifelse(is.na(text), "", text), width = -width), lines, widths)
  do.call(paste0, unname(padded))
}

# Broken at spaces; a word that is too long, anywhere.
wrap_cell <- function(text, width) {
  if (nchar(text) <= width) return(text)
  words <- strsplit(text, " ", fixed = TRUE)[[1L]]
  pieces <- unlist(lapply(words, function(word) {
    at <- seq(1L, max(nchar(word), 1L), by = width)
    substring(word, at, at + width - 1L)
  }))
  Reduce(function(lines, piece) {
    joined <- paste(lines[length(lines)], piece)
    if (nchar(joined) <= width) c(lines[-length(lines)], joined) else c(lines, piece)
  }, pieces[-1L], pieces[1L])
}

# Ends of columns from fractions of the width. A column too narrow for its text takes room from the others, unless the
# user fixed the positions or there is not enough for all.
column_ends <- function(columns, width, positions, fixed) {
  if (length(positions) != length(columns) || is.unsorted(positions, strictly = TRUE) || positions[1L] <= 0) {
    abort_argument("`positions` does not describe the columns.",
      expected = sprintf("%d increasing numbers", length(columns)), received = describe(positions))
  }
  ends <- as.integer(floor(if (max(positions) <= 1) positions * width else positions))
  needed <- mapply(function(name, cells) max(nchar(c(name, unlist(cells)))) + 1L, names(columns), columns)
  widths <- diff(c(0L, ends))
  if (fixed || all(needed <= widths) || sum(needed) > max(ends)) return(ends)
  spare <- max(ends) - sum(needed)
  share <- pmax(widths - needed, 0L)
  widths <- needed + floor(spare * share / sum(share))
  as.integer(c(cumsum(widths)[-length(widths)], max(ends)))
}

rule <- function(mark, width) strrep(mark, width)
