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
  model <- new_model("Sequential", name %||% auto_name("sequential"), dtype %||% the$floatx, "keras_model_sequential")
  environment(model)$batch_input_shape <- first_shape(common)
  for (layer in layers) add_layer(model, layer)
  model
}

add_layer <- function(model, layer) {
  data <- environment(model)
  if (!is_layer(layer)) {
    abort_argument("Only layers can be added to a model.", where = label_of(model),
                   expected = "a layer or a model", received = describe(layer))
  }
  if (is_part_of(model, layer)) {
    abort_argument("A model cannot be a layer of itself.", where = label_of(model),
                   expected = "another model or a layer", received = label_of(layer))
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
  wiring <- wiring_of(model)
  if (!is.null(wiring$outputs)) {
    wiring$outputs <- as_list(layer(single_tensor(wiring$outputs)))
  } else if (length(data$stack) == 0) {
    shape <- data$batch_input_shape %||% environment(layer)$batch_input_shape %||% if (is_model(layer)) layer$input_shape
    dtype <- if (is.null(data$batch_input_shape)) environment(layer)$dtype else data$dtype
    if (!is.null(shape)) wiring <- wire(list(layer), shape, dtype)
  }
  data$stack <- c(data$stack, list(layer))
  set_wiring(model, wiring)
  model
}

is_part_of <- function(x, layer) {
  identical(x, layer) || any(vapply(layers_inside(layer), function(l) is_part_of(x, l), NA))
}

# Puts layers one after the other on new inputs: one shape, or a list of them.
wire <- function(layers, shapes, dtype) {
  shapes <- as_list(shapes)
  names <- paste0(layers[[1]]$name, "_input")
  if (length(shapes) > 1) names <- paste0(names, "_", seq_along(shapes))
  inputs <- Map(function(shape, name) input_row(new_record(), shape, dtype, name), shapes, names)
  output <- single_tensor(unname(inputs))
  for (layer in layers) output <- layer(output)
  list(inputs = unname(inputs), outputs = as_list(output))
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
  set_wiring(object, if (n > 1 && data$built) {
    input <- wiring_of(object)$inputs[[1]]
    for (layer in data$stack) forget_calls(layer, record_of(input))
    wire(data$stack, input$shape, input$dtype)
  })
  invisible(object)
}

forget_calls <- function(layer, record) {
  data <- environment(layer)
  kept <- Filter(function(node) !identical(record_of(node$outputs[[1]]), record), calls_of(data))
  set_calls(data, kept)
  if (!is_model(layer) && length(kept) == 0) data$input_shape <- data$output_shape <- NULL
}
