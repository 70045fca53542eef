#' Transposed 3D convolution layer (sometimes called deconvolution)
#'
#' The adjoint of [layer_conv_3d()]: volumes grow by the factors `strides`. See
#' [layer_conv_2d_transpose()] for the formula.
#'
#' @inheritParams layer_conv_3d
#' @param kernel_size An integer or 3 integers: depth, height and width of the window.
#' @param strides An integer or 3 integers, the factors by which the volume grows.
#'   Strides other than 1 exclude a `dilation_rate` other than 1.
#' @param output_padding An integer or 3 integers smaller than the strides, added to
#'   one side of the output; `NULL` (not the same as 0) lets the stride decide. See
#'   [conv_output_padding()].
#' @param dilation_rate An integer or 3 integers, the spacing of the taps.
#' @inheritParams layer_conv_2d_transpose
#'
#' @inheritSection layer_conv_3d Input shape
#' @section Output shape:
#' The same with `filters` channels; planes, rows and columns each become as in
#' [layer_conv_2d_transpose()].
#' @inheritSection layer_conv_2d_transpose Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(planes, rows, columns,
#'   filters, channels)`.
#' @references Cicek, O. et al. (2016), *3D U-Net: learning dense volumetric
#'   segmentation from sparse annotation*, \doi{10.48550/arXiv.1606.06650}.
#' @concept deconvolution
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(4, 4, 4, 8)) %>%
#'   layer_conv_3d_transpose(filters = 2, kernel_size = 2, strides = 2)
#' model$output_shape
#' @export
layer_conv_3d_transpose <- function(object, filters, kernel_size, strides = c(1L, 1L, 1L), padding = "valid",
                                    output_padding = NULL, data_format = NULL, activation = NULL,
                                    use_bias = TRUE, kernel_initializer = "glorot_uniform",
                                    bias_initializer = "zeros", kernel_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL,
                                    batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                    trainable = NULL, weights = NULL, dilation_rate = c(1L, 1L, 1L)) {
  create_layer("Conv3DTranspose", object, layer_args())
}

register_layer_class("Conv3DTranspose", init = init_conv_transpose(3),
                     build = build_conv_transpose(3), call = call_conv_transpose)
