# Convolution of each channel on its own, and what separable convolution adds to it.

init_depthwise_conv <- function(n) {
  function(args) {
    args <- check_conv_args(args, n)
    args$depth_multiplier <- check_counts(args$depth_multiplier, "depth_multiplier")
    args
  }
}

build_depthwise_conv <- function(n) {
  function(self, input_shape) {
    channels <- channels_of(input_shape, n, self$data_format)
    add_depthwise_weight(self, channels)
    add_bias_weight(self, channels * self$depth_multiplier)
  }
}

call_depthwise_conv <- function(self, inputs) conv_output(self, depthwise(self, inputs))

init_separable_conv <- function(n, paddings = c("valid", "same")) {
  function(args) {
    args$filters <- check_counts(args$filters, "filters")
    args <- check_conv_args(args, n, paddings)
    args$depth_multiplier <- check_counts(args$depth_multiplier, "depth_multiplier")
    args
  }
}

build_separable_conv <- function(n) {
  function(self, input_shape) {
    channels <- channels_of(input_shape, n, self$data_format)
    add_depthwise_weight(self, channels)
    self$pointwise_kernel <- self$add_weight("pointwise_kernel",
                                             c(rep(1L, n), channels * self$depth_multiplier, self$filters),
                                             self$pointwise_initializer, self$pointwise_regularizer,
                                             self$pointwise_constraint)
    add_bias_weight(self, self$filters)
  }
}

call_separable_conv <- function(self, inputs) {
  ones <- rep(1, length(self$kernel_size))
  y <- emit("conv", list(depthwise(self, inputs), self$pointwise_kernel),
            list(strides = ones, dilation = ones, padding = "valid"))
  conv_output(self, y)
}

add_depthwise_weight <- function(self, channels) {
  self$depthwise_kernel <- self$add_weight("depthwise_kernel",
                                           c(self$kernel_size, channels, self$depth_multiplier),
                                           self$depthwise_initializer, self$depthwise_regularizer,
                                           self$depthwise_constraint)
}

# A convolution with a group a channel, whose kernel holds the same numbers in the same order.
depthwise <- function(self, inputs) {
  n <- length(self$kernel_size)
  channels <- self$depthwise_kernel$shape[n + 1]
  x <- conv_input(self, inputs, n, channels)
  kernel <- reshape(self$depthwise_kernel, c(self$kernel_size, 1, channels * self$depth_multiplier))
  emit("conv", list(x, kernel), window_attrs(self, groups = channels))
}
