#' A model from tensors
#'
#' The model that computes `outputs` from `inputs`: any graph of layers, models used as layers, and operations between
#' them. Layers that are called several times share their weights.
#'
#' @details
#' The order of several inputs and outputs is that of the lists. Data for them are lists in this order, or lists with
#' names: those of `inputs` and `outputs` if these have names, else those of the input layers and of the layers that the
#' outputs come from.
#'
#' @param inputs A symbolic tensor, as a rule from [layer_input()], or a list of them. Tensors inside a graph can be
#'   inputs, too: the model begins there.
#' @param outputs A tensor computed from `inputs`, or a list of them.
#' @param name Name of the model; made up (`"model"`, `"model_1"`, ...) when `NULL`.
#' @return A model: a function of tensors or arrays with fields such as `model$layers` (the input layers among them),
#'   `model$input`, `model$output`, `model$weights`.
#' @section Errors: `convnet_error_argument` when something is not a tensor, an input is listed twice, the outputs
#'   depend on an input that is not listed, or two layers have one name.
#' @family models
#' @examples
#' image <- layer_input(shape = c(28, 28, 1), name = "image")
#' angle <- layer_input(shape = 1, name = "angle")
#' features <- image %>%
#'   layer_conv_2d(8, kernel_size = 3, strides = 2, activation = "relu") %>%
#'   layer_flatten()
#' class <- layer_dense(features, 10, activation = "softmax", name = "class")
#' size <- layer_dense(features * angle, 1, name = "size")
#' model <- keras_model(list(image, angle), list(class, size))
#' model
#'
#' model %>% compile(loss = list(class = "categorical_crossentropy", size = "mse"))
#'
#' # The output of an inner layer.
#' extractor <- keras_model(image, features)
#' dim(predict(extractor, array(0, c(2, 28, 28, 1))))
#' @export
keras_model <- function(inputs, outputs = NULL, name = NULL) {
  if (!is.null(name)) check_string(name, "name")
  inputs <- model_tensors(inputs, "inputs")
  outputs <- model_tensors(outputs, "outputs")
  recording_for(c(inputs, outputs))  # brings them into one record
  if (anyDuplicated(vapply(inputs, function(t) t$row, 1L))) {
    abort_argument("An input is listed twice.", expected = "different tensors as `inputs`",
                   received = paste(vapply(inputs, format, ""), collapse = ", "))
  }
  nodes <- graph_nodes(inputs, outputs)
  model <- new_model("Model", name %||% auto_name("model"), class = "keras_model_functional")
  data <- environment(model)
  data$stack <- graph_layers(nodes, inputs)
  check_layer_names(data$stack, model)
  data$given_input_names <- names(inputs)
  data$given_output_names <- names(outputs)
  set_wiring(model, list(inputs = unname(inputs), outputs = unname(outputs)))
  model
}

# The graph as plain data: rows like those of a record, inputs first. Layers are
# positions in `layers`; variables are values, or weights of a layer.
graph_config <- function(model) {
  names <- vapply(wiring_of(model)$inputs, source_name, "", model$layers)
  data <- environment(model)
  graph <- data$graph
  rows <- lapply(rows_of_graph(graph, 0L), function(row) {
    row$id <- NULL
    if (row$op == "input") row <- c(row[c("op", "shape", "dtype")], name = names[[row$slot]])
    if (row$op == "variable") {
      row <- c(row[c("op", "inputs", "shape", "dtype")], variable_config(graph$variables[[row$slot]], data$stack))
    }
    row
  })
  list(rows = rows, inputs = seq_along(names), outputs = graph$outputs,
       input_names = data$given_input_names, output_names = data$given_output_names)
}

# A weight of a layer of the model, or a variable of its own.
variable_config <- function(variable, layers) {
  for (i in seq_along(layers)) {
    weight <- position(variable, layers[[i]]$weights)
    if (weight > 0) {
      return(list(slot = i, weight = weight, build_shape = environment(layers[[i]])$build_input_shape))
    }
  }
  list(value = k_get_value(variable), name = variable$name)
}

# A model of new layers from what get_config() returned; inputs: tensors to use.
model_from_config <- function(config, inputs = NULL) {
  layers <- lapply(config$layers, from_config)
  graph <- config$graph
  given <- graph$rows[graph$inputs]
  inputs <- inputs %||% lapply(given, function(row) input_row(new_record(), row$shape, row$dtype, row$name))
  record <- recording_for(inputs)
  rows <- lapply(graph$rows, function(row) {
    if (row$op == "variable") row$slot <- slot_of(record, "variables", variable_from_config(row, layers))
    row
  })
  origin <- new_origin(list(rows = rows, layers = layers, variables = record$variables),
                       lapply(graph$inputs, function(i) list(row = i)), inputs)
  with_trace(NULL, FALSE, replay(origin, graph$outputs, record))
  outputs <- lapply(graph$outputs, function(i) origin$tensors[[as.character(i)]])
  model <- keras_model(stats::setNames(inputs, graph$input_names), stats::setNames(outputs, graph$output_names),
                       name = config$name)
  environment(model)$trainable <- config$trainable
  model
}

variable_from_config <- function(row, layers) {
  if (is.null(row$weight)) return(new_variable(row$value, row$shape, row$dtype, row$name))
  layer <- layers[[row$slot]]
  build_instance(layer, row$build_shape)
  layer$weights[[row$weight]]
}

# A list of symbolic tensors.
model_tensors <- function(x, arg) {
  x <- as_list(x)
  for (tensor in x) {
    if (!is_tensor(tensor) || is_constant(tensor) || is_variable(tensor)) {
      abort_argument(paste0("`", arg, "` must be symbolic tensors."),
                     expected = if (arg == "inputs") "tensors from layer_input()" else "tensors computed from `inputs`",
                     received = describe(tensor))
    }
  }
  if (length(x) == 0) {
    abort_argument(paste0("A model needs `", arg, "`."), expected = "a tensor or a list of tensors",
                   received = "none")
  }
  if (!is.null(names(x)) && (!all(nzchar(names(x))) || anyDuplicated(names(x)))) {
    abort_argument(paste0("The names of `", arg, "` must be different."), expected = "a name for each, or no names",
                   received = quoted(names(x)))
  }
  x
}

# The layers of a graph in its order, with a layer for each input.
graph_layers <- function(nodes, inputs) {
  layers <- lapply(nodes, function(node) {
    if (node$kind == "input") input_layer(Find(function(t) t$row == node$row, inputs)) else node$layer
  })
  unique_objects(Filter(Negate(is.null), layers))
}

input_layer <- function(tensor) {
  name <- record_of(tensor)$rows[[tensor$row]]$name
  layer <- new_layer("InputLayer", list(name = name %||% input_name(), batch_input_shape = tensor$shape,
                                        dtype = tensor$dtype))
  environment(layer)$built <- TRUE
  add_node(layer, list(tensor), list(tensor))
  layer
}

register_layer_class("InputLayer", call = function(self, inputs) inputs)

# Names that were made up give way: counting begins anew in each session.
check_layer_names <- function(layers, model) {
  taken <- character()
  for (layer in layers) {
    data <- environment(layer)
    while (data$name %in% taken && isTRUE(data$auto_named)) data$name <- auto_name(snake_case(data$class_name))
    if (data$name %in% taken) {
      abort_argument("Two layers of a model cannot have one name.", where = label_of(model),
                     expected = "different names", received = quoted(data$name),
                     remedy = "Give one of them another `name`.")
    }
    taken <- c(taken, data$name)
  }
}
