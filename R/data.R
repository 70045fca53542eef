# R arrays on their way into the core: checked and converted once.

# A dataset: a row-major copy, see cpp_dataset(). `shape` where the dimensions of x do not
# tell (a vector that stands for a column).
as_dataset <- function(x, dtype, arg, shape = NULL) {
  if (is_tensor(x)) x <- k_get_value(x)
  if (is.data.frame(x)) x <- data_frame_matrix(x, arg)
  check_values(x, arg)
  made <- cpp_dataset(x, as.integer(shape %||% shape_of_array(x)), dtype)
  if (made$has_na) abort_na(x, arg)
  if (made$has_nonfinite) {
    rlang::warn(paste0("`", arg, "` has NaN or infinite values; the results will, too."),
                class = "convnet_warning_nonfinite", call = user_frame())
  }
  made
}

check_values <- function(x, arg) {
  if (!is_numbers(x)) {
    abort_argument(paste0("`", arg, "` must be numbers."),
                   expected = "a numeric, logical or raw array, matrix or data frame",
                   received = describe(x), remedy = numbers_remedy(x))
  }
}

# Says where the first one is: in which column of a table, else in which row.
abort_na <- function(x, arg) {
  missing <- is.na(x) & !is.nan(x)
  columns <- if (is.matrix(x)) colnames(x)[colSums(missing) > 0]
  row <- (which(missing)[[1]] - 1) %% rows_of(x) + 1
  abort_argument(paste0("`", arg, "` has missing values."), expected = "no NA",
                 received = paste0(sum(missing), " NA, ", if (length(columns)) {
                   paste0("in column ", some_of(quoted_each(columns)))
                 } else {
                   paste0("the first in row ", row)
                 }),
                 remedy = "Remove the rows or impute the values first.")
}

quoted_each <- function(words) paste0("\"", words, "\"")

# The first five, for messages.
some_of <- function(words) {
  paste(c(utils::head(words, 5), if (length(words) > 5) "..."), collapse = ", ")
}

data_frame_matrix <- function(x, arg) {
  numeric <- vapply(x, function(column) is_numbers(column) && !is.raw(column), NA)
  if (!all(numeric)) {
    abort_argument(paste0("`", arg, "` has columns that are not numbers."),
                   expected = "numeric or logical columns",
                   received = some_of(paste0(quoted_each(names(x)[!numeric]), " (",
                                             vapply(x[!numeric], function(column) class(column)[[1]], ""), ")")),
                   remedy = numbers_remedy(x[[which(!numeric)[[1]]]]) %||%
                     "Convert factors with model.matrix() or to_categorical().")
  }
  as.matrix(x)
}

rows_of <- function(x) if (is.null(dim(x))) length(x) else dim(x)[[1]]

# The arrays given for the inputs of a model, as datasets.
model_data <- function(model, x, arg = "x") {
  inputs <- wiring_of(model)$inputs
  if (is_plain_array(x) && length(inputs) == 1) {
    return(list(datasets = list(input_dataset(x, inputs[[1]], arg)), n = rows_of(x)))
  }
  xs <- if (is.list(x) && !is.data.frame(x)) x else list(x)
  xs <- lapply(xs, function(v) {
    if (is_tensor(v)) k_get_value(v) else if (is.data.frame(v)) data_frame_matrix(v, arg) else v
  })
  if (length(x) == 0 && (is.null(x) || is.list(x)) || any(vapply(xs, rows_of, 0) == 0)) {
    abort_argument(paste0("`", arg, "` is empty."), expected = "at least one row of data",
                   received = if (is.list(x)) "an empty list" else describe(x))
  }
  for (v in xs) check_values(v, arg)
  if (!is_wired(model)) {
    if (is_graph(model)) xs <- in_order(xs, "input", arg)
    with_where(label_of(model), wire_model(model, data_shapes(xs)))
  }
  names <- input_names(model)
  xs <- in_order(xs, names, arg)
  args <- element_args(arg, names)
  n <- vapply(xs, rows_of, 0)
  if (any(n != n[[1]])) {
    abort_argument(paste0("`", arg, "` has arrays of different numbers of rows."), expected = "equal numbers of rows",
                   received = paste0(n, " in `", args, "`", collapse = ", "))
  }
  list(datasets = .mapply(input_dataset, list(xs, wiring_of(model)$inputs, args), NULL), n = n[[1]])
}

# As users give it as a rule: numbers, with nothing to convert or to look up.
is_plain_array <- function(x) is.numeric(x) && !is.object(x) && length(x) > 0

input_dataset <- function(x, input, arg) {
  as_dataset(x, input$dtype, arg, check_data_shape(x, input$shape, arg))
}

data_shapes <- function(xs) {
  shapes <- unname(lapply(xs, function(x) as.integer(shape_of_rows(x))))
  if (length(shapes) == 1) shapes[[1]] else shapes
}

shape_of_rows <- function(x) dim(x) %||% length(x)

# A vector of n numbers feeds an input of shape (n, 1).
data_shape <- function(x, expected) {
  if (is.null(dim(x)) && length(expected) == 2) c(length(x), 1L) else shape_of_rows(x)
}

# Returns the shape that the data have: a fixed number of samples once or several times.
check_data_shape <- function(x, expected, arg) {
  given <- data_shape(x, expected)
  fits <- length(given) == length(expected) && all(is.na(expected[-1]) | expected[-1] == given[-1])
  if (fits && (is.na(expected[1]) || given[1] %% expected[1] == 0)) return(given)
  if (fits) {
    abort_shape(paste0("`", arg, "` does not divide into batches of the size that the model was built for."),
                expected = paste("a multiple of", count_of(expected[1], "row")),
                received = count_of(given[1], "row"))
  }
  abort_shape(paste0("`", arg, "` does not have the shape of the model's input."),
              expected = paste("shape", format_shape(expected)),
              received = paste("shape", format_shape(given)),
              remedy = row_remedy(x, expected, arg) %||% flatten_remedy(given, expected) %||%
                shape_remedy(given, expected, arg))
}

# The number of samples that a model takes at once; NA for any number.
fixed_batch <- function(model) {
  sizes <- if (is_wired(model)) vapply(wiring_of(model)$inputs, function(input) input$shape[1], 0L)
  c(sizes[!is.na(sizes)], NA)[[1]]
}

# The size of batches where the user did not say.
default_batch_size <- function(model) {
  fixed <- fixed_batch(model)
  if (is.na(fixed)) 32L else fixed
}

# Before the first batch runs: the last one may be smaller than the others.
check_batches <- function(model, rows, batch_size, what = "rows") {
  fixed <- fixed_batch(model)
  if (is.na(fixed)) return()
  sizes <- unique(c(min(rows, batch_size), if (rows %% batch_size > 0) rows %% batch_size))
  if (all(sizes == fixed)) return()
  abort_shape("The model was built for batches of one size.", where = label_of(model),
              expected = paste("batches of", count_of(fixed, "row")),
              received = sprintf("%d %s in batches of %d", as.integer(rows), what, as.integer(batch_size)),
              remedy = sprintf("Use batch_size = %d, and a number of rows that it divides.", fixed))
}

# x[1, ] of a matrix is no row any more.
row_remedy <- function(x, expected, arg) {
  if (is.null(dim(x)) && length(expected) == 2 && length(x) %in% expected[2]) {
    paste0("For one sample try rbind(", arg, "), or keep the row a row: x[1, , drop = FALSE].")
  }
}

flatten_remedy <- function(given, expected) {
  if (length(given) > 2 && length(expected) == 2 && isTRUE(prod(given[-1]) == expected[2])) {
    paste0("Begin the model with layer_flatten(input_shape = ", format_sizes(given[-1]), ").")
  }
}

# What to do with an array of dimensions `given` where `expected` has NA for the
# samples. The code works on the user's own array.
shape_remedy <- function(given, expected, arg) {
  inner <- expected[-1]
  rank <- length(expected)
  code <- function(...) paste0("array_reshape(", arg, ", c(", paste(c(...), collapse = ", "), "))")
  fits <- function(dims, wanted) length(dims) == length(wanted) && all(is.na(wanted) | wanted == dims)
  if (fits(given[-length(given)], inner) && !fits(given, inner)) {
    return(paste0("The samples must be the first dimension: try aperm(", arg, ", c(", rank, ", ",
                  paste(seq_len(rank - 1), collapse = ", "), "))."))
  }
  if (fits(given, inner)) {
    return(paste0("For one sample add the sample dimension: dim(", arg, ") <- c(1, dim(", arg, "))."))
  }
  if (length(given) == rank - 1 && inner[rank - 1] %in% 1 && fits(given[-1], inner[-(rank - 1)])) {
    return(paste0("Add the channel dimension: dim(", arg, ") <- c(dim(", arg, "), 1)."))
  }
  if (length(given) == rank && rank > 2 && fits(given[c(seq_len(rank)[-(1:2)], 2)], inner)) {
    return(paste0("The channels must be the last dimension: try aperm(", arg, ", c(1, ",
                  paste(3:rank, collapse = ", "), ", 2))."))
  }
  if (anyNA(inner)) return(NULL)
  if (isTRUE(prod(given[-1]) == prod(inner)) && length(given) != rank) {
    return(paste0("Try ", code(given[1], inner), "."))
  }
  if (isTRUE(prod(given) == prod(inner))) return(paste0("For one sample try ", code(1, inner), "."))
  if (length(given) == rank && rank > 3 && fits(given[-c(1, rank)], inner[-(rank - 1)])) {
    paste0("The last dimension counts the channels: the model takes ", inner[rank - 1], ", `", arg,
           "` has ", given[rank], ".")
  }
}
