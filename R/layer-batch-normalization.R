#' Batch normalization
#'
#' In training each channel is normalised with the mean and variance of the
#' batch, and moving averages of both are kept; otherwise, and when the layer is
#' frozen, the moving averages are used:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta.}{
#'   y = gamma (x - mu) / sqrt(sigma^2 + epsilon) + beta.}
#'
#' @inheritParams layer_dense
#' @param axis The channel dimension, counted from 0 as in Keras; -1 is the last,
#'   1 fits `data_format = "channels_first"`.
#' @param momentum Weight of the old moving average.
#' @param epsilon Small number added to the variance.
#' @param center,scale Whether to learn \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @param beta_initializer,gamma_initializer,moving_mean_initializer,moving_variance_initializer
#'   How the weights begin.
#' @param beta_regularizer,gamma_regularizer,beta_constraint,gamma_constraint
#'   Penalties and constraints of \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @param synchronized For Keras's signature: statistics are those of the whole batch
#'   always, as one process computes them.
#' @section Input shape: Any, the channel dimension known.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for an `axis` that the input does not have
#'   and numbers out of range, `convnet_error_shape` when the channels are unknown or
#'   others than the layer was built for.
#' @return A layer, model or tensor, as [layer_dense()]. The weights are gamma,
#'   beta, and the moving mean and variance, which are not trainable.
#' @references Ioffe, S. and Szegedy, C. (2015), *Batch normalization:
#'   accelerating deep network training by reducing internal covariate shift*,
#'   ICML.
#' @family normalization layers
#' @examples
#' keras_model_sequential(input_shape = c(8, 8, 4)) %>% layer_batch_normalization()
#' @export
layer_batch_normalization <- function(object, axis = -1L, momentum = 0.99, epsilon = 0.001,
                                      center = TRUE, scale = TRUE, beta_initializer = "zeros",
                                      gamma_initializer = "ones",
                                      moving_mean_initializer = "zeros",
                                      moving_variance_initializer = "ones",
                                      beta_regularizer = NULL, gamma_regularizer = NULL,
                                      beta_constraint = NULL, gamma_constraint = NULL,
                                      input_shape = NULL, batch_input_shape = NULL,
                                      batch_size = NULL, dtype = NULL, name = NULL,
                                      trainable = NULL, weights = NULL, synchronized = FALSE) {
  create_layer("BatchNormalization", object, layer_args())
}

register_layer_class(
  "BatchNormalization",
  supports_masking = TRUE,
  init = function(args) {
    args$axis <- check_whole(unlist(args$axis), "axis")
    args$momentum <- check_number(args$momentum, "momentum", 0, 1)
    args$synchronized <- check_flag(args$synchronized %||% FALSE, "synchronized")
    init_normalization(args)
  },
  build = function(self, input_shape) {
    channels <- known_extents(input_shape, normalization_axes(self$axis, length(input_shape)))
    add_scale_and_offset(self, channels)
    self$moving_mean <- self$add_weight("moving_mean", channels, self$moving_mean_initializer,
                                        trainable = FALSE)
    self$moving_variance <- self$add_weight("moving_variance", channels,
                                            self$moving_variance_initializer, trainable = FALSE)
  },
  call = function(self, inputs, training = FALSE) {
    axis <- normalization_axes(self$axis, length(inputs$shape))
    channels <- self$moving_mean$shape
    mean <- self$moving_mean
    variance <- self$moving_variance
    if (isTRUE(training) && self$trainable) {
      others <- setdiff(seq_along(inputs$shape) - 1, axis)
      along <- rep(1, length(inputs$shape))
      along[axis + 1] <- channels
      mean <- emit("mean", list(inputs), list(axes = others, keepdims = 0))
      centred <- inputs - k_reshape(mean, along)
      variance <- emit("mean", list(k_square(centred)), list(axes = others, keepdims = 0))
      k_moving_average_update(self$moving_mean, mean, self$momentum)
      k_moving_average_update(self$moving_variance, variance, self$momentum)
    }
    gamma <- if (self$scale) self$gamma else k_constant(rep(1, channels), inputs$dtype)
    beta <- if (self$center) self$beta else k_constant(rep(0, channels), inputs$dtype)
    emit("batch_normalization", list(inputs, mean, variance, gamma, beta),
         list(axis = axis, epsilon = self$epsilon))
  }
)
