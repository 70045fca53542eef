#' 3D convolution layer
#'
#' Slides a window over volumes, or over short films: the formula of
#' [layer_conv_2d()] with three dimensions.
#'
#' @inheritParams layer_conv_2d
#' @param kernel_size An integer or 3 integers: depth, height and width of the window.
#' @param strides An integer or 3 integers, the steps of the window.
#' @param dilation_rate An integer or 3 integers, the spacing of the taps. Strides
#'   other than 1 exclude a `dilation_rate` other than 1.
#' @param data_format `"channels_last"` for inputs `(samples, planes, rows, columns,
#'   channels)`, `"channels_first"` for `(samples, channels, planes, rows, columns)`;
#'   `NULL` takes [k_image_data_format()].
#'
#' @section Input shape:
#' `(samples, planes, rows, columns, channels)`, or `(samples, channels, planes, rows,
#' columns)` with `data_format = "channels_first"`.
#' @section Output shape:
#' The same with `filters` channels. Planes, rows and columns each become as in
#' [layer_conv_2d()].
#' @inheritSection layer_conv_2d Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(planes, rows, columns,
#'   channels / groups, filters)`.
#' @references Ji, S., Xu, W., Yang, M. and Yu, K. (2013), *3D convolutional neural
#'   networks for human action recognition*, IEEE PAMI 35.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(8, 16, 16, 1)) %>%
#'   layer_conv_3d(filters = 4, kernel_size = c(3, 3, 3), strides = c(1, 2, 2), padding = "same")
#' model$output_shape
#' @export
layer_conv_3d <- function(object, filters, kernel_size, strides = c(1L, 1L, 1L), padding = "valid",
                          data_format = NULL, dilation_rate = c(1L, 1L, 1L), activation = NULL,
                          use_bias = TRUE, kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                          kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                          kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                          batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                          trainable = NULL, weights = NULL, groups = 1L) {
  create_layer("Conv3D", object, layer_args())
}

register_layer_class("Conv3D", init = init_conv(3), build = build_conv(3), call = call_conv)
