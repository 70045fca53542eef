#' Cropping
#'
#' Cuts off the borders of sequences, images or volumes: the adjoint of
#' [layer_zero_padding_2d()].
#'
#' @inheritParams layer_dense
#' @param cropping How much to cut: one number for all sides; 2 or 3 numbers, one for
#'   both sides of each spatial dimension; or a list with a pair for each of these
#'   dimensions, `list(c(top, bottom), c(left, right))`. For sequences 1 number or
#'   `c(front, back)`.
#' @inheritParams layer_zero_padding_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @section Output shape: The same, each spatial dimension shorter by what is cut.
#' @section Errors: `convnet_error_argument` for cropping of another form or below 0,
#'   `convnet_error_shape` when nothing would be left, or for inputs of another number
#'   of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Ronneberger, O., Fischer, P. and Brox, T. (2015), *U-Net: convolutional
#'   networks for biomedical image segmentation*, \doi{10.48550/arXiv.1505.04597},
#'   crops what it copies.
#' @family reshaping layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 3)) %>%
#'   layer_cropping_2d(cropping = list(c(0, 4), c(2, 2)))
#' model$output_shape
#' layer_cropping_1d(cropping = c(1, 0))(array(1:3, c(1, 3, 1)))
#' @export
layer_cropping_1d <- function(object, cropping = c(1L, 1L), batch_size = NULL, name = NULL, trainable = NULL,
                              weights = NULL, data_format = "channels_last", input_shape = NULL,
                              batch_input_shape = NULL, dtype = NULL) {
  create_layer("Cropping1D", object, layer_args())
}

#' @rdname layer_cropping_1d
#' @export
layer_cropping_2d <- function(object, cropping = list(c(0L, 0L), c(0L, 0L)), data_format = NULL,
                              batch_size = NULL, name = NULL, trainable = NULL, weights = NULL,
                              input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("Cropping2D", object, layer_args())
}

#' @rdname layer_cropping_1d
#' @export
layer_cropping_3d <- function(object, cropping = list(c(1L, 1L), c(1L, 1L), c(1L, 1L)), data_format = NULL,
                              batch_size = NULL, name = NULL, trainable = NULL, weights = NULL,
                              input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("Cropping3D", object, layer_args())
}

init_cropping <- function(n) {
  function(args) {
    args$cropping <- check_sides(args$cropping, "cropping", n)
    args$data_format <- check_data_format(args$data_format)
    args
  }
}

call_cropping <- function(n) {
  function(self, inputs) {
    check_images(inputs$shape, n, self$data_format)
    before <- side_of(self$cropping, 1, self$data_format)
    after <- side_of(self$cropping, 2, self$data_format)
    spatial <- spatial_axes(n, self$data_format) + 1
    if (any((before + after >= inputs$shape)[spatial], na.rm = TRUE)) {
      abort_shape("Cropping leaves nothing of the input.",
                  expected = paste("spatial dimensions greater than", format_sizes((before + after)[spatial])),
                  received = paste("shape", format_shape(inputs$shape)))
    }
    # A size of -1 - k is all but the last k.
    emit("slice", list(inputs), list(begin = before, size = -1 - after))
  }
}

register_layer_class("Cropping1D", init = init_cropping(1), call = call_cropping(1))
register_layer_class("Cropping2D", init = init_cropping(2), call = call_cropping(2))
register_layer_class("Cropping3D", init = init_cropping(3), call = call_cropping(3))
