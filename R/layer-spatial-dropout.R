#' Spatial dropout
#'
#' In training sets whole channels of a sample to 0, a share `rate` of them, and divides
#' the others by `1 - rate`; passes everything through otherwise. Where neighbouring steps
#' or pixels carry the same information, [layer_dropout()] would regularise little.
#'
#' @inheritParams layer_dropout
#' @param rate Share of the channels to drop, in `[0, 1)`.
#' @inheritParams layer_zero_padding_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for a `rate` outside `[0, 1)`,
#'   `convnet_error_shape` for inputs of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Tompson, J. et al. (2015), *Efficient object localization using
#'   convolutional networks*, \doi{10.48550/arXiv.1411.4280}.
#' @family regularization layers
#' @examples
#' layer <- layer_spatial_dropout_1d(rate = 0.5)
#' layer(array(1, c(1, 3, 4)), training = TRUE)
#' @export
layer_spatial_dropout_1d <- function(object, rate, batch_size = NULL, name = NULL, trainable = NULL,
                                     weights = NULL, seed = NULL, input_shape = NULL,
                                     batch_input_shape = NULL, dtype = NULL) {
  create_layer("SpatialDropout1D", object, layer_args())
}

#' @rdname layer_spatial_dropout_1d
#' @export
layer_spatial_dropout_2d <- function(object, rate, data_format = NULL, batch_size = NULL, name = NULL,
                                     trainable = NULL, weights = NULL, seed = NULL, input_shape = NULL,
                                     batch_input_shape = NULL, dtype = NULL) {
  create_layer("SpatialDropout2D", object, layer_args())
}

#' @rdname layer_spatial_dropout_1d
#' @export
layer_spatial_dropout_3d <- function(object, rate, data_format = NULL, batch_size = NULL, name = NULL,
                                     trainable = NULL, weights = NULL, seed = NULL, input_shape = NULL,
                                     batch_input_shape = NULL, dtype = NULL) {
  create_layer("SpatialDropout3D", object, layer_args())
}

init_spatial_dropout <- function(args) {
  args <- init_dropout(args)
  args$data_format <- if ("data_format" %in% names(args)) check_data_format(args$data_format) else "channels_last"
  args
}

call_spatial_dropout <- function(n) {
  function(self, inputs, training = FALSE) {
    check_images(inputs$shape, n, self$data_format)
    noise_shape <- replace(rep(NA, n + 2), spatial_axes(n, self$data_format) + 1, 1)
    dropout(inputs, self$rate, training, self$seed, noise_shape)
  }
}

register_layer_class("SpatialDropout1D", init_spatial_dropout, call = call_spatial_dropout(1), supports_masking = TRUE)
register_layer_class("SpatialDropout2D", init_spatial_dropout, call = call_spatial_dropout(2), supports_masking = TRUE)
register_layer_class("SpatialDropout3D", init_spatial_dropout, call = call_spatial_dropout(3), supports_masking = TRUE)
