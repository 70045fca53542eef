# Argument checks: each returns the normalised value or raises an error that
# names the argument.

check_string <- function(x, arg) {
  if (!is.character(x) || length(x) != 1 || is.na(x) || !nzchar(x)) {
    abort_argument(paste0("`", arg, "` must be a string."), expected = "one non-empty string",
                   received = describe(x))
  }
  x
}

check_flag <- function(x, arg) {
  if (!(is.logical(x) || is.numeric(x)) || length(x) != 1 || is.na(x)) {
    abort_argument(paste0("`", arg, "` must be TRUE or FALSE."), expected = "TRUE or FALSE",
                   received = describe(x))
  }
  as.logical(x)
}

check_number <- function(x, arg, lower = -Inf, upper = Inf) {
  if (!is.numeric(x) || length(x) != 1 || is.na(x) || x < lower || x > upper) {
    range <- if (is.finite(upper)) paste("between", lower, "and", upper)
             else if (is.finite(lower)) paste("of at least", lower)
    abort_argument(paste0("`", arg, "` must be a number."),
                   expected = paste(c("a number", range), collapse = " "), received = describe(x))
  }
  x
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

# Whole numbers of at least `lower`; n: how many, one being repeated.
check_counts <- function(x, arg, n = 1, lower = 1) {
  values <- unlist(x)
  wrong <- !is.numeric(values) || !length(values) %in% c(1, n) || anyNA(values) ||
    any(values < lower) || any(values != round(values))
  if (wrong) {
    what <- if (n == 1) "a whole number" else paste("one or", n, "whole numbers")
    abort_argument(paste0("`", arg, "` is not valid."),
                   expected = paste0(what, " of at least ", lower),
                   received = if (is.numeric(values)) paste(values, collapse = ", ") else describe(x))
  }
  if (any(values > .Machine$integer.max)) {
    abort_convnet("memory", paste0("`", arg, "` is larger than memory can address."),
                  expected = paste("at most", .Machine$integer.max),
                  received = paste(values, collapse = ", "))
  }
  rep_len(as.integer(values), n)
}

# A shape as integers, NA for unknown: from numbers, or a list with NULL or NA.
as_shape <- function(x, arg = "shape") {
  if (is.null(x)) return(integer())
  values <- vapply(as.list(x), function(d) if (is.null(d)) NA_real_ else as.numeric(d)[1], 0)
  known <- values[!is.na(values)]
  if (any(known < 1) || any(known != round(known))) {
    abort_argument(paste0("`", arg, "` is not a shape."),
                   expected = "whole numbers of at least 1, NA or NULL where unknown",
                   received = paste0("(", paste(values, collapse = ", "), ")"))
  }
  if (any(known > .Machine$integer.max)) {
    abort_convnet("memory", paste0("`", arg, "` is larger than memory can address."),
                  expected = paste("dimensions of at most", .Machine$integer.max),
                  received = paste(values, collapse = ", "))
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
