#' Max pooling
#'
#' The largest value in each window; padding never wins.
#'
#' @inheritParams layer_dense
#' @param pool_size Size of the window: an integer, or one for each spatial dimension.
#' @param strides Steps of the window: an integer, or one for each spatial dimension;
#'   `pool_size` when `NULL`.
#' @param padding `"valid"` or `"same"` (case-insensitive).
#' @inheritParams layer_zero_padding_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @section Output shape: The same, each spatial dimension
#'   \eqn{\lfloor (n - k)/s \rfloor + 1}{floor((n - k) / s) + 1} for `padding = "valid"` and
#'   \eqn{\lceil n / s \rceil}{ceiling(n / s)} for `"same"`.
#' @section Errors: `convnet_error_argument` for sizes below 1; `convnet_error_shape`
#'   when the window is larger than the input and `padding` is `"valid"`, or for inputs
#'   of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Scherer, D., Mueller, A. and Behnke, S. (2010), *Evaluation of pooling
#'   operations in convolutional architectures for object recognition*, ICANN.
#' @family pooling layers
#' @examples
#' keras_model_sequential(input_shape = c(28, 28, 8)) %>% layer_max_pooling_2d()
#' layer_max_pooling_1d(pool_size = 2)(array(c(1, 5, 3, 2), c(1, 4, 1)))
#' @export
layer_max_pooling_1d <- function(object, pool_size = 2L, strides = NULL, padding = "valid", batch_size = NULL,
                                 name = NULL, trainable = NULL, weights = NULL, data_format = "channels_last",
                                 input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("MaxPooling1D", object, layer_args())
}

#' @rdname layer_max_pooling_1d
#' @export
layer_max_pooling_2d <- function(object, pool_size = c(2L, 2L), strides = NULL, padding = "valid",
                                 data_format = NULL, batch_size = NULL, name = NULL, trainable = NULL,
                                 weights = NULL, input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("MaxPooling2D", object, layer_args())
}

#' @rdname layer_max_pooling_1d
#' @export
layer_max_pooling_3d <- function(object, pool_size = c(2L, 2L, 2L), strides = NULL, padding = "valid",
                                 data_format = NULL, batch_size = NULL, name = NULL, trainable = NULL,
                                 weights = NULL, input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("MaxPooling3D", object, layer_args())
}

#' Average pooling
#'
#' The mean of each window; padding does not count.
#'
#' @inheritParams layer_max_pooling_1d
#' @inheritSection layer_zero_padding_1d Input shape
#' @inheritSection layer_max_pooling_1d Output shape
#' @inheritSection layer_max_pooling_1d Errors
#' @return A layer, model or tensor, as [layer_dense()].
#' @inherit layer_max_pooling_1d references
#' @family pooling layers
#' @examples
#' keras_model_sequential(input_shape = c(28, 28, 8)) %>% layer_average_pooling_2d()
#' layer_average_pooling_1d(pool_size = 2)(array(c(1, 5, 3, 2), c(1, 4, 1)))
#' @export
layer_average_pooling_1d <- function(object, pool_size = 2L, strides = NULL, padding = "valid",
                                     data_format = "channels_last", batch_size = NULL, name = NULL,
                                     trainable = NULL, weights = NULL, input_shape = NULL,
                                     batch_input_shape = NULL, dtype = NULL) {
  create_layer("AveragePooling1D", object, layer_args())
}

#' @rdname layer_average_pooling_1d
#' @export
layer_average_pooling_2d <- function(object, pool_size = c(2L, 2L), strides = NULL, padding = "valid",
                                     data_format = NULL, batch_size = NULL, name = NULL, trainable = NULL,
                                     weights = NULL, input_shape = NULL, batch_input_shape = NULL,
                                     dtype = NULL) {
  create_layer("AveragePooling2D", object, layer_args())
}

#' @rdname layer_average_pooling_1d
#' @export
layer_average_pooling_3d <- function(object, pool_size = c(2L, 2L, 2L), strides = NULL, padding = "valid",
                                     data_format = NULL, batch_size = NULL, name = NULL, trainable = NULL,
                                     weights = NULL, input_shape = NULL, batch_input_shape = NULL,
                                     dtype = NULL) {
  create_layer("AveragePooling3D", object, layer_args())
}

init_pooling <- function(n) {
  function(args) {
    args$pool_size <- check_counts(args$pool_size, "pool_size", n)
    args$strides <- check_counts(args$strides %||% args$pool_size, "strides", n)
    args$padding <- check_padding(args$padding)
    args$data_format <- check_data_format(args$data_format)
    args
  }
}

call_pooling <- function(n, op) {
  function(self, inputs) {
    check_images(inputs$shape, n, self$data_format)
    x <- channels_last(inputs, self$data_format)
    y <- emit(op, list(x), list(pool = self$pool_size, strides = self$strides, padding = self$padding))
    from_channels_last(y, self$data_format)
  }
}

register_layer_class("MaxPooling1D", init = init_pooling(1), call = call_pooling(1, "max_pool"))
register_layer_class("MaxPooling2D", init = init_pooling(2), call = call_pooling(2, "max_pool"))
register_layer_class("MaxPooling3D", init = init_pooling(3), call = call_pooling(3, "max_pool"))
register_layer_class("AveragePooling1D", init = init_pooling(1), call = call_pooling(1, "average_pool"))
register_layer_class("AveragePooling2D", init = init_pooling(2), call = call_pooling(2, "average_pool"))
register_layer_class("AveragePooling3D", init = init_pooling(3), call = call_pooling(3, "average_pool"))
