#' Resize images
#'
#' @inheritParams layer_dense
#' @inheritParams layer_conv_2d_transpose
#' @param height,width Integers, rows and columns of the output.
#' @param interpolation `"bilinear"`, `"nearest"` or `"bicubic"`, between the centres of pixels.
#' @param crop_to_aspect_ratio Whether what does not fit the output's ratio of height and width is cut off around the
#'   centre before resizing, instead of distorting the images.
#' @param pad_to_aspect_ratio Whether the images are padded to that ratio instead.
#' @param fill_mode What they are padded with; only `"constant"`, that is `fill_value`.
#' @param fill_value A number.
#' @param antialias Whether every pixel of an image that shrinks counts, not only those around the places that are asked
#'   for: the filter is as many times wider as the image becomes smaller. `"nearest"` has no filter.
#' @section Input shape: `(samples, rows, columns, channels)`, or `(samples, channels, rows, columns)` with
#'   `data_format = "channels_first"`.
#' @section Output shape: The same with `height` rows and `width` columns.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` for inputs that are not images, and where an aspect ratio is kept, when rows or
#'   columns are unknown; `convnet_error_argument` for unknown modes.
#' @family preprocessing layers
#' @examples
#' layer <- layer_resizing(height = 2, width = 2)
#' layer(array(1:16, c(1, 4, 4, 1)))
#' layer_resizing(height = 1, width = 2, antialias = TRUE)(array(1:16, c(1, 4, 4, 1)))
#' @export
layer_resizing <- function(object, height, width, interpolation = "bilinear", crop_to_aspect_ratio = FALSE,
                           pad_to_aspect_ratio = FALSE, fill_mode = "constant", fill_value = 0, data_format = NULL,
                           input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                           trainable = NULL, weights = NULL, antialias = FALSE) {
  create_layer("Resizing", object, layer_args())
}

register_layer_class(
  "Resizing",
  init = function(args) {
    args <- init_image_size(args)
    args$interpolation <- check_choice(args$interpolation, c("bilinear", "nearest", "bicubic"), "interpolation")
    check_flag(args$crop_to_aspect_ratio, "crop_to_aspect_ratio")
    check_flag(args$pad_to_aspect_ratio, "pad_to_aspect_ratio")
    if (args$crop_to_aspect_ratio && args$pad_to_aspect_ratio) {
      abort_argument("Images are either cropped or padded.",
                     expected = "one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`", received = "both")
    }
    args$fill_mode <- check_choice(args$fill_mode, "constant", "fill_mode")
    args$fill_value <- check_number(args$fill_value, "fill_value")
    args$antialias <- check_flag(args$antialias, "antialias")
    args
  },
  call = function(self, inputs) {
    on_image_batch(self, inputs, function(x) {
      size <- c(self$height, self$width)
      if (self$crop_to_aspect_ratio) x <- crop_to(x, pmin(known_size(x), with_ratio(x, size)))
      if (self$pad_to_aspect_ratio) x <- pad_to(x, pmax(known_size(x), with_ratio(x, size)), self$fill_value)
      resize_images(x, size, self$interpolation, self$antialias)
    })
  }
)

#' Crop images around their centre
#'
#' @inheritParams layer_resizing
#' @inheritSection layer_resizing Input shape
#' @section Output shape: The same with `height` rows and `width` columns. Images that are smaller are enlarged first, with
#'   their ratio of height and width kept.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` for inputs that are not images, or whose rows or columns are unknown.
#' @family preprocessing layers
#' @examples
#' layer <- layer_center_crop(height = 2, width = 2)
#' layer(array(1:16, c(1, 4, 4, 1)))
#' @export
layer_center_crop <- function(object, height, width, data_format = NULL, input_shape = NULL, batch_input_shape = NULL,
                              batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("CenterCrop", object, layer_args())
}

register_layer_class("CenterCrop", init = function(args) init_image_size(args), call = function(self, inputs) {
  on_image_batch(self, inputs, function(x) {
    size <- c(self$height, self$width)
    if (all(known_size(x) >= size)) return(crop_to(x, size))
    resize_images(crop_to(x, pmin(known_size(x), with_ratio(x, size))), size, "bilinear")
  })
})

init_image_size <- function(args) {
  args$height <- check_counts(args$height, "height")
  args$width <- check_counts(args$width, "width")
  args$data_format <- check_data_format(args$data_format)
  args
}

# f of a batch of images with channels last, in numbers that can be interpolated.
on_image_batch <- function(self, inputs, f) {
  check_images(inputs$shape, 2, self$data_format)
  from_channels_last(f(channels_last(as_float(inputs), self$data_format)), self$data_format)
}

known_size <- function(x) {
  size <- x$shape[2:3]
  if (anyNA(size)) {
    abort_shape("The rows and columns of the images must be known.", expected = "numbers of rows and columns",
                received = paste("shape", format_shape(x$shape)), remedy = "Give them in input_shape.")
  }
  size
}

# Rows and columns of which one is that of x, the other in the ratio of `size`.
with_ratio <- function(x, size) {
  known <- known_size(x)
  pmax(1L, as.integer(floor(as.numeric(rev(known)) * size / rev(size))))
}

resize_images <- function(x, size, method, antialias = FALSE) {
  if (identical(x$shape[2:3], as.integer(size))) return(x)
  emit("resize", list(x), list(size = size, method = method, antialias = antialias))
}

crop_to <- function(x, size) {
  before <- (known_size(x) - size) %/% 2
  emit("slice", list(x), list(begin = c(0, before, 0), size = c(-1, size, -1)))
}

pad_to <- function(x, size, value) {
  missing <- size - known_size(x)
  low <- c(0, missing %/% 2, 0)
  high <- c(0, missing - missing %/% 2, 0)
  emit("pad", list(x), list(lo = low, hi = high, value = value))
}
