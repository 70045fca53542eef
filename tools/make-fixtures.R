# Rscript tools/make-fixtures.R GOLDENS
# Writes tests/testthat/fixtures/keras: the part of the golden values that ships
# with the package. Of each layer every n-th case, so that the whole stays small.

goldens <- commandArgs(trailingOnly = TRUE)[[1]]
target <- file.path("tests", "testthat", "fixtures", "keras")

layer_share <- c(layer_conv_2d_transpose = 5, layer_conv_2d = 5, layer_dense = 1,
                 layer_activation = 1, layer_flatten = 1, layer_reshape = 1,
                 layer_max_pooling_2d = 2, layer_batch_normalization = 2)

read_values <- function(stem) {
  file <- file.path(goldens, paste0(stem, ".f32"))
  readBin(file, "numeric", n = file.size(file) / 4, size = 4, endian = "little")
}

# Moves the arrays that `content` mentions next to each other.
compact <- function(content, values) {
  kept <- list()
  offset <- 0
  move <- function(x) {
    if (!is.list(x)) return(x)
    if (!is.null(x$offset)) {
      n <- prod(unlist(x$shape))
      kept[[length(kept) + 1]] <<- values[x$offset + seq_len(n)]
      x$offset <- offset
      offset <<- offset + n
      return(x)
    }
    lapply(x, move)
  }
  content <- move(content)
  list(content = content, values = unlist(kept))
}

write_part <- function(stem, content, values) {
  part <- compact(content, values)
  writeLines(jsonlite::toJSON(part$content, auto_unbox = TRUE, null = "null", digits = NA),
             file.path(target, paste0(stem, ".json")))
  writeBin(part$values, file.path(target, paste0(stem, ".f32")), size = 4, endian = "little")
}

dir.create(target, recursive = TRUE, showWarnings = FALSE)
layers <- jsonlite::fromJSON(file.path(goldens, "layers.json"), simplifyVector = FALSE)
layers$cases <- unlist(lapply(names(layer_share), function(layer) {
  cases <- Filter(function(case) case$layer == layer, layers$cases)
  cases[seq(1, length(cases), by = layer_share[[layer]])]
}), recursive = FALSE)
write_part("layers", layers, read_values("layers"))

training <- jsonlite::fromJSON(file.path(goldens, "training.json"), simplifyVector = FALSE)
training$files <- NULL
write_part("training", training, read_values("training"))

# Of each function every 4th case, or all of up to 4.
ops <- jsonlite::fromJSON(file.path(goldens, "ops.json"), simplifyVector = FALSE)
functions <- vapply(ops$ops, function(case) case$fn, "")
ops <- list(ops = unlist(lapply(unique(functions), function(fn) {
  cases <- ops$ops[functions == fn]
  cases[seq(1, length(cases), by = if (length(cases) > 4) 4 else 1)]
}), recursive = FALSE))
write_part("ops", ops, read_values("ops"))
