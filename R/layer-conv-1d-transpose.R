#' Transposed 1D convolution layer (sometimes called deconvolution)
#'
#' The adjoint of [layer_conv_1d()]: sequences become longer by the factor `strides`.
#' See [layer_conv_2d_transpose()] for the formula.
#'
#' @inheritParams layer_conv_2d_transpose
#' @param kernel_size An integer, the length of the window.
#' @param strides An integer, the factor by which the sequence grows. Strides other
#'   than 1 exclude a `dilation_rate` other than 1.
#' @param output_padding An integer smaller than `strides`, added to one end of the
#'   output; `NULL` (not the same as 0) lets the stride decide. See
#'   [conv_output_padding()].
#' @param dilation_rate An integer, the spacing of the taps.
#' @param data_format `"channels_last"` for inputs `(samples, steps, channels)`,
#'   `"channels_first"` for `(samples, channels, steps)`; `NULL` takes
#'   [k_image_data_format()].
#'
#' @section Input shape:
#' `(samples, steps, channels)`, or `(samples, channels, steps)` with `data_format =
#' "channels_first"`.
#' @section Output shape:
#' The same with `filters` channels; the steps become as the rows in
#' [layer_conv_2d_transpose()].
#' @inheritSection layer_conv_2d_transpose Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(steps, filters,
#'   channels)`.
#' @references Dumoulin, V. and Visin, F. (2016), *A guide to convolution
#'   arithmetic for deep learning*, \doi{10.48550/arXiv.1603.07285}.
#' @concept deconvolution
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(25, 8)) %>%
#'   layer_conv_1d_transpose(filters = 4, kernel_size = 4, strides = 4)
#' model$output_shape
#' @export
layer_conv_1d_transpose <- function(object, filters, kernel_size, strides = 1L, padding = "valid",
                                    output_padding = NULL, data_format = NULL, dilation_rate = 1L,
                                    activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
                                    bias_initializer = "zeros", kernel_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                                    batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                    trainable = NULL, weights = NULL) {
  create_layer("Conv1DTranspose", object, layer_args())
}

register_layer_class("Conv1DTranspose", init = init_conv_transpose(1),
                     build = build_conv_transpose(1), call = call_conv_transpose)
