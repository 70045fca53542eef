#' Unit normalization
#'
#' Divides the input by its Euclidean norm along `axis`, so that the norm becomes 1;
#' zeros stay zeros.
#'
#' @inheritParams layer_dense
#' @param axis The dimensions along which the norm is taken, counted from 0 as in Keras;
#'   -1 is the last.
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for an `axis` that the input does not have.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Wang, F. et al. (2017), *NormFace: L2 hypersphere embedding for face
#'   verification*, \doi{10.48550/arXiv.1704.06369}.
#' @family normalization layers
#' @examples
#' layer_unit_normalization()(rbind(c(3, 4), c(0, 2)))
#' @export
layer_unit_normalization <- function(object, axis = -1L, input_shape = NULL, batch_input_shape = NULL,
                                     batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                     weights = NULL) {
  create_layer("UnitNormalization", object, layer_args())
}

register_layer_class(
  "UnitNormalization",
  supports_masking = TRUE,
  init = function(args) {
    args$axis <- check_whole_axes(args$axis)
    args
  },
  call = function(self, inputs) k_l2_normalize(inputs, normalization_axes(self$axis, length(inputs$shape)) + 1))
