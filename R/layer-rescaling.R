#' Scale and shift values
#'
#' `inputs * scale + offset`: `scale = 1 / 255` brings grey values into `[0, 1]`, inside the model and so wherever it goes.
#'
#' @inheritParams layer_dense
#' @param scale,offset Numbers, or vectors with one number a channel (the last axis).
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_argument` when `scale` or `offset` is not numeric.
#' @family preprocessing layers
#' @examples
#' layer <- layer_rescaling(scale = 1 / 127.5, offset = -1)
#' layer(matrix(c(0, 127.5, 255), 1))
#' @export
layer_rescaling <- function(object, scale, offset = 0, input_shape = NULL, batch_input_shape = NULL,
                            batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("Rescaling", object, layer_args())
}

register_layer_class(
  "Rescaling",
  supports_masking = TRUE,
  init = function(args) {
    for (arg in c("scale", "offset")) {
      value <- unlist(args[[arg]])
      if (!is.numeric(value) || length(value) == 0 || anyNA(value)) {
        abort_argument(paste0("`", arg, "` must be numbers."), expected = "a number, or one for each channel",
                       received = describe(args[[arg]]))
      }
      args[[arg]] <- value
    }
    args
  },
  call = function(self, inputs) as_float(inputs) * self$scale + self$offset
)
