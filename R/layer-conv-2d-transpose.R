#' Transposed 2D convolution layer (sometimes called deconvolution)
#'
#' The need for transposed convolutions arises from the desire to use a
#' transformation going in the opposite direction of a normal convolution: from
#' something that has the shape of the output of a convolution to something that
#' has the shape of its input, with the same pattern of connections. It is the
#' adjoint of [layer_conv_2d()]: with kernel \eqn{K}, stride \eqn{s}, dilation
#' \eqn{d} and padding \eqn{p}, input pixel \eqn{i} adds
#' \deqn{x_i K_\kappa \quad\text{to output pixel}\quad o = s\,i + d\,\kappa - p.}{
#'   x[i] K[t] to output pixel o = s i + d t - p.}
#' As the first layer of a model it takes `input_shape`, without the samples: `c(128, 128, 3)`
#' for RGB images of 128 x 128 pixels.
#'
#' @inheritParams layer_dense
#' @param object Model or layer object: a sequential model (the layer is added in
#'   place), a tensor, or an array. Missing: the layer is returned.
#' @param filters Integer, the number of output channels.
#' @param kernel_size An integer or 2 integers: height and width of the window.
#' @param strides An integer or 2 integers, the factors by which the height and
#'   width grow. Strides other than 1 exclude a `dilation_rate` other than 1.
#' @param padding `"valid"` or `"same"` (case-insensitive).
#' @param data_format `"channels_last"` for inputs `(samples, rows, columns,
#'   channels)`, `"channels_first"` for `(samples, channels, rows, columns)`;
#'   `NULL` takes [k_image_data_format()].
#' @param output_padding An integer or 2 integers smaller than the strides, added
#'   to one side of the output, to choose among the output sizes that a
#'   convolution maps to the input's. `NULL` (not the same as 0) lets the stride
#'   decide; see the section Output shape and [conv_output_padding()].
#' @param dilation_rate An integer or 2 integers, the spacing of the taps.
#'
#' @section Input shape:
#' `(samples, rows, columns, channels)`, or `(samples, channels, rows, columns)`
#' with `data_format = "channels_first"`.
#' @section Output shape:
#' The same with `filters` channels. With \eqn{K = d(k - 1) + 1}, each of rows
#' and columns becomes
#'
#' | `padding` | `output_padding = NULL` | `output_padding = op` |
#' |---|---|---|
#' | `"valid"` | \eqn{(n - 1)s + \max(K, s)}{(n - 1) s + max(K, s)} | \eqn{(n - 1)s + K + op} |
#' | `"same"` | \eqn{n s} | \eqn{(n - 1)s + K - 2\lfloor K/2 \rfloor + op}{(n - 1) s + K - 2 floor(K / 2) + op} |
#'
#' @section Errors: `convnet_error_argument` for sizes below 1, stride and
#'   dilation both greater than 1, or `output_padding` not below the stride;
#'   `convnet_error_shape` for inputs of another number of dimensions, or of other channels
#'   than the layer was built for.
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(rows, columns,
#'   filters, channels)`.
#' @references Zeiler, M., Krishnan, D., Taylor, G. and Fergus, R. (2010),
#'   *Deconvolutional networks*, CVPR. Dumoulin, V. and Visin, F. (2016), *A guide
#'   to convolution arithmetic for deep learning*, \doi{10.48550/arXiv.1603.07285}.
#' @concept deconvolution
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(4, 4, 8)) %>%
#'   layer_conv_2d_transpose(filters = 3, kernel_size = c(3, 3), strides = c(2, 2),
#'                           padding = "same", activation = "relu")
#' model$output_shape
#'
#' # a layer is a function
#' double <- layer_conv_2d_transpose(filters = 1, kernel_size = 2, strides = 2,
#'                                   use_bias = FALSE, kernel_initializer = "ones")
#' as.array(double(array(1:4, c(1, 2, 2, 1))))[1, , , 1]
#' @export
layer_conv_2d_transpose <- function(object, filters, kernel_size, strides = c(1L, 1L),
                                    padding = "valid", data_format = NULL, activation = NULL,
                                    use_bias = TRUE, kernel_initializer = "glorot_uniform",
                                    bias_initializer = "zeros", kernel_regularizer = NULL,
                                    bias_regularizer = NULL, activity_regularizer = NULL,
                                    kernel_constraint = NULL, bias_constraint = NULL,
                                    input_shape = NULL, batch_input_shape = NULL,
                                    batch_size = NULL, dtype = NULL, name = NULL,
                                    trainable = NULL, weights = NULL, output_padding = NULL,
                                    dilation_rate = c(1L, 1L)) {
  create_layer("Conv2DTranspose", object, layer_args())
}

register_layer_class("Conv2DTranspose", init = init_conv_transpose(2),
                     build = build_conv_transpose(2), call = call_conv_transpose)
