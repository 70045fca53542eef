#' Depthwise 2D convolution layer
#'
#' Convolves each channel on its own with `depth_multiplier` kernels: channel
#' \eqn{c} makes the output channels \eqn{c m + j}, \eqn{j = 0, \dots, m - 1}{j = 0, ..., m - 1}, with
#' \deqn{y_{o, c m + j} = \sum_\kappa x_{s\,o + d\,\kappa - p, c} K_{\kappa, c, j} + b_{c m + j}.}{
#'   y[o, c m + j] = sum over t of x[s o + d t - p, c] K[t, c, j] + b[c m + j].}
#'
#' @inheritParams layer_conv_2d
#' @param depth_multiplier Integer, the number of output channels that each channel
#'   of the input makes.
#' @param depthwise_initializer How the kernel begins: a name or an `initializer_*()`.
#' @param depthwise_regularizer Penalty on the kernel added to the loss: a name or a
#'   `regularizer_*()`.
#' @param depthwise_constraint Constraint applied to the kernel after each step: a
#'   name or a `constraint_*()`.
#'
#' @inheritSection layer_conv_2d Input shape
#' @section Output shape:
#' The same with `depth_multiplier` times the channels; rows and columns as in
#' [layer_conv_2d()]. The strides may differ from each other.
#' @section Errors: `convnet_error_argument` for sizes below 1 or stride and dilation
#'   both greater than 1; `convnet_error_shape` for inputs of another number
#'   of dimensions, of other channels than the layer was built for or, with `"valid"`,
#'   smaller than the window.
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(rows, columns,
#'   channels, depth_multiplier)`.
#' @references Howard, A. et al. (2017), *MobileNets: efficient convolutional neural
#'   networks for mobile vision applications*, \doi{10.48550/arXiv.1704.04861}.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 3)) %>%
#'   layer_depthwise_conv_2d(kernel_size = 3, depth_multiplier = 2, padding = "same")
#' model$output_shape
#' @export
layer_depthwise_conv_2d <- function(object, kernel_size, strides = c(1L, 1L), padding = "valid",
                                    depth_multiplier = 1L, data_format = NULL, activation = NULL,
                                    use_bias = TRUE, depthwise_initializer = "glorot_uniform",
                                    bias_initializer = "zeros", depthwise_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    depthwise_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                                    batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                    trainable = NULL, weights = NULL, dilation_rate = c(1L, 1L)) {
  create_layer("DepthwiseConv2D", object, layer_args())
}

register_layer_class("DepthwiseConv2D", init = init_depthwise_conv(2),
                     build = build_depthwise_conv(2), call = call_depthwise_conv)
