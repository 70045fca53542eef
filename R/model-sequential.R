#' A sequential model
#'
#' A stack of layers, to which `%>%` (or `|>`) adds in place: the model on the
#' left is changed, whether or not the result is assigned.
#'
#' @param layers A list of layers to begin with.
#' @param name Name of the model; made up (`"sequential"`, `"sequential_1"`, ...)
#'   when `NULL`.
#' @param input_shape Shape of the input without the sample dimension, for
#'   example `c(28, 28, 1)`. Without it, and without a first layer that has one,
#'   the model is built when it first sees data.
#' @param batch_input_shape Shape including the sample dimension, `NA` or `NULL`
#'   for any number of samples.
#' @param dtype Element type of the input, [k_floatx()] when `NULL`.
#' @return A model: a function of tensors or arrays with fields such as
#'   `model$layers`, `model$weights`, `model$input_shape`.
#' @section Errors: `convnet_error_argument` when `layers` holds something that
#'   is not a layer, or two layers have one name; `convnet_error_shape` when a
#'   layer does not fit on the one before. The model stays as it was.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = c(7, 7, 8)) %>%
#'   layer_conv_2d_transpose(4, kernel_size = 3, strides = 2, padding = "same",
#'                           activation = "relu") %>%
#'   layer_flatten() %>%
#'   layer_dense(10, activation = "softmax")
#' model
#' @export
keras_model_sequential <- function(layers = NULL, name = NULL, input_shape = NULL,
                                   batch_input_shape = NULL, dtype = NULL) {
  # keras3 has input_shape first.
  if (is.numeric(layers)) {
    input_shape <- layers
    layers <- NULL
  }
  if (is_layer(layers)) layers <- list(layers)
  if (!is.null(layers) && !is.list(layers)) {
    abort_argument("`layers` must be a list of layers.", expected = "a list", received = describe(layers))
  }
  common <- list(input_shape = input_shape, batch_input_shape = batch_input_shape, dtype = dtype)
  if (!is.null(name)) check_string(name, "name")
  check_common_args(common)
  data <- new.env(parent = topenv())
  data$class_name <- "Sequential"
  data$config <- list()
  data$name <- name %||% auto_name("sequential")
  data$trainable <- TRUE
  data$dtype <- dtype %||% the$floatx
  data$batch_input_shape <- first_shape(common)
  data$stack <- list()
  data$built <- FALSE
  model <- callable(data, c("keras_model_sequential", "keras_model", "keras_layer"))
  for (layer in layers) add_layer(model, layer)
  model
}

model_layers <- function(model) environment(model)$stack

add_layer <- function(model, layer) {
  data <- environment(model)
  if (!is_layer(layer)) {
    abort_argument("Only layers can be added to a model.", where = label_of(model),
                   expected = "a layer or a model", received = describe(layer))
  }
  taken <- vapply(data$stack, function(l) l$name, "")
  # Counting begins anew in each session: the model may come from another one.
  while (layer$name %in% taken && isTRUE(environment(layer)$auto_named) && !layer$built) {
    layer$name <- auto_name(snake_case(layer$class_name))
  }
  if (layer$name %in% taken) {
    abort_argument("Two layers of a model cannot have one name.", where = label_of(model),
                   expected = "a new name", received = paste0("\"", layer$name, "\""),
                   remedy = "Give another `name`, or none.")
  }
  wiring <- list(inputs = data$inputs, outputs = data$outputs)
  if (!is.null(wiring$outputs)) {
    wiring$outputs <- list(layer(wiring$outputs[[1]]))
  } else if (length(data$stack) == 0) {
    shape <- data$batch_input_shape %||% environment(layer)$batch_input_shape
    dtype <- if (is.null(data$batch_input_shape)) environment(layer)$dtype else data$dtype
    if (!is.null(shape)) wiring <- wire(list(layer), shape, dtype)
  }
  data$stack <- c(data$stack, list(layer))
  set_wiring(data, wiring)
  model
}

# Puts layers one after the other on a new input.
wire <- function(layers, shape, dtype) {
  input <- input_row(new_record(), shape, dtype, paste0(layers[[1]]$name, "_input"))
  output <- input
  for (layer in layers) output <- layer(output)
  list(inputs = list(input), outputs = list(output))
}

set_wiring <- function(data, wiring) {
  data$inputs <- wiring$inputs
  data$outputs <- wiring$outputs
  data$built <- !is.null(wiring$outputs)
  data$input_shape <- if (data$built) shapes_of(wiring$inputs)
  data$output_shape <- if (data$built) shapes_of(wiring$outputs)
  data$programs <- NULL
}

# A model without input shape takes it from the first data that it sees; only the
# number of samples stays open.
build_model <- function(model, input_shape) {
  data <- environment(model)
  if (data$built) return(invisible(model))
  if (length(data$stack) == 0) {
    abort_argument("The model has no layers.", where = label_of(model),
                   remedy = "Add layers with %>% before using it.")
  }
  set_wiring(data, wire(data$stack, c(NA, input_shape[-1]), data$dtype))
  if (!is.null(data$compiled)) data$compiled$trainable <- trainable_weights_of(model)
  invisible(model)
}

inline_model <- function(model, inputs, training) {
  data <- environment(model)
  given <- as_input_list(inputs)
  for (i in seq_along(given)) check_shape_fits(given[[i]]$shape, data$inputs[[i]]$shape, model)
  origin <- new_origin(record_of(data$inputs[[1]]), data$inputs, given)
  the$trace$origins <- c(the$trace$origins, list(origin))
  outputs <- with_trace(the$trace, training, lapply(data$outputs, function(t) {
    new_tensor(the$trace, row_in(t, the$trace), t$shape, t$dtype)
  }))
  # The shapes inside follow from what was given, not from what was declared.
  outputs <- lapply(outputs, function(t) {
    row <- the$trace$rows[[t$row]]
    new_tensor(the$trace, t$row, row$shape, row$dtype)
  })
  single_tensor(outputs)
}

check_shape_fits <- function(shape, expected, self) {
  fits <- length(shape) == length(expected) &&
    all(is.na(shape) | is.na(expected) | shape == expected)
  if (!fits) {
    abort_shape("The input does not fit.", where = label_of(self),
                expected = paste("shape", format_shape(expected)),
                received = paste("shape", format_shape(shape)))
  }
}

#' Remove the last layer of a model
#'
#' @param object A sequential model.
#' @return The model, changed in place, invisibly.
#' @section Errors: `convnet_error_argument` when the model has no layers.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>%
#'   layer_dense(3) %>%
#'   layer_dense(2)
#' pop_layer(model)
#' model$output_shape
#' @export
pop_layer <- function(object) {
  check_model(object)
  data <- environment(object)
  n <- length(data$stack)
  if (n == 0) {
    abort_argument("There is no layer to remove.", where = label_of(object),
                   expected = "a model with at least one layer", received = "a model without layers")
  }
  data$stack <- data$stack[-n]
  # Wired anew: nothing of the layer stays in the record, nor in what is saved.
  set_wiring(data, if (n > 1 && data$built) {
    for (layer in data$stack) forget_call(layer)
    wire(data$stack, data$inputs[[1]]$shape, data$inputs[[1]]$dtype)
  })
  invisible(object)
}

forget_call <- function(layer) {
  if (is_model(layer)) return(invisible())
  data <- environment(layer)
  data$inputs <- data$outputs <- data$input_shape <- data$output_shape <- NULL
}

#' Get a layer of a model
#'
#' @param object A model.
#' @param name Name of the layer.
#' @param index Position of the layer, from 1.
#' @return The layer itself, not a copy.
#' @section Errors: `convnet_error_argument` when there is no such layer; the
#'   message lists the ones there are.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(3, name = "first")
#' get_layer(model, "first")
#' get_layer(model, index = 1)
#' @export
get_layer <- function(object, name = NULL, index = NULL) {
  check_model(object)
  layers <- object$layers
  names <- vapply(layers, function(l) l$name, "")
  if (is.numeric(name)) {
    index <- name
    name <- NULL
  }
  if (is.null(name) == is.null(index)) {
    abort_argument("A layer is found by its name or by its index.", where = label_of(object),
                   expected = "one of `name` and `index`")
  }
  at <- if (is.null(index)) match(check_string(name, "name"), names) else check_number(index, "index")
  if (!at %in% seq_along(layers)) {
    abort_argument("There is no such layer.", where = label_of(object),
                   expected = if (length(layers) == 0) "a model with layers"
                              else if (is.null(index)) paste("one of", quoted(names))
                              else paste("an index from 1 to", length(layers)),
                   received = describe(name %||% index), remedy = if (!is.null(name)) suggest(name, names))
  }
  layers[[at]]
}
