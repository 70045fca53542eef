# Values computed by Keras itself. fixtures/keras/ holds a part of them; the
# environment variable CONVNET_GOLDENS names the folder with all.

golden_dir <- function() {
  dir <- Sys.getenv("CONVNET_GOLDENS")
  if (nzchar(dir) && file.exists(file.path(dir, "layers.json"))) dir else test_path("fixtures", "keras")
}

# Skips where the values cannot be read.
goldens <- function(stem) {
  skip_if_not_installed("jsonlite")
  file <- file.path(golden_dir(), stem)
  skip_if_not(file.exists(paste0(file, ".json")), sprintf("%s.json is not there: the package has a part of Keras's values", stem))
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

# The layer of a case, around the layer that it wraps if it does.
golden_layer <- function(case, dtype) {
  inner <- if (!is.null(case$inner)) list(layer = golden_layer(case$inner, dtype))
  do.call(case$layer, c(inner, golden_args(case$args), list(dtype = dtype)))
}

# The layer of a case with its weights, its output and all gradients of
# sum(y * g), through the public functions.
run_case <- function(case, read, dtype) {
  layer <- golden_layer(case, dtype)
  inputs <- lapply(case$x, function(x) k_placeholder(unlist(x$shape), dtype = dtype))
  y <- layer(if (length(inputs) > 1) inputs else inputs[[1]], training = case$training)
  set_weights(layer, lapply(case$weights, read))
  g <- k_placeholder(unlist(case$g$shape), dtype = dtype)
  trained <- vapply(case$grad_weights, function(w) w$index + 1L, 1L)
  gradients <- k_gradients(k_sum(y * g), c(inputs, layer$weights[trained]))
  run <- k_function(c(inputs, list(g)), c(list(y), gradients))
  values <- run(lapply(c(case$x, list(case$g)), read))
  list(y = values[[1]], grad_x = values[1 + seq_along(inputs)],
       grad_weights = values[-seq_len(1 + length(inputs))],
       after = get_weights(layer, trainable = FALSE))
}

expect_case <- function(case, read, dtype, tolerance) {
  label <- paste0("case ", case$id, " (", case$layer, ", ", dtype, ")")
  found <- run_case(case, read, dtype)
  expect_golden(found$y, read(case$y), tolerance, paste(label, "output"))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "gradient of input", i))
  }, found$grad_x, case$grad_x, seq_along(case$grad_x))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "gradient of weight", i))
  }, found$grad_weights, case$grad_weights, seq_along(case$grad_weights))
  if (length(case$weights_after)) {
    Map(function(value, entry) {
      expect_golden(value, read(entry), tolerance, paste(label, "moving statistics"))
    }, found$after, case$weights_after)
  }
}
