#' A layer from a function
#'
#' @inheritParams layer_dense
#' @param f A function of a tensor (a list of tensors where there are several inputs) that returns one, or a list. It
#'   computes with operators and `k_` functions. Arguments `training` and `mask`, where it has them, are those of the call.
#' @param output_shape For Keras's signature: shapes follow from what `f` computes.
#' @param mask The mask of the output (see [layer_masking()]): a function of the inputs and their mask, or a tensor;
#'   `NULL` (default) for none.
#' @param arguments A list of further arguments of `f`.
#' @section Input shape: Any.
#' @section Output shape: That of what `f` returns.
#' @section Errors: `convnet_error_function` when `f` fails: its error is the `parent` of the condition.
#' @return A layer, model or tensor, as [layer_dense()]. The function is saved with the model.
#' @family core layers
#' @examples
#' keras_model_sequential(input_shape = c(4, 4, 3)) %>%
#'   layer_lambda(function(x, power) k_mean(x^power, axis = c(2, 3)), arguments = list(power = 2))
#' @export
layer_lambda <- function(object, f, output_shape = NULL, mask = NULL, arguments = NULL, input_shape = NULL,
                         batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                         weights = NULL) {
  create_layer("Lambda", object, layer_args())
}

register_layer_class(
  "Lambda",
  init = function(args) {
    check_function(args$f, "f", "a function of a tensor")
    mask <- args$mask
    if (!is.null(mask) && !is.function(mask) && !is_tensor(mask) && !is.logical(mask)) {
      abort_argument("`mask` is not a mask.", expected = "a function, a tensor or truth values",
                     received = describe(mask))
    }
    if (length(args$arguments)) check_args(args$arguments, "arguments")
    args
  },
  call = function(self, inputs, training = FALSE, mask = NULL) {
    f <- self$f
    given <- list(training = training, mask = mask)
    arguments <- c(self$arguments, given[intersect(names(given), names(formals(args(f))))])
    with_user_code("The function", do.call("f", c(list(inputs), arguments)))
  },
  compute_mask = function(self, inputs, mask) {
    given <- self$mask
    if (is.function(given)) with_user_code("The function `mask`", given(inputs, mask))
    else if (!is.null(given)) as_tensor(given)
  }
)
