#' Dot products of two tensors
#'
#' For each sample, sums of products along one dimension of each input: the dot product of vectors, the matrix product
#' of matrices.
#'
#' @inheritParams layer_add
#' @param axes The dimension of each input along which products are summed, counted from 0 (the samples, which cannot be
#'   summed over) as in Keras: one number for both, or two. -1 is the last one.
#' @param normalize Divide each vector by its length first? The result is then the cosine of the angle between them.
#' @section Input shape: Two tensors whose sizes at `axes` are equal.
#' @section Output shape: `(samples, ...)`: the other dimensions of the first input, then those of the second;
#'   `(samples, 1)` when there are none.
#' @section Errors: `convnet_error_argument` for other than two inputs or wrong `axes`, `convnet_error_shape` where the
#'   sizes differ.
#' @return A tensor, or the layer when `inputs` is missing.
#' @family merge layers
#' @examples
#' a <- layer_input(shape = c(5, 3))
#' b <- layer_input(shape = c(3, 2))
#' layer_dot(list(a, b), axes = c(2, 1))
#' layer_dot(axes = 1, normalize = TRUE)(list(matrix(1:4, 2), matrix(1, 2, 2)))
#' @export
layer_dot <- function(inputs, ..., axes = NULL, normalize = FALSE, batch_size = NULL, dtype = NULL, name = NULL,
                      trainable = NULL, weights = NULL) {
  merge_layer("Dot", inputs, list(...), layer_args())
}

register_layer_class(
  "Dot",
  init = function(args) {
    axes <- unlist(args$axes)
    if (!is.numeric(axes) || !length(axes) %in% 1:2 || anyNA(axes) || any(axes != round(axes))) {
      abort_argument("`axes` must say along which dimensions to multiply.",
                     expected = "1 or 2 whole numbers, counted from 0", received = describe(args$axes))
    }
    args$axes <- rep_len(as.integer(axes), 2)
    args$normalize <- check_flag(args$normalize, "normalize")
    args
  },
  call = function(self, inputs) {
    check_merged(inputs, 2)
    along <- mapply(axis_from_zero, self$axes, inputs)
    if (any(along == 1)) {
      abort_argument("`axes` cannot be the samples.", expected = "dimensions after the first, counted from 0",
                     received = format_sizes(self$axes))
    }
    sizes <- c(inputs[[1]]$shape[along[1]], inputs[[2]]$shape[along[2]])
    if (!anyNA(sizes) && sizes[1] != sizes[2]) {
      abort_shape("The inputs have different sizes at `axes`.", expected = "equal sizes",
                  received = paste(vapply(inputs, function(x) format_shape(x$shape), ""), collapse = " and "))
    }
    if (self$normalize) inputs <- Map(k_l2_normalize, inputs, along)
    k_batch_dot(inputs[[1]], inputs[[2]], along)
  }
)
