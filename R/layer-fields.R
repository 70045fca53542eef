# layer$name, model$layers, ...

#' @export
`$.keras_layer` <- function(x, name) {
  data <- environment(x)
  if (!is.null(data$active[[name]])) return(data$active[[name]]())
  own <- data$methods[[name]]
  if (!is.null(own)) return(own)
  computed <- layer_fields[[name]]
  if (!is.null(computed)) return(computed(x))
  if (exists(name, data, inherits = FALSE)) return(data[[name]])
  config_value(data, name)
}

#' @export
`[[.keras_layer` <- function(x, i, ...) `$.keras_layer`(x, check_string(i, "i"))

#' @export
`$<-.keras_layer` <- function(x, name, value) {
  data <- environment(x)
  if (!is.null(data$active[[name]])) {
    data$active[[name]](value)
    return(x)
  }
  computed <- layer_fields[[name]]
  if (!is.null(computed)) {
    # `model$optimizer$learning_rate <- 0.1` puts the same optimizer back.
    if (identical(computed(x), value)) return(x)
    abort_argument(paste0("`", name, "` cannot be set."), where = label_of(x),
                   remedy = switch(name, weights = "Use set_weights().", optimizer = "Use compile()."))
  }
  if (identical(name, "trainable")) {
    value <- with_where(label_of(x), check_flag(value, "trainable"))
    for (layer in layers_inside(x)) layer$trainable <- value
  }
  if (any(vapply(found_in(value, is_layer), function(layer) is_part_of(x, layer), NA))) {
    abort_argument("A layer cannot be a part of itself.", where = label_of(x), expected = "another layer or model",
                   received = paste0("itself, in `", name, "`"))
  }
  # Layers and variables that a layer of the user's is made of: their weights are its weights.
  is_part <- function(x) is_layer(x) || is_variable(x) && position(x, data$weights) == 0L
  if (length(found_in(value, is_part))) data$assigned <- unique(c(data$assigned, name))
  assign(name, value, envir = data)
  begin_era()
  x
}

#' @export
`[[<-.keras_layer` <- function(x, i, value) `$<-.keras_layer`(x, check_string(i, "i"), value)

#' @importFrom utils .DollarNames
#' @export
.DollarNames.keras_layer <- function(x, pattern = "") {
  data <- environment(x)
  found <- unique(c(names(layer_fields), ls(data), names(data$config), names(data$methods), names(data$active)))
  grep(pattern, found, value = TRUE)
}

# Fields that are computed when asked for.
layer_fields <- list(
  weights = function(self) weights_of(self),
  variables = function(self) weights_of(self),
  trainable_weights = function(self) trainable_weights_of(self),
  trainable_variables = function(self) trainable_weights_of(self),
  non_trainable_weights = function(self) non_trainable_weights_of(self),
  non_trainable_variables = function(self) non_trainable_weights_of(self),
  add_weight = function(self) function(...) add_weight(self, ...),
  add_loss = function(self) function(losses, inputs = NULL) add_losses(self, losses),
  get_weights = function(self) function() get_weights(self),
  set_weights = function(self) function(weights) set_weights(self, weights),
  get_config = function(self) function() get_config(self),
  count_params = function(self) function() count_params(self),
  # As in Python: the first layer has the index 0.
  get_layer = function(self) {
    if (is_model(self)) function(name = NULL, index = NULL) get_layer(self, name, if (!is.null(index)) index + 1)
  },
  layers = function(self) if (is_model(self)) layers_of(self),
  input = function(self) single_tensor(tensors_of(self, "inputs")),
  output = function(self) single_tensor(tensors_of(self, "outputs")),
  inputs = function(self) tensors_of(self, "inputs"),
  outputs = function(self) tensors_of(self, "outputs"),
  input_names = function(self) if (is_model(self)) input_names(self),
  output_names = function(self) if (is_model(self)) output_names(self),
  optimizer = function(self) environment(self)$compiled$optimizer
)

non_trainable_weights_of <- function(self) {
  trainable <- trainable_weights_of(self)
  Filter(function(w) position(w, trainable) == 0L, weights_of(self))
}

# The layers of a model, which know of their calls in it.
layers_of <- function(model) {
  wiring_of(model)
  layers_inside(model)
}

# What a model computes from what; the same of the only call of a layer.
tensors_of <- function(self, which) {
  nodes <- nodes_of(self)
  if (length(nodes) > 1 && !is_model(self)) {
    abort_argument(paste0("`", sub("s$", "", which), "` is not clear: the layer has been called several times."),
                   where = label_of(self), expected = "a layer that has been called once",
                   received = count_of(length(nodes), "call"),
                   remedy = sprintf("Say which call: get_%s_at(layer, 1).", sub("s$", "", which)))
  }
  if (length(nodes)) nodes[[1]][[which]]
}

single_tensor <- function(tensors) if (length(tensors) == 1) tensors[[1]] else tensors
