#' Depthwise 1D convolution layer
#'
#' Convolves each channel of sequences on its own with `depth_multiplier` kernels;
#' see [layer_depthwise_conv_2d()] for the formula.
#'
#' @inheritParams layer_conv_1d_transpose
#' @inheritParams layer_depthwise_conv_2d
#' @param strides An integer, the step of the window. Strides other than 1 exclude a
#'   `dilation_rate` other than 1.
#'
#' @inheritSection layer_conv_1d Input shape
#' @section Output shape:
#' The same with `depth_multiplier` times the channels; the steps as in
#' [layer_conv_1d()].
#' @inheritSection layer_depthwise_conv_2d Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(steps, channels,
#'   depth_multiplier)`.
#' @inherit layer_depthwise_conv_2d references
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(100, 4)) %>%
#'   layer_depthwise_conv_1d(kernel_size = 5, depth_multiplier = 2)
#' model$output_shape
#' @export
layer_depthwise_conv_1d <- function(object, kernel_size, strides = 1L, padding = "valid",
                                    depth_multiplier = 1L, data_format = NULL, dilation_rate = 1L,
                                    activation = NULL, use_bias = TRUE,
                                    depthwise_initializer = "glorot_uniform", bias_initializer = "zeros",
                                    depthwise_regularizer = NULL, bias_regularizer = NULL,
                                    activity_regularizer = NULL, depthwise_constraint = NULL,
                                    bias_constraint = NULL, input_shape = NULL, batch_input_shape = NULL,
                                    batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                    weights = NULL) {
  create_layer("DepthwiseConv1D", object, layer_args())
}

register_layer_class("DepthwiseConv1D", init = init_depthwise_conv(1),
                     build = build_depthwise_conv(1), call = call_depthwise_conv)
