#' Upsampling
#'
#' Makes sequences, images or volumes larger by whole factors.
#'
#' @inheritParams layer_dense
#' @param size The factors: an integer, or one for each spatial dimension.
#' @param interpolation How new pixels of images come about: `"nearest"` repeats
#'   pixels, `"bilinear"` and `"bicubic"` interpolate. Output pixel \eqn{o} lies at
#'   \eqn{(o + 1/2)/s - 1/2} of the input.
#' @inheritParams layer_zero_padding_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @section Output shape: The same, each spatial dimension longer by its factor.
#' @section Errors: `convnet_error_argument` for factors below 1 or an unknown
#'   interpolation, `convnet_error_shape` for inputs of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Keys, R. (1981), *Cubic convolution interpolation for digital image
#'   processing*, IEEE Transactions on Acoustics, Speech and Signal Processing 29.
#'   Odena, A., Dumoulin, V. and Olah, C. (2016), *Deconvolution and checkerboard
#'   artifacts*, \doi{10.23915/distill.00003}, on upsampling before a convolution.
#' @seealso [layer_conv_2d_transpose()], which learns how to enlarge.
#' @family reshaping layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(14, 14, 8)) %>%
#'   layer_upsampling_2d(size = c(2, 3), interpolation = "bilinear")
#' model$output_shape
#' layer_upsampling_1d(size = 2)(array(1:3, c(1, 3, 1)))
#' @export
layer_upsampling_1d <- function(object, size = 2L, batch_size = NULL, name = NULL, trainable = NULL,
                                weights = NULL, data_format = "channels_last", input_shape = NULL,
                                batch_input_shape = NULL, dtype = NULL) {
  create_layer("UpSampling1D", object, layer_args())
}

#' @rdname layer_upsampling_1d
#' @export
layer_upsampling_2d <- function(object, size = c(2L, 2L), data_format = NULL, interpolation = "nearest",
                                batch_size = NULL, name = NULL, trainable = NULL, weights = NULL,
                                input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("UpSampling2D", object, layer_args())
}

#' @rdname layer_upsampling_1d
#' @export
layer_upsampling_3d <- function(object, size = c(2L, 2L, 2L), data_format = NULL, batch_size = NULL,
                                name = NULL, trainable = NULL, weights = NULL, input_shape = NULL,
                                batch_input_shape = NULL, dtype = NULL) {
  create_layer("UpSampling3D", object, layer_args())
}

init_upsampling <- function(n) {
  function(args) {
    args$size <- check_counts(args$size, "size", n)
    args$data_format <- check_data_format(args$data_format)
    args$interpolation <- check_choice(args$interpolation %||% "nearest", c("nearest", "bilinear", "bicubic"),
                                       "interpolation")
    args
  }
}

call_upsampling <- function(n) {
  function(self, inputs) {
    check_images(inputs$shape, n, self$data_format)
    y <- emit("resize", list(channels_last(inputs, self$data_format)),
              list(factor = self$size, method = self$interpolation))
    from_channels_last(y, self$data_format)
  }
}

register_layer_class("UpSampling1D", init = init_upsampling(1), call = call_upsampling(1))
register_layer_class("UpSampling2D", init = init_upsampling(2), call = call_upsampling(2))
register_layer_class("UpSampling3D", init = init_upsampling(3), call = call_upsampling(3))
