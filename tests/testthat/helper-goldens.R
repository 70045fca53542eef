# Values computed by Keras itself. fixtures/keras/ holds a part of them; the
# environment variable CONVNET_GOLDENS names the folder with all.

golden_dir <- function() {
  dir <- Sys.getenv("CONVNET_GOLDENS")
  if (nzchar(dir) && file.exists(file.path(dir, "layers.json"))) dir else test_path("fixtures", "keras")
}

# Skips where the values cannot be read: ops.json is not among those that ship.
goldens <- function(stem) {
  skip_if_not_installed("jsonlite")
  file <- file.path(golden_dir(), stem)
  skip_if_not(file.exists(paste0(file, ".json")), paste0(stem, ".json is there"))
  values_file <- paste0(file, ".f32")
  values <- readBin(values_file, "numeric", n = file.size(values_file) / 4, size = 4,
                    endian = "little")
  content <- jsonlite::fromJSON(paste0(file, ".json"), simplifyVector = FALSE)
  content$read <- function(entry) {
    shape <- unlist(entry$shape)
    value <- values[entry$offset + seq_len(prod(shape))]
    if (length(shape) < 2) return(array(value, length(value)))
    aperm(array(value, rev(shape)), length(shape):1)
  }
  content
}

# JSON lists of numbers to vectors, null to NULL.
golden_args <- function(args) {
  lapply(args, function(a) if (is.list(a) && all(vapply(a, is.numeric, NA))) unlist(a) else a)
}

# Goldens are compared relative to the largest value.
expect_golden <- function(object, expected, tolerance, label) {
  object <- as.array(object)
  expected <- as.array(expected)
  same_shape <- identical(as.integer(dim(object)), as.integer(dim(expected)))
  error <- if (same_shape) max(abs(object - expected), 0) / max(1, abs(expected)) else Inf
  expect(is.finite(error) && error <= tolerance,
         paste0(label, ": error ", format(error), ", dimensions ",
                paste(dim(object), collapse = "x"), " and ", paste(dim(expected), collapse = "x")))
}
