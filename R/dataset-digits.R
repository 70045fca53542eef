#' Handwritten digits that come with the package
#'
#' 5,000 images of the MNIST data base of handwritten digits, 500 of each digit, split at random and stratified into
#' 4,000 for training and 1,000 for testing. They are part of the package: nothing is downloaded.
#' [dataset_mnist()] returns the full 70,000 in the same form.
#'
#' @return A list of two lists, `train` and `test`, each with
#' - `x`: integer array `[n, 28, 28]`, image, row from the top, column from the left; grey values from 0 (paper) to
#'   255 (ink).
#' - `y`: integer vector of length `n`, the digit shown, 0 to 9.
#'
#' `n` is 4,000 for `train` and 1,000 for `test`.
#'
#' @section Licence:
#' The images are distributed under the Creative Commons Attribution-ShareAlike 3.0 licence (CC BY-SA 3.0), not under
#' the licence of the package: see `system.file("extdata", "digits-LICENSE.md", package = "convnet")`.
#'
#' @references
#' LeCun, Y., Bottou, L., Bengio, Y. and Haffner, P. (1998). Gradient-based learning applied to document recognition.
#' *Proceedings of the IEEE*, 86(11), 2278-2324. \doi{10.1109/5.726791}
#'
#' @seealso [dataset_mnist()], [array_reshape()], [to_categorical()]
#' @family data
#' @export
#' @examples
#' digits <- dataset_digits()
#' str(digits)
#'
#' # Prepared for a convolutional network: one channel, values between 0 and 1.
#' x <- array_reshape(digits$train$x, c(4000, 28, 28, 1)) / 255
#' y <- to_categorical(digits$train$y, 10)
#' dim(x)
#' dim(y)
#'
#' # image() draws columns from the bottom: turn the picture upright.
#' image(t(digits$train$x[1, 28:1, ]), col = grey(255:0 / 255), asp = 1, axes = FALSE)
dataset_digits <- function() {
  file <- system.file("extdata", "digits.rds", package = "convnet")
  lapply(readRDS(file), function(part) list(x = as_integer_array(aperm(part$x, 3:1)), y = as.integer(part$y)))
}
