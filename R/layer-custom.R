# Layers of the user's as classes: R6 classes whose methods see `self`, the layer
# itself, as a free variable. They are taken apart into plain functions: a layer is
# not an R6 object but what every other layer is. levels: of a class and what it
# inherits from, the outermost first.

class_definition <- function(generator) {
  levels <- list()
  while (!is.null(generator)) {
    levels <- c(list(list(
      methods = without_source(as.list(generator$public_methods)), fields = generator$public_fields,
      private = without_source(c(generator$private_methods, generator$private_fields)),
      active = without_source(as.list(generator$active)), env = generator$parent_env,
      class_name = generator$classname)), levels)
    generator <- generator$get_inherit()
  }
  class_name <- levels[[length(levels)]]$class_name
  if (!"call" %in% unlist(lapply(levels, function(level) names(level$methods)))) {
    abort_argument("A layer class needs a method `call()`.", where = layer_label(NULL, class_name),
                   expected = "a function of the inputs that returns a tensor", received = "a class without")
  }
  for (i in seq_along(levels)) levels[[i]]$methods$clone <- NULL
  list(class_name = class_name, levels = levels)
}

is_class <- function(x) inherits(x, "R6ClassGenerator")

# Gives a layer the fields and methods of its class, and runs initialize().
bind_class <- function(self, definition, arguments) {
  data <- environment(self)
  data$private <- new.env(parent = emptyenv())
  for (level in definition$levels) {
    frame <- new.env(parent = level$env)
    frame$self <- self
    frame$private <- data$private
    frame$super <- super_of(data$methods)
    bound <- function(f) {
      if (is.function(f)) environment(f) <- frame
      f
    }
    data$methods <- utils::modifyList(as.list(data$methods), lapply(level$methods, bound))
    data$active <- utils::modifyList(as.list(data$active), lapply(level$active, bound))
    list2env(lapply(level$private, bound), data$private)
    add_fields(data, level)
  }
  initialize <- data$methods$initialize
  # A wrapper knows its layer before it begins.
  if (is_layer(arguments$layer) && exists("layer", data, inherits = FALSE)) {
    self$layer <- arguments$layer
    if (!"layer" %in% names(formals(initialize))) arguments$layer <- NULL
  }
  with_user_code("initialize()", do.call("initialize", arguments))
}

# What the class inherits: `super$build(shape)`, or `super()$build(shape)` and `super()$`__init__`()` of older scripts.
super_of <- function(methods) {
  methods$`__init__` <- methods$initialize
  structure(function() methods, class = "keras_super")
}

#' @export
`$.keras_super` <- function(x, name) unclass(x)()[[name]]

add_fields <- function(data, level) {
  taken <- intersect(names(level$fields), c(ls(data), names(layer_fields)))
  if (length(taken)) {
    abort_argument("A class has a field that every layer has.", expected = "another name", received = quoted(taken))
  }
  list2env(as.list(level$fields), data)
}

# A function of the layer's class that takes what is left but the layer itself.
method_of <- function(self, name) {
  own <- environment(self)$methods[[name]]
  if (!is.null(own)) return(own)
  f <- layer_class_of(self)[[name]]
  # In brackets: errors inside do not name f(), which is not the user's name.
  if (!is.null(f)) function(...) (f)(self, ...)
}

# Arguments of call() but the inputs.
call_arguments_of <- function(self) {
  if (is_graph(self)) return(c("mask", "training"))
  own <- environment(self)$methods$call
  if (is.null(own)) names(formals(layer_class_of(self)$call))[-(1:2)] else names(formals(own))[-1]
}

#' Layers of your own
#'
#' `KerasLayer` is the [R6][R6::R6Class] class to inherit from; `create_layer()` makes a layer of such a class and
#' composes it. `Layer()` and `new_layer_class()`, two names of one function, do both in one: they return a function like
#' [layer_dense()]. A layer of your own is trained, saved with [saveRDS()], cloned and used inside other layers exactly as
#' the ones of the package are.
#'
#' @details
#' Methods of the class; `call()` is the only one that must be there:
#' - `initialize(...)` takes the arguments of the layer, but the common ones (`name`, `trainable`, `input_shape`, ...);
#' - `build(input_shape)` makes weights, with `self$add_weight(name, shape, dtype, initializer, regularizer, trainable,
#'   constraint)`, of which only `shape` must be given. `input_shape` is an integer vector, `NA` for an unknown size, or a
#'   list of them for several inputs;
#' - `call(inputs, mask, training)` computes the output from a tensor, or a list of them, with operators, `k_` functions
#'   and layers. `mask`, `training` and arguments of your own are optional. It is run when a model meets a new phase or
#'   rank of input, not for each batch;
#' - `compute_mask(inputs, mask)` returns the mask of the output, see [layer_masking()]; with a field `supports_masking =
#'   TRUE` it is that of the input;
#' - `get_config()` returns the arguments from which [from_config()] and [clone_model()] make such a layer, as a list with
#'   names. It is needed only where they are not the ones that the layer was made with, which `super$get_config()` returns;
#' - `compute_output_shape(input_shape)` is not needed: shapes follow from `call()`.
#'
#' Layers that are assigned to `self`, also in lists, are part of the layer: their weights are its weights. Variables that
#' are assigned to `self` are weights, too: [k_variable()] is an alternative to `self$add_weight()`.
#' `self$add_loss(tensor)`, called in `call()`, adds the mean of a tensor to what training minimises.
#'
#' Tensors of the model that `call()` uses without having been given them, because the function sees them where it was
#' written, become inputs of the call. They are those of that model: a copy by [clone_model()] does not have them.
#'
#' `KerasWrapper` is for layers around a layer: [create_wrapper()] puts its argument `layer` into `self$layer`.
#' `KerasConstraint` is for constraints: `constraint$new()` of a class with a method `call(w)` can be given to a layer.
#'
#' @param classname Name of the class, from which layers get theirs.
#' @param initialize,call,build,get_config Methods, see Details.
#' @param ... More methods and fields.
#' @param public,private Lists of further methods and fields.
#' @param inherit The class to inherit from.
#' @param parent_env The environment in which methods look for what is not theirs.
#' @param layer_class A class, as returned by `new_layer_class()` or [R6::R6Class()].
#' @return A function like [layer_dense()], of `object` and the arguments of `initialize()`. It stands for its class where
#'   one is expected: as `layer_class`, and as `inherit`.
#' @section Errors: `convnet_error_function` when a method fails: its error is the `parent` of the condition.
#' @family layers
#' @examples
#' Scale <- R6::R6Class("Scale", inherit = KerasLayer, public = list(
#'   start = NULL,
#'   factor = NULL,
#'   initialize = function(start = 1) self$start <- start,
#'   build = function(input_shape) {
#'     self$factor <- self$add_weight("factor", input_shape[length(input_shape)],
#'                                    initializer = initializer_constant(self$start))
#'   },
#'   call = function(x, mask = NULL) x * self$factor
#' ))
#' model <- keras_model_sequential(input_shape = 3)
#' create_layer(Scale, model, list(start = 2, name = "scale"))
#' predict(model, matrix(1:3, 1))
#'
#' layer_double <- Layer("Double", call = function(inputs) inputs * 2)
#' model %>% layer_double(name = "double")
#' predict(model, matrix(1:3, 1))
#' @export
KerasLayer <- R6::R6Class("KerasLayer", cloneable = FALSE, public = list(
  initialize = function(...) invisible(NULL),
  build = function(input_shape) invisible(NULL),
  compute_output_shape = function(input_shape) input_shape,
  add_weight = function(name = NULL, shape, dtype = NULL, initializer = NULL, regularizer = NULL, trainable = TRUE,
                        constraint = NULL) {
    add_weight(self, name, as_shape(shape), initializer, get_regularizer(regularizer), get_constraint(constraint),
               trainable, dtype)
  },
  add_loss = function(losses, inputs = NULL) add_losses(self, losses),
  get_config = function() given_config(self)
))

#' @rdname KerasLayer
#' @export
KerasWrapper <- R6::R6Class("KerasWrapper", inherit = KerasLayer, cloneable = FALSE, public = list(layer = NULL))

#' @rdname KerasLayer
#' @export
KerasConstraint <- R6::R6Class("KerasConstraint", cloneable = FALSE, public = list(
  call = function(w) w,
  get_config = function() list()
))

#' @rdname KerasLayer
#' @export
new_layer_class <- function(classname, initialize = NULL, call = NULL, build = NULL, get_config = NULL, ...,
                            public = list(), private = list(), inherit = KerasLayer, parent_env = parent.frame()) {
  methods <- list(initialize = initialize, call = call, build = build, get_config = get_config)
  public <- c(Filter(Negate(is.null), methods), list(...), public)
  create_layer_wrapper(new_class(classname, public, private, inherit, parent_env))
}

#' @rdname KerasLayer
#' @export
Layer <- new_layer_class

#' @rdname KerasLayer
#' @export
create_layer_wrapper <- function(layer_class) {
  layer_class <- class_behind(layer_class)
  structure(function(object, ...) create_layer(layer_class, object, name_arguments(list(...), layer_class)),
            class = c("keras_layer_class", "function"))
}

new_class <- function(classname, public, private, inherit, parent_env) {
  check_string(classname, "classname")
  check_args(public, "public")
  check_args(private, "private")
  # The class itself, not a name that it may not have elsewhere.
  do.call(R6::R6Class, list(classname, public = public, private = private, inherit = class_behind(inherit),
                        parent_env = parent_env, cloneable = FALSE))
}

# The class of a function that makes layers of it.
class_behind <- function(x) if (inherits(x, "keras_layer_class")) environment(x)$layer_class else x

# Arguments without names are those of initialize(), in order.
name_arguments <- function(arguments, layer_class) {
  unnamed <- !nzchar(names(arguments) %||% rep("", length(arguments)))
  if (!any(unnamed) || !is_class(layer_class)) return(arguments)
  levels <- class_definition(layer_class)$levels
  own <- Filter(Negate(is.null), lapply(levels, function(level) level$methods$initialize))
  free <- setdiff(names(formals(own[[length(own)]])), c("...", names(arguments)))
  names(arguments)[unnamed] <- c(free, rep("", sum(unnamed)))[seq_len(sum(unnamed))]
  check_args(arguments)
  arguments
}

#' @rdname create_layer
#' @param wrapper_class A class that inherits from [KerasWrapper].
#' @export
create_wrapper <- function(wrapper_class, object, args = list()) create_layer(wrapper_class, object, args)

# Tensors that training minimises beside the loss; scalars, or their means.
add_losses <- function(self, losses) {
  for (loss in as_list(losses)) add_loss(if (length(loss$shape)) k_mean(loss) else loss)
  invisible(self)
}
