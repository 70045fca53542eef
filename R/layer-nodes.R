#' Tensors of one call of a layer
#'
#' A layer that is called several times has several inputs and outputs; `layer$input` and `layer$output` are those of a
#' layer that has been called once.
#'
#' @param object A layer.
#' @param node_index Which call, from 1.
#' @return A tensor or a list of tensors; a shape or a list of shapes; a mask or a list of masks (see
#'   [layer_masking()]), of which those that do not exist are `NULL`.
#' @section Errors: `convnet_error_argument` when there is no such call.
#' @family models
#' @examples
#' layer <- layer_dense(units = 2)
#' x <- layer_input(3)
#' y <- layer_input(3)
#' layer(x)
#' layer(y)
#' identical(get_input_at(layer, 2), y)
#'
#' masking <- layer_masking()
#' x <- layer_input(shape = c(3, 2))
#' masking(x)
#' f <- k_function(list(x), list(get_output_mask_at(masking, 1)))
#' f(list(array(c(1, 0, 2), c(1, 3, 2))))
#' @export
get_input_at <- function(object, node_index) single_tensor(node_of(object, node_index)$inputs)

#' @rdname get_input_at
#' @export
get_output_at <- function(object, node_index) single_tensor(node_of(object, node_index)$outputs)

#' @rdname get_input_at
#' @export
get_input_shape_at <- function(object, node_index) shapes_of(node_of(object, node_index)$inputs)

#' @rdname get_input_at
#' @export
get_output_shape_at <- function(object, node_index) shapes_of(node_of(object, node_index)$outputs)

#' @rdname get_input_at
#' @export
get_input_mask_at <- function(object, node_index) mask_of(single_tensor(node_of(object, node_index)$inputs))

#' @rdname get_input_at
#' @export
get_output_mask_at <- function(object, node_index) mask_of(single_tensor(node_of(object, node_index)$outputs))

# A model that is built counts as called once before: on its own inputs.
nodes_of <- function(layer) {
  c(if (is_model(layer) && is_wired(layer)) list(wiring_of(layer)), calls_of(environment(layer)))
}

# Calls belong to the models that they are part of, not to the layer: it is saved without them.
calls_of <- function(data) session_of(data)$nodes
set_calls <- function(data, nodes) assign("nodes", nodes, session_of(data))

node_of <- function(object, node_index) {
  check_layer(object)
  nodes <- nodes_of(object)
  index <- check_counts(node_index, "node_index")
  if (index > length(nodes)) {
    abort_argument("There is no such call.", where = label_of(object), expected = count_of(length(nodes), "call"),
                   received = index)
  }
  nodes[[index]]
}
