#' Random contrast of images
#'
#' In training the difference of each value to the mean of its image and channel is multiplied by a factor that each image
#' has for its own; otherwise images pass unchanged.
#'
#' @inheritParams layer_random_flip
#' @param factor Bounds of the change of the factor, which is 1 plus a number between them: `c(-0.2, 0.4)` is from 0.8 to
#'   1.4. One number `f` below 1 stands for `c(-f, f)`.
#' @param value_range Lowest and highest value; results beyond are clipped.
#' @inheritSection layer_random_flip Input shape
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` for inputs that are not images; `convnet_error_argument` for bounds that are not
#'   in order.
#' @inherit layer_random_flip references
#' @family preprocessing layers
#' @examples
#' stronger <- layer_random_contrast(factor = c(1, 1), value_range = c(0, 1))
#' as.array(stronger(array(c(0.4, 0.6), c(1, 2, 1, 1)), training = TRUE))[1, , , 1]
#' @export
layer_random_contrast <- function(object, factor, value_range = c(0, 255), seed = NULL, data_format = NULL,
                                  input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                                  name = NULL, trainable = NULL, weights = NULL) {
  create_layer("RandomContrast", object, layer_args())
}

register_layer_class(
  "RandomContrast",
  init = function(args) {
    args$factor <- check_factor(args$factor, "factor")
    args$value_range <- check_factor(args$value_range, "value_range")
    init_random_images(args)
  },
  call = function(self, inputs, training = FALSE) {
    in_training(self, inputs, training, function(x) {
      mean <- k_mean(x, axis = 2:3, keepdims = TRUE)
      change <- k_expand_dims(draw_factor(x, 1 + self$factor, self$seed))
      k_clip((x - mean) * change + mean, self$value_range[1], self$value_range[2])
    })
  }
)
