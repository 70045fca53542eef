#' Convolution, pooling and padding of tensors
#'
#' The operations behind the convolution and pooling layers, on tensors and arrays. They have no weights of their own:
#' kernels are arguments.
#'
#' @param x,inputs A tensor or array of images: `(samples, spatial axes, channels)`, or `(samples, channels, spatial axes)`
#'   with `data_format = "channels_first"`.
#' @param kernel A tensor or array: `(kernel sizes, channels of x, filters)`; for the transposed ones `(kernel sizes,
#'   filters, channels of x)`; for `k_local_conv1d()` and `k_local_conv2d()` `(output positions, kernel sizes times
#'   channels, filters)`.
#' @param depthwise_kernel `(kernel sizes, channels of x, multiplier)`.
#' @param pointwise_kernel `(1, 1, channels of x times multiplier, filters)`; in one dimension without the second 1.
#' @param strides,dilation_rate One number, or one for each spatial axis.
#' @param padding `"valid"` or `"same"`; in one dimension also `"causal"`. For `k_temporal_padding()` the numbers of zeros
#'   before and after; for `k_spatial_2d_padding()` and `k_spatial_3d_padding()` a list of such pairs, one for each
#'   spatial axis.
#' @param data_format `"channels_last"` or `"channels_first"`; `NULL` for [k_image_data_format()].
#' @param output_shape Shape of the result: with the samples for the transposed convolutions, whose own number counts;
#'   its spatial axes alone for `k_local_conv2d()`.
#' @param kernel_size Sizes of the kernel along the spatial axes.
#' @param pool_size Sizes of the window along the spatial axes.
#' @param pool_mode `"max"` or `"avg"`.
#' @param depth_factor,height_factor,width_factor Whole numbers: how many pixels there will be for one.
#' @param interpolation `"nearest"`, `"bilinear"` or `"bicubic"`.
#' @param bias A vector with one number a channel, or an array of the shape of one sample.
#'
#' @return A tensor of floating-point numbers in the format of `x`.
#' @section Errors:
#' `convnet_error_shape` where shapes do not fit, `convnet_error_argument` for sizes and names that do not exist.
#' @section Details:
#' Padding does not count: neither as a maximum nor in a mean. Pixels are resized between their centres, as TensorFlow 2
#' does. The layers have formulas for the sizes of results: see [layer_conv_2d()] and [layer_conv_2d_transpose()].
#' @seealso [conv_output_size()]
#' @family tensor operations
#' @name k_conv2d
#' @export
#' @examples
#' x <- array(1:16, c(1, 4, 4, 1))
#' k_conv2d(x, array(1, c(2, 2, 1, 1)), strides = 2)
#' k_pool2d(x, c(2, 2), strides = c(2, 2), pool_mode = "avg")
#' dim(k_resize_images(x, 2, 3, "channels_last"))
k_conv1d <- function(x, kernel, strides = 1, padding = "valid", data_format = NULL, dilation_rate = 1) {
  convolve(1, x, kernel, strides, check_padding(padding, c("valid", "same", "causal")), data_format, dilation_rate)
}

#' @rdname k_conv2d
#' @export
k_conv2d <- function(x, kernel, strides = c(1, 1), padding = "valid", data_format = NULL, dilation_rate = c(1, 1)) {
  convolve(2, x, kernel, strides, check_padding(padding), data_format, dilation_rate)
}

#' @rdname k_conv2d
#' @export
k_conv3d <- function(x, kernel, strides = c(1, 1, 1), padding = "valid", data_format = NULL,
                     dilation_rate = c(1, 1, 1)) {
  convolve(3, x, kernel, strides, check_padding(padding), data_format, dilation_rate)
}

convolve <- function(n, x, kernel, strides, padding, data_format, dilation_rate, groups = 1) {
  on_images(n, x, data_format, function(x) {
    emit("conv", list(x, like(kernel, x)),
         list(strides = check_counts(strides, "strides", n), padding = padding, groups = groups,
              dilation = check_counts(dilation_rate, "dilation_rate", n)))
  })
}

#' @rdname k_conv2d
#' @export
k_conv2d_transpose <- function(x, kernel, output_shape, strides = c(1, 1), padding = "valid", data_format = NULL) {
  convolve_transposed(2, x, kernel, output_shape, strides, padding, data_format)
}

#' @rdname k_conv2d
#' @export
k_conv3d_transpose <- function(x, kernel, output_shape, strides = c(1, 1, 1), padding = "valid", data_format = NULL) {
  convolve_transposed(3, x, kernel, output_shape, strides, padding, data_format)
}

convolve_transposed <- function(n, x, kernel, output_shape, strides, padding, data_format) {
  sizes <- read_sizes(output_shape, "output_shape")$sizes
  spatial <- if (check_data_format(data_format) == "channels_first") 2 + seq_len(n) else 1 + seq_len(n)
  if (length(sizes) != n + 2L || anyNA(sizes[spatial])) {
    abort_argument("`output_shape` is not the shape of images.",
                   expected = sprintf("%d sizes, those of the spatial axes being numbers", n + 2L),
                   received = format_shape(sizes))
  }
  on_images(n, x, data_format, function(x) {
    emit("conv_backward_data", list(x, like(kernel, x)),
         list(strides = check_counts(strides, "strides", n), padding = check_padding(padding),
              dilation = rep(1, n), size = sizes[spatial]))
  })
}

#' @rdname k_conv2d
#' @export
k_depthwise_conv2d <- function(x, depthwise_kernel, strides = c(1, 1), padding = "valid", data_format = NULL,
                               dilation_rate = c(1, 1)) {
  convolve_depthwise(2, x, depthwise_kernel, strides, padding, data_format, dilation_rate)
}

# Every channel is a group of its own.
convolve_depthwise <- function(n, x, kernel, strides, padding, data_format, dilation_rate) {
  kernel <- float_tensor(kernel)
  sizes <- kernel$shape
  if (length(sizes) != n + 2L || anyNA(sizes)) {
    abort_shape("`depthwise_kernel` has the wrong number of axes.", received = format_shape(sizes),
                expected = sprintf("%d known sizes: kernel sizes, channels, multiplier", n + 2L))
  }
  grouped <- reshape(kernel, c(sizes[seq_len(n)], 1L, sizes[n + 1L] * sizes[n + 2L]))
  convolve(n, x, grouped, strides, check_padding(padding), data_format, dilation_rate, groups = sizes[n + 1L])
}

#' @rdname k_conv2d
#' @export
k_separable_conv1d <- function(x, depthwise_kernel, pointwise_kernel, strides = 1, padding = "valid",
                               data_format = NULL, dilation_rate = 1) {
  mixed <- convolve_depthwise(1, x, depthwise_kernel, strides, padding, data_format, dilation_rate)
  k_conv1d(mixed, pointwise_kernel, data_format = data_format)
}

#' @rdname k_conv2d
#' @export
k_separable_conv2d <- function(x, depthwise_kernel, pointwise_kernel, strides = c(1, 1), padding = "valid",
                               data_format = NULL, dilation_rate = c(1, 1)) {
  mixed <- k_depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
  k_conv2d(mixed, pointwise_kernel, data_format = data_format)
}

#' @rdname k_conv2d
#' @export
k_local_conv1d <- function(inputs, kernel, kernel_size, strides, data_format = NULL) {
  convolve_locally(1, inputs, kernel, kernel_size, strides, NULL, data_format)
}

#' @rdname k_conv2d
#' @export
k_local_conv2d <- function(inputs, kernel, kernel_size, strides, output_shape, data_format = NULL) {
  convolve_locally(2, inputs, kernel, kernel_size, strides, check_counts(output_shape, "output_shape", 2), data_format)
}

convolve_locally <- function(n, inputs, kernel, kernel_size, strides, output_shape, data_format) {
  first <- check_data_format(data_format) == "channels_first"
  on_images(n, inputs, data_format, function(x) {
    kernel <- like(kernel, x)
    multiply_locally(x, kernel, check_counts(kernel_size, "kernel_size", n), check_counts(strides, "strides", n),
                     output_shape %||% kernel$shape[1], first)
  })
}

# One matrix for each output position, applied to the values under its window; x and the result have their channels
# last. The rows of the kernel are in the order of patches().
multiply_locally <- function(x, kernel, kernel_size, strides, positions, by_channel) {
  under <- patches(x, kernel_size, strides, positions, by_channel)
  by_position <- transpose(reshape(under, c(-1L, prod(positions), under$shape[length(under$shape)])), c(1, 0, 2))
  y <- transpose(emit("matmul", list(by_position, kernel)), c(1, 0, 2))
  reshape(y, c(-1L, positions, kernel$shape[3]))
}

# The values under each window side by side: tap by tap with their channels, or channel by channel.
patches <- function(x, kernel_size, strides, positions, by_channel) {
  n <- length(kernel_size)
  taps <- as.matrix(expand.grid(rev(lapply(kernel_size, function(k) seq_len(k) - 1L))))[, n:1, drop = FALSE]
  parts <- apply(taps, 1, simplify = FALSE, function(tap) {
    part <- emit("slice", list(x), list(begin = c(0, tap, 0), size = c(-1, positions, -1), stride = c(1, strides, 1)))
    if (by_channel) k_expand_dims(part) else part
  })
  joined <- k_concatenate(parts)
  if (by_channel) reshape(joined, c(-1L, positions, x$shape[n + 2L] * nrow(taps))) else joined
}

#' @rdname k_conv2d
#' @export
k_pool2d <- function(x, pool_size, strides = c(1, 1), padding = "valid", data_format = NULL, pool_mode = "max") {
  pool(2, x, pool_size, strides, padding, data_format, pool_mode)
}

#' @rdname k_conv2d
#' @export
k_pool3d <- function(x, pool_size, strides = c(1, 1, 1), padding = "valid", data_format = NULL, pool_mode = "max") {
  pool(3, x, pool_size, strides, padding, data_format, pool_mode)
}

pool <- function(n, x, pool_size, strides, padding, data_format, pool_mode) {
  op <- c(max = "max_pool", avg = "average_pool")[[check_choice(pool_mode, c("max", "avg"), "pool_mode")]]
  on_images(n, x, data_format, function(x) {
    emit(op, list(x), list(pool = check_counts(pool_size, "pool_size", n),
                           strides = check_counts(strides, "strides", n), padding = check_padding(padding)))
  })
}

#' @rdname k_conv2d
#' @export
k_resize_images <- function(x, height_factor, width_factor, data_format, interpolation = "nearest") {
  resize(x, list(height_factor = height_factor, width_factor = width_factor), data_format, interpolation)
}

#' @rdname k_conv2d
#' @export
k_resize_volumes <- function(x, depth_factor, height_factor, width_factor, data_format) {
  resize(x, list(depth_factor = depth_factor, height_factor = height_factor, width_factor = width_factor), data_format,
         "nearest")
}

resize <- function(x, factors, data_format, interpolation) {
  method <- check_choice(interpolation, c("nearest", "bilinear", "bicubic"), "interpolation")
  factor <- unlist(Map(check_counts, factors, names(factors)), use.names = FALSE)
  on_images(length(factor), x, data_format,
            function(x) emit("resize", list(x), list(factor = factor, method = method)))
}

#' @rdname k_conv2d
#' @export
k_temporal_padding <- function(x, padding = c(1, 1)) pad_images(1, x, list(padding), "channels_last")

#' @rdname k_conv2d
#' @export
k_spatial_2d_padding <- function(x, padding = list(list(1, 1), list(1, 1)), data_format = NULL) {
  pad_images(2, x, padding, data_format)
}

#' @rdname k_conv2d
#' @export
k_spatial_3d_padding <- function(x, padding = list(list(1, 1), list(1, 1), list(1, 1)), data_format = NULL) {
  pad_images(3, x, padding, data_format)
}

pad_images <- function(n, x, padding, data_format) {
  if (!is.list(padding) || length(padding) != n) {
    abort_argument("`padding` needs a pair for each spatial axis.", received = describe(padding),
                   expected = sprintf("a list of %s, each before and after", count_of(n, "pair")))
  }
  pairs <- vapply(padding, check_counts, integer(2), arg = "padding", n = 2, lower = 0)
  x <- as_tensor(x)
  spatial <- if (check_data_format(data_format) == "channels_first") 2 + seq_len(n) else 1 + seq_len(n)
  check_image_rank(x, n)
  around <- function(values) replace(integer(n + 2L), spatial, values)
  emit("pad", list(x), list(lo = around(pairs[1, ]), hi = around(pairs[2, ])))
}

#' @rdname k_conv2d
#' @export
k_bias_add <- function(x, bias, data_format = NULL) {
  x <- float_tensor(x)
  bias <- like(bias, x)
  data_format <- check_data_format(data_format)
  rank <- k_ndim(x)
  if (!k_ndim(bias) %in% c(1L, rank - 1L)) {
    abort_shape("The bias has the wrong number of axes.", expected = sprintf("1 axis or %d axes", rank - 1L),
                received = format_shape(bias$shape))
  }
  if (k_ndim(bias) == 1L && data_format == "channels_first" && rank > 2L) {
    bias <- reshape(bias, c(bias$shape, rep(1L, rank - 2L)))
  }
  x + bias
}

# Runs f on images with channels last, as the core computes, and gives its result the format of x.
on_images <- function(n, x, data_format, f) {
  data_format <- check_data_format(data_format)
  x <- float_tensor(x)
  check_image_rank(x, n)
  from_channels_last(f(channels_last(x, data_format)), data_format)
}

check_image_rank <- function(x, n) {
  if (k_ndim(x) != n + 2L) {
    abort_shape("The tensor has another number of axes.", received = format_shape(x$shape),
                expected = sprintf("%d axes: samples, %s and channels", n + 2L,
                                    count_of(n, "spatial axis", "spatial axes")))
  }
}
