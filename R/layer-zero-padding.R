#' Zero padding
#'
#' Puts zeros around sequences, images or volumes.
#'
#' @inheritParams layer_dense
#' @param padding How many zeros: one number for all sides; 2 or 3 numbers, one for
#'   both sides of each spatial dimension; or a list with a pair for each of these
#'   dimensions, `list(c(top, bottom), c(left, right))`. For sequences 1 number or
#'   `c(front, back)`.
#' @param data_format `"channels_last"` or `"channels_first"`: where the channels of
#'   the input are. `NULL` takes [k_image_data_format()].
#' @section Input shape: `(samples, steps, channels)`, `(samples, rows, columns,
#'   channels)` or `(samples, planes, rows, columns, channels)`; with `data_format =
#'   "channels_first"` the channels come second.
#' @section Output shape: The same, each spatial dimension longer by its padding.
#' @section Errors: `convnet_error_argument` for padding of another form or below 0,
#'   `convnet_error_shape` for inputs of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Dumoulin, V. and Visin, F. (2016), *A guide to convolution
#'   arithmetic for deep learning*, \doi{10.48550/arXiv.1603.07285}.
#' @family reshaping layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 3)) %>%
#'   layer_zero_padding_2d(padding = list(c(0, 1), c(2, 2)))
#' model$output_shape
#' layer_zero_padding_1d(padding = 1)(array(1:3, c(1, 3, 1)))
#' @export
layer_zero_padding_1d <- function(object, padding = 1L, batch_size = NULL, name = NULL, trainable = NULL,
                                  weights = NULL, data_format = "channels_last", input_shape = NULL,
                                  batch_input_shape = NULL, dtype = NULL) {
  create_layer("ZeroPadding1D", object, layer_args())
}

#' @rdname layer_zero_padding_1d
#' @export
layer_zero_padding_2d <- function(object, padding = c(1L, 1L), data_format = NULL, batch_size = NULL,
                                  name = NULL, trainable = NULL, weights = NULL, input_shape = NULL,
                                  batch_input_shape = NULL, dtype = NULL) {
  create_layer("ZeroPadding2D", object, layer_args())
}

#' @rdname layer_zero_padding_1d
#' @export
layer_zero_padding_3d <- function(object, padding = c(1L, 1L, 1L), data_format = NULL, batch_size = NULL,
                                  name = NULL, trainable = NULL, weights = NULL, input_shape = NULL,
                                  batch_input_shape = NULL, dtype = NULL) {
  create_layer("ZeroPadding3D", object, layer_args())
}

init_zero_padding <- function(n) {
  function(args) {
    args$padding <- check_sides(args$padding, "padding", n)
    args$data_format <- check_data_format(args$data_format)
    args
  }
}

call_zero_padding <- function(n) {
  function(self, inputs) {
    check_images(inputs$shape, n, self$data_format)
    emit("pad", list(inputs), list(lo = side_of(self$padding, 1, self$data_format),
                                   hi = side_of(self$padding, 2, self$data_format)))
  }
}

register_layer_class("ZeroPadding1D", init = init_zero_padding(1), call = call_zero_padding(1))
register_layer_class("ZeroPadding2D", init = init_zero_padding(2), call = call_zero_padding(2))
register_layer_class("ZeroPadding3D", init = init_zero_padding(3), call = call_zero_padding(3))
