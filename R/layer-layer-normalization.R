#' Layer normalization
#'
#' Normalises each sample on its own, over the dimensions `axis`:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta,}{
#'   y = gamma (x - mu) / sqrt(sigma^2 + epsilon) + beta,}
#' with \eqn{\mu}{mu} and \eqn{\sigma^2}{sigma^2} the mean and variance over these dimensions. Training
#' and inference are the same.
#'
#' @inheritParams layer_dense
#' @param axis The dimensions to normalise over, counted from 0 as in Keras, 0 being the
#'   samples; -1 is the last.
#' @param epsilon Small number added to the variance.
#' @param center,scale Whether to learn \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @param beta_initializer,gamma_initializer How the weights begin.
#' @param beta_regularizer,gamma_regularizer,beta_constraint,gamma_constraint
#'   Penalties and constraints of \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @section Input shape: Any, the dimensions `axis` known.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for an `axis` that the input does not have,
#'   `convnet_error_shape` when a dimension there is unknown.
#' @return A layer, model or tensor, as [layer_dense()]. The weights gamma and beta have the
#'   shape of the dimensions `axis`.
#' @references Ba, J., Kiros, J. and Hinton, G. (2016), *Layer normalization*,
#'   \doi{10.48550/arXiv.1607.06450}.
#' @family normalization layers
#' @examples
#' keras_model_sequential(input_shape = c(10, 64)) %>% layer_layer_normalization()
#' @export
layer_layer_normalization <- function(object, axis = -1L, epsilon = 0.001, center = TRUE, scale = TRUE,
                                      beta_initializer = "zeros", gamma_initializer = "ones",
                                      beta_regularizer = NULL, gamma_regularizer = NULL,
                                      beta_constraint = NULL, gamma_constraint = NULL, input_shape = NULL,
                                      batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                      trainable = NULL, weights = NULL) {
  create_layer("LayerNormalization", object, layer_args())
}

register_layer_class(
  "LayerNormalization",
  supports_masking = TRUE,
  init = function(args) {
    args$axis <- check_whole_axes(args$axis)
    init_normalization(args)
  },
  build = function(self, input_shape) {
    axes <- normalization_axes(self$axis, length(input_shape))
    add_scale_and_offset(self, known_extents(input_shape, axes))
  },
  call = function(self, inputs) {
    axes <- normalization_axes(self$axis, length(inputs$shape))
    scale_and_offset(self, standardized(inputs, axes, self$epsilon), axes)
  })
