#' Alpha dropout
#'
#' Dropout that keeps mean and variance of its input, for networks of SELU units: in
#' training a share `rate` of the values is set to the limit \eqn{\alpha' = -1.7581}{alpha' = -1.7581} that
#' SELU has for small numbers, and an affine function restores mean and variance:
#' \deqn{y = a\,(x d + \alpha' (1 - d)) + b,\quad a = ((1 - r)(1 + r \alpha'^2))^{-1/2},\quad
#' b = -a r \alpha',}{
#'   y = a (x d + alpha' (1 - d)) + b, a = ((1 - r)(1 + r alpha'^2))^(-1/2), b = -a r alpha',}
#' where \eqn{r} is the rate and \eqn{d} is 1 for values that are kept, 0 for others.
#' Passes everything through otherwise.
#'
#' @inheritParams layer_dropout
#' @inheritParams layer_dense
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for a `rate` outside `[0, 1)` or a
#'   `noise_shape` that does not fit the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Klambauer, G. et al. (2017), *Self-normalizing neural networks*,
#'   \doi{10.48550/arXiv.1706.02515}.
#' @family regularization layers
#' @examples
#' layer <- layer_alpha_dropout(rate = 0.5)
#' layer(matrix(1, 2, 4), training = TRUE)
#' @export
layer_alpha_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, input_shape = NULL,
                                batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                trainable = NULL, weights = NULL) {
  create_layer("AlphaDropout", object, layer_args())
}

register_layer_class(
  "AlphaDropout",
  supports_masking = TRUE,
  init = function(args) init_dropout(args),
  call = function(self, inputs, training = FALSE) {
    if (!isTRUE(training) || self$rate == 0) return(inputs)
    limit <- -1.6732632423543772 * 1.0507009873554805
    a <- 1 / sqrt((1 - self$rate) * (1 + self$rate * limit^2))
    # Dropout puts 0 in the place of a value and divides the others: shifted, the limit.
    kept <- dropout(inputs - limit, self$rate, training, self$seed, self$noise_shape) * (1 - self$rate) + limit
    a * kept - a * self$rate * limit
  })
