#' Locally connected layers
#'
#' Like [layer_conv_1d()] and [layer_conv_2d()], but the weights are not shared: each
#' place \eqn{o} of the output has a kernel and a bias of its own,
#' \deqn{y_o = \sum_\kappa x_{s\,o + \kappa} K_{o, \kappa} + b_o.}{
#'   y[o] = sum over t of x[s o + t] K[o, t] + b[o].}
#'
#' @inheritParams layer_conv_2d
#' @param kernel_size Size of the window: an integer, or for images 2 integers.
#' @param strides Steps of the window: an integer, or for images 2 integers.
#' @param padding `"valid"`; weights that are not shared have no padded places.
#' @param data_format `"channels_last"` or `"channels_first"`: where the channels of the
#'   input are; `NULL` takes [k_image_data_format()].
#' @param implementation 1, the way to store the weights that is described below; the
#'   others of Keras store the same layer with more numbers.
#'
#' @section Input shape:
#' `(samples, steps, channels)` or `(samples, rows, columns, channels)`, with `data_format =
#' "channels_first"` the channels second. Steps, rows and columns must be known.
#' @section Output shape:
#' The same with `filters` channels; each spatial dimension becomes
#' \eqn{\lfloor (n - k)/s \rfloor + 1}{floor((n - k) / s) + 1}.
#' @section Errors: `convnet_error_argument` for sizes below 1, another padding or another
#'   implementation; `convnet_error_shape` for inputs whose dimensions are unknown, smaller
#'   than the window or others than the layer was built for.
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor
#'   otherwise. With \eqn{p} places in the output the kernel has the shape `(p, kernel
#'   elements * channels, filters)`, its rows in the order of the input's dimensions; the
#'   bias has the shape of a sample of the output, channels last.
#' @references Taigman, Y., Yang, M., Ranzato, M. and Wolf, L. (2014), *DeepFace: closing
#'   the gap to human-level performance in face verification*, CVPR.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(10, 10, 3)) %>%
#'   layer_locally_connected_2d(filters = 4, kernel_size = c(3, 3))
#' count_params(model)
#' @export
layer_locally_connected_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid",
                                       data_format = NULL, activation = NULL, use_bias = TRUE,
                                       kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                                       kernel_regularizer = NULL, bias_regularizer = NULL,
                                       activity_regularizer = NULL, kernel_constraint = NULL,
                                       bias_constraint = NULL, batch_size = NULL, name = NULL,
                                       trainable = NULL, weights = NULL, implementation = 1L,
                                       input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("LocallyConnected1D", object, layer_args())
}

#' @rdname layer_locally_connected_1d
#' @export
layer_locally_connected_2d <- function(object, filters, kernel_size, strides = c(1L, 1L), padding = "valid",
                                       data_format = NULL, activation = NULL, use_bias = TRUE,
                                       kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                                       kernel_regularizer = NULL, bias_regularizer = NULL,
                                       activity_regularizer = NULL, kernel_constraint = NULL,
                                       bias_constraint = NULL, batch_size = NULL, name = NULL,
                                       trainable = NULL, weights = NULL, implementation = 1L,
                                       input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("LocallyConnected2D", object, layer_args())
}

init_locally_connected <- function(n) {
  function(args) {
    args$filters <- check_counts(args$filters, "filters")
    args$kernel_size <- check_counts(args$kernel_size, "kernel_size", n)
    args$strides <- check_counts(args$strides, "strides", n)
    args$padding <- check_padding(args$padding, "valid")
    args$data_format <- check_data_format(args$data_format)
    args$implementation <- check_whole(args$implementation, "implementation")
    if (args$implementation != 1) {
      abort_argument("`implementation` must be 1.", expected = "1", received = args$implementation,
                     remedy = "All of Keras's implementations compute the same.")
    }
    init_weights(args)
  }
}

build_locally_connected <- function(n) {
  function(self, input_shape) {
    channels <- channels_of(input_shape, n, self$data_format)
    out <- places(self, input_shape)
    self$kernel <- self$add_weight("kernel", c(prod(out), prod(self$kernel_size) * channels, self$filters),
                                   self$kernel_initializer, self$kernel_regularizer, self$kernel_constraint)
    add_bias_weight(self, c(out, self$filters))
  }
}

call_locally_connected <- function(self, inputs) {
  channels <- channels_of(inputs$shape, length(self$kernel_size), self$data_format)
  out <- places(self, inputs$shape)
  window <- prod(self$kernel_size) * channels
  if (!identical(as.integer(c(prod(out), window)), self$kernel$shape[1:2])) {
    abort_shape("The input has another shape than the layer was built for.",
                expected = paste("shape", format_shape(c(NA, self$build_input_shape[-1]))),
                received = paste("shape", format_shape(inputs$shape)))
  }
  # As in Keras, channels come first in the rows of the kernel where they do so in the input.
  conv_output(self, multiply_locally(channels_last(inputs, self$data_format), self$kernel, self$kernel_size, self$strides,
                                     out, self$data_format == "channels_first"))
}

places <- function(self, input_shape) {
  n <- length(self$kernel_size)
  inner <- input_shape[spatial_axes(n, self$data_format) + 1]
  if (anyNA(inner)) {
    abort_shape("The size of the input must be known: each place has weights of its own.",
                expected = paste("shape", image_dimensions(n, self$data_format)),
                received = paste("shape", format_shape(input_shape)))
  }
  if (any(inner < self$kernel_size)) {
    abort_shape("The window is larger than the input.",
                expected = paste("an input of at least", format_sizes(self$kernel_size)), received = format_sizes(inner),
                remedy = sprintf("Use a smaller kernel, or put layer_zero_padding_%dd() before this layer.", n))
  }
  window_sizes("conv", list(input = inner, kernel_size = self$kernel_size, strides = self$strides,
                            dilation_rate = rep(1L, n)), "valid")
}

register_layer_class("LocallyConnected1D", init = init_locally_connected(1), build = build_locally_connected(1),
                     call = call_locally_connected)
register_layer_class("LocallyConnected2D", init = init_locally_connected(2), build = build_locally_connected(2),
                     call = call_locally_connected)
