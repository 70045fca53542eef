#' Predict classes and probabilities
#'
#' `predict_classes()` is the class with the highest probability; `predict_proba()` is [predict()].
#'
#' @inheritParams fit
#' @param verbose For Keras's signature; prediction is silent.
#' @param steps Batches to use; all when `NULL`.
#' @return `predict_classes()` an integer vector of classes counted from 0, as labels are; for a model with a single output
#'   unit an integer matrix with one column, 1 where the probability is above one half. `predict_proba()` an array of
#'   probabilities.
#' @section Errors: `convnet_error_argument` for a model with several outputs.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(3, activation = "softmax")
#' predict_classes(model, matrix(rnorm(8), 2))
#' predict_proba(model, matrix(rnorm(8), 2))
#' @export
predict_classes <- function(object, x, batch_size = NULL, verbose = 0, steps = NULL) {
  probabilities <- predict_proba(object, x, batch_size, verbose, steps)
  rank <- length(dim(probabilities))
  if (dim(probabilities)[rank] == 1) return((probabilities > 0.5) + 0L)
  classes <- apply(probabilities, seq_len(rank - 1), which.max) - 1L
  if (rank == 2) as.vector(classes) else classes
}

#' @rdname predict_classes
#' @export
predict_proba <- function(object, x, batch_size = NULL, verbose = 0, steps = NULL) {
  check_model(object)
  if (length(object$outputs) > 1) {
    abort_argument("The model has several outputs.", where = label_of(object), expected = "a model with one output",
                   received = count_of(length(object$outputs), "output"), remedy = "Use predict().")
  }
  predict(object, x, batch_size = batch_size, verbose = verbose, steps = steps)
}
