#' Apply a layer to every step
#'
#' @inheritParams layer_dense
#' @param layer A layer or model for one step, `(samples, ...)`. Its weights are those of the wrapper.
#' @section Input shape: `(samples, steps, ...)`; both may be unknown.
#' @section Output shape: `(samples, steps, ...)`, where the layer makes `(samples, ...)` of a step.
#' @section Errors: `convnet_error_argument` when `layer` is not a layer, `convnet_error_shape` for inputs without steps
#'   or with steps that the layer does not take.
#' @return A layer, model or tensor, as [layer_dense()].
#' @family recurrent layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 8, 8, 1)) %>%
#'   time_distributed(layer_conv_2d(filters = 2, kernel_size = 3))
#' model$output_shape
#' @export
time_distributed <- function(object, layer, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                             dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("TimeDistributed", object, layer_args())
}

register_layer_class(
  "TimeDistributed",
  supports_masking = TRUE,
  init = function(args) {
    check_layer(args$layer, "layer")
    args
  },
  build = function(self, input_shape) {
    if (length(input_shape) < 2) {
      abort_shape("The input has no steps.", expected = "shape (samples, steps, ...)",
                  received = paste("shape", format_shape(input_shape)))
    }
    self$layer <- self$layer  # its weights are weights of this layer
    build_instance(self$layer, c(NA, input_shape[-(1:2)]))
  },
  call = function(self, inputs) {
    if (anyNA(inputs$shape[-(1:2)])) {
      return(k_rnn(function(now, states) list(self$layer(now), list()), inputs, list())$outputs)
    }
    outputs <- self$layer(merge_steps(inputs))
    if (is.list(outputs)) lapply(outputs, unmerge_steps, inputs) else unmerge_steps(outputs, inputs)
  }
)
