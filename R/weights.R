#' Weights of a layer or model
#'
#' @param object A layer or model.
#' @param weights A list of arrays, in the order and with the shapes that
#'   `get_weights()` returns.
#' @param trainable Only the trainable (`TRUE`) or the other (`FALSE`) weights;
#'   `NA` for all.
#' @return `get_weights()` a list of arrays, copies of the weights; kernels of
#'   convolutions are `(rows, columns, in, out)`, those of transposed
#'   convolutions `(rows, columns, out, in)`. `set_weights()` the object,
#'   changed in place, invisibly.
#' @section Errors: `convnet_error_weights` when the number of arrays or a shape
#'   differs; nothing is changed then.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' set_weights(model, list(matrix(c(1, 2), 2), 0.5))
#' get_weights(model)
#' predict(model, matrix(c(1, 1), 1))
#' @export
get_weights <- function(object, trainable = NA) {
  lapply(chosen_weights(object, trainable), function(weight) {
    value <- variable_value(weight)
    if (is.null(dim(value))) dim(value) <- length(value)
    value
  })
}

chosen_weights <- function(object, trainable) {
  check_layer(object)
  if (identical(trainable, NA)) object$weights
  else if (check_flag(trainable, "trainable")) object$trainable_weights
  else object$non_trainable_weights
}

#' @rdname get_weights
#' @export
set_weights <- function(object, weights) {
  check_layer(object)
  variables <- object$weights
  with_where(label_of(object), {
    if (!is.list(weights)) {
      abort_weights("`weights` must be a list of arrays.", expected = "a list",
                    received = describe(weights))
    }
    if (length(weights) != length(variables)) {
      abort_weights("`weights` has another number of arrays.", expected = length(variables),
                    received = length(weights),
                    remedy = if (object$built) "get_weights() shows what is expected."
                             else "Build it first: give it an input_shape or data.")
    }
    Map(check_variable_value, variables, weights)
  })
  Map(set_variable, variables, weights)
  invisible(object)
}

#' Number of parameters
#'
#' @param object A layer, model or variable.
#' @return The number of weights, trainable or not.
#' @section Errors: `convnet_error_argument` where a layer or model has not been built.
#' @family models
#' @examples
#' model <- keras_model_sequential() %>% layer_conv_2d_transpose(2, 3, input_shape = c(8, 8, 4))
#' count_params(model)
#' @export
count_params <- function(object) {
  if (is_variable(object)) return(prod(object$shape))
  check_layer(object)
  if (!object$built) {
    abort_argument("The parameters are not known yet.", where = label_of(object),
                   expected = "a layer or model that has been built",
                   remedy = "Give the first layer an input_shape, or call it on data.")
  }
  sum(0, vapply(object$weights, function(w) prod(w$shape), 0))
}

#' Freeze and unfreeze layers
#'
#' A frozen layer keeps its weights; a frozen batch normalization also uses its
#' moving statistics. Compile the model afterwards: [compile()] takes note of
#' which weights are trained.
#'
#' @param object A model or layer.
#' @param from,to Names or positions (from 1) of the first and last layer to
#'   change; all layers when `NULL`.
#' @param which Instead of `from` and `to` the layers to change: names, positions, truth values, or a function of a layer
#'   that returns `TRUE` or `FALSE`.
#' @return The object, changed in place, invisibly.
#' @section Errors: `convnet_error_argument` when there is no such layer.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>%
#'   layer_dense(3, name = "base") %>%
#'   layer_dense(2, name = "head")
#' freeze_weights(model, to = "base")
#' length(model$trainable_weights)
#' unfreeze_weights(model)
#' length(model$trainable_weights)
#' @export
freeze_weights <- function(object, from = NULL, to = NULL, which = NULL) {
  set_trainable(object, from, to, which, FALSE)
}

#' @rdname freeze_weights
#' @export
unfreeze_weights <- function(object, from = NULL, to = NULL, which = NULL) {
  set_trainable(object, from, to, which, TRUE)
}

set_trainable <- function(object, from, to, which, trainable) {
  check_layer(object)
  if (!is.null(which)) {
    if (!is.null(from) || !is.null(to)) {
      abort_argument("`which` stands alone.", where = label_of(object), expected = "`which`, or `from` and `to`")
    }
    for (layer in chosen_layers(object, which)) layer$trainable <- trainable
    return(invisible(object))
  }
  if (is.null(from) && is.null(to) || !is_model(object)) {
    object$trainable <- trainable
    return(invisible(object))
  }
  layers <- object$layers
  if (length(layers) == 0) return(invisible(object))
  first <- position(get_layer(object, from %||% 1), layers)
  last <- position(get_layer(object, to %||% length(layers)), layers)
  for (layer in layers[first:max(first, last)]) layer$trainable <- trainable
  invisible(object)
}

chosen_layers <- function(model, which) {
  check_model(model)
  layers <- model$layers
  if (is.function(which)) which <- vapply(layers, function(layer) check_flag(which(layer), "which"), NA)
  if (is.logical(which)) {
    if (length(which) != length(layers) || anyNA(which)) {
      abort_argument("`which` does not fit the model.", where = label_of(model),
                     expected = paste(length(layers), "truth values, one for each layer"), received = describe(which))
    }
    return(layers[which])
  }
  lapply(which, function(one) get_layer(model, one))
}
