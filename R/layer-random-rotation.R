#' Random rotations of images
#'
#' In training each image is turned around its centre by an angle of its own; otherwise images pass unchanged.
#'
#' @inheritParams layer_random_flip
#' @param factor Bounds of the angle as a share of a full turn, counterclockwise: `c(-0.2, 0.3)` is from -72 to 108
#'   degrees. One number `f` stands for `c(-f, f)`.
#' @param fill_mode What lies beyond the borders: `"reflect"` mirrors the image at its edges, `"wrap"` repeats it,
#'   `"nearest"` continues its border, `"constant"` is `fill_value`.
#' @param interpolation `"bilinear"` or `"nearest"`.
#' @param fill_value A number.
#' @inheritSection layer_random_flip Input shape
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` for inputs that are not images, or whose rows or columns are unknown in training;
#'   `convnet_error_argument` for bounds that are not in order and unknown modes.
#' @inherit layer_random_flip references
#' @family preprocessing layers
#' @examples
#' quarter <- layer_random_rotation(factor = c(0.25, 0.25))
#' as.array(quarter(array(1:9, c(1, 3, 3, 1)), training = TRUE))[1, , , 1]
#' @export
layer_random_rotation <- function(object, factor, fill_mode = "reflect", interpolation = "bilinear", seed = NULL,
                                  fill_value = 0, data_format = NULL, input_shape = NULL, batch_input_shape = NULL,
                                  batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("RandomRotation", object, layer_args())
}

register_layer_class(
  "RandomRotation",
  init = function(args) init_random_warp(args, "factor"),
  call = function(self, inputs, training = FALSE) {
    in_training(self, inputs, training, function(x) {
      angle <- draw_factor(x, 2 * pi * self$factor, self$seed)
      centre <- (known_size(x) - 1) / 2
      row <- pixel_rows(x) - centre[1]
      column <- pixel_columns(x) - centre[2]
      read_at(x, sin(angle) * column + cos(angle) * row + centre[1],
              cos(angle) * column - sin(angle) * row + centre[2], self)
    })
  }
)
