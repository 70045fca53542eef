# Building: a layer makes its weights when it meets its first input.

add_weight <- function(self, name = NULL, shape, initializer = NULL, regularizer = NULL,
                       constraint = NULL, trainable = TRUE, dtype = NULL) {
  data <- environment(self)
  dtype <- dtype %||% data$dtype
  count <- length(data$weights)
  name <- name %||% if (count == 0) "variable" else paste0("variable_", count)
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
  build <- method_of(self, "build")
  if (!is.null(build)) with_user_code("build()", build(input_shape))
  if (!is.null(data$initial_weights)) {
    set_weights(self, data$initial_weights)
    rm("initial_weights", envir = data)
  }
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
  inner <- unlist(lapply(layers_inside(self), unbuilt_state), recursive = FALSE)
  c(list(list(data = data, values = as.list(data, all.names = TRUE))), inner)
}

put_back <- function(state) {
  rm(list = ls(state$data, all.names = TRUE), envir = state$data)
  list2env(state$values, envir = state$data)
  session <- session_of(state$data)
  rm(list = ls(session), envir = session)
}

# The layers that a model or a layer is made of: those of its graph, or those that were
# assigned to it, in this order.
layers_inside <- function(self) {
  if (is_graph(self)) return(environment(self)$stack)
  unique_objects(found_in(assigned_to(self), is_layer))
}

# The weights of a layer but those of layers inside: what it added, and variables that were
# assigned to it.
own_weights <- function(self) {
  added <- environment(self)$weights
  if (is_graph(self)) added else unique_objects(c(added, found_in(assigned_to(self), is_variable)))
}

# Fields of a layer of the user's that hold layers or variables, and its private members.
assigned_to <- function(self) {
  data <- environment(self)
  private <- if (!is.null(data$private)) mget(ls(data$private), data$private)
  c(lapply(data$assigned, function(name) data[[name]]), private)
}

found_in <- function(x, is_wanted) {
  if (is_wanted(x)) list(x)
  else if (is.list(x) && !is.data.frame(x)) unlist(lapply(unclass(x), found_in, is_wanted))
}

# All variables of a layer or model, each once, in Keras's order.
weights_of <- function(self) {
  weights <- unique_objects(c(own_weights(self), unlist(lapply(layers_inside(self), weights_of))))
  if (is_model(self)) return(weights)
  trainable <- vapply(weights, function(w) w$trainable, NA)
  c(weights[trainable], weights[!trainable])
}

trainable_weights_of <- function(self) {
  data <- environment(self)
  if (!data$trainable) return(list())
  own <- Filter(function(w) w$trainable, own_weights(self))
  unique_objects(c(own, unlist(lapply(layers_inside(self), trainable_weights_of))))
}
