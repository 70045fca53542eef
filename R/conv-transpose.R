# Transposed convolution: layer_conv_1d_transpose(), layer_conv_2d_transpose(), layer_conv_3d_transpose().

init_conv_transpose <- function(n) {
  function(args) {
    args$filters <- check_counts(args$filters, "filters")
    args <- check_conv_args(args, n)
    if (!is.null(args$output_padding)) {
      args$output_padding <- check_counts(args$output_padding, "output_padding", n, lower = 0)
      if (any(args$output_padding >= args$strides)) {
        abort_argument("`output_padding` must be smaller than the strides.",
                       expected = paste("less than", format_sizes(args$strides)),
                       received = format_sizes(args$output_padding))
      }
    }
    args
  }
}

build_conv_transpose <- function(n) {
  function(self, input_shape) {
    channels <- channels_of(input_shape, n, self$data_format)
    self$kernel <- self$add_weight("kernel", c(self$kernel_size, self$filters, channels),
                                   self$kernel_initializer, self$kernel_regularizer,
                                   self$kernel_constraint)
    add_bias_weight(self, self$filters)
  }
}

call_conv_transpose <- function(self, inputs) {
  n <- length(self$kernel_size)
  x <- conv_input(self, inputs, n, self$kernel$shape[n + 2])
  attrs <- window_attrs(self, output_padding = self$output_padding %||% rep(-1, n))
  conv_output(self, emit("conv_backward_data", list(x, self$kernel), attrs))
}
