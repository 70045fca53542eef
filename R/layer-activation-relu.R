#' Activations as layers
#'
#' For activations with arguments, or before which something else comes, such as batch
#' normalization. [layer_activation()] takes any other activation by name.
#'
#' @inheritParams layer_dense
#' @param max_value Largest value of the output; `NULL` for none.
#' @param negative_slope Slope up to the threshold.
#' @param threshold Values up to here count as negative.
#' @param alpha `layer_activation_leaky_relu()`: slope for negative values.
#'   `layer_activation_elu()`: scale of the negative part. Not negative.
#' @param theta Values up to here become 0. Not negative.
#' @param axis The dimension whose values are made to sum to 1, counted from 0 as in
#'   Keras, 0 being the samples; -1 is the last.
#'
#' @section Functions:
#' | layer | value |
#' |---|---|
#' | `layer_activation_relu()` | `max_value` above it, `negative_slope * (x - threshold)` up to `threshold`, x between |
#' | `layer_activation_leaky_relu()` | x where positive, else `alpha` x |
#' | `layer_activation_elu()` | x where positive, else `alpha` (exp(x) - 1) |
#' | `layer_activation_selu()` | 1.0507 times the ELU with `alpha` = 1.67326 |
#' | `layer_activation_thresholded_relu()` | x where above `theta`, else 0 |
#' | `layer_activation_softmax()` | exp(x) divided by its sum along `axis` |
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for arguments out of range and an `axis`
#'   that the input does not have.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Maas, A., Hannun, A. and Ng, A. (2013), *Rectifier nonlinearities improve
#'   neural network acoustic models*, ICML. Clevert, D., Unterthiner, T. and Hochreiter,
#'   S. (2016), \doi{10.48550/arXiv.1511.07289} (ELU). Klambauer, G. et al. (2017),
#'   \doi{10.48550/arXiv.1706.02515} (SELU). Konda, K., Memisevic, R. and Krueger, D.
#'   (2015), \doi{10.48550/arXiv.1402.3337} (thresholded ReLU).
#' @seealso [activation_relu()] for the functions, [layer_activation_parametric_relu()]
#'   for a slope that is learnt.
#' @family activation layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
#'   layer_conv_2d(8, 3) %>%
#'   layer_batch_normalization() %>%
#'   layer_activation_leaky_relu(alpha = 0.1)
#' layer_activation_relu(max_value = 6)(c(-1, 3, 8))
#' @export
layer_activation_relu <- function(object, max_value = NULL, negative_slope = 0, threshold = 0,
                                  input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                                  dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("ReLU", object, layer_args())
}

#' @rdname layer_activation_relu
#' @export
layer_activation_leaky_relu <- function(object, alpha = 0.3, input_shape = NULL, batch_input_shape = NULL,
                                        batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                        weights = NULL) {
  create_layer("LeakyReLU", object, layer_args())
}

#' @rdname layer_activation_relu
#' @export
layer_activation_elu <- function(object, alpha = 1, input_shape = NULL, batch_input_shape = NULL,
                                 batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                 weights = NULL) {
  create_layer("ELU", object, layer_args())
}

#' @rdname layer_activation_relu
#' @export
layer_activation_selu <- function(object, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                                  dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("Activation", object, c(layer_args(), list(activation = "selu")))
}

#' @rdname layer_activation_relu
#' @export
layer_activation_thresholded_relu <- function(object, theta = 1, input_shape = NULL, batch_input_shape = NULL,
                                              batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                              weights = NULL) {
  create_layer("ThresholdedReLU", object, layer_args())
}

#' @rdname layer_activation_relu
#' @export
layer_activation_softmax <- function(object, axis = -1, input_shape = NULL, batch_input_shape = NULL,
                                     batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                                     weights = NULL) {
  create_layer("Softmax", object, layer_args())
}

register_layer_class(
  "ReLU",
  supports_masking = TRUE,
  init = function(args) {
    if (!is.null(args$max_value)) check_number(args$max_value, "max_value", 0)
    check_number(args$negative_slope, "negative_slope", 0)
    check_number(args$threshold, "threshold", 0)
    args
  },
  call = function(self, inputs) activation_relu(inputs, self$negative_slope, self$max_value, self$threshold))

register_layer_class(
  "LeakyReLU",
  supports_masking = TRUE,
  init = function(args) {
    check_number(args$alpha, "alpha", 0)
    args
  },
  call = function(self, inputs) activation_leaky_relu(inputs, self$alpha))

register_layer_class(
  "ELU",
  supports_masking = TRUE,
  init = function(args) {
    check_number(args$alpha, "alpha", 0)
    args
  },
  call = function(self, inputs) activation_elu(inputs, self$alpha))

register_layer_class(
  "ThresholdedReLU",
  supports_masking = TRUE,
  init = function(args) {
    check_number(args$theta, "theta", 0)
    args
  },
  call = function(self, inputs) select(inputs > self$theta, inputs, 0))

register_layer_class(
  "Softmax",
  supports_masking = TRUE,
  init = function(args) {
    args$axis <- check_whole(unlist(args$axis), "axis")
    args
  },
  call = function(self, inputs) activation_softmax(inputs, self$axis))
