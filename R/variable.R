# A variable owns its storage: an R vector that only C++ writes and that
# serialize() knows how to save. Nothing else may hold that vector.

new_variable <- function(value, shape, dtype, name, trainable = TRUE, regularizer = NULL,
                         constraint = NULL) {
  variable <- new.env(hash = FALSE, parent = emptyenv())
  variable$shape <- as.integer(shape)
  variable$dtype <- dtype
  variable$name <- name
  variable$trainable <- trainable
  if (!is.null(regularizer)) variable$regularizer <- regularizer
  if (!is.null(constraint)) variable$constraint <- constraint
  variable$storage <- cpp_variable_storage(value, variable$shape, dtype)
  class(variable) <- c("convnet_variable", "convnet_tensor")
  variable
}

variable_value <- function(variable) {
  cpp_variable_get(variable$storage, variable$shape, variable$dtype)
}

# Checks, then writes; `what` names the weight in messages.
set_variable <- function(variable, value) {
  check_variable_value(variable, value)
  cpp_variable_set(variable$storage, value, variable$shape, variable$dtype)
  invisible(variable)
}

check_variable_value <- function(variable, value) {
  shape <- shape_of_array(value)
  fits <- identical(as.integer(shape), variable$shape) ||
    (length(variable$shape) <= 1 && length(dim(value)) <= 1 && length(value) == prod(variable$shape))
  if (!is_numbers(value) || anyNA(value) && any(is.na(value) & !is.nan(value))) {
    abort_weights(paste0("The value of ", variable$name, " must be numbers without NA."),
                  received = describe(value), remedy = numbers_remedy(value))
  }
  if (!fits) {
    abort_weights(paste0("The value of ", variable$name, " has another shape."),
                  expected = format_shape(variable$shape),
                  received = format_shape(as.integer(shape)))
  }
}
