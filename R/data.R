# R arrays on their way into the core: checked, converted once, then owned by C++.

# A dataset: handle of a row-major copy. `shape` where the dimensions of x do not
# tell (a vector that stands for a column).
as_dataset <- function(x, dtype, arg, shape = NULL) {
  if (is_tensor(x)) x <- k_get_value(x)
  if (is.data.frame(x)) x <- data_frame_matrix(x, arg)
  if (!(is.numeric(x) || is.logical(x) || is.raw(x))) {
    abort_argument(paste0("`", arg, "` must be numbers."),
                   expected = "a numeric, logical or raw array, matrix or data frame",
                   received = describe(x))
  }
  made <- cpp_dataset(x, as.integer(shape %||% shape_of_array(x)), dtype)
  if (made$has_na) abort_na(x, arg)
  if (made$has_nonfinite) {
    rlang::warn(paste0("`", arg, "` has NaN or infinite values; the results will, too."),
                class = "convnet_warning_nonfinite", call = user_frame())
  }
  made$handle
}

abort_na <- function(x, arg) {
  count <- sum(is.na(x) & !is.nan(x))
  columns <- if (is.matrix(x) && !is.null(colnames(x))) colnames(x)[colSums(is.na(x)) > 0]
  abort_argument(paste0("`", arg, "` has missing values."), expected = "no NA",
                 received = paste0(count, " NA", if (length(columns)) {
                   paste0(" in column ", paste0("\"", columns, "\"", collapse = ", "))
                 }),
                 remedy = "Remove the rows or impute the values first.")
}

data_frame_matrix <- function(x, arg) {
  numeric <- vapply(x, function(column) is.numeric(column) || is.logical(column), NA)
  if (!all(numeric)) {
    abort_argument(paste0("`", arg, "` has columns that are not numbers."),
                   expected = "numeric or logical columns",
                   received = paste0("\"", names(x)[!numeric], "\"", collapse = ", "),
                   remedy = "Convert factors with model.matrix() or to_categorical().")
  }
  as.matrix(x)
}

rows_of <- function(x) if (is.null(dim(x))) length(x) else dim(x)[[1]]

# The arrays given for the inputs of a model, as datasets.
model_data <- function(model, x, arg = "x") {
  xs <- if (is.list(x) && !is.data.frame(x)) x else list(x)
  xs <- lapply(xs, function(v) if (is.data.frame(v)) data_frame_matrix(v, arg) else v)
  n <- lapply(xs, rows_of)
  if (length(xs) == 0 || any(n == 0)) {
    abort_argument(paste0("`", arg, "` is empty."), expected = "at least one row of data",
                   received = describe(if (length(xs)) xs[[1]]), where = label_of(model))
  }
  build_instance(model, lapply(xs, function(v) list(shape = as.integer(shape_of_rows(v)))))
  inputs <- environment(model)$inputs
  if (length(xs) != length(inputs)) {
    abort_argument(paste0("`", arg, "` must have one array for each input."),
                   expected = paste(length(inputs), "arrays"), received = paste(length(xs), "arrays"),
                   where = label_of(model))
  }
  handles <- Map(function(v, input) {
    check_data_shape(v, input$shape, arg, model)
    as_dataset(v, input$dtype, arg, data_shape(v, input$shape))
  }, xs, inputs)
  list(handles = unname(handles), n = n[[1]])
}

shape_of_rows <- function(x) dim(x) %||% length(x)

# A vector of n numbers feeds an input of shape (n, 1).
data_shape <- function(x, expected) {
  if (is.null(dim(x)) && length(expected) == 2) c(length(x), 1L) else shape_of_rows(x)
}

check_data_shape <- function(x, expected, arg, model) {
  given <- data_shape(x, expected)
  fits <- length(given) == length(expected) && all(is.na(expected) | expected == given)
  if (fits) return(invisible())
  abort_shape(paste0("`", arg, "` does not have the shape of the model's input."),
              expected = paste("shape", format_shape(expected)),
              received = paste("shape", format_shape(given)),
              remedy = shape_remedy(given, expected, arg), where = label_of(model))
}

shape_remedy <- function(given, expected, arg) {
  inner <- expected[-1]
  rank <- length(expected)
  if (length(given) == rank && all(is.na(inner) | inner == given[-rank])) {
    return(paste0("The samples must be the first dimension: try aperm(", arg, ", c(", rank, ", ",
                  paste(seq_len(rank - 1), collapse = ", "), "))."))
  }
  if (length(given) == rank - 1 && identical(inner[rank - 1], 1L)) {
    return(paste0("Add the channel dimension: dim(", arg, ") <- c(dim(", arg, "), 1)."))
  }
  if (length(given) == rank - 1 && all(is.na(inner) | inner == given)) {
    return(paste0("For one sample add the sample dimension: dim(", arg, ") <- c(1, dim(", arg, "))."))
  }
  if (length(given) > rank && rank == 2 && isTRUE(prod(given[-1]) == inner)) {
    return(paste0("Begin the model with layer_flatten(), or use array_reshape(", arg, ", c(",
                  given[1], ", ", inner, "))."))
  }
}
