#' Separable 1D convolution layer
#'
#' A depthwise convolution followed by one with a window of a single step that mixes
#' the channels; see [layer_separable_conv_2d()].
#'
#' @inheritParams layer_conv_1d
#' @inheritParams layer_separable_conv_2d
#'
#' @inheritSection layer_conv_1d Input shape
#' @section Output shape:
#' The same with `filters` channels; the steps as in [layer_conv_1d()].
#' @inheritSection layer_depthwise_conv_2d Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The weights are the depthwise kernel `(steps, channels,
#'   depth_multiplier)`, the pointwise kernel `(1, channels * depth_multiplier,
#'   filters)` and the bias.
#' @inherit layer_separable_conv_2d references
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(100, 8)) %>%
#'   layer_separable_conv_1d(filters = 16, kernel_size = 5, padding = "same")
#' model$output_shape
#' @export
layer_separable_conv_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid",
                                    data_format = "channels_last", dilation_rate = 1L, depth_multiplier = 1L,
                                    activation = NULL, use_bias = TRUE,
                                    depthwise_initializer = "glorot_uniform",
                                    pointwise_initializer = "glorot_uniform", bias_initializer = "zeros",
                                    depthwise_regularizer = NULL, pointwise_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    depthwise_constraint = NULL, pointwise_constraint = NULL,
                                    bias_constraint = NULL, input_shape = NULL, batch_input_shape = NULL,
                                    batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                    weights = NULL) {
  create_layer("SeparableConv1D", object, layer_args())
}

register_layer_class("SeparableConv1D", init = init_separable_conv(1, c("valid", "same", "causal")),
                     build = build_separable_conv(1), call = call_separable_conv)
