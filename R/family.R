# Members of a family (losses, activations, initializers, ...) by name. Case and underscores do not count:
# "MeanSquaredError" is "mean_squared_error".

find_member <- function(word, what, members, aliases = character()) {
  known <- c(stats::setNames(members, members), aliases)
  spelling <- function(x) gsub("[_ ]", "", tolower(x))
  found <- if (is_string(word)) match(spelling(word), spelling(names(known)))
  if (is.null(found)) {
    abort_argument(sprintf("This is not %s.", what),
                   expected = sprintf("one of %s, a function, or NULL for none where that is allowed",
                                      quoted(members)),
                   received = describe(word))
  }
  if (is.na(found)) {
    abort_argument(sprintf("\"%s\" is not %s.", word, what), expected = paste("one of", quoted(members)),
                   received = encodeString(word, quote = "\""), remedy = suggest(word, names(known)))
  }
  known[[found]]
}

# The member whose exported function, prefix + name, is `f`; NULL for a function of somebody else.
member_of <- function(f, prefix, members) {
  for (member in members) {
    if (identical(f, get0(paste0(prefix, member), envir = topenv()))) return(member)
  }
}

member_function <- function(prefix, member) get(paste0(prefix, member), envir = topenv(), mode = "function")

is_string <- function(x) is.character(x) && length(x) == 1L && !is.na(x) && validEnc(x)

quoted <- function(words) paste0("\"", words, "\"", collapse = ", ")

# "initializer_random_normal(mean = 0, stddev = 0.05)": how members that are plain data are printed.
format_member <- function(call, config) {
  given <- config[!vapply(config, is.null, NA)]
  values <- vapply(given, function(value) paste(deparse(value), collapse = ""), "")
  sprintf("%s(%s)", call, paste(names(given), values, sep = " = ", collapse = ", "))
}

#' @export
print.convnet_member <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
