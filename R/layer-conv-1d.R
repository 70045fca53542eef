#' 1D convolution layer
#'
#' Slides a window over sequences: with kernel \eqn{K}, stride \eqn{s}, dilation
#' \eqn{d} and padding \eqn{p}, output step \eqn{o} is
#' \deqn{y_o = \sum_\kappa x_{s\,o + d\,\kappa - p} K_\kappa + b.}{
#'   y[o] = sum over t of x[s o + d t - p] K[t] + b.}
#'
#' @inheritParams layer_conv_2d
#' @param kernel_size An integer, the length of the window.
#' @param strides An integer, the step of the window.
#' @param padding `"valid"`, `"same"` or `"causal"` (case-insensitive). Causal output
#'   depends on no later step of the input: all padding goes to the front.
#' @param dilation_rate An integer, the spacing of the taps. Strides other than 1
#'   exclude a `dilation_rate` other than 1.
#' @param data_format `"channels_last"` for inputs `(samples, steps, channels)`,
#'   `"channels_first"` for `(samples, channels, steps)`.
#'
#' @section Input shape:
#' `(samples, steps, channels)`, or `(samples, channels, steps)` with `data_format =
#' "channels_first"`.
#' @section Output shape:
#' The same with `filters` channels. With \eqn{K = d(k - 1) + 1} the steps become
#' \eqn{\lfloor (n - K)/s \rfloor + 1}{floor((n - K) / s) + 1} for `padding = "valid"` and \eqn{\lceil n / s
#' \rceil}{ceiling(n / s)} for `"same"` and `"causal"`.
#' @inheritSection layer_conv_2d Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(steps, channels /
#'   groups, filters)`.
#' @references van den Oord, A. et al. (2016), *WaveNet: a generative model for raw
#'   audio*, \doi{10.48550/arXiv.1609.03499}, for causal convolution.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(100, 4)) %>%
#'   layer_conv_1d(filters = 8, kernel_size = 3, padding = "causal", dilation_rate = 2)
#' model$output_shape
#' @export
layer_conv_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid",
                          data_format = "channels_last", dilation_rate = 1L, activation = NULL,
                          use_bias = TRUE, kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                          kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                          kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                          batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                          trainable = NULL, weights = NULL, groups = 1L) {
  create_layer("Conv1D", object, layer_args())
}

register_layer_class("Conv1D", init = init_conv(1, c("valid", "same", "causal")), build = build_conv(1),
                     call = call_conv)
