# Symbolic tensors are environments (so c(t1, t2) is a list of two): a record, a
# row of it, a shape (batch first, NA unknown) and a dtype. Constants hold their
# value instead; variables their storage (variable.R).

new_tensor <- function(record, row, shape, dtype) {
  tensor <- new.env(hash = FALSE, parent = emptyenv())
  tensor$record <- record
  tensor$row <- row
  tensor$shape <- shape
  tensor$dtype <- dtype
  class(tensor) <- "convnet_tensor"
  tensor
}

new_constant <- function(value, shape, dtype) {
  tensor <- new.env(hash = FALSE, parent = emptyenv())
  tensor$value <- value
  tensor$shape <- as.integer(shape)
  tensor$dtype <- dtype
  class(tensor) <- c("convnet_constant", "convnet_tensor")
  tensor
}

is_tensor <- function(x) inherits(x, "convnet_tensor")
is_constant <- function(x) inherits(x, "convnet_constant")
is_variable <- function(x) inherits(x, "convnet_variable")

as_list <- function(x) if (is.list(x)) x else list(x)

shape_of_array <- function(x) dim(x) %||% if (length(x) == 1) integer() else length(x)

dtype_of_array <- function(x) if (is.logical(x)) "bool" else if (is.integer(x)) "int32" else the$floatx

as_tensor <- function(x, dtype = NULL) {
  if (is_tensor(x)) return(x)
  if (is.data.frame(x)) x <- as.matrix(x)
  if (!is_numbers(x)) {
    abort_argument("This is not a tensor.", expected = "a tensor, a number or an array of numbers",
                   received = describe(x), remedy = numbers_remedy(x))
  }
  if (anyNA(x) && any(is.na(x) & !is.nan(x))) {
    abort_argument("A tensor cannot hold NA.", expected = "numbers without NA",
                   received = describe(x), remedy = "Remove or impute the missing values first.")
  }
  dtype <- dtype %||% dtype_of_array(x)
  # k_constant(1:3) is of a float type: as.array() gives doubles back.
  if (dtype %in% c("float32", "float64") && !is.double(x)) storage.mode(x) <- "double"
  new_constant(x, shape_of_array(x), dtype)
}

# Tensors of one dtype: numbers take the dtype of the tensors beside them.
as_tensors <- function(xs) {
  dtypes <- unlist(lapply(Filter(is_tensor, xs), function(t) t$dtype))
  common <- if (length(dtypes)) dtypes[[1]] else if (all(vapply(xs, is.integer, NA))) "int32"
  lapply(xs, function(x) {
    if (is_tensor(x)) return(x)
    whole <- is.logical(x) || is.integer(x) || is.numeric(x) && isTRUE(all(x == round(x)))
    as_tensor(x, if (identical(common, "int32") && !whole) the$floatx else common %||% the$floatx)
  })
}

describe <- function(x) {
  if (is_tensor(x)) return(paste("a tensor of shape", format_shape(x$shape)))
  if (is_layer(x)) return(label_of(x))
  if (is.null(x)) return("NULL")
  if (is.atomic(x) && length(x) == 1 && is.null(dim(x)) && !is.object(x)) {
    if (is.na(x)) return(if (is.nan(x)) "NaN" else "NA")
    if (is.character(x) && !validEnc(x)) return("bytes that are no text")
    text <- strtrim(as.character(x), 60)
    return(if (is.character(x)) encodeString(text, quote = "\"") else text)
  }
  kind <- if (is.data.frame(x)) "data frame" else if (is.object(x) || is.null(dim(x))) class(x)[[1]] else "array"
  a_kind <- paste(if (grepl("^[aeiou]", kind)) "an" else "a", kind)
  if (!is.null(dim(x))) {
    return(paste0(a_kind, if (is.character(x)) " of words", " of dimensions (", paste(dim(x), collapse = ", "), ")"))
  }
  if (is.function(x)) return("a function")
  if (is.environment(x)) return("an environment")
  if (is.language(x)) return("an expression")
  paste0(a_kind, if (is.atomic(x) && !is.object(x)) " vector", " of length ", length(x))
}

format_shape <- function(shape) {
  text <- as.character(shape)
  text[is.na(shape)] <- "None"
  paste0("(", paste(text, collapse = ", "), if (length(shape) == 1) ",", ")")
}

# Applies one operation of the core: recorded, or computed at once when every
# input is a constant.
emit <- function(op, inputs, attrs = list()) {
  now <- all(vapply(inputs, is_constant, NA))
  if (now && (is.null(the$trace) || is.null(attrs$stream))) {
    return(evaluate_now(op, inputs, attrs))
  }
  record <- recording_for(inputs)
  rows <- vapply(inputs, row_in, 1L, record = record)
  type <- infer(op, inputs, attrs)
  if (!is.null(attrs$stream)) attrs$stream <- length(record$rows) + 1
  append_row(record, op, rows, attrs, type$shape, type$dtype)
}

infer <- function(op, inputs, attrs) {
  if (!is.null(attrs$sizes)) return(infer_shaped(inputs, attrs))
  cpp_infer(op, attrs, lapply(inputs, function(t) t$shape),
            vapply(inputs, function(t) t$dtype, ""))
}

evaluate_now <- function(op, inputs, attrs) {
  type <- infer(op, inputs, attrs)
  record <- new_record()
  rows <- vapply(inputs, row_in, 1L, record = record)
  append_row(record, op, rows, attrs, type$shape, type$dtype)
  program <- new_program(record, length(record$rows))
  new_constant(run_program(program)[[1]], type$shape, type$dtype)
}

# The input or layer that a tensor comes from; NULL for an operation between layers.
named_source <- function(tensor) {
  record <- record_of(tensor)
  row <- record$rows[[tensor$row]]
  from <- if (row$op == "output") record$rows[[row$inputs]]
  if (identical(from$op, "layer")) record$layers[[from$slot]]$name else if (row$op == "input") row$name
}

#' @export
dim.convnet_tensor <- function(x) if (length(x$shape)) x$shape

#' @export
length.convnet_tensor <- function(x) {
  n <- prod(x$shape)
  if (is.na(n)) NA_integer_ else n
}

#' @export
format.convnet_tensor <- function(x, ...) {
  kind <- if (is_variable(x)) "variable" else if (is_constant(x)) "constant" else "tensor"
  name <- if (is.null(x$record)) x$name else named_source(x)
  paste0("<", kind, if (!is.null(name)) paste0(" \"", name, "\""), " ",
         format_shape(x$shape), " ", x$dtype, ">")
}

#' @export
print.convnet_tensor <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  if (is_constant(x) || is_variable(x)) print(k_get_value(x))
  invisible(x)
}

#' @export
as.array.convnet_tensor <- function(x, ...) {
  value <- k_get_value(x)
  if (is.null(dim(value)) && length(x$shape)) dim(value) <- x$shape
  value
}

#' @export
as.double.convnet_tensor <- function(x, ...) as.double(k_get_value(x))

#' @export
as.integer.convnet_tensor <- function(x, ...) as.integer(k_get_value(x))

#' @export
as.logical.convnet_tensor <- function(x, ...) as.logical(k_get_value(x))

#' @export
as.matrix.convnet_tensor <- function(x, ...) as.matrix(k_get_value(x))

#' @export
as.vector.convnet_tensor <- function(x, mode = "any") as.vector(k_get_value(x), mode)
