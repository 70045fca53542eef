# Argument lists of Keras for R, one function a line: name(arg = default, ...).

read_signatures <- function(file) {
  lines <- grep("^#", readLines(file, encoding = "UTF-8"), invert = TRUE, value = TRUE)
  names <- sub("\\(.*$", "", lines)
  stats::setNames(lapply(lines, signature_formals), names)
}

signature_formals <- function(signature) {
  formals(eval(parse(text = paste0("function", sub("^[^(]+", "", signature), " NULL"), keep.source = FALSE)[[1]]))
}

# The function of this package that a name of Keras stands for, or NULL.
our_function <- function(name) {
  name <- sub("\\.keras\\.engine\\.training\\.Model$", ".keras_model", name)
  parts <- strsplit(name, ".", fixed = TRUE)[[1]]
  space <- asNamespace("convnet")
  if (name %in% getNamespaceExports("convnet")) return(getExportedValue("convnet", name))
  if (length(parts) > 1) get0(name, space, mode = "function", inherits = FALSE)
}

# How our arguments differ from Keras's: character() when Keras's come first, in order, with the same defaults.
signature_differences <- function(ours, keras) {
  said <- character()
  missing <- setdiff(names(keras), names(ours))
  if (length(missing)) said <- c(said, paste0("-", missing))
  common <- intersect(names(keras), names(ours))
  # `...` may come behind newer arguments.
  positions <- match(setdiff(common, "..."), setdiff(names(ours), "..."))
  if (!identical(positions, seq_along(positions))) said <- c(said, "order")
  for (name in common) {
    if (!same_default(ours[[name]], keras[[name]])) {
      said <- c(said, sprintf("%s = %s", name, paste(deparse(ours[[name]]), collapse = " ")))
    }
  }
  said
}

same_default <- function(a, b) {
  if (identical(a, b)) return(TRUE)
  value <- function(x) tryCatch(eval(x, baseenv()), error = function(e) quote(expr = ))
  required <- function(x) is.symbol(x) && !nzchar(as.character(x))
  if (required(a) || required(b)) return(FALSE)
  isTRUE(all.equal(value(a), value(b)))
}
