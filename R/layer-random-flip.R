#' Random flips of images
#'
#' In training each image is mirrored with probability one half, in each of the directions that `mode` names; otherwise
#' images pass unchanged.
#'
#' @inheritParams layer_dense
#' @inheritParams layer_conv_2d_transpose
#' @param mode `"horizontal"` (left and right change places), `"vertical"` or `"horizontal_and_vertical"`.
#' @param seed A whole number that decides what is drawn; `NULL` lets `set.seed()` decide.
#' @section Input shape: `(samples, rows, columns, channels)`, or `(samples, channels, rows, columns)` with
#'   `data_format = "channels_first"`.
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` for inputs that are not images; `convnet_error_argument` for unknown modes.
#' @references Shorten, C. and Khoshgoftaar, T. M. (2019), *A survey on image data augmentation for deep learning*,
#'   \doi{10.1186/s40537-019-0197-0}.
#' @family preprocessing layers
#' @examples
#' layer <- layer_random_flip(mode = "horizontal")
#' set.seed(1)
#' layer(array(1:8, c(2, 2, 2, 1)), training = TRUE)
#' @export
layer_random_flip <- function(object, mode = "horizontal_and_vertical", seed = NULL, data_format = NULL,
                              input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                              name = NULL, trainable = NULL, weights = NULL) {
  create_layer("RandomFlip", object, layer_args())
}

register_layer_class(
  "RandomFlip",
  init = function(args) {
    args$mode <- check_choice(args$mode, c("horizontal", "vertical", "horizontal_and_vertical"), "mode")
    init_random_images(args)
  },
  call = function(self, inputs, training = FALSE) {
    in_training(self, inputs, training, function(x) {
      flipped <- function(x, axis) {
        chosen <- draw_factor(x, c(0, 1), self$seed, axis) < 0.5
        k_switch(k_expand_dims(chosen), k_reverse(x, axis), x)
      }
      if (grepl("vertical", self$mode)) x <- flipped(x, 2)
      if (grepl("horizontal", self$mode)) x <- flipped(x, 3)
      x
    })
  }
)
