# What all models share: a graph from inputs to outputs, and the layers in it.
# Sequential models make theirs from a stack of layers, functional ones are given
# it, those of a call function of the user's record a call to themselves.

# A model that computes what its graph says, not what a function of its class does.
is_graph <- function(x) is_model(x) && !inherits(x, "keras_model_custom")

new_model <- function(class_name, name, dtype = the$floatx, class = NULL) {
  data <- new.env(hash = FALSE, parent = topenv())
  data$class_name <- class_name
  data$config <- list()
  data$name <- name
  data$trainable <- TRUE
  data$dtype <- dtype
  data$stack <- list()
  data$built <- FALSE
  session_of(data)
  callable(data, c(class, "keras_model", "keras_layer"))
}

# What follows from the layers of a model, for calls that have no time to look at each of
# them. An era is known by identity.
facts_of <- function(model) {
  session <- session_of(environment(model))
  if (!identical(session$facts$era, the$era)) {
    session$facts <- list(input_names = find_input_names(model), output_names = find_output_names(model),
                          phase_flags = phase_flags(model), era = the$era)
  }
  session$facts
}

begin_era <- function() the$era <- new.env(parent = emptyenv())

# Names for data and targets: the user's, else those of the layers.
input_names <- function(model) facts_of(model)$input_names
output_names <- function(model) facts_of(model)$output_names

find_input_names <- function(model) {
  data <- environment(model)
  data$given_input_names %||% vapply(wiring_of(model)$inputs, source_name, "", data$stack)
}

find_output_names <- function(model) {
  data <- environment(model)
  outputs <- wiring_of(model)$outputs
  # Outputs of a model that is a function have no layers of their own.
  if (!is_graph(model) && length(outputs) > 1) return(paste0("output_", seq_along(outputs)))
  data$given_output_names %||% make.unique(vapply(outputs, source_name, "", data$stack), "_")
}

# The layer that a tensor comes from, or the operation.
source_name <- function(tensor, layers) {
  input <- input_layer_of(tensor, layers)
  if (!is.null(input)) return(input$name)
  record <- record_of(tensor)
  named_source(tensor) %||% record$rows[[source_row(tensor$row, record$rows, integer())]]$op
}

input_layer_of <- function(tensor, layers) {
  inputs <- Filter(function(layer) environment(layer)$class_name == "InputLayer", layers)
  Find(function(layer) identical(record_of(layer$output), record_of(tensor)) && layer$output$row == tensor$row, inputs)
}

# A model without input shape takes it from the first data that it sees; only the
# number of samples stays open. input_shape: one shape, or a list of them.
wire_model <- function(model, input_shape) {
  data <- environment(model)
  if (is_wired(model)) return(invisible(model))
  layers <- if (is_graph(model)) data$stack else list(model)
  if (length(layers) == 0) {
    abort_argument("The model has no layers.", where = label_of(model),
                   remedy = "Add layers with %>% before using it.")
  }
  set_wiring(model, wire(layers, lapply(as_list(input_shape), function(shape) c(NA, shape[-1])), data$dtype))
  if (!is.null(data$compiled)) data$compiled <- settle(data$compiled, model)
  invisible(model)
}

inline_model <- function(model, inputs, training) {
  wiring <- wiring_of(model)
  given <- with_where(label_of(model), in_order(as_list(inputs), input_names(model), "inputs", "tensor"))
  Map(function(given, input) check_shape_fits(given$shape, input$shape, model), given, wiring$inputs)
  given <- Map(function(given, input) {
    if (given$dtype == input$dtype) given else with_mask(k_cast(given, input$dtype), given$mask)
  }, unname(given), unname(wiring$inputs))
  origin <- new_origin(record_of(wiring$inputs[[1]]), wiring$inputs, given)
  around <- length(the$trace$origins)
  the$trace$origins <- c(the$trace$origins, list(origin))
  outputs <- with_trace(the$trace, training, lapply(wiring$outputs, tensor_in, the$trace))
  # Where both models are of one record, its tensors are again those of the model around this one.
  last <- seq_along(the$trace$origins) == around
  the$trace$origins <- c(the$trace$origins[!last], the$trace$origins[last])
  # The shapes inside follow from what was given, not from what was declared.
  outputs <- lapply(outputs, function(t) {
    row <- the$trace$rows[[t$row]]
    with_mask(new_tensor(the$trace, t$row, row$shape, row$dtype), t$mask)
  })
  single_tensor(outputs)
}

check_shape_fits <- function(shape, expected, self) {
  fits <- length(shape) == length(expected) &&
    all(is.na(shape) | is.na(expected) | shape == expected)
  if (!fits) {
    abort_shape("The input does not fit.", where = label_of(self),
                expected = paste("shape", format_shape(expected)),
                received = paste("shape", format_shape(shape)))
  }
}

# One element for each of `names`: in their order where the list has names, too.
in_order <- function(xs, names, arg, what = "array", of = "input") {
  if (length(xs) != length(names)) {
    missing <- if (!is.null(names(xs))) setdiff(names, names(xs))
    abort_argument(paste0("`", arg, "` must have one ", what, " for each ", of, "."),
                   expected = paste0(count_of(length(names), what), if (length(names) > 1) paste0(", for ", quoted(names))),
                   received = paste0(count_of(length(xs), what), if (length(missing)) paste0(", none for ", quoted(missing))))
  }
  if (length(names) < 2 || is.null(names(xs))) return(unname(xs))
  check_names(xs, names, arg, of)
  unname(xs[names])
}

# Names of a list must be different ones of `names`.
check_names <- function(xs, names, arg, of) {
  given <- names(xs) %||% rep("", length(xs))
  wrong <- c(setdiff(given, names), given[duplicated(given)])
  if (length(wrong) == 0) return(invisible())
  abort_argument(paste0("`", arg, "` has a name that is no ", of, " of the model."),
                 expected = paste("different names of", quoted(names)), received = quoted(wrong[[1]]),
                 remedy = suggest(wrong[[1]], names))
}

#' Get a layer of a model
#'
#' @param object A model.
#' @param name Name of the layer.
#' @param index Position of the layer, from 1.
#' @return The layer itself, not a copy.
#' @section Errors: `convnet_error_argument` when there is no such layer; the
#'   message lists the ones there are.
#' @family models
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(3, name = "first")
#' get_layer(model, "first")
#' get_layer(model, index = 1)
#' @export
get_layer <- function(object, name = NULL, index = NULL) {
  check_model(object)
  layers <- object$layers
  names <- vapply(layers, function(l) l$name, "")
  if (is.numeric(name)) {
    index <- name
    name <- NULL
  }
  if (is.null(name) == is.null(index)) {
    abort_argument("A layer is found by its name or by its index.", where = label_of(object),
                   expected = "one of `name` and `index`")
  }
  at <- if (is.null(index)) match(check_string(name, "name"), names) else check_number(index, "index")
  if (!at %in% seq_along(layers)) {
    abort_argument("There is no such layer.", where = label_of(object),
                   expected = if (length(layers) == 0) "a model with layers"
                              else if (is.null(index)) paste("one of", quoted(names))
                              else paste("an index from 1 to", length(layers)),
                   received = describe(name %||% index), remedy = if (!is.null(name)) suggest(name, names))
  }
  layers[[at]]
}
