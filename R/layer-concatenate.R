#' Concatenate tensors
#'
#' @inheritParams layer_add
#' @param axis Dimension along which the inputs are joined, counted from 0 (the samples) as in Keras; -1 is the last one.
#' @section Input shape: Shapes that are equal but for `axis`.
#' @section Output shape: That of the inputs, with the sum of their sizes at `axis`.
#' @section Errors: `convnet_error_argument` for fewer than two inputs or an `axis` that they do not have,
#'   `convnet_error_shape` where other sizes differ.
#' @return A tensor, or the layer when `inputs` is missing.
#' @family merge layers
#' @examples
#' a <- layer_input(shape = c(8, 8, 2))
#' b <- layer_input(shape = c(8, 8, 3))
#' layer_concatenate(list(a, b))
#' layer_concatenate(a, b, axis = 3)
#' @export
layer_concatenate <- function(inputs, ..., axis = -1, batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                              weights = NULL) {
  merge_layer("Concatenate", inputs, list(...), layer_args())
}

register_layer_class(
  "Concatenate",
  init = function(args) {
    args$axis <- check_whole(args$axis, "axis")
    args
  },
  call = function(self, inputs) {
    check_merged(inputs)
    shapes <- lapply(inputs, function(x) x$shape)
    if (length(unique(lengths(shapes))) > 1) abort_concatenation(shapes, self$axis)
    axis <- as_axis(self$axis, length(shapes[[1]]), single = TRUE, first = 0L)
    for (other in setdiff(seq_along(shapes[[1]]), axis + 1)) {
      sizes <- vapply(shapes, function(shape) shape[other], 1L)
      if (length(unique(sizes[!is.na(sizes)])) > 1) abort_concatenation(shapes, self$axis)
    }
    emit("concatenate", inputs, list(axis = axis))
  },
  compute_mask = function(self, inputs, mask) {
    rank <- max(0L, lengths(lapply(mask, function(m) m$shape)))
    axis <- as_axis(self$axis, k_ndim(inputs[[1]]), single = TRUE, first = 0L)
    if (axis >= rank) return(all_masks(mask))
    # Masks along the axis follow one another; all steps of an input without mask count.
    masks <- Map(function(mask, x) mask %||% steps_of(x, rank), mask, inputs)
    emit("concatenate", masks, list(axis = axis))
  }
)

# TRUE for each place along the first axes.
steps_of <- function(x, rank) {
  others <- setdiff(seq_len(k_ndim(x)), seq_len(rank))
  k_ones_like(if (length(others)) k_sum(x, others) else x, "bool")
}

abort_concatenation <- function(shapes, axis) {
  abort_shape("The inputs cannot be joined.",
              expected = paste0("shapes that differ in dimension ", axis, " only (counted from 0)"),
              received = paste(vapply(shapes, format_shape, ""), collapse = " and "))
}
