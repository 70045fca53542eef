# Argument checks: each returns the normalised value or raises an error that
# names the argument.

check_string <- function(x, arg) {
  if (!is.character(x) || length(x) != 1 || is.na(x) || !validEnc(x) || !nzchar(x)) {
    abort_argument(paste0("`", arg, "` must be a string."), expected = "one non-empty string",
                   received = describe(x))
  }
  x
}

check_flag <- function(x, arg) {
  if (!(is.logical(x) || is.numeric(x)) || length(x) != 1 || !as.double(x) %in% 0:1) {
    abort_argument(paste0("`", arg, "` must be TRUE or FALSE."), expected = "TRUE or FALSE",
                   received = describe(x))
  }
  as.logical(x)
}

check_function <- function(x, arg, expected = "a function") {
  if (!is.function(x)) {
    abort_argument(paste0("`", arg, "` must be a function."), expected = expected, received = describe(x))
  }
  x
}

check_number <- function(x, arg, lower = -Inf, upper = Inf) {
  number <- is.numeric(x) && length(x) == 1 && !is.na(x)
  if (!number || x < lower || x > upper) {
    range <- if (is.finite(upper)) paste("between", lower, "and", upper)
             else if (is.finite(lower)) paste("of at least", lower)
    abort_argument(paste0("`", arg, if (number) "` is out of range." else "` must be a number."),
                   expected = paste(c("a number", range), collapse = " "), received = describe(x))
  }
  x
}

# A number without fraction that an integer can hold.
check_whole <- function(x, arg) {
  check_number(x, arg)
  if (x != round(x) || abs(x) > .Machine$integer.max) {
    abort_argument(paste0("`", arg, "` must be a whole number."), expected = "a whole number",
                   received = describe(x))
  }
  as.integer(x)
}

check_choice <- function(x, choices, arg) {
  x <- check_string(x, arg)
  if (!x %in% choices) {
    abort_argument(paste0("`", arg, "` is not one of the known values."),
                   expected = paste0("one of ", paste0("\"", choices, "\"", collapse = ", ")),
                   received = paste0("\"", x, "\""), remedy = suggest(x, choices))
  }
  x
}

# What stands for `x` when it was left at its default, a vector of all choices.
first_choice <- function(x) if (is.character(x) && length(x)) x[[1]] else x

check_dtype <- function(x) check_choice(x, c("float32", "float64", "int32", "bool"), "dtype")

# The doubles of an integer64 hold the bits of integers.
is_numbers <- function(x) (is.numeric(x) || is.logical(x) || is.raw(x)) && !inherits(x, "integer64")

# How to make numbers of what is none.
numbers_remedy <- function(x) {
  if (is.factor(x)) "Convert a factor with model.matrix() or to_categorical()."
  else if (inherits(x, "integer64")) "Convert it with as.double()."
  else if (isS4(x)) "Convert it with as.matrix()."
}

# The share that dropout takes away.
check_rate <- function(rate) {
  check_number(rate, "rate", 0, 1)
  if (rate == 1) {
    abort_argument("`rate` must be below 1.", expected = "a share in [0, 1)", received = "1")
  }
  rate
}

# Whole numbers of at least `lower`; n: how many, one being repeated.
check_counts <- function(x, arg, n = 1, lower = 1) {
  values <- unlist(x)
  wrong <- !is.numeric(values) || !length(values) %in% c(1, n) || anyNA(values) ||
    any(values < lower) || any(values != round(values))
  if (wrong) {
    what <- if (n == 1) "a whole number" else paste("1 or", n, "whole numbers")
    small <- is.numeric(values) && length(values) %in% c(1, n) && all(values == round(values) & values < lower)
    problem <- if (isTRUE(small)) paste("at least", lower) else what
    abort_argument(paste0("`", arg, "` must be ", problem, "."),
                   expected = paste0(what, " of at least ", lower),
                   received = if (is.numeric(values) && length(values)) format_sizes(values) else describe(x))
  }
  if (any(values > .Machine$integer.max)) {
    abort_convnet("memory", paste0("`", arg, "` is larger than memory can address."),
                  expected = paste("at most", .Machine$integer.max),
                  received = format_sizes(values), remedy = "Use a smaller number.")
  }
  rep_len(as.integer(values), n)
}

# How much is added or cut at the sides of n spatial dimensions: a pair for each of them.
check_sides <- function(x, arg, n) {
  sided <- n == 1 || is.list(x) && length(x) == n && all(lengths(x) == 2)
  values <- unlist(x)
  wanted <- if (sided) 2 * n else n
  if (!is.numeric(values) || !length(values) %in% c(1, wanted) || anyNA(values) ||
      any(values < 0) || any(values != round(values))) {
    abort_argument(paste0("`", arg, "` does not tell how much there is on each side."),
                   expected = paste0(if (n == 1) "1 or 2 whole numbers"
                                     else paste("1 or", n, "whole numbers, or a list of", n, "pairs of them"),
                                     ", each at least 0"),
                   received = if (is.numeric(values) && length(values)) format_sizes(values) else describe(x))
  }
  values <- check_counts(values, arg, wanted, lower = 0)
  pairs <- lapply(seq_len(n), function(i) if (sided) values[2 * i - 1:0] else rep(values[i], 2))
  if (n == 1) pairs[[1]] else pairs
}

# Of what check_sides() returns, side 1 or 2 along every axis of an image batch.
side_of <- function(sides, i, data_format) {
  values <- vapply(if (is.list(sides)) sides else list(sides), function(pair) pair[i], 1L)
  n <- length(values)
  replace(rep(0, n + 2), spatial_axes(n, data_format) + 1, values)
}

# A shape as integers, NA for unknown: from numbers, or a list with NULL or NA.
as_shape <- function(x, arg = "shape") {
  if (is.null(x)) return(integer())
  entry <- function(d) is.null(d) || length(d) == 1 && (is.numeric(d) || is.logical(d) && is.na(d))
  numbers <- (is.numeric(x) || is.logical(x) || is.list(x)) && all(vapply(as.list(x), entry, NA))
  values <- if (numbers) vapply(as.list(x), function(d) as.numeric(d %||% NA), 0)
  known <- values[!is.na(values)]
  if (!numbers || any(known < 1) || any(known != round(known))) {
    abort_argument(paste0("`", arg, "` is not a shape."),
                   expected = "whole numbers of at least 1, NA or NULL where unknown",
                   received = if (numbers) format_sizes(values) else describe(x))
  }
  if (any(known > .Machine$integer.max)) {
    abort_convnet("memory", paste0("`", arg, "` is larger than memory can address."),
                  expected = paste("dimensions of at most", .Machine$integer.max),
                  received = format_sizes(values), remedy = "Use smaller sizes.")
  }
  as.integer(values)
}

check_padding <- function(padding, choices = c("valid", "same")) {
  check_choice(tolower(check_string(padding, "padding")), choices, "padding")
}

check_data_format <- function(data_format) {
  check_choice(data_format %||% the$image_data_format, c("channels_last", "channels_first"),
               "data_format")
}

check_layer <- function(object, arg = "object") {
  if (!is_layer(object)) {
    abort_argument(paste0("`", arg, "` must be a layer or a model."), expected = "a layer or a model",
                   received = describe(object))
  }
}

check_model <- function(object, arg = "object") {
  if (!is_model(object)) {
    abort_argument(paste0("`", arg, "` must be a model."),
                   expected = "a model, for example from keras_model_sequential()",
                   received = describe(object))
  }
}

check_tensors <- function(xs, arg) {
  for (x in xs) {
    if (!is_tensor(x)) {
      abort_argument(paste0("`", arg, "` must be tensors."),
                     expected = "a tensor or a list of tensors, as from layer_input() or k_variable()",
                     received = describe(x))
    }
  }
}

# Arguments of Keras that change speed, not results.
ignored_args <- c("workers", "use_multiprocessing", "max_queue_size", "run_eagerly",
                  "steps_per_execution", "jit_compile", "auto_scale_loss")

# A misspelt argument would vanish in `...`. `known`: what the caller does take.
check_dots <- function(dots, known) {
  if (length(dots) == 0) return(invisible())
  given <- names(dots) %||% rep("", length(dots))
  unknown <- setdiff(given, ignored_args)
  if (length(unknown) == 0) return(invisible())
  word <- unknown[[1]]
  if (!nzchar(word)) {
    abort_argument("There are more arguments than this function has.",
                   received = describe(dots[[match(word, given)]]))
  }
  likely <- suggest(word, known)
  abort_argument(paste0("There is no argument `", word, "`."),
                 expected = if (is.null(likely)) paste("one of", quoted(setdiff(known, c("object", "...")))),
                 received = paste0("\"", word, "\""), remedy = likely)
}

# "1 array", "2 arrays"
count_of <- function(n, one, many = paste0(one, "s")) paste(n, if (n == 1) one else many)

format_sizes <- function(x) {
  text <- paste(format(x, trim = TRUE, digits = 10, drop0trailing = TRUE), collapse = ", ")
  if (length(x) == 1) text else paste0("c(", text, ")")
}
