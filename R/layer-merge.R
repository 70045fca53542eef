#' Merge layers
#'
#' Several tensors into one: their sum, difference (of two), product, mean, largest or smallest element.
#'
#' @param inputs A list of tensors or arrays, or the first of several that follow one by one. Missing: the layer is
#'   returned, which is then called on a list.
#' @param ... More tensors.
#' @param batch_size,dtype,name,trainable,weights See [layer_dense()].
#' @section Input shape: Equal shapes, or ones that differ where one has size 1; inputs of lower rank get dimensions of
#'   size 1 after the first.
#' @section Output shape: That of the inputs.
#' @section Errors: `convnet_error_argument` for a wrong number of inputs, `convnet_error_shape` where sizes differ.
#' @return A tensor, or the layer when `inputs` is missing.
#' @family merge layers
#' @examples
#' image <- layer_input(shape = c(8, 8, 2))
#' image %>%
#'   layer_conv_2d(2, kernel_size = 3, padding = "same") %>%
#'   layer_add(image)
#' layer_average()(list(matrix(1:4, 2), matrix(0, 2, 2)))
#' @export
layer_add <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL) {
  merge_layer("Add", inputs, list(...), layer_args())
}

#' @rdname layer_add
#' @export
layer_subtract <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                           weights = NULL) {
  merge_layer("Subtract", inputs, list(...), layer_args())
}

#' @rdname layer_add
#' @export
layer_multiply <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                           weights = NULL) {
  merge_layer("Multiply", inputs, list(...), layer_args())
}

#' @rdname layer_add
#' @export
layer_average <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                          weights = NULL) {
  merge_layer("Average", inputs, list(...), layer_args())
}

#' @rdname layer_add
#' @export
layer_maximum <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                          weights = NULL) {
  merge_layer("Maximum", inputs, list(...), layer_args())
}

#' @rdname layer_add
#' @export
layer_minimum <- function(inputs, ..., batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                          weights = NULL) {
  merge_layer("Minimum", inputs, list(...), layer_args())
}

# `...` after a list are arguments by position: keras 2.2.5.0 takes tensors in a list only.
merge_layer <- function(class_name, inputs, more, args) {
  if (missing(inputs)) return(create_layer(class_name, args = args))
  if (is.list(inputs) && length(more) <= length(args)) args[seq_along(more)] <- more
  else inputs <- c(list(inputs), more)
  create_layer(class_name, inputs, args)
}

register_merge_class <- function(class_name, merge, n = Inf) {
  register_layer_class(class_name, call = function(self, inputs) merge(merge_operands(inputs, n)),
                       compute_mask = function(self, inputs, mask) all_masks(mask))
}

# Steps count that count in each input that has a mask.
all_masks <- function(masks) if (is.list(masks)) Reduce(`&`, Filter(Negate(is.null), masks)) else masks

# Tensors of one rank whose shapes broadcast.
merge_operands <- function(inputs, n = Inf) {
  check_merged(inputs, n)
  rank <- max(vapply(inputs, k_ndim, 1L))
  inputs <- lapply(inputs, function(x) {
    while (k_ndim(x) < rank) x <- k_expand_dims(x, 2)
    x
  })
  for (axis in seq_len(rank)) {
    sizes <- vapply(inputs, function(x) x$shape[axis], 1L)
    if (length(unique(sizes[!sizes %in% c(1L, NA)])) > 1) {
      abort_shape("The inputs differ in their shapes.", expected = "equal shapes",
                  received = paste(vapply(inputs, function(x) format_shape(x$shape), ""), collapse = " and "))
    }
  }
  inputs
}

check_merged <- function(inputs, n = Inf) {
  if (is.list(inputs) && length(inputs) >= 2 && length(inputs) <= n) return(invisible())
  abort_argument("A merge layer has another number of inputs.",
                 expected = if (is.finite(n)) paste("a list of", n, "tensors") else "a list of at least 2 tensors",
                 received = if (is.list(inputs)) count_of(length(inputs), "tensor") else describe(inputs))
}

register_merge_class("Add", function(xs) Reduce(`+`, xs))
register_merge_class("Subtract", function(xs) xs[[1]] - xs[[2]], n = 2)
register_merge_class("Multiply", function(xs) Reduce(`*`, xs))
register_merge_class("Average", function(xs) Reduce(`+`, xs) / length(xs))
register_merge_class("Maximum", function(xs) Reduce(k_maximum, xs))
register_merge_class("Minimum", function(xs) Reduce(k_minimum, xs))
