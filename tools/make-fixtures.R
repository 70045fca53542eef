# Rscript tools/make-fixtures.R GOLDENS
# Writes tests/testthat/fixtures/keras: the part of the golden values that ships with the package. Of each layer as
# many cases as have no more than `budget` numbers, evenly spread over the cases that are small.

goldens <- commandArgs(trailingOnly = TRUE)[[1]]
target <- file.path("tests", "testthat", "fixtures", "keras")

budget <- function(layer) if (layer == "layer_conv_2d_transpose") 80000 else 7500

# An argument of a layer may be called `offset`, too.
is_array <- function(x) all(c("shape", "offset") %in% names(x))

numbers_in <- function(x) {
  if (!is.list(x)) 0
  else if (is_array(x)) prod(unlist(x$shape))
  else sum(0, vapply(x, numbers_in, 0))
}

share_of <- function(cases, budget) {
  size <- vapply(cases, numbers_in, 0)
  small <- which(size <= max(budget / 5, sort(size)[min(5, length(size))]))
  for (n in rev(seq_along(small))) {
    chosen <- small[unique(round(seq(1, length(small), length.out = n)))]
    if (sum(size[chosen]) <= budget) break
  }
  cases[chosen]
}

# The share of each layer in the cases of a file.
layer_cases <- function(content) {
  layers <- unique(vapply(content$cases, function(case) case$layer, ""))
  unlist(lapply(layers, function(layer) {
    share_of(Filter(function(case) case$layer == layer, content$cases), budget(layer))
  }), recursive = FALSE)
}

# Of each function every 4th case, or all of up to 4.
function_cases <- function(cases) {
  functions <- vapply(cases, function(case) case$fn, "")
  unlist(lapply(unique(functions), function(fn) {
    of_fn <- cases[functions == fn]
    of_fn[seq(1, length(of_fn), by = if (length(of_fn) > 4) 4 else 1)]
  }), recursive = FALSE)
}

read_content <- function(stem) jsonlite::fromJSON(file.path(goldens, paste0(stem, ".json")), simplifyVector = FALSE)

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
    if (is_array(x)) {
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
for (stem in c("layers", "ops", "more")) {
  content <- read_content(stem)
  content$cases <- layer_cases(content)
  if (!is.null(content$ops)) content$ops <- function_cases(content$ops)
  write_part(stem, content, read_values(stem))
}

training <- read_content("training")
training$files <- NULL
write_part("training", training, read_values("training"))
