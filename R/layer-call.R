# Calls: tensors in, tensors out.

# layer(x): inside a trace the operations themselves, on symbolic tensors one
# "layer" row, on arrays the value. Tensors may be anywhere among the arguments:
# layer(x, initial_state = list(h, c), training = TRUE).
call_instance <- function(self, inputs, ...) {
  if (missing(inputs)) {
    abort_argument("A layer was called without inputs.", where = label_of(self),
                   expected = "a tensor, an array or a list of them")
  }
  # A layer in a pipe: model %>% layer().
  if (inherits(inputs, "keras_model_sequential")) return(invisible(compose(inputs, self)))
  arguments <- c(list(as_layer_inputs(inputs, self)), list(...))
  check_call(self, arguments)
  call <- split_call(arguments)
  restoring(self, {
    build_instance(self, shapes_of(as_list(arguments[[1]])))
    if (!is.null(the$trace)) inline_layer(self, arguments, the$training)
    else if (all(vapply(call$tensors, is_constant, NA))) call_now(self, call)
    else record_layer(self, call)
  })
}

as_layer_inputs <- function(x, self) {
  if (is_tensor(x)) return(x)
  if (!is.list(x) || is.data.frame(x)) return(with_where(label_of(self), as_tensor(x, environment(self)$dtype)))
  if (length(x) == 0) {
    abort_argument("A layer was called on an empty list.", where = label_of(self),
                   expected = "a tensor, an array or a list of them")
  }
  lapply(unclass(x), as_layer_inputs, self = self)
}

# Arguments beside the inputs must be ones that call() has.
check_call <- function(self, arguments) {
  given <- setdiff(names(arguments), c("", "training"))
  known <- call_arguments_of(self)
  unknown <- setdiff(given, known)
  if (length(unknown) == 0 || "..." %in% known) return(invisible())
  abort_argument(paste0("There is no argument `", unknown[[1]], "`."), where = label_of(self),
                 expected = paste("a call with", quoted(c("inputs", known))),
                 received = describe(unknown[[1]]), remedy = suggest(unknown[[1]], known))
}

# The tensors of a call, and its form: the arguments with numbers in their places.
split_call <- function(arguments) {
  tensors <- list()
  number <- function(x) {
    if (is_tensor(x)) {
      tensors <<- c(tensors, list(x))
      return(structure(length(tensors), class = "convnet_place"))
    }
    if (is.list(x) && !is.data.frame(x)) map_list(x, number) else x
  }
  form <- number(arguments)
  list(form = form, tensors = tensors)
}

# The arguments of such a call with other tensors.
fill_call <- function(form, tensors) {
  fill <- function(x) {
    if (inherits(x, "convnet_place")) return(tensors[[x]])
    if (is.list(x) && !is.data.frame(x)) map_list(x, fill) else x
  }
  fill(form)
}

shapes_of <- function(tensors) {
  shapes <- lapply(tensors, function(t) t$shape)
  if (length(shapes) == 1) shapes[[1]] else shapes
}

# Not a part of the trace that may be under way: a model records itself.
build_instance <- function(self, input_shape) {
  with_where(label_of(self), with_trace(NULL, FALSE, {
    if (is_graph(self)) wire_model(self, input_shape) else build_layer(self, input_shape)
  }))
}

inline_layer <- function(self, arguments, training) {
  training <- arguments$training %||% training
  if (is_graph(self)) return(inline_model(self, arguments[[1]], training))
  with_where(label_of(self), {
    mask <- arguments$mask %||% mask_of(arguments[[1]])
    arguments[[1]] <- autocast(self, arguments[[1]])
    arguments["mask"] <- if ("mask" %in% call_arguments_of(self)) list(mask)
    arguments["training"] <- if ("training" %in% call_arguments_of(self)) list(training)
    call <- method_of(self, "call")
    outputs <- with_user_code("call()", with_trace(the$trace, training, do.call("call", arguments)))
    outputs <- with_computed_mask(self, arguments[[1]], mask, layer_outputs(outputs))
    with_user_code("The activity regularizer", add_activity_losses(self, outputs))
    note_call(self, outputs)
    outputs
  })
}

# Remembers in the trace, not in that of a step, which shapes a layer made.
note_call <- function(self, outputs) {
  trace <- the$trace
  while (!is.null(trace$outer)) trace <- trace$outer
  trace$calls <- c(trace$calls, list(list(layer = self, shapes = shapes_of(as_list(outputs)))))
}

# Inputs in the layer's own type, as in Keras: floats always, counts where there
# are weights to multiply them with.
autocast <- function(self, inputs) {
  data <- environment(self)
  cast <- function(x) {
    numeric <- grepl("^float", x$dtype) || length(own_weights(self)) > 0
    if (numeric && grepl("^float", data$dtype)) with_mask(k_cast(x, data$dtype), x$mask) else x
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
  regularizer <- config_value(environment(self), "activity_regularizer")
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

# What a call gives in a new trace.
trial_call <- function(self, call, training, strays = NULL) {
  trace <- new_record()
  trace$strays <- strays
  feed <- function(t) input_row(trace, t$shape, t$dtype)
  fed <- lapply(call$tensors, function(t) {
    with_mask(feed(t), if (is.null(t$mask) || is_constant(t$mask)) t$mask else feed(t$mask))
  })
  results <- with_trace(trace, training, inline_layer(self, fill_call(call$form, fed), training))
  list(trace = trace, results = results)
}

# A trial trace tells the shapes of the outputs, and which tensors call() uses beside those it is given: those are inputs
# of the row as well, behind the places of the call's form.
record_layer <- function(self, call) {
  trial <- trial_call(self, call, FALSE, strays = list())
  results <- trial$results
  tensors <- c(call$tensors, lapply(trial$trace$strays, function(stray) stray$tensor))
  record <- recording_for(tensors)
  row <- append_row(record, "layer", vapply(tensors, row_in, 1L, record = record),
                    slot = slot_of(record, "layers", self),
                    call = if (!identical(call$form, plain_call)) call$form)$row
  outputs <- as_list(results)
  outputs[] <- Map(function(result, i) {
    output <- append_row(record, "output", row, list(index = i), result$shape, result$dtype)
    mask <- result$mask
    if (!is.null(mask)) output$mask <- append_row(record, "mask", output$row, list(), mask$shape, mask$dtype)
    output
  }, outputs, seq_along(outputs))
  add_node(self, as_list(fill_call(call$form, call$tensors)[[1]]), outputs)
  if (is.list(results)) outputs else outputs[[1]]
}

# Remembers a call of a layer: for layer$output, get_output_at().
add_node <- function(self, inputs, outputs) {
  data <- environment(self)
  set_calls(data, c(calls_of(data), list(list(inputs = inputs, outputs = unname(outputs)))))
  if (is.null(data$input_shape)) {
    data$input_shape <- shapes_of(inputs)
    data$output_shape <- shapes_of(outputs)
  }
}

call_now <- function(self, call) {
  made <- trial_call(self, call, the$learning_phase %||% FALSE)
  results <- as_list(made$results)
  masks <- lapply(results, mask_of)
  has_mask <- !vapply(masks, is.null, NA)
  wanted <- c(results, masks[has_mask])
  feeds <- lapply(call$tensors, function(t) as_dataset(t$value, t$dtype, "inputs", t$shape))
  values <- Map(function(value, t) new_constant(value, shape_of_array(value), t$dtype),
                run_program(program_from(made$trace, wanted), feeds), wanted)
  results[] <- values[seq_along(results)]
  results[has_mask] <- Map(with_mask, results[has_mask], values[-seq_along(results)])
  if (is.list(made$results)) results else results[[1]]
}
