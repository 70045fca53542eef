#' Leave steps out
#'
#' Sets the steps whose features all equal `mask_value` to 0 and gives the output a mask: recurrent layers behind it
#' keep their states over these steps and repeat the output before them. Layers between pass the mask on where they
#' work step by step; others, such as [layer_flatten()] and convolutions, drop it. The loss of a model whose output has
#' a mask is the mean over the steps that count.
#'
#' @inheritParams layer_dense
#' @param mask_value The number that marks a step.
#' @section Input shape: `(samples, steps, features)`.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` when `mask_value` is not a number, `convnet_error_shape` for inputs of less
#'   than three dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @family core layers
#' @examples
#' x <- array(c(1, 2, 0), c(1, 3, 1))
#' ones <- list(matrix(1), matrix(1), array(0))
#' sums <- layer_simple_rnn(units = 1, weights = ones, activation = NULL)
#' sums(layer_masking(mask_value = 2)(x))
#' @export
layer_masking <- function(object, mask_value = 0, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                          dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("Masking", object, layer_args())
}

steps_that_count <- function(self, inputs) {
  if (length(inputs$shape) < 3) {
    abort_shape("The input has another number of dimensions.", expected = "(samples, steps, features)",
                received = paste("shape", format_shape(inputs$shape)))
  }
  k_max(k_cast(inputs != self$mask_value, inputs$dtype), axis = -1, keepdims = TRUE)
}

register_layer_class(
  "Masking",
  init = function(args) {
    args$mask_value <- check_number(args$mask_value, "mask_value")
    args
  },
  call = function(self, inputs) inputs * steps_that_count(self, inputs),
  compute_mask = function(self, inputs, mask) k_squeeze(steps_that_count(self, inputs), -1) > 0
)
