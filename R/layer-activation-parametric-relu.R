#' Parametric rectified linear unit
#'
#' \eqn{f(x) = x} where \eqn{x > 0} and \eqn{\alpha x}{alpha x} elsewhere; the slopes \eqn{\alpha}{alpha}
#' are learnt, one for each element of a sample unless dimensions share theirs.
#'
#' @inheritParams layer_dense
#' @param alpha_initializer How the slopes begin: a name or an `initializer_*()`.
#' @param alpha_regularizer Penalty on the slopes added to the loss: a name or a
#'   `regularizer_*()`.
#' @param alpha_constraint Constraint applied to the slopes after each step: a name or
#'   a `constraint_*()`.
#' @param shared_axes Dimensions along which a slope is shared, counted from 1, the
#'   samples not counted: `c(1, 2)` for images with one slope a channel.
#' @section Input shape: Any. Dimensions that do not share their slopes must be known.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for `shared_axes` that the input does not
#'   have, `convnet_error_shape` where a dimension is unknown that must be known.
#' @return A layer, model or tensor, as [layer_dense()]. The weights have the shape of a
#'   sample, 1 where slopes are shared.
#' @references He, K., Zhang, X., Ren, S. and Sun, J. (2015), *Delving deep into
#'   rectifiers*, \doi{10.48550/arXiv.1502.01852}.
#' @family activation layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 8)) %>%
#'   layer_activation_parametric_relu(shared_axes = c(1, 2))
#' count_params(model)
#' @export
layer_activation_parametric_relu <- function(object, alpha_initializer = "zeros", alpha_regularizer = NULL,
                                             alpha_constraint = NULL, shared_axes = NULL, input_shape = NULL,
                                             batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                                             name = NULL, trainable = NULL, weights = NULL) {
  create_layer("PReLU", object, layer_args())
}

register_layer_class(
  "PReLU",
  supports_masking = TRUE,
  init = function(args) {
    if (!is.null(args$shared_axes)) {
      args$shared_axes <- check_counts(args$shared_axes, "shared_axes", length(unlist(args$shared_axes)))
    }
    init_weights(args)
  },
  build = function(self, input_shape) {
    shape <- input_shape[-1]
    if (any(self$shared_axes > length(shape))) {
      abort_argument("`shared_axes` has a dimension that the input does not have.",
                     expected = paste("numbers from 1 to", length(shape)), received = format_sizes(self$shared_axes))
    }
    shape[self$shared_axes] <- 1L
    if (anyNA(shape)) {
      abort_shape("Dimensions that do not share their slopes must be known.",
                  expected = "known dimensions", received = paste("shape", format_shape(input_shape)),
                  remedy = "Name the unknown ones in `shared_axes`.")
    }
    self$alpha <- self$add_weight("alpha", shape, self$alpha_initializer, self$alpha_regularizer, self$alpha_constraint)
  },
  call = function(self, inputs) select(inputs > 0, inputs, self$alpha * inputs))
