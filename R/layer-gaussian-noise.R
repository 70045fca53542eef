#' Gaussian noise and dropout
#'
#' In training `layer_gaussian_noise()` adds normal numbers of mean 0 to its input, and
#' `layer_gaussian_dropout()` multiplies it by normal numbers of mean 1 and variance
#' `rate / (1 - rate)`, the variance of [layer_dropout()]'s factors. Otherwise they pass
#' everything through.
#'
#' @inheritParams layer_dense
#' @param stddev Standard deviation of the noise, not negative.
#' @param rate As in [layer_dropout()], in `[0, 1)`.
#' @param seed A whole number that decides what is drawn; `NULL` lets `set.seed()` decide.
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for a negative `stddev` or a `rate` outside
#'   `[0, 1)`.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Srivastava, N. et al. (2014), *Dropout: a simple way to prevent neural
#'   networks from overfitting*, JMLR 15, section 10.
#' @family regularization layers
#' @examples
#' layer <- layer_gaussian_noise(stddev = 0.1)
#' layer(matrix(1, 2, 4), training = TRUE)
#' @export
layer_gaussian_noise <- function(object, stddev, input_shape = NULL, batch_input_shape = NULL,
                                 batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                 weights = NULL, seed = NULL) {
  create_layer("GaussianNoise", object, layer_args())
}

#' @rdname layer_gaussian_noise
#' @export
layer_gaussian_dropout <- function(object, rate, input_shape = NULL, batch_input_shape = NULL,
                                   batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                   weights = NULL, seed = NULL) {
  create_layer("GaussianDropout", object, layer_args())
}

register_layer_class(
  "GaussianNoise",
  supports_masking = TRUE,
  init = function(args) {
    args$stddev <- check_number(args$stddev, "stddev", 0)
    args["seed"] <- list(check_seed(args$seed))
    args
  },
  call = function(self, inputs, training = FALSE) {
    if (!isTRUE(training) || self$stddev == 0) return(inputs)
    inputs + k_random_normal(k_shape(inputs), 0, self$stddev, inputs$dtype, self$seed)
  })

register_layer_class(
  "GaussianDropout",
  supports_masking = TRUE,
  init = function(args) init_dropout(args),
  call = function(self, inputs, training = FALSE) {
    if (!isTRUE(training) || self$rate == 0) return(inputs)
    inputs * k_random_normal(k_shape(inputs), 1, sqrt(self$rate / (1 - self$rate)), inputs$dtype, self$seed)
  })
