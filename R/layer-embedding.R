#' Embedding of whole numbers
#'
#' Replaces each number by a vector that the layer learns: `y[n, t, ] = embeddings[x[n, t] + 1, ]`.
#'
#' @inheritParams layer_dense
#' @param input_dim Integer, how many numbers there are: inputs go from 0 to `input_dim - 1`.
#' @param output_dim Integer, the length of the vectors.
#' @param embeddings_initializer,embeddings_regularizer,embeddings_constraint How the vectors begin, their penalty and
#'   constraint.
#' @param mask_zero Whether 0 is padding: the output then has a mask, by which recurrent layers skip these steps.
#' @param input_length Number of steps, when it is always the same; as in Keras it makes the input shape of a first
#'   layer.
#' @section Input shape: `(samples, steps)`, whole numbers.
#' @section Output shape: `(samples, steps, output_dim)`.
#' @section Errors: `convnet_error_argument` for sizes below 1, and for numbers outside 0 to `input_dim - 1` in the data;
#'   `convnet_error_shape` when the number of steps is not `input_length`.
#' @return A layer, model or tensor, as [layer_dense()].
#' @family core layers
#' @examples
#' keras_model_sequential() %>%
#'   layer_embedding(input_dim = 1000, output_dim = 16, mask_zero = TRUE) %>%
#'   layer_lstm(8)
#' @export
layer_embedding <- function(object, input_dim, output_dim, embeddings_initializer = "uniform",
                            embeddings_regularizer = NULL, activity_regularizer = NULL, embeddings_constraint = NULL,
                            mask_zero = FALSE, input_length = NULL, batch_size = NULL, name = NULL, trainable = NULL,
                            weights = NULL, input_shape = NULL, batch_input_shape = NULL, dtype = NULL) {
  args <- layer_args()
  if (is.null(input_shape) && is.null(batch_input_shape)) args$input_shape <- as_shape(input_length %||% NA, "input_length")
  create_layer("Embedding", object, args)
}

register_layer_class(
  "Embedding",
  init = function(args) {
    args$input_dim <- check_counts(args$input_dim, "input_dim")
    args$output_dim <- check_counts(args$output_dim, "output_dim")
    args$mask_zero <- check_flag(args$mask_zero, "mask_zero")
    init_weights(args)
  },
  build = function(self, input_shape) {
    self$embeddings <- self$add_weight("embeddings", c(self$input_dim, self$output_dim), self$embeddings_initializer,
                                       self$embeddings_regularizer, self$embeddings_constraint)
  },
  call = function(self, inputs) {
    lengths <- if (!is.null(self$input_length)) as_shape(self$input_length)
    known <- inputs$shape[-1]
    if (!is.null(lengths) && (length(known) != length(lengths) || any(known != lengths, na.rm = TRUE))) {
      abort_shape("The input has another number of steps than `input_length`.",
                  expected = paste("shape", format_shape(c(NA, lengths))),
                  received = paste("shape", format_shape(inputs$shape)))
    }
    emit("gather", list(self$embeddings, k_cast(inputs, "int32")), list(axis = 0))
  },
  compute_mask = function(self, inputs, mask) if (self$mask_zero) inputs != 0
)
