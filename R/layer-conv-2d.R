#' 2D convolution layer
#'
#' Slides a window over images: with kernel \eqn{K}, stride \eqn{s}, dilation
#' \eqn{d} and padding \eqn{p}, output pixel \eqn{o} is
#' \deqn{y_o = \sum_\kappa x_{s\,o + d\,\kappa - p} K_\kappa + b.}{
#'   y[o] = sum over t of x[s o + d t - p] K[t] + b.}
#'
#' @inheritParams layer_conv_2d_transpose
#' @param strides An integer or 2 integers, the steps of the window.
#' @param groups Integer, the number of groups that the channels are split into,
#'   each convolved on its own with `filters / groups` filters.
#'
#' @section Input shape:
#' `(samples, rows, columns, channels)`, or `(samples, channels, rows, columns)`
#' with `data_format = "channels_first"`.
#' @section Output shape:
#' The same with `filters` channels. With \eqn{K = d(k - 1) + 1}, each of rows
#' and columns becomes \eqn{\lfloor (n - K)/s \rfloor + 1}{floor((n - K) / s) + 1} for `padding =
#' "valid"` and \eqn{\lceil n / s \rceil}{ceiling(n / s)} for `"same"`, where an odd pixel of
#' padding goes to the bottom and right.
#' @section Errors: `convnet_error_argument` for sizes below 1, stride and
#'   dilation both greater than 1, or groups that do not divide filters and
#'   channels; `convnet_error_shape` for inputs of another number of
#'   dimensions, of other channels than the layer was built for or, with `"valid"`,
#'   smaller than the window.
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(rows, columns,
#'   channels / groups, filters)`.
#' @references Dumoulin, V. and Visin, F. (2016), *A guide to convolution
#'   arithmetic for deep learning*, \doi{10.48550/arXiv.1603.07285}.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
#'   layer_conv_2d(filters = 8, kernel_size = c(3, 3), strides = 2, activation = "relu")
#' model$output_shape
#' @export
layer_conv_2d <- function(object, filters, kernel_size, strides = c(1L, 1L), padding = "valid",
                          data_format = NULL, dilation_rate = c(1L, 1L), activation = NULL,
                          use_bias = TRUE, kernel_initializer = "glorot_uniform",
                          bias_initializer = "zeros", kernel_regularizer = NULL,
                          bias_regularizer = NULL, activity_regularizer = NULL,
                          kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                          batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                          trainable = NULL, weights = NULL, groups = 1L) {
  create_layer("Conv2D", object, layer_args())
}

register_layer_class("Conv2D", init = init_conv(2), build = build_conv(2), call = call_conv)
