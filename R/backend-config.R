#' Defaults of the session
#'
#' The type of numbers, the fuzz factor and the layout of images that are used where nothing else is said.
#'
#' @param floatx `"float32"` (at the start) or `"float64"`: the type of new tensors, weights and data. Layers that exist
#'   keep theirs.
#' @param e A small positive number, 1e-7 at the start: it keeps logarithms and divisions in losses and constraints
#'   finite.
#' @param data_format `"channels_last"` (at the start), images as (rows, columns, channels), or `"channels_first"`:
#'   (channels, rows, columns).
#'
#' @return The getters return the present value; the setters return the previous one, invisibly.
#' @section Errors:
#' `convnet_error_argument` for any other value.
#' @family tensor operations
#' @name k_floatx
#' @export
#' @examples
#' before <- k_set_floatx("float64")
#' k_constant(1 / 3)
#' k_set_floatx(before)
#' k_epsilon()
#' k_image_data_format()
k_floatx <- function() the$floatx

#' @rdname k_floatx
#' @export
k_set_floatx <- function(floatx) set_default("floatx", check_choice(floatx, c("float32", "float64"), "floatx"))

#' @rdname k_floatx
#' @export
k_epsilon <- function() the$epsilon

#' @rdname k_floatx
#' @export
k_set_epsilon <- function(e) {
  check_number(e, "e", lower = 0)
  if (e == 0 || is.infinite(e)) {
    abort_argument("`e` must be positive.", expected = "a small positive number", received = describe(e))
  }
  set_default("epsilon", e)
}

#' @rdname k_floatx
#' @export
k_image_data_format <- function() the$image_data_format

#' @rdname k_floatx
#' @export
k_set_image_data_format <- function(data_format) {
  set_default("image_data_format", check_choice(data_format, c("channels_last", "channels_first"), "data_format"))
}

set_default <- function(name, value) {
  before <- the[[name]]
  the[[name]] <- value
  invisible(before)
}
