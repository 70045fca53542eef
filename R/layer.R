# The contract of a layer. A class is a list of functions of the instance:
#   class_name   Keras's name, "Conv2DTranspose"
#   init(args)   checks and normalises the arguments; returns the config
#   build(self, input_shape)   adds weights with self$add_weight()
#   call(self, inputs, training)   tensors in, tensors out; `training` optional
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
#' @param layer_class The name of a built-in class (`"Dense"`), or a list with
#'   `class_name` and the functions `call(self, inputs, training)`, optionally
#'   `build(self, input_shape)` and `init(args)` (checks the arguments and
#'   returns the ones to keep).
#' @param object What to compose the layer with; see [layer_dense()].
#' @param args Arguments of the layer, the common ones (`input_shape`, `name`,
#'   `trainable`, `weights`, ...) among them.
#' @return Without `object` the layer; else what composing it returns.
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

# The arguments of the calling layer function, but `object`, as a list.
layer_args <- function() {
  frame <- parent.frame()
  names <- setdiff(names(formals(sys.function(sys.parent()))), "object")
  for (name in names) {
    if (eval(call("missing", as.name(name)), frame) && is_empty_argument(formals(sys.function(sys.parent()))[[name]])) {
      abort_argument(paste0("`", name, "` is missing."), expected = paste0("a value for `", name, "`"))
    }
  }
  stats::setNames(lapply(names, function(name) get(name, frame)), names)
}

new_layer <- function(layer_class, args) {
  own <- is.list(layer_class)
  definition <- if (own) check_definition(layer_class) else known_definition(layer_class)
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
  data <- new.env(parent = topenv())
  data$class_name <- definition$class_name
  data$definition <- if (own) without_source(definition)
  data$name <- name %||% auto_name(snake_case(definition$class_name))
  data$auto_named <- is.null(name)
  data$config <- without_source(config)
  data$dtype <- common$dtype %||% the$floatx
  data$trainable <- common$trainable %||% TRUE
  data$batch_input_shape <- shape
  data$initial_weights <- common$weights
  data$weights <- list()
  data$built <- FALSE
  callable(data, "keras_layer")
}

known_definition <- function(name) {
  layer_classes[[check_choice(name, ls(layer_classes), "layer_class")]]
}

check_definition <- function(definition) {
  functions <- c("init", "build", "call")
  for (name in functions) {
    if (!is.function(definition[[name]] %||% if (name != "call") identity)) {
      abort_argument("This is not a layer class.", expected = paste0("`", name, "` to be a function"),
                     received = describe(definition[[name]]))
    }
  }
  check_string(definition$class_name, "class_name")
  definition
}

check_args <- function(args) {
  if (!is.list(args) || length(args) && !all(nzchar(names(args) %||% ""))) {
    abort_argument("`args` must be a list of named arguments.", expected = "list(units = 2), for example",
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
  if (!is.null(common$dtype)) check_choice(common$dtype, c("float32", "float64", "int32", "bool"), "dtype")
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
    x[] <- lapply(x, without_source)
  }
  x
}

# "dense", "dense_1", "dense_2", ...
auto_name <- function(stem) {
  count <- the$uids[[stem]] %||% 0L
  the$uids[[stem]] <- count + 1L
  if (count == 0L) stem else paste0(stem, "_", count)
}

# Weights ------------------------------------------------------------------

add_weight <- function(self, name, shape, initializer = NULL, regularizer = NULL,
                       constraint = NULL, trainable = TRUE, dtype = NULL) {
  data <- environment(self)
  dtype <- dtype %||% data$dtype
  cpp_check_size(shape, dtype)
  weight <- new_variable(initializer_values(get_initializer(initializer %||% "glorot_uniform"), shape),
                         shape, dtype, paste0(data$name, "/", name), trainable, regularizer,
                         constraint)
  data$weights <- c(data$weights, list(weight))
  weight
}

build_layer <- function(self, input_shape) {
  data <- environment(self)
  if (data$built) return(invisible(self))
  build <- layer_class_of(self)$build
  if (!is.null(build)) with_user_code("build()", build(self, input_shape))
  if (!is.null(data$initial_weights)) set_weights(self, data$initial_weights)
  data$initial_weights <- NULL
  data$built <- TRUE
  data$build_input_shape <- input_shape
  invisible(self)
}

# Runs code that may build a layer or model. When it fails, or is interrupted, what
# was not built before is not built after.
restoring <- function(self, code) {
  if (environment(self)$built) return(code)
  before <- unbuilt_state(self)
  done <- FALSE
  on.exit(if (!done) for (state in before) put_back(state))
  result <- code
  done <- TRUE
  result
}

unbuilt_state <- function(self) {
  data <- environment(self)
  if (data$built) return(list())
  inner <- if (is_model(self)) unlist(lapply(self$layers, unbuilt_state), recursive = FALSE)
  c(list(list(data = data, values = as.list(data, all.names = TRUE))), inner)
}

put_back <- function(state) {
  rm(list = ls(state$data, all.names = TRUE), envir = state$data)
  list2env(state$values, envir = state$data)
}

# All variables of a layer or model, each once, in Keras's order.
weights_of <- function(self) {
  if (is_model(self)) {
    return(unique_objects(unlist(lapply(self$layers, weights_of))))
  }
  data <- environment(self)
  weights <- unique_objects(c(data$weights, unlist(lapply(data$sublayers, weights_of))))
  trainable <- vapply(weights, function(w) w$trainable, NA)
  c(weights[trainable], weights[!trainable])
}

trainable_weights_of <- function(self) {
  data <- environment(self)
  if (!data$trainable) return(list())
  if (is_model(self)) {
    return(unique_objects(unlist(lapply(self$layers, trainable_weights_of))))
  }
  own <- Filter(function(w) w$trainable, data$weights)
  unique_objects(c(own, unlist(lapply(data$sublayers, trainable_weights_of))))
}

# Calls --------------------------------------------------------------------

# layer(x): inside a trace the operations themselves, on symbolic tensors one
# "layer" row, on arrays the value.
call_instance <- function(self, inputs, ..., training = NULL) {
  if (missing(inputs)) {
    abort_argument("A layer was called without inputs.", where = label_of(self),
                   expected = "a tensor, an array or a list of them")
  }
  # A layer in a pipe: model %>% layer().
  if (inherits(inputs, "keras_model_sequential")) return(invisible(compose(inputs, self)))
  tensors <- lapply(as_input_list(inputs), as_layer_input, self = self)
  if (length(tensors) == 0) {
    abort_argument("A layer was called on an empty list.", where = label_of(self),
                   expected = "a tensor, an array or a list of them")
  }
  inputs <- restore_inputs(tensors, list(single = !is.list(inputs)))
  restoring(self, {
    build_instance(self, tensors)
    if (!is.null(the$trace)) inline_layer(self, inputs, training %||% the$training)
    else if (all(vapply(tensors, is_constant, NA))) call_now(self, tensors, inputs, training)
    else record_layer(self, tensors, inputs, training)
  })
}

as_input_list <- function(inputs) if (is.list(inputs) && !is.data.frame(inputs)) inputs else list(inputs)

restore_inputs <- function(tensors, call) if (call$single) tensors[[1]] else tensors

as_layer_input <- function(x, self) {
  if (is_tensor(x)) return(x)
  with_where(label_of(self), as_tensor(x, environment(self)$dtype))
}

shapes_of <- function(tensors) {
  shapes <- lapply(tensors, function(t) t$shape)
  if (length(shapes) == 1) shapes[[1]] else shapes
}

build_instance <- function(self, tensors) {
  with_where(label_of(self), {
    if (is_model(self)) build_model(self, shapes_of(tensors))
    else build_layer(self, shapes_of(tensors))
  })
}

inline_layer <- function(self, inputs, training) {
  if (is_model(self)) return(inline_model(self, inputs, training))
  with_where(label_of(self), {
    call <- layer_class_of(self)$call
    inputs <- autocast(self, inputs)
    outputs <- with_user_code("call()", {
      if ("training" %in% names(formals(call))) {
        with_trace(the$trace, training, call(self, inputs, training = training))
      } else {
        call(self, inputs)
      }
    })
    outputs <- layer_outputs(outputs)
    with_user_code("The activity regularizer", add_activity_losses(self, outputs))
    outputs
  })
}

# Inputs in the layer's own type, as in Keras: floats always, counts where there
# are weights to multiply them with.
autocast <- function(self, inputs) {
  data <- environment(self)
  cast <- function(x) {
    numeric <- grepl("^float", x$dtype) || length(data$weights) > 0
    if (numeric && grepl("^float", data$dtype)) k_cast(x, data$dtype) else x
  }
  if (is_tensor(inputs)) cast(inputs) else lapply(inputs, cast)
}

# Numbers and arrays may be outputs, too.
layer_outputs <- function(outputs) {
  for (output in as_list(outputs)) {
    if (!is_tensor(output) && !is.numeric(output)) {
      abort_argument("call() did not return a tensor.",
                     expected = "a tensor or a list of tensors", received = describe(output),
                     remedy = "Compute with operators and k_ functions, and return the result.")
    }
  }
  if (is.list(outputs)) lapply(outputs, as_tensor) else as_tensor(outputs)
}

add_activity_losses <- function(self, outputs) {
  regularizer <- environment(self)$config$activity_regularizer
  if (is.null(regularizer)) return(invisible())
  for (output in as_list(outputs)) {
    add_loss(regularization(regularizer, output) / k_cast(batch_size_of(output), output$dtype))
  }
}

# Adds a scalar tensor to what training minimises.
add_loss <- function(loss) {
  trace <- the$trace
  if (!is.null(trace)) trace$losses <- c(trace$losses, list(loss))
  invisible(loss)
}

# A trial trace tells the shapes of the outputs.
record_layer <- function(self, tensors, inputs, training) {
  trial <- new_record()
  fed <- lapply(tensors, function(t) input_row(trial, t$shape, t$dtype))
  results <- with_trace(trial, training %||% FALSE,
                        inline_layer(self, restore_inputs(fed, list(single = !is.list(inputs))),
                                     training %||% FALSE))
  record <- recording_for(tensors)
  call <- append_row(record, "layer", vapply(tensors, row_in, 1L, record = record),
                     slot = slot_of(record, "layers", self),
                     call = list(single = !is.list(inputs), training = training))
  outputs <- lapply(seq_along(as_list(results)), function(i) {
    result <- as_list(results)[[i]]
    append_row(record, "output", call$row, list(index = i), result$shape, result$dtype)
  })
  data <- environment(self)
  if (is.null(data$input_shape)) {
    data$inputs <- tensors
    data$outputs <- outputs
    data$input_shape <- shapes_of(tensors)
    data$output_shape <- shapes_of(outputs)
  }
  if (is.list(results)) outputs else outputs[[1]]
}

call_now <- function(self, tensors, inputs, training) {
  trace <- new_record()
  fed <- lapply(tensors, function(t) input_row(trace, t$shape, t$dtype))
  single <- list(single = !is.list(inputs))
  training <- training %||% the$learning_phase %||% FALSE
  results <- with_trace(trace, training, inline_layer(self, restore_inputs(fed, single), training))
  program <- program_from(trace, as_list(results))
  feeds <- Map(function(t) as_dataset(t$value, t$dtype, "inputs", t$shape), tensors)
  values <- run_program(program, feeds)
  outputs <- Map(function(value, result) new_constant(value, shape_of_array(value), result$dtype),
                 values, as_list(results))
  if (is.list(results)) outputs else outputs[[1]]
}

# Composition --------------------------------------------------------------

compose <- function(object, layer) {
  if (inherits(object, "keras_model_sequential")) return(add_layer(object, layer))
  if (is_tensor(object) || is.list(object) || is.numeric(object)) return(layer(object))
  abort_argument("A layer cannot be composed with this object.", where = label_of(layer),
                 expected = "a sequential model, a tensor, a list of tensors or an array",
                 received = describe(object))
}

# Fields -------------------------------------------------------------------

#' @export
`$.keras_layer` <- function(x, name) {
  data <- environment(x)
  computed <- layer_fields[[name]]
  if (!is.null(computed)) return(computed(x))
  if (exists(name, data, inherits = FALSE)) return(data[[name]])
  data$config[[name]]
}

#' @export
`[[.keras_layer` <- function(x, i, ...) `$.keras_layer`(x, check_string(i, "i"))

#' @export
`$<-.keras_layer` <- function(x, name, value) {
  data <- environment(x)
  computed <- layer_fields[[name]]
  if (!is.null(computed)) {
    # `model$optimizer$learning_rate <- 0.1` puts the same optimizer back.
    if (identical(computed(x), value)) return(x)
    abort_argument(paste0("`", name, "` cannot be set."), where = label_of(x),
                   remedy = switch(name, weights = "Use set_weights().", optimizer = "Use compile()."))
  }
  if (identical(name, "trainable")) {
    value <- with_where(label_of(x), check_flag(value, "trainable"))
    if (is_model(x)) for (layer in x$layers) layer$trainable <- value
  }
  # Layers that a layer of the user's is made of: their weights are its weights.
  if (is_layer(value) && !is_model(x) && position(value, data$sublayers) == 0L) {
    data$sublayers <- c(data$sublayers, list(value))
  }
  assign(name, value, envir = data)
  x
}

#' @export
`[[<-.keras_layer` <- function(x, i, value) `$<-.keras_layer`(x, check_string(i, "i"), value)

#' @importFrom utils .DollarNames
#' @export
.DollarNames.keras_layer <- function(x, pattern = "") {
  data <- environment(x)
  found <- unique(c(names(layer_fields), ls(data), names(data$config)))
  grep(pattern, found, value = TRUE)
}

# Fields that are computed when asked for.
layer_fields <- list(
  weights = function(self) weights_of(self),
  variables = function(self) weights_of(self),
  trainable_weights = function(self) trainable_weights_of(self),
  non_trainable_weights = function(self) {
    trainable <- trainable_weights_of(self)
    Filter(function(w) position(w, trainable) == 0L, weights_of(self))
  },
  add_weight = function(self) function(...) add_weight(self, ...),
  get_weights = function(self) function() get_weights(self),
  set_weights = function(self) function(weights) set_weights(self, weights),
  get_config = function(self) function() get_config(self),
  count_params = function(self) function() count_params(self),
  layers = function(self) if (is_model(self)) model_layers(self),
  input = function(self) single_tensor(environment(self)$inputs),
  output = function(self) single_tensor(environment(self)$outputs),
  optimizer = function(self) environment(self)$compiled$optimizer
)

single_tensor <- function(tensors) if (length(tensors) == 1) tensors[[1]] else tensors
