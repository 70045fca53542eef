#' Output sizes of convolutions, and the output_padding for a wanted size
#'
#' A convolution with strides maps several input sizes to the same output size, so
#' going back with [layer_conv_2d_transpose()] is ambiguous: `output_padding`
#' chooses. `conv_output_padding()` finds the value that leads from the size
#' `input` to the size `output`. The other two functions tell the sizes that
#' [layer_conv_2d()] and [layer_conv_2d_transpose()] make.
#'
#' Give the sizes of the spatial dimensions only: no samples, no channels. Every
#' argument but `padding` is one number, or one for each dimension.
#'
#' @param input Size before the layer: the rows and columns of its input.
#' @param output The size wanted after [layer_conv_2d_transpose()].
#' @param kernel_size,strides,padding,output_padding,dilation_rate As given to the
#'   layer.
#' @return `conv_output_padding()` returns `NULL` where the default,
#'   `output_padding = NULL`, gives the wanted size, and an integer vector
#'   otherwise. Both can be given to the layer as they are.
#'   `conv_output_size()` and `conv_transpose_output_size()` return an integer
#'   vector.
#' @section Errors: `convnet_error_shape` when no `output_padding` gives the wanted
#'   size, naming the sizes that can be had; `convnet_error_argument` for sizes
#'   below 1 and arguments of unlike lengths.
#' @family convolutional layers
#' @examples
#' # 27 and 28 pixels both become 14:
#' conv_output_size(c(27, 28), kernel_size = 3, strides = 2, padding = "same")
#'
#' # Back to 28 without any help, to 27 with output_padding = 0:
#' conv_output_padding(14, 28, kernel_size = 3, strides = 2, padding = "same")
#' conv_output_padding(14, 27, kernel_size = 3, strides = 2, padding = "same")
#'
#' # Rows and columns of their own:
#' op <- conv_output_padding(c(5, 8), c(9, 16), kernel_size = 3, strides = 2, padding = "same")
#' op
#' up <- layer_conv_2d_transpose(filters = 1, kernel_size = 3, strides = 2,
#'                               padding = "same", output_padding = op)
#' dim(up(array(1, c(1, 5, 8, 1))))
#' @export
conv_output_padding <- function(input, output, kernel_size, strides = 1, padding = "valid",
                                dilation_rate = 1) {
  axes <- check_axes(input = input, output = output, kernel_size = kernel_size,
                     strides = strides, dilation_rate = dilation_rate)
  padding <- check_padding(padding)
  default <- transposed_sizes(axes, padding, -1L)
  if (identical(default, axes$output)) return(NULL)
  # Which of 0, 1, ..., stride - 1 leads to the wanted size, axis by axis.
  reachable <- lapply(seq_along(axes$input), function(i) {
    axis <- lapply(axes, `[`, i)
    vapply(seq_len(axis$strides) - 1L, function(op) transposed_sizes(axis, padding, op), 1L)
  })
  found <- mapply(match, axes$output, reachable) - 1L
  if (anyNA(found)) {
    abort_shape(
      "No `output_padding` gives the wanted size.",
      expected = paste0(format_sizes(default), " with output_padding = NULL; ",
                        describe_sizes(reachable), " with output_padding from 0 to strides - 1"),
      received = paste0("output = ", format_sizes(axes$output), ", input = ", format_sizes(axes$input)),
      remedy = "Change the kernel, the strides or the padding, or crop or pad the output.")
  }
  found
}

#' @rdname conv_output_padding
#' @export
conv_output_size <- function(input, kernel_size, strides = 1, padding = "valid",
                             dilation_rate = 1) {
  axes <- check_axes(input = input, kernel_size = kernel_size, strides = strides,
                     dilation_rate = dilation_rate)
  window_sizes("conv", axes, check_padding(padding))
}

#' @rdname conv_output_padding
#' @export
conv_transpose_output_size <- function(input, kernel_size, strides = 1, padding = "valid",
                                       output_padding = NULL, dilation_rate = 1) {
  axes <- check_axes(input = input, kernel_size = kernel_size, strides = strides,
                     dilation_rate = dilation_rate)
  padding <- check_padding(padding)
  if (is.null(output_padding)) output_padding <- -1L
  else output_padding <- check_counts(output_padding, "output_padding", length(axes$input), lower = 0)
  window_sizes("conv_backward_data", axes, padding, output_padding)
}

# Sizes as whole numbers, one for each spatial dimension.
check_axes <- function(...) {
  sizes <- list(...)
  n <- max(1L, lengths(Filter(Negate(is_tensor), sizes)))
  if (n > 3) {
    abort_argument("Sizes are those of the spatial dimensions.", expected = "1, 2 or 3 of them",
                   received = n, remedy = "Leave out samples and channels.")
  }
  Map(function(x, arg) check_counts(x, arg, n), sizes, names(sizes))
}

# The core alone knows the formulas: it is asked for the shape of a convolution
# of one sample with one channel.
window_sizes <- function(op, axes, padding, output_padding = -1L) {
  n <- length(axes$input)
  attrs <- list(strides = axes$strides, dilation = axes$dilation_rate, padding = padding)
  if (op == "conv_backward_data") attrs$output_padding <- rep_len(output_padding, n)
  type <- cpp_infer(op, attrs, list(c(1L, axes$input, 1L), c(axes$kernel_size, 1L, 1L)),
                    c("float32", "float32"))
  type$shape[seq_len(n) + 1L]
}

# The same, NA where nothing would be left of the output.
transposed_sizes <- function(axes, padding, output_padding) {
  tryCatch(window_sizes("conv_backward_data", axes, padding, output_padding),
           convnet_error_shape = function(e) rep(NA_integer_, length(axes$input)))
}

# "27 or 28", or "27 or 28 (dimension 1), 7 (dimension 2)".
describe_sizes <- function(sizes) {
  sizes <- vapply(sizes, function(s) paste(s[!is.na(s)], collapse = " or "), "")
  if (length(sizes) > 1) sizes <- paste0(sizes, " (dimension ", seq_along(sizes), ")")
  paste(sizes, collapse = ", ")
}
