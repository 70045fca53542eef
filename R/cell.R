# What the recurrent layers share. A cell is a list of functions of the layer:
#   gates        number of gates, whose kernels and inputs lie side by side
#   n_states     number of states
#   spatial      number of spatial dimensions, 0 for vectors
#   project(self, x, parts)   what steps read, of inputs without time (n, ...). `parts`:
#                the inputs of the gates where dropout makes them differ, else NULL
#   step(self, z, states, masks)   list(output, states) of a projected input. `masks`: of
#                recurrent dropout, one a gate, or NULL

recurrent_call <- function(cell) {
  function(self, inputs, training = FALSE, mask = NULL, initial_state = NULL) {
    given <- recurrent_inputs(self, cell, inputs, initial_state)
    x <- given$x
    parts <- if (isTRUE(training) && self$dropout > 0) dropped_inputs(self, cell, x)
    if (is.list(mask)) mask <- mask[[1]]
    projected <- project_steps(self, cell, x, parts)
    states <- given$states %||% initial_states(self, cell, projected$first)
    masks <- if (isTRUE(training) && self$recurrent_dropout > 0) recurrent_masks(self, cell, states[[1]])
    made <- k_rnn(function(now, states) cell$step(self, projected$project(now), states, masks),
                  projected$sequences, states, self$go_backwards, mask)
    if (self$stateful) Map(k_update, self$states, made$new_states)
    format <- function(x, first) from_channels_last_frames(x, cell, self$data_format, first)
    output <- if (self$return_sequences) format(made$outputs, 3) else format(made$last_output, 2)
    if (!self$return_state) return(output)
    c(list(output), lapply(made$new_states, format, 2))
  }
}

recurrent_mask <- function(self, inputs, mask) if (self$return_sequences) first_mask(mask)

# x with channels last, and the states that the caller gave, or NULL.
recurrent_inputs <- function(self, cell, inputs, initial_state) {
  states <- as_list(initial_state %||% list())
  if (is.list(inputs)) {
    states <- c(inputs[-1], states)
    inputs <- inputs[[1]]
  }
  check_sequence(self, cell, inputs$shape)
  if (length(states) == 0) return(list(x = to_channels_last_frames(inputs, cell, self$data_format, 3)))
  if (length(states) != cell$n_states) {
    abort_argument("The layer was given another number of initial states than it has.",
                   expected = count_of(cell$n_states, "state"), received = count_of(length(states), "state"))
  }
  states <- lapply(states, function(s) {
    to_channels_last_frames(k_cast(as_tensor(s), inputs$dtype), cell, self$data_format, 2)
  })
  size <- self$recurrent_kernel$shape[cell$spatial + 1]
  rank <- cell$spatial + 2
  wrong <- Find(function(s) length(s$shape) != rank || !s$shape[rank] %in% c(NA, size), states)
  if (!is.null(wrong)) {
    abort_shape("An initial state does not have the shape of the states of the layer.",
                expected = paste(rank, "dimensions,", size, if (cell$spatial) "channels" else "units"),
                received = paste("shape", format_shape(wrong$shape)))
  }
  list(x = to_channels_last_frames(inputs, cell, self$data_format, 3), states = states)
}

check_sequence <- function(self, cell, shape) {
  rank <- cell$spatial + 3
  if (length(shape) != rank) {
    abort_shape("The input has another number of dimensions.",
                expected = paste0(rank, " dimensions, ", sequence_dimensions(cell$spatial, self$data_format)),
                received = paste("shape", format_shape(shape)))
  }
  features <- shape[if (identical(self$data_format, "channels_first")) 3 else rank]
  if (is.na(features)) {
    abort_shape("The size of one step must be known.",
                expected = paste("shape", sequence_dimensions(cell$spatial, self$data_format)),
                received = paste("shape", format_shape(shape)), remedy = "Give it in input_shape.")
  }
  built <- self$kernel$shape
  if (!is.null(built) && features != built[cell$spatial + 1]) {
    abort_shape("The steps of the input have another size than the layer was built for.",
                expected = paste(built[cell$spatial + 1], if (cell$spatial) "channels" else "features"),
                received = paste("shape", format_shape(shape)))
  }
  features
}

sequence_dimensions <- function(spatial, data_format) {
  if (spatial == 0) return("(samples, steps, features)")
  sub("(samples, ", "(samples, frames, ", image_dimensions(spatial, data_format), fixed = TRUE)
}

# Moves the channels of images, whose dimensions begin at `first` (from 1), to the end
# and back.
to_channels_last_frames <- function(x, cell, data_format, first) {
  if (cell$spatial == 0 || data_format == "channels_last" || length(x$shape) < first + cell$spatial) return(x)
  before <- seq_len(first - 1) - 1
  emit("transpose", list(x), list(perm = c(before, first - 1 + seq_len(cell$spatial), first - 1)))
}

from_channels_last_frames <- function(x, cell, data_format, first) {
  if (cell$spatial == 0 || data_format == "channels_last") return(x)
  before <- seq_len(first - 1) - 1
  emit("transpose", list(x), list(perm = c(before, first - 1 + cell$spatial,
                                           first - 1 + seq_len(cell$spatial) - 1)))
}

# One input for each gate, each with a mask of its own that stays the same over time.
dropped_inputs <- function(self, cell, x) {
  along <- replace(rep(NA, length(x$shape)), 2, 1)
  lapply(seq_len(cell$gates), function(g) {
    emit("dropout", list(x), list(rate = self$dropout, stream = 0, seed = self$seed, noise_shape = along))
  })
}

recurrent_masks <- function(self, cell, state) {
  ones <- emit("fill_like", list(state), list(value = 1))
  lapply(seq_len(cell$gates), function(g) {
    emit("dropout", list(ones), list(rate = self$recurrent_dropout, stream = 0, seed = self$seed))
  })
}

# What the scan runs over: inputs projected for all steps at once, or, where the extents
# of images are unknown, the inputs themselves, projected step by step.
project_steps <- function(self, cell, x, parts) {
  xs <- parts %||% list(x)
  several <- !is.null(parts)
  project <- function(xs) cell$project(self, xs[[1]], if (several) xs)
  if (anyNA(x$shape[-(1:2)])) {
    return(list(sequences = xs, project = project, first = project(lapply(xs, first_step))))
  }
  z <- unmerge_steps(project(lapply(xs, merge_steps)), x)
  list(sequences = z, project = identity, first = first_step(z))
}

# (samples, steps, ...) to (samples * steps, ...) and back.
merge_steps <- function(x) emit("reshape", list(x), list(shape = c(-1, x$shape[-(1:2)])))

unmerge_steps <- function(y, x) emit("reshape", list(y, x), list(shape = c(0, 0, y$shape[-1])))

# Zeros, or what the last batch left.
initial_states <- function(self, cell, first) {
  size <- first$shape[length(first$shape)] / cell$gates
  zero <- emit("fill_like", list(part_of(first, 1, size)), list(value = 0))
  if (!self$stateful) return(rep(list(zero), cell$n_states))
  if (is.null(self$states)) {
    if (anyNA(zero$shape)) {
      abort_shape("A stateful layer must know the shape of its states.",
                  expected = "a known number of samples and known sizes",
                  received = paste("states of shape", format_shape(zero$shape)),
                  remedy = "Give batch_input_shape, or batch_size and input_shape.")
    }
    states <- lapply(seq_len(cell$n_states), function(i) {
      k_variable(array(0, zero$shape), zero$dtype, paste0(self$name, "/state_", i))
    })
    # Variables that were assigned to `self` would be weights.
    assign("states", states, environment(self))
  }
  if (!identical(self$states[[1]]$shape, zero$shape) && !anyNA(zero$shape)) {
    abort_shape("A stateful layer keeps the number of samples that it began with.",
                expected = paste("states of shape", format_shape(self$states[[1]]$shape)),
                received = format_shape(zero$shape))
  }
  lapply(self$states, pending_value)
}

# Of gates that lie side by side along the last axis the g-th.
part_of <- function(x, g, size) {
  rank <- length(x$shape)
  emit("slice", list(x), list(begin = replace(rep(0, rank), rank, (g - 1) * size),
                              size = replace(rep(-1, rank), rank, size)))
}

parts_of <- function(x, gates) {
  size <- x$shape[length(x$shape)] / gates
  lapply(seq_len(gates), function(g) part_of(x, g, size))
}

# op(x, kernel) where each gate may have an input of its own.
gated <- function(op, x, kernel, parts) {
  if (is.null(parts)) return(op(x, kernel))
  k_concatenate(Map(op, parts, parts_of(kernel, length(parts))))
}

masked <- function(state, masks) if (!is.null(masks)) lapply(masks, function(mask) state * mask)

matmul <- function(x, kernel) emit("matmul", list(x, kernel))

init_recurrent <- function(args) {
  if ("units" %in% names(args)) args$units <- check_counts(args$units, "units")
  flags <- c("return_sequences", "return_state", "go_backwards", "stateful", "unit_forget_bias",
             "reset_after", "use_bias")
  for (arg in intersect(flags, names(args))) args[[arg]] <- check_flag(args[[arg]], arg)
  for (arg in c("dropout", "recurrent_dropout")) args[[arg]] <- check_number(args[[arg]], arg, 0, 1)
  if (!is.null(args$seed)) args$seed <- check_seed(args$seed)
  args["recurrent_activation"] <- list(get_activation(args$recurrent_activation))
  init_weights(args)
}

# Kernel and recurrent kernel of gates side by side; inputs of shape (..., features).
add_recurrent_weights <- function(self, cell, features, size, window = integer(), bias = cell$gates * size) {
  self$kernel <- self$add_weight("kernel", c(window, features, cell$gates * size), self$kernel_initializer,
                                 self$kernel_regularizer, self$kernel_constraint)
  self$recurrent_kernel <- self$add_weight("recurrent_kernel", c(window, size, cell$gates * size),
                                           self$recurrent_initializer, self$recurrent_regularizer,
                                           self$recurrent_constraint)
  add_bias_weight(self, bias)
}

# A forget gate that begins open: the bias is 1 at these places.
open_forget_gate <- function(self, at) {
  if (!self$use_bias || !self$unit_forget_bias) return(invisible())
  value <- k_get_value(self$bias)
  k_set_value(self$bias, replace(value, at, 1))
}

build_recurrent <- function(cell, build) {
  function(self, input_shape) {
    shape <- if (is.list(input_shape)) input_shape[[1]] else input_shape
    features <- check_sequence(self, cell, shape)
    if (self$stateful && is.na(shape[1])) {
      abort_argument("A stateful layer needs a fixed number of samples.",
                     expected = "batch_input_shape, or batch_size and input_shape",
                     received = paste("shape", format_shape(shape)))
    }
    build(self, features)
  }
}

#' Forget the states of stateful layers
#'
#' A recurrent layer with `stateful = TRUE` begins each batch with the states in which the batch before left it, until
#' they are reset to 0.
#'
#' @param object A layer or model.
#' @return The object, invisibly.
#' @section Errors: `convnet_error_argument` when `object` is neither.
#' @family models
#' @examples
#' model <- keras_model_sequential() %>%
#'   layer_lstm(2, stateful = TRUE, batch_input_shape = c(1, 3, 1))
#' x <- array(1:3, c(1, 3, 1))
#' first <- predict(model, x)
#' second <- predict(model, x)
#' reset_states(model)
#' identical(predict(model, x), first)
#' @export
reset_states <- function(object) {
  check_layer(object)
  data <- environment(object)
  for (layer in layers_inside(object)) reset_states(layer)
  if (!is_model(object)) {
    for (state in data$states) k_set_value(state, array(0, state$shape))
  }
  invisible(object)
}
