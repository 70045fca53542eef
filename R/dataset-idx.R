# MNIST's own file format: two zero bytes, a type byte (8: unsigned bytes), the rank, the sizes as big-endian
# 32-bit integers, then the values row by row. gzfile() reads plain and compressed files alike.

read_idx <- function(file) {
  con <- gzfile(file, "rb")
  on.exit(close(con))
  damaged <- function(expected, received) {
    abort_file(
      sprintf("`%s` is not a complete IDX file of unsigned bytes.", basename(file)),
      expected = expected, received = received, remedy = "Delete the file and get it again."
    )
  }
  # A damaged gzip stream gives fewer bytes than asked for, and a warning that says less than the error does.
  bytes <- function(n) suppressWarnings(readBin(con, "raw", n))

  magic <- as.integer(bytes(4L))
  if (length(magic) < 4L || any(magic[1:3] != c(0L, 0L, 8L)) || magic[4L] == 0L) {
    damaged("a header of the bytes 0, 0, 8 and the rank",
      if (length(magic)) paste(magic, collapse = ", ") else "an empty file")
  }
  # Sizes are unsigned; the first bit is never set in a file that fits in memory, and set it reads as negative.
  dim <- suppressWarnings(readBin(con, "integer", magic[4L], size = 4L, endian = "big"))
  if (length(dim) < magic[4L] || anyNA(dim) || any(dim < 0L)) {
    damaged(sprintf("%d sizes after the header", magic[4L]), paste(c(dim, "the end"), collapse = ", "))
  }
  n <- prod(dim)
  values <- bytes(n + 1)
  if (length(values) != n) {
    damaged(sprintf("%.0f bytes for the sizes %s", n, format_shape(dim)),
      if (length(values) > n) "more" else sprintf("%.0f", length(values)))
  }
  if (length(dim) == 1L) values else aperm(array(values, rev(dim)))
}

# Images as an integer array [n, rows, columns], labels as an integer vector.
idx_pair <- function(images, labels) {
  x <- read_idx(images)
  y <- read_idx(labels)
  if (length(dim(x)) != 3L || nrow(x) != length(y)) {
    abort_file(
      sprintf("`%s` and `%s` do not belong together.", basename(images), basename(labels)),
      expected = "images [n, rows, columns] and n labels",
      received = sprintf("%s and %d labels", format_shape(dim(x) %||% length(x)), length(y))
    )
  }
  list(x = as_integer_array(x), y = as.integer(y))
}

as_integer_array <- function(x) {
  storage.mode(x) <- "integer"
  x
}
