# Calls: tensors in, tensors out.

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
