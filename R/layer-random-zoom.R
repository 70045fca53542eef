#' Random zooms of images
#'
#' In training each image is shown larger or smaller around its centre, by a factor of its own; otherwise images pass
#' unchanged.
#'
#' @inheritParams layer_random_rotation
#' @param height_factor,width_factor Bounds of the change of what is seen, as a share of height and width: positive
#'   numbers zoom out, `-0.5` shows the middle half. One number `f` stands for `c(-f, f)`. `width_factor = NULL` keeps the
#'   ratio of height and width.
#' @inheritSection layer_random_flip Input shape
#' @inheritSection layer_random_rotation Errors
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @inherit layer_random_flip references
#' @family preprocessing layers
#' @examples
#' out <- layer_random_zoom(height_factor = c(1, 1), fill_mode = "constant")
#' as.array(out(array(1, c(1, 4, 4, 1)), training = TRUE))[1, , , 1]
#' @export
layer_random_zoom <- function(object, height_factor, width_factor = NULL, fill_mode = "reflect",
                              interpolation = "bilinear", seed = NULL, fill_value = 0, data_format = NULL,
                              input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                              name = NULL, trainable = NULL, weights = NULL) {
  create_layer("RandomZoom", object, layer_args())
}

register_layer_class(
  "RandomZoom",
  init = function(args) {
    init_random_warp(args, c("height_factor", if (!is.null(args$width_factor)) "width_factor"))
  },
  call = function(self, inputs, training = FALSE) {
    in_training(self, inputs, training, function(x) {
      high <- draw_factor(x, 1 + self$height_factor, self$seed)
      wide <- if (is.null(self$width_factor)) high else draw_factor(x, 1 + self$width_factor, self$seed, 1)
      centre <- (known_size(x) - 1) / 2
      rows <- (pixel_rows(x) - centre[1]) * high + centre[1]
      columns <- (pixel_columns(x) - centre[2]) * wide + centre[2]
      read_at(x, rows + 0 * columns, columns + 0 * rows, self)
    })
  }
)
