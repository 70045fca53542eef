#' Permute the dimensions of samples
#'
#' @inheritParams layer_dense
#' @param dims The dimensions in their new order, counted from 1, the samples not
#'   counted: `c(2, 1)` swaps the first two.
#' @section Input shape: `(samples, ...)` with as many dimensions as `dims` has.
#' @section Output shape: The same, permuted: dimension `i` is dimension `dims[i]` of the
#'   input.
#' @section Errors: `convnet_error_argument` when `dims` is no permutation,
#'   `convnet_error_shape` for inputs of another number of dimensions.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Keras, *Permute layer*, <https://keras.io/api/layers/reshaping_layers/permute/>.
#' @family reshaping layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(10, 64)) %>% layer_permute(c(2, 1))
#' model$output_shape
#' @export
layer_permute <- function(object, dims, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                          dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  create_layer("Permute", object, layer_args())
}

register_layer_class(
  "Permute",
  init = function(args) {
    dims <- unlist(args$dims)
    if (!is.numeric(dims) || !setequal(dims, seq_along(dims))) {
      abort_argument("`dims` is no permutation.",
                     expected = "the numbers from 1 to the number of dimensions, each once",
                     received = if (is.numeric(dims)) format_sizes(dims) else describe(args$dims),
                     remedy = "Do not count the samples.")
    }
    args$dims <- as.integer(dims)
    args
  },
  call = function(self, inputs) {
    if (length(inputs$shape) != length(self$dims) + 1) {
      abort_shape("`dims` does not fit the input.",
                  expected = paste(length(self$dims) + 1, "dimensions, the samples among them"),
                  received = paste("shape", format_shape(inputs$shape)))
    }
    emit("transpose", list(inputs), list(perm = c(0, self$dims)))
  })

#' Repeat the input
#'
#' @inheritParams layer_dense
#' @param n Integer, how often.
#' @section Input shape: `(samples, features)`.
#' @section Output shape: `(samples, n, features)`.
#' @section Errors: `convnet_error_argument` for `n` below 1, `convnet_error_shape` for
#'   inputs that are not matrices.
#' @return A layer, model or tensor, as [layer_dense()].
#' @references Sutskever, I., Vinyals, O. and Le, Q. (2014), *Sequence to sequence learning
#'   with neural networks*, \doi{10.48550/arXiv.1409.3215}, whose decoder begins so.
#' @family reshaping layers
#' @examples
#' model <- keras_model_sequential(input_shape = 32) %>% layer_repeat_vector(3)
#' model$output_shape
#' @export
layer_repeat_vector <- function(object, n, batch_size = NULL, name = NULL, trainable = NULL, weights = NULL,
                                input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  create_layer("RepeatVector", object, layer_args())
}

register_layer_class(
  "RepeatVector",
  init = function(args) {
    args$n <- check_counts(args$n, "n")
    args
  },
  call = function(self, inputs) {
    if (length(inputs$shape) != 2) {
      abort_shape("The input is no matrix.", expected = "shape (samples, features)",
                  received = paste("shape", format_shape(inputs$shape)))
    }
    emit("broadcast_to", list(k_expand_dims(inputs, 2)), list(shape = c(NA, self$n, NA)))
  })
