# The contract of a layer. A class is a list of functions of the instance:
#   class_name   Keras's name, "Conv2DTranspose"
#   init(args)   checks and normalises the arguments; returns the config
#   build(self, input_shape)   adds weights with self$add_weight()
#   call(self, inputs, training)   tensors in, tensors out; `training` optional
#   compute_mask, supports_masking   what becomes of masks: mask.R
# Built-in classes are looked up by name in the namespace, so that an instance
# saved under one version of the package works under the next; a user's own class
# travels with the instance. An instance is a callable closure whose environment
# holds data only.

layer_class_of <- function(self) {
  data <- environment(self)
  data$definition %||% layer_classes[[data$class_name]]
}

common_args <- c("input_shape", "batch_input_shape", "batch_size", "dtype", "name", "trainable",
                 "weights")

#' Make a layer and compose it
#'
#' The way every `layer_*()` function works, open to your own layer classes.
#'
#' @param layer_class The name of a built-in class (`"Dense"`), a class that inherits
#'   from [KerasLayer], or a list with
#'   `class_name` and the functions `call(self, inputs, training)`, optionally
#'   `build(self, input_shape)` and `init(args)` (checks the arguments and
#'   returns the ones to keep). `call()` may have an argument `mask`: the mask of
#'   its input, see [layer_masking()]. The output has it, too, with
#'   `supports_masking = TRUE`, or the one that `compute_mask(self, inputs, mask)`
#'   returns.
#' @param object What to compose the layer with; see [layer_dense()].
#' @param args Arguments of the layer, the common ones (`input_shape`, `name`,
#'   `trainable`, `weights`, ...) among them.
#' @return Without `object` the layer; else what composing it returns.
#' @section Errors: `convnet_error_argument` for classes that are not known or not
#'   complete, and for arguments without names.
#' @family layers
#' @examples
#' double <- list(class_name = "Double", call = function(self, inputs) inputs * self$factor)
#' layer <- create_layer(double, args = list(factor = 2))
#' layer(matrix(1:4, 2))
#' @export
create_layer <- function(layer_class, object, args = list()) {
  # The model on the left of a pipe is made before the layer on its right, so
  # that automatic names count from left to right.
  if (!missing(object)) force(object)
  layer <- new_layer(layer_class, args)
  if (missing(object) || is.null(object)) return(layer)
  invisible(compose(object, layer))
}

# The arguments of the calling layer function, but what it is composed with, as a list.
# `...` holds tensors beside `inputs`; beside `object` it is empty: arguments behind it
# have to be written out.
layer_args <- function() {
  frame <- parent.frame()
  known <- formals(sys.function(sys.parent()))
  if (all(c("object", "...") %in% names(known))) check_dots(eval(quote(list(...)), frame), names(known))
  names <- setdiff(names(known), c("object", "inputs", "..."))
  for (name in names) {
    if (eval(call("missing", as.name(name)), frame) && is_empty_argument(known[[name]])) {
      abort_argument(paste0("`", name, "` is missing."), expected = paste0("a value for `", name, "`"))
    }
  }
  stats::setNames(lapply(names, function(name) get(name, frame)), names)
}

is_empty_argument <- function(x) identical(x, quote(expr = ))

new_layer <- function(layer_class, args) {
  layer_class <- class_behind(layer_class)
  own <- is.list(layer_class) || is_class(layer_class)
  definition <- if (is_class(layer_class)) class_definition(layer_class)
                else if (own) check_definition(layer_class)
                else known_definition(layer_class)
  check_args(args)
  common <- args[intersect(names(args), common_args)]
  config <- args[setdiff(names(args), common_args)]
  name <- if (!is.null(common$name)) check_string(common$name, "name")
  with_where(layer_label(name, definition$class_name), {
    if (!is.null(definition$init)) {
      config <- with_user_code("init()", definition$init(config))
    }
    check_common_args(common)
    shape <- first_shape(common)
  })
  data <- new.env(hash = FALSE, parent = topenv())
  data$class_name <- definition$class_name
  if (own) data$definition <- without_source(definition)
  data$name <- name %||% auto_name(snake_case(definition$class_name))
  data$auto_named <- is.null(name)
  data$config <- packed(without_source(config))
  data$dtype <- common$dtype %||% the$floatx
  data$trainable <- common$trainable %||% TRUE
  if (!is.null(shape)) data$batch_input_shape <- shape
  if (!is.null(common$weights)) data$initial_weights <- common$weights
  data$weights <- list()
  data$built <- FALSE
  session_of(data)
  layer <- callable(data, "keras_layer")
  if (!is.null(definition$levels)) with_where(label_of(layer), bind_class(layer, definition, config))
  layer
}

known_definition <- function(name) {
  name <- check_string(name, "layer_class")
  layer_classes[[name]] %||%
    abort_argument("`layer_class` is not one of the known values.",
                   expected = "Keras's name of a layer of this package, or a list that describes a class",
                   received = encodeString(name, quote = "\""), remedy = suggest(name, ls(layer_classes)))
}

check_definition <- function(definition) {
  definition <- unclass(definition)
  if (!is.null(definition$levels)) return(definition)
  functions <- c("init", "build", "call", "compute_mask")
  for (name in functions) {
    if (!is.function(definition[[name]] %||% if (name != "call") identity)) {
      abort_argument("This is not a layer class.", expected = paste0("`", name, "` to be a function"),
                     received = describe(definition[[name]]))
    }
  }
  check_string(definition$class_name, "class_name")
  definition
}

check_args <- function(args, arg = "args") {
  if (!is.list(args) || length(args) && !all(nzchar(names(args) %||% ""))) {
    abort_argument(paste0("`", arg, "` must be a list of named arguments."), expected = "list(units = 2), for example",
                   received = describe(args))
  }
}

# A function with data: what users see as a layer or a model.
callable <- function(data, class) {
  self <- function(...) call_instance(sys.function(), ...)
  environment(self) <- data
  structure(self, class = class, srcref = NULL)
}

is_layer <- function(x) inherits(x, "keras_layer")
is_model <- function(x) inherits(x, "keras_model")

check_common_args <- function(common) {
  if (!is.null(common$trainable)) check_flag(common$trainable, "trainable")
  if (!is.null(common$dtype)) check_dtype(common$dtype)
  if (!is.null(common$batch_size)) check_counts(common$batch_size, "batch_size", 1)
}

first_shape <- function(common) {
  if (!is.null(common$batch_input_shape)) {
    return(as_shape(common$batch_input_shape, "batch_input_shape"))
  }
  if (is.null(common$input_shape)) return(NULL)
  c(as.integer(common$batch_size %||% NA), as_shape(common$input_shape, "input_shape"))
}

layer_label <- function(name, class_name) {
  if (is.null(name)) paste("Layer", class_name) else paste0("Layer \"", name, "\" (", class_name, ")")
}

label_of <- function(layer) {
  data <- environment(layer)
  if (is_model(layer)) paste0("Model \"", data$name, "\"") else layer_label(data$name, data$class_name)
}

snake_case <- function(x) {
  x <- gsub("(.)([A-Z][a-z]+)", "\\1_\\2", x)
  tolower(gsub("([a-z])([A-Z])", "\\1_\\2", x))
}

# Functions of the user's without references to their source, which hold the whole
# script that they were written in and would be saved with the model.
without_source <- function(x) {
  if (is.function(x) && !is_layer(x)) {
    kept <- attributes(x)
    kept$srcref <- NULL
    x <- utils::removeSource(x)
    attributes(x) <- kept
  } else if (is.list(x)) {
    x <- map_list(x, without_source)
  }
  x
}

# Of the elements of a list, whatever its class makes of them: those of a POSIXlt are POSIXlt again, without end.
map_list <- function(x, f) {
  kept <- attributes(x)
  x <- lapply(unclass(x), f)
  attributes(x) <- kept
  x
}

# "dense", "dense_1", "dense_2", ...
auto_name <- function(stem) {
  count <- the$uids[[stem]] %||% 0L
  the$uids[[stem]] <- count + 1L
  if (count == 0L) stem else paste0(stem, "_", count)
}

compose <- function(object, layer) {
  if (inherits(object, "keras_model_sequential")) return(add_layer(object, layer))
  if (is_tensor(object) || is.list(object) || is.numeric(object)) return(layer(object))
  abort_argument("A layer cannot be composed with this object.", where = label_of(layer),
                 expected = "a sequential model, a tensor, a list of tensors or an array",
                 received = describe(object))
}
