# What the convolution layers share.

# Checks the arguments that every convolution over n spatial dimensions has.
check_conv_args <- function(args, n, paddings = c("valid", "same")) {
  args$kernel_size <- check_counts(args$kernel_size, "kernel_size", n)
  args$strides <- check_counts(args$strides, "strides", n)
  args$dilation_rate <- check_counts(args$dilation_rate, "dilation_rate", n)
  args$padding <- check_padding(args$padding, paddings)
  args$data_format <- check_data_format(args$data_format)
  if (any(args$strides > 1) && any(args$dilation_rate > 1)) {
    abort_argument("`strides` and `dilation_rate` cannot both be greater than 1.",
                   expected = "strides = 1 or dilation_rate = 1",
                   received = paste0("strides = ", format_sizes(args$strides),
                                     " and dilation_rate = ", format_sizes(args$dilation_rate)))
  }
  init_weights(args)
}

# Activation, initializers, regularizers and constraints by their argument names.
init_weights <- function(args) {
  if ("use_bias" %in% names(args)) args$use_bias <- check_flag(args$use_bias, "use_bias")
  getters <- list(initializer = get_initializer, regularizer = get_regularizer,
                  constraint = get_constraint)
  for (kind in names(getters)) {
    for (arg in grep(paste0("_", kind, "$"), names(args), value = TRUE)) {
      args[arg] <- list(getters[[kind]](args[[arg]]))
    }
  }
  if ("activation" %in% names(args)) args["activation"] <- list(get_activation(args$activation))
  args
}

check_images <- function(shape, n, data_format) {
  if (length(shape) != n + 2) {
    abort_shape("The input has another number of dimensions.",
                expected = paste0(n + 2, " dimensions, ", image_dimensions(n, data_format)),
                received = paste("shape", format_shape(shape)))
  }
}

channel_axis <- function(n, data_format) if (data_format == "channels_first") 2 else n + 2

# Counted from 0.
spatial_axes <- function(n, data_format) seq_len(n) + if (data_format == "channels_first") 1 else 0

# The channel extent of an image batch; n spatial dimensions.
channels_of <- function(input_shape, n, data_format) {
  check_images(input_shape, n, data_format)
  channels <- input_shape[channel_axis(n, data_format)]
  if (is.na(channels)) {
    abort_shape("The number of channels must be known.",
                expected = paste("shape", image_dimensions(n, data_format)),
                received = paste("shape", format_shape(input_shape)),
                remedy = "Give it in input_shape.")
  }
  channels
}

image_dimensions <- function(n, data_format) {
  spatial <- switch(n, "steps", c("rows", "columns"), c("planes", "rows", "columns"))
  paste0("(", paste(c("samples", if (data_format == "channels_first") "channels", spatial,
                      if (data_format == "channels_last") "channels"), collapse = ", "), ")")
}

# The core computes channels last.
channels_last <- function(x, data_format) {
  if (data_format == "channels_last") return(x)
  n <- length(x$shape)
  emit("transpose", list(x), list(perm = c(0, seq_len(n - 2) + 1, 1)))
}

from_channels_last <- function(x, data_format) {
  if (data_format == "channels_last") return(x)
  n <- length(x$shape)
  emit("transpose", list(x), list(perm = c(0, n - 1, seq_len(n - 2))))
}

# A batch of images with the channels last that a layer was built for.
conv_input <- function(self, inputs, n, channels) {
  check_images(inputs$shape, n, self$data_format)
  found <- inputs$shape[channel_axis(n, self$data_format)]
  if (!is.na(found) && found != channels) {
    abort_shape("The input has another number of channels than the layer was built for.",
                expected = paste(channels, "channels"),
                received = paste0(found, " channels, shape ", format_shape(inputs$shape)))
  }
  channels_last(inputs, self$data_format)
}

# Bias and activation of every family member; y has its channels last.
conv_output <- function(self, y) {
  if (self$use_bias) y <- y + self$bias
  activate(self$activation, from_channels_last(y, self$data_format))
}

window_attrs <- function(self, ...) {
  list(strides = self$strides, dilation = self$dilation_rate, padding = self$padding, ...)
}

add_bias_weight <- function(self, size) {
  if (!self$use_bias) return(invisible())
  self$bias <- self$add_weight("bias", size, self$bias_initializer, self$bias_regularizer,
                               self$bias_constraint)
}

# Convolution: layer_conv_1d(), layer_conv_2d(), layer_conv_3d().

init_conv <- function(n, paddings = c("valid", "same")) {
  function(args) {
    args$filters <- check_counts(args$filters, "filters")
    args <- check_conv_args(args, n, paddings)
    args$groups <- check_counts(args$groups, "groups")
    if (args$filters %% args$groups != 0) {
      abort_argument("`groups` must divide `filters`.",
                     expected = paste("filters that are a multiple of", args$groups),
                     received = paste("filters =", args$filters))
    }
    args
  }
}

build_conv <- function(n) {
  function(self, input_shape) {
    channels <- channels_of(input_shape, n, self$data_format)
    if (channels %% self$groups != 0) {
      abort_argument("`groups` must divide the channels of the input.",
                     expected = paste("channels that are a multiple of", self$groups),
                     received = paste(channels, "channels"))
    }
    self$kernel <- self$add_weight("kernel", c(self$kernel_size, channels %/% self$groups, self$filters),
                                   self$kernel_initializer, self$kernel_regularizer,
                                   self$kernel_constraint)
    add_bias_weight(self, self$filters)
  }
}

call_conv <- function(self, inputs) {
  n <- length(self$kernel_size)
  x <- conv_input(self, inputs, n, self$kernel$shape[n + 1] * self$groups)
  conv_output(self, emit("conv", list(x, self$kernel), window_attrs(self, groups = self$groups)))
}
