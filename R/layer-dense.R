#' Densely connected layer
#'
#' `output = activation(input %*% kernel + bias)`, on the last dimension of the
#' input.
#'
#' @param object A sequential model (the layer is added in place), a tensor or an
#'   array. Missing or `NULL`: the layer is returned.
#' @param units Integer, the size of the output.
#' @param activation Activation: a name (`"relu"`), an `activation_*()` function,
#'   or your own function of a tensor. `NULL` for none: `a(x) = x`.
#' @param use_bias Whether the layer adds a bias vector.
#' @param kernel_initializer How the kernel begins: a name or an `initializer_*()`.
#' @param bias_initializer How the bias begins: a name or an `initializer_*()`.
#' @param kernel_regularizer Penalty on the kernel added to the loss: a name or a `regularizer_*()`.
#' @param bias_regularizer Penalty on the bias added to the loss: a name or a `regularizer_*()`.
#' @param activity_regularizer Penalty on the output, divided by the number of
#'   samples.
#' @param kernel_constraint Constraint applied to the kernel after each step: a name or a `constraint_*()`.
#' @param bias_constraint Constraint applied to the bias after each step: a name or a `constraint_*()`.
#' @param input_shape Shape of the input without the sample dimension; needed
#'   for the first layer of a model that is to be built at once.
#' @param batch_input_shape Shape with the sample dimension, for example
#'   `list(NULL, 32)` or `c(10, 32)`.
#' @param batch_size Fixed number of samples.
#' @param dtype Element type of the layer: `"float32"` or `"float64"`;
#'   [k_floatx()] when `NULL`.
#' @param name Name of the layer, unique in a model; made up when `NULL`.
#' @param trainable Whether training changes the weights; `TRUE` when `NULL`.
#' @param weights Initial weights: a list of arrays.
#'
#' @section Input shape: `(samples, ..., inputs)`.
#' @section Output shape: `(samples, ..., units)`.
#' @section Errors: `convnet_error_argument` for `units` below 1 or unknown names,
#'   `convnet_error_shape` when the last dimension is unknown or another than the
#'   layer was built for.
#' @return With `object` missing a layer, callable on tensors and arrays; a model
#'   or tensor otherwise. The kernel weights have the shape `(inputs, units)`.
#' @family core layers
#' @examples
#' model <- keras_model_sequential() %>%
#'   layer_dense(32, activation = "relu", input_shape = 16) %>%
#'   layer_dense(10, activation = "softmax")
#' model
#' @export
layer_dense <- function(object, units, activation = NULL, use_bias = TRUE,
                        kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                        kernel_regularizer = NULL, bias_regularizer = NULL,
                        activity_regularizer = NULL, kernel_constraint = NULL,
                        bias_constraint = NULL, input_shape = NULL, batch_input_shape = NULL,
                        batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                        weights = NULL) {
  create_layer("Dense", object, layer_args())
}

register_layer_class(
  "Dense",
  supports_masking = TRUE,
  init = function(args) {
    args$units <- check_counts(args$units, "units")
    init_weights(args)
  },
  build = function(self, input_shape) {
    inputs <- input_shape[length(input_shape)]
    if (length(input_shape) < 2 || is.na(inputs)) {
      abort_shape("The last dimension of the input must be known.",
                  expected = "shape (samples, ..., inputs)",
                  received = paste("shape", format_shape(input_shape)))
    }
    self$kernel <- self$add_weight("kernel", c(inputs, self$units), self$kernel_initializer,
                                   self$kernel_regularizer, self$kernel_constraint)
    add_bias_weight(self, self$units)
  },
  call = function(self, inputs) {
    shape <- inputs$shape
    features <- self$kernel$shape[1]
    if (length(shape) < 2 || !shape[length(shape)] %in% c(NA, features)) {
      abort_shape("The input has another size than the layer was built for.",
                  expected = paste("shape", format_shape(c(NA, features))),
                  received = paste("shape", format_shape(shape)))
    }
    flat <- length(shape) == 2
    x <- if (flat) inputs else emit("reshape", list(inputs), list(shape = c(-1, features)))
    y <- emit("matmul", list(x, self$kernel))
    if (self$use_bias) y <- y + self$bias
    if (!flat) y <- emit("reshape", list(y, inputs), list(shape = c(rep(0, length(shape) - 1), self$units)))
    activate(self$activation, y)
  }
)
