#' Penalise the output of a layer
#'
#' Passes its input through and adds `l1 * sum(abs(x)) + l2 * sum(x^2)`, divided by the
#' number of samples, to the loss that training minimises.
#'
#' @inheritParams layer_dense
#' @param l1,l2 Weights of the two penalties, not negative.
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for negative weights.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Ng, A. (2011), *Sparse autoencoder*, CS294A lecture notes.
#' @family regularization layers
#' @examples
#' model <- keras_model_sequential(input_shape = 8) %>%
#'   layer_dense(4, activation = "relu") %>%
#'   layer_activity_regularization(l1 = 0.01)
#' model
#' @export
layer_activity_regularization <- function(object, l1 = 0, l2 = 0, input_shape = NULL,
                                          batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                                          name = NULL, trainable = NULL, weights = NULL) {
  create_layer("ActivityRegularization", object, layer_args())
}

register_layer_class(
  "ActivityRegularization",
  supports_masking = TRUE,
  init = function(args) {
    check_number(args$l1, "l1", 0)
    check_number(args$l2, "l2", 0)
    args$activity_regularizer <- regularizer_l1_l2(args$l1, args$l2)
    args
  },
  call = function(self, inputs) inputs)
