#' Max pooling for images
#'
#' The largest value in each window.
#'
#' @inheritParams layer_dense
#' @inheritParams layer_conv_2d_transpose
#' @param pool_size An integer or 2 integers: height and width of the window.
#' @param strides An integer or 2 integers, the steps of the window; `pool_size`
#'   when `NULL`.
#' @section Input shape: `(samples, rows, columns, channels)`, or `(samples,
#'   channels, rows, columns)` with `data_format = "channels_first"`.
#' @section Output shape: The same with rows and columns
#'   \eqn{\lfloor (n - k)/s \rfloor + 1} for `padding = "valid"` and
#'   \eqn{\lceil n / s \rceil} for `"same"`; padding never wins.
#' @section Errors: `convnet_error_shape` when the window is larger than the
#'   input and `padding` is `"valid"`.
#' @return A layer, model or tensor, as [layer_dense()].
#' @family pooling layers
#' @examples
#' keras_model_sequential(input_shape = c(28, 28, 8)) %>% layer_max_pooling_2d()
#' @export
layer_max_pooling_2d <- function(object, pool_size = c(2L, 2L), strides = NULL, padding = "valid",
                                 data_format = NULL, batch_size = NULL, name = NULL,
                                 trainable = NULL, weights = NULL, input_shape = NULL,
                                 batch_input_shape = NULL, dtype = NULL) {
  create_layer("MaxPooling2D", object, layer_args())
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

register_layer_class("MaxPooling2D", init = init_pooling(2), call = call_pooling(2, "max_pool"))
