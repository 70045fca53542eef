#' Random shifts of images
#'
#' In training each image is moved by a distance of its own; otherwise images pass unchanged.
#'
#' @inheritParams layer_random_rotation
#' @param height_factor,width_factor Bounds of the shift as a share of the height (downwards) and of the width (to the
#'   right). One number `f` stands for `c(-f, f)`.
#' @inheritSection layer_random_flip Input shape
#' @inheritSection layer_random_rotation Errors
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @inherit layer_random_flip references
#' @family preprocessing layers
#' @examples
#' third <- c(1, 1) / 3
#' down <- layer_random_translation(height_factor = third, width_factor = 0, fill_mode = "wrap")
#' as.array(down(array(1:9, c(1, 3, 3, 1)), training = TRUE))[1, , , 1]
#' @export
layer_random_translation <- function(object, height_factor, width_factor, fill_mode = "reflect",
                                     interpolation = "bilinear", seed = NULL, fill_value = 0, data_format = NULL,
                                     input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                                     name = NULL, trainable = NULL, weights = NULL) {
  create_layer("RandomTranslation", object, layer_args())
}

register_layer_class(
  "RandomTranslation",
  init = function(args) init_random_warp(args, c("height_factor", "width_factor")),
  call = function(self, inputs, training = FALSE) {
    in_training(self, inputs, training, function(x) {
      distance <- known_size(x)
      down <- draw_factor(x, self$height_factor * distance[1], self$seed)
      right <- draw_factor(x, self$width_factor * distance[2], self$seed, 1)
      read_at(x, pixel_rows(x) - down + 0 * right, pixel_columns(x) - right + 0 * down, self)
    })
  }
)
