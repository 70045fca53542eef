#' Global pooling
#'
#' One number a channel: the largest value or the mean over all steps or pixels.
#' `layer_global_average_pooling_1d()` leaves out the steps that a mask does, see
#' [layer_masking()].
#'
#' @inheritParams layer_dense
#' @param keepdims `TRUE` keeps the spatial dimensions, with size 1.
#' @inheritParams layer_zero_padding_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @section Output shape: `(samples, channels)`; with `keepdims` that of the input, the
#'   spatial dimensions being 1.
#' @section Errors: `convnet_error_shape` for inputs of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Lin, M., Chen, Q. and Yan, S. (2014), *Network in network*,
#'   \doi{10.48550/arXiv.1312.4400}.
#' @family pooling layers
#' @examples
#' model <- keras_model_sequential(input_shape = list(NULL, NULL, 8)) %>%
#'   layer_global_average_pooling_2d() %>%
#'   layer_dense(10)
#' model$output_shape
#' @export
layer_global_average_pooling_1d <- function(object, data_format = "channels_last", batch_size = NULL,
                                            name = NULL, trainable = NULL, weights = NULL, keepdims = FALSE,
                                            input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalAveragePooling1D", object, layer_args())
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_average_pooling_2d <- function(object, data_format = NULL, batch_size = NULL, name = NULL,
                                            trainable = NULL, weights = NULL, keepdims = FALSE,
                                            input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalAveragePooling2D", object, layer_args())
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_average_pooling_3d <- function(object, data_format = NULL, batch_size = NULL, name = NULL,
                                            trainable = NULL, weights = NULL, keepdims = FALSE,
                                            input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalAveragePooling3D", object, layer_args())
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_1d <- function(object, data_format = "channels_last", batch_size = NULL, name = NULL,
                                        trainable = NULL, weights = NULL, keepdims = FALSE,
                                        input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalMaxPooling1D", object, layer_args())
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_2d <- function(object, data_format = NULL, batch_size = NULL, name = NULL,
                                        trainable = NULL, weights = NULL, keepdims = FALSE,
                                        input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalMaxPooling2D", object, layer_args())
}

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_3d <- function(object, data_format = NULL, batch_size = NULL, name = NULL,
                                        trainable = NULL, weights = NULL, keepdims = FALSE,
                                        input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("GlobalMaxPooling3D", object, layer_args())
}

init_global_pooling <- function(args) {
  args$data_format <- check_data_format(args$data_format)
  args$keepdims <- check_flag(args$keepdims, "keepdims")
  args
}

call_global_pooling <- function(n, op) {
  function(self, inputs) {
    check_images(inputs$shape, n, self$data_format)
    emit(op, list(inputs), list(axes = spatial_axes(n, self$data_format), keepdims = self$keepdims))
  }
}

# Steps that a mask leaves out do not count.
call_masked_mean <- function(self, inputs, mask = NULL) {
  if (is.null(mask)) return(call_global_pooling(1, "mean")(self, inputs))
  check_images(inputs$shape, 1, self$data_format)
  axis <- spatial_axes(1, self$data_format) + 1
  counts <- k_expand_dims(k_cast(mask, inputs$dtype), if (axis == 2) 3 else 2)
  k_sum(inputs * counts, axis, self$keepdims) / k_sum(counts, axis, self$keepdims)
}

register_layer_class("GlobalAveragePooling1D", init_global_pooling, call = call_masked_mean)
register_layer_class("GlobalAveragePooling2D", init_global_pooling, call = call_global_pooling(2, "mean"))
register_layer_class("GlobalAveragePooling3D", init_global_pooling, call = call_global_pooling(3, "mean"))
register_layer_class("GlobalMaxPooling1D", init_global_pooling, call = call_global_pooling(1, "max"))
register_layer_class("GlobalMaxPooling2D", init_global_pooling, call = call_global_pooling(2, "max"))
register_layer_class("GlobalMaxPooling3D", init_global_pooling, call = call_global_pooling(3, "max"))
