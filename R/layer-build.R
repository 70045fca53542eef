# Building: a layer makes its weights when it meets its first input.

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
