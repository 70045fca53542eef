#' Images as arrays
#'
#' `image_load()` reads a PNG or JPEG file, `image_array_save()` writes one; `image_to_array()` and
#' `image_array_resize()` bring images into the form that models take.
#'
#' @param path Path of the file.
#' @param grayscale Whether the image has one channel, else three; transparency is dropped.
#' @param target_size Rows and columns to resize the image to; `NULL` for those of the file.
#' @param interpolation `"nearest"`, `"bilinear"` or `"bicubic"`, without antialiasing.
#' @param color_mode `"rgb"` or `"grayscale"`, the newer way to say `grayscale`.
#' @param img An array `(rows, columns, channels)` or a matrix; for `image_array_resize()` also several images `(samples,
#'   rows, columns, channels)`.
#' @param data_format `"channels_last"`, or `"channels_first"` for arrays `(channels, rows, columns)`; in
#'   `image_array_save()` `NULL` for [k_image_data_format()].
#' @param height,width Rows and columns of the result.
#' @param file_format `"png"` or `"jpeg"`; `NULL` takes it from the ending of `path`.
#' @param scale Whether the values are stretched to the range from black to white; otherwise they are taken as 0 to 255.
#' @return `image_load()` an array `(rows, columns, channels)` of numbers from 0 to 255; `image_to_array()` and
#'   `image_array_resize()` an array in `data_format`; `image_array_save()` the path, invisibly.
#' @section Errors: `convnet_error_file` when the file cannot be read or is neither PNG nor JPEG;
#'   `convnet_error_argument` when package png or jpeg is needed and missing; `convnet_error_shape` for arrays that are
#'   not images.
#' @family images
#' @name image_load
#' @examplesIf requireNamespace("png", quietly = TRUE)
#' file <- tempfile(fileext = ".png")
#' digit <- dataset_digits()$test$x[1, , ]
#' image_array_save(array(digit, c(28, 28, 1)), file)
#' image <- image_load(file, grayscale = TRUE, target_size = c(14, 14))
#' x <- array_reshape(image_to_array(image), c(1, 14, 14, 1))
#' range(x)
NULL

#' @rdname image_load
#' @export
image_load <- function(path, grayscale = FALSE, target_size = NULL, interpolation = "nearest", color_mode = NULL) {
  check_string(path, "path")
  check_flag(grayscale, "grayscale")
  if (!is.null(color_mode)) grayscale <- check_choice(color_mode, c("rgb", "grayscale"), "color_mode") == "grayscale"
  image <- as_channels(read_image(path), grayscale)
  if (is.null(target_size)) return(image)
  size <- check_counts(unlist(target_size), "target_size", 2)
  check_choice(interpolation, c("nearest", "bilinear", "bicubic"), "interpolation")
  array(resized(array(image, c(1, dim(image))), size, interpolation), c(size, dim(image)[3]))
}

# Values from 0 to 255, (rows, columns, channels).
read_image <- function(path) {
  if (!file.exists(path) || dir.exists(path)) abort_file("There is no such file.", received = path)
  start <- readBin(path, "raw", 4)
  kind <- if (identical(start, as.raw(c(0x89, 0x50, 0x4e, 0x47)))) "png"
    else if (identical(start[1:2], as.raw(c(0xff, 0xd8)))) "jpeg"
    else abort_file("This is not an image that can be read.", expected = "a PNG or JPEG file", received = path)
  read <- if (kind == "png") image_package(kind)$readPNG else image_package(kind)$readJPEG
  image <- tryCatch(read(path), error = function(e) {
    abort_file(paste("The image is damaged:", conditionMessage(e)), received = path)
  })
  round(255 * array(image, c(dim(image), 1)[1:3]))
}

image_package <- function(name) {
  if (!requireNamespace(name, quietly = TRUE)) {
    abort_argument(paste0("Package ", name, " is needed for ", toupper(name), " files."),
                   expected = "an installed package", received = "none", remedy = paste0("install.packages(\"", name, "\")"))
  }
  asNamespace(name)
}

# Grey values weigh the colours as ITU-R BT.601 does. An even number of channels has transparency as the last.
as_channels <- function(image, grayscale) {
  channels <- dim(image)[3]
  coloured <- channels > 2
  if (grayscale && coloured) {
    image <- round(0.299 * image[, , 1] + 0.587 * image[, , 2] + 0.114 * image[, , 3])
    return(array(image, c(dim(image), 1)))
  }
  image[, , if (grayscale) 1 else if (coloured) 1:3 else c(1, 1, 1), drop = FALSE]
}

resized <- function(images, size, interpolation) {
  as.array(resize_images(as_tensor(images, "float64"), size, interpolation))
}

check_image <- function(img, axes) {
  if (!is.numeric(img) || !length(dim(img)) %in% axes || length(img) == 0) {
    abort_shape("This is not an image.", expected = "an array (rows, columns, channels) of numbers",
                received = describe(img))
  }
}

# (rows, columns, channels) of an image in either format; a matrix is a grey image in both.
image_channels_last <- function(img, data_format) {
  check_image(img, 2:3)
  if (length(dim(img)) == 2) return(array(img, c(dim(img), 1)))
  if (data_format == "channels_first") aperm(img, c(2, 3, 1)) else img
}

#' @rdname image_load
#' @export
image_to_array <- function(img, data_format = c("channels_last", "channels_first")) {
  data_format <- check_data_format(first_choice(data_format))
  image <- image_channels_last(img, "channels_last")
  if (data_format == "channels_first") aperm(image, c(3, 1, 2)) else image
}

#' @rdname image_load
#' @export
image_array_resize <- function(img, height, width, data_format = c("channels_last", "channels_first")) {
  data_format <- check_data_format(first_choice(data_format))
  size <- c(check_counts(height, "height"), check_counts(width, "width"))
  check_image(img, 2:4)
  several <- length(dim(img)) == 4
  first <- data_format == "channels_first"
  images <- if (several && first) aperm(img, c(1, 3, 4, 2)) else img
  if (!several) {
    image <- image_channels_last(img, data_format)
    images <- array(image, c(1, dim(image)))
  }
  found <- resized(images, size, "bilinear")
  if (first) found <- aperm(found, c(1, 4, 2, 3))
  if (several) found else array(found, dim(found)[-1])
}

#' @rdname image_load
#' @export
image_array_save <- function(img, path, data_format = NULL, file_format = NULL, scale = TRUE) {
  check_string(path, "path")
  image <- image_channels_last(img, check_data_format(data_format))
  if (!dim(image)[3] %in% c(1, 3)) {
    abort_shape("An image has one channel or three.", expected = "1 or 3 channels",
                received = paste(dim(image)[3], "channels"))
  }
  if (!all(is.finite(image))) {
    abort_argument("An image is of finite numbers.", expected = "no NA, NaN or infinite values",
                   received = some_of(unique(image[!is.finite(image)])))
  }
  kind <- tolower(if (is.null(file_format)) tools::file_ext(path) else check_string(file_format, "file_format"))
  kind <- check_choice(if (kind == "jpg") "jpeg" else kind, c("png", "jpeg"), "file_format")
  image <- if (check_flag(scale, "scale")) stretched(image) else pmin(pmax(image / 255, 0), 1)
  if (dim(image)[3] == 1) dim(image) <- dim(image)[1:2]
  write <- if (kind == "png") image_package(kind)$writePNG else image_package(kind)$writeJPEG
  bytes <- write(image, raw())
  refused <- function(e) abort_file("The file cannot be written.", received = path, remedy = conditionMessage(e))
  tryCatch(writeBin(bytes, path), error = refused, warning = refused)
  invisible(path)
}

stretched <- function(image) {
  image <- image - min(image)
  if (max(image) > 0) image / max(image) else image
}
