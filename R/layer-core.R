#' Input of a model
#'
#' @param shape Shape without the sample dimension.
#' @param batch_shape Shape with the sample dimension.
#' @param name Name of the input.
#' @param dtype Element type; [k_floatx()] when `NULL`.
#' @param sparse For Keras's signature; tensors are dense.
#' @param tensor An existing tensor to use instead of a new one.
#' @return A symbolic tensor, on which layers can be called.
#' @section Errors: `convnet_error_argument` when neither shape is given.
#' @family core layers
#' @examples
#' x <- layer_input(shape = c(28, 28, 1))
#' y <- x %>% layer_flatten() %>% layer_dense(10)
#' y
#' @export
layer_input <- function(shape = NULL, batch_shape = NULL, name = NULL, dtype = NULL,
                        sparse = FALSE, tensor = NULL) {
  if (!is.null(tensor)) {
    check_tensors(list(tensor), "tensor")
    return(tensor)
  }
  if (!is.null(dtype)) check_dtype(dtype)
  if (!is.null(name)) check_string(name, "name")
  if (is.null(shape) && is.null(batch_shape)) {
    abort_argument("An input needs a shape.", expected = "`shape` or `batch_shape`")
  }
  full <- if (is.null(batch_shape)) c(NA, as_shape(shape)) else as_shape(batch_shape, "batch_shape")
  input_row(new_record(), full, dtype %||% the$floatx, name %||% input_name())
}

# "input_1", "input_2", ...
input_name <- function() {
  counter <- (the$uids[["input"]] %||% 0L) + 1L
  the$uids[["input"]] <- counter
  paste0("input_", counter)
}

#' Flatten the input
#'
#' Puts all dimensions but the first into one, in row-major order: of
#' `(samples, rows, columns, channels)` the channels vary fastest.
#'
#' @inheritParams layer_dense
#' @param data_format `"channels_first"` moves the channels to the end before
#'   flattening, so that weights trained with either format agree.
#' @section Input shape: `(samples, ...)`.
#' @section Output shape: `(samples, prod(...))`.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_argument` for an unknown `data_format`.
#' @family core layers
#' @examples
#' keras_model_sequential(input_shape = c(4, 4, 2)) %>% layer_flatten()
#' @export
layer_flatten <- function(object, data_format = NULL, input_shape = NULL, dtype = NULL,
                          name = NULL, trainable = NULL, weights = NULL) {
  create_layer("Flatten", object, layer_args())
}

register_layer_class(
  "Flatten",
  init = function(args) {
    args$data_format <- check_data_format(args$data_format %||% "channels_last")
    args
  },
  call = function(self, inputs) {
    if (length(inputs$shape) > 2) inputs <- channels_last(inputs, self$data_format)
    inner <- inputs$shape[-1]
    if (length(inner) == 0) return(emit("reshape", list(inputs), list(shape = c(-1, 1))))
    target <- if (anyNA(inner)) c(0, -1) else c(-1, prod(inner))
    emit("reshape", list(inputs), list(shape = target))
  }
)

#' Reshape the input
#'
#' @inheritParams layer_dense
#' @param target_shape Shape of the output without the sample dimension; one
#'   entry may be -1 and is computed.
#' @section Input shape: `(samples, ...)`, all of it known but the samples when
#'   `target_shape` has a -1.
#' @section Output shape: `(samples, target_shape)`, in row-major order.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_shape` when the sizes differ.
#' @family core layers
#' @examples
#' keras_model_sequential(input_shape = 49) %>% layer_reshape(c(7, 7, 1))
#' @export
layer_reshape <- function(object, target_shape, input_shape = NULL, batch_input_shape = NULL,
                          batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                          weights = NULL) {
  create_layer("Reshape", object, layer_args())
}

register_layer_class(
  "Reshape",
  init = function(args) {
    entry <- function(d) is.null(d) || length(d) == 1 && (is.numeric(d) || is.na(d))
    numbers <- (is.numeric(args$target_shape) || is.list(args$target_shape) || is.logical(args$target_shape)) &&
      all(vapply(as.list(args$target_shape), entry, NA))
    target <- if (numbers) vapply(as.list(args$target_shape), function(d) as.numeric(d %||% -1), 0)
    if (numbers) target[is.na(target)] <- -1
    if (!numbers || any(target != -1 & target < 1) || any(target != round(target)) ||
        any(target > .Machine$integer.max) || sum(target == -1) > 1) {
      abort_argument("`target_shape` is not a shape.",
                     expected = "whole numbers of at least 1, at most one of them -1",
                     received = if (numbers) format_sizes(target) else describe(args$target_shape))
    }
    args$target_shape <- as.integer(target)
    args
  },
  call = function(self, inputs) {
    target <- self$target_shape
    inner <- inputs$shape[-1]
    known <- !anyNA(inner)
    if (known) check_reshape(inner, target)
    if (known && any(target == -1)) target[target == -1] <- prod(inner) / -prod(target)
    emit("reshape", list(inputs), list(shape = c(if (known) -1 else 0, target)))
  }
)

check_reshape <- function(inner, target) {
  size <- prod(target[target != -1])
  fits <- if (any(target == -1)) prod(inner) %% size == 0 else prod(inner) == size
  if (!fits) {
    abort_shape("The input cannot be reshaped to `target_shape`.",
                expected = paste(prod(inner), "values a sample, as in", format_shape(inner)),
                received = paste("target_shape", format_shape(target)))
  }
}

#' Apply an activation
#'
#' @inheritParams layer_dense
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_argument` for an unknown activation.
#' @family core layers
#' @examples
#' keras_model_sequential(input_shape = 3) %>% layer_activation("tanh")
#' @export
layer_activation <- function(object, activation, input_shape = NULL, batch_input_shape = NULL,
                             batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL,
                             weights = NULL) {
  create_layer("Activation", object, layer_args())
}

register_layer_class("Activation", supports_masking = TRUE, init = init_weights,
                     call = function(self, inputs) activate(self$activation, inputs))

#' Dropout
#'
#' In training sets a share `rate` of the values to 0 and divides the others by
#' `1 - rate`; passes everything through otherwise.
#'
#' @inheritParams layer_dense
#' @param rate Share of the values to drop, in `[0, 1)`.
#' @param noise_shape Shape of the mask, samples included: 1 where all values
#'   along a dimension share their fate, `NA` or `NULL` for the input's extent.
#' @param seed A whole number that decides the masks; `NULL` lets `set.seed()` decide.
#' @section Input shape: Any.
#' @section Output shape: That of the input.
#' @return A layer, model or tensor, as [layer_dense()].
#' @section Errors: `convnet_error_argument` for a `rate` outside `[0, 1)` or a
#'   `noise_shape` that does not fit the input.
#' @references Srivastava, N. et al. (2014), *Dropout: a simple way to prevent
#'   neural networks from overfitting*, JMLR 15.
#' @family regularization layers
#' @examples
#' layer <- layer_dropout(rate = 0.5)
#' layer(matrix(1, 2, 4), training = TRUE)
#' @export
layer_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, input_shape = NULL,
                          batch_input_shape = NULL, batch_size = NULL, name = NULL,
                          trainable = NULL, weights = NULL) {
  create_layer("Dropout", object, layer_args())
}

init_dropout <- function(args) {
  args$rate <- check_rate(args$rate)
  if (!is.null(args$noise_shape)) args$noise_shape <- as_shape(args$noise_shape, "noise_shape")
  args["seed"] <- list(check_seed(args$seed))
  args
}

dropout <- function(x, rate, training, seed = NULL, noise_shape = NULL) {
  if (!isTRUE(training) || rate == 0) return(x)
  emit("dropout", list(x), list(rate = rate, stream = 0, seed = seed, noise_shape = noise_shape))
}

register_layer_class(
  "Dropout",
  supports_masking = TRUE,
  init = init_dropout,
  call = function(self, inputs, training = FALSE) {
    dropout(inputs, self$rate, training, self$seed, self$noise_shape)
  }
)
