#' Separable 2D convolution layer
#'
#' A depthwise convolution, [layer_depthwise_conv_2d()] without bias and activation,
#' followed by a convolution with a window of one pixel that mixes the channels,
#' \deqn{y_o = P^\top \mathrm{depthwise}(x)_o + b:}{y[o] = P' depthwise(x)[o] + b:}
#' fewer weights and less work than a convolution of the same size.
#'
#' @inheritParams layer_depthwise_conv_2d
#' @param filters Integer, the number of output channels.
#' @param depth_multiplier Integer, the number of channels that each channel of the
#'   input makes before they are mixed.
#' @param depthwise_initializer,pointwise_initializer How the two kernels begin: a
#'   name or an `initializer_*()`.
#' @param depthwise_regularizer,pointwise_regularizer Penalties on the kernels added
#'   to the loss: a name or a `regularizer_*()`.
#' @param depthwise_constraint,pointwise_constraint Constraints applied to the
#'   kernels after each step: a name or a `constraint_*()`.
#'
#' @inheritSection layer_conv_2d Input shape
#' @section Output shape:
#' The same with `filters` channels; rows and columns as in [layer_conv_2d()].
#' @inheritSection layer_depthwise_conv_2d Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The weights are the depthwise kernel `(rows, columns,
#'   channels, depth_multiplier)`, the pointwise kernel `(1, 1, channels *
#'   depth_multiplier, filters)` and the bias.
#' @references Chollet, F. (2017), *Xception: deep learning with depthwise separable
#'   convolutions*, \doi{10.48550/arXiv.1610.02357}.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 8)) %>%
#'   layer_separable_conv_2d(filters = 16, kernel_size = 3, activation = "relu")
#' count_params(model)  # layer_conv_2d() has 1168
#' @export
layer_separable_conv_2d <- function(object, filters, kernel_size, strides = c(1L, 1L), padding = "valid",
                                    data_format = NULL, dilation_rate = 1L, depth_multiplier = 1L,
                                    activation = NULL, use_bias = TRUE,
                                    depthwise_initializer = "glorot_uniform",
                                    pointwise_initializer = "glorot_uniform", bias_initializer = "zeros",
                                    depthwise_regularizer = NULL, pointwise_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    depthwise_constraint = NULL, pointwise_constraint = NULL,
                                    bias_constraint = NULL, input_shape = NULL, batch_input_shape = NULL,
                                    batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                    weights = NULL) {
  create_layer("SeparableConv2D", object, layer_args())
}

register_layer_class("SeparableConv2D", init = init_separable_conv(2),
                     build = build_separable_conv(2), call = call_separable_conv)
