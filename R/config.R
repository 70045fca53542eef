#' Configuration of a layer or model
#'
#' Plain data from which a layer or model like this one can be made again, with
#' new weights.
#'
#' @param object A layer or model.
#' @param config What `get_config()` returned. That of a functional model has its graph as a table of rows beside the
#'   configurations of the layers.
#' @return `get_config()` a list; `from_config()` a new layer or model.
#' @section Errors: `convnet_error_argument` where `object` is no layer or model, or
#'   `config` is not what `get_config()` returned.
#' @family models
#' @examples
#' layer <- layer_conv_2d_transpose(filters = 4, kernel_size = 3, strides = 2)
#' config <- get_config(layer)
#' config$filters
#' same <- from_config(config)
#' @export
get_config <- function(object) {
  check_layer(object)
  data <- environment(object)
  config <- if (inherits(object, "keras_model_custom")) {
    own <- own_config(object)
    list(name = data$name, trainable = data$trainable, arguments = own[setdiff(names(own), common_args)])
  } else if (inherits(object, "keras_model_functional")) {
    list(name = data$name, trainable = data$trainable, layers = lapply(object$layers, get_config),
         graph = graph_config(object))
  } else if (is_model(object)) {
    list(name = data$name, trainable = data$trainable, dtype = data$dtype,
         batch_input_shape = data$batch_input_shape %||% model_input_shape(object),
         layers = lapply(object$layers, get_config))
  } else {
    lapply(own_config(object), config_of_value)
  }
  structure(config, class_name = data$class_name, definition = data$definition,
            custom_model = if (inherits(object, "keras_model_custom")) TRUE)
}

# What a layer was made with.
given_config <- function(layer) {
  data <- environment(layer)
  c(list(name = data$name, trainable = data$trainable, dtype = data$dtype, batch_input_shape = data$batch_input_shape),
    config_values(data))
}

# The same, or what a method of the user's returns; that need not name what all layers have.
own_config <- function(layer) {
  given <- given_config(layer)
  method <- environment(layer)$methods$get_config
  if (is.null(method)) return(given)
  own <- with_where(label_of(layer), with_user_code("get_config()", method()))
  with_where(label_of(layer), check_args(own, "get_config()"))
  c(given[setdiff(intersect(names(given), common_args), names(own))], own)
}

# Layers among the arguments of a layer are made again with it.
config_of_value <- function(x) {
  if (is_layer(x)) get_config(x)
  else if (is.list(x) && !is.object(x)) lapply(x, config_of_value)
  else x
}

value_of_config <- function(x) {
  if (!is.null(attr(x, "class_name")) && is.list(x)) from_config(x)
  else if (is.list(x) && !is.object(x)) lapply(x, value_of_config)
  else x
}

# Of a model that took its shape from data: its copies are built, too.
model_input_shape <- function(model) {
  first <- if (length(model$layers)) environment(model$layers[[1]])
  if (isTRUE(environment(model)$built) && is.null(first$batch_input_shape)) model$input_shape
}

#' @rdname get_config
#' @export
from_config <- function(config) {
  class_name <- attr(config, "class_name")
  if (is.null(class_name)) {
    abort_argument("This is not the configuration of a layer or model.",
                   expected = "what get_config() returns", received = describe(config))
  }
  if (class_name == "Sequential") {
    model <- keras_model_sequential(lapply(config$layers, from_config), name = config$name,
                                    batch_input_shape = config$batch_input_shape,
                                    dtype = config$dtype)
    environment(model)$trainable <- config$trainable
    return(model)
  }
  if (!is.null(config$graph)) return(model_from_config(config))
  if (isTRUE(attr(config, "custom_model"))) return(custom_model_from_config(config))
  new_layer(attr(config, "definition") %||% class_name, lapply(config[seq_along(config)], value_of_config))
}

#' Copy a model with new weights
#'
#' `m2 <- m` gives one model a second name; `clone_model()` makes another model of
#' the same layers, freshly initialised and not compiled: one for each fold of a
#' cross-validation, say.
#'
#' @param model A model.
#' @param input_tensors Tensors to use as the inputs of the copy of a functional
#'   model; new ones when `NULL`. Not used for sequential models.
#' @return A new model. Copy the weights with
#'   `set_weights(copy, get_weights(model))`.
#' @section Errors: `convnet_error_argument` where `model` is not a model, or
#'   `input_tensors` are not as many as its inputs.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(3)
#' copy <- clone_model(model)
#' identical(get_weights(copy), get_weights(model))
#' @export
clone_model <- function(model, input_tensors = NULL) {
  check_model(model, "model")
  config <- get_config(model)
  if (is.null(input_tensors) || is.null(config$graph)) return(from_config(config))
  model_from_config(config, in_order(as_list(input_tensors), input_names(model), "input_tensors", "tensor"))
}

# A configuration as an instance keeps it: symbols in the place of names, words and classes. A file has each symbol once,
# and a word as often as it is there: words would be a quarter of what a file holds beside the weights. What would not
# come back as it was stays a list.
packed <- function(config) {
  compact <- pack(config)
  if (identical(unpack(compact), config)) compact else config
}

config_values <- function(data) if (is.pairlist(data$config)) unpack(data$config) else data$config

config_value <- function(data, name) {
  if (is.pairlist(data$config)) unpack(data$config[[name]]) else data$config[[name]]
}

pack <- function(x) {
  if (is_string(x) && nchar(x, "bytes") %in% 1:100 && Encoding(x) == "unknown") return(as.name(x))
  if (!is.list(x) || length(x) == 0 || !all(nzchar(names(x) %||% ""))) return(x)
  compact <- as.pairlist(lapply(unclass(x), pack))
  if (is.object(x)) attr(compact, "of") <- lapply(oldClass(x), as.name)
  compact
}

unpack <- function(x) {
  if (is.symbol(x)) return(as.character(x))
  if (is.null(x) || !is.pairlist(x)) return(x)
  structure(lapply(as.list(x), unpack), class = unlist(lapply(attr(x, "of"), as.character)))
}
