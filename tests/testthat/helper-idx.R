# Writes an array of whole numbers 0-255 as MNIST does: sizes big-endian, values row by row.
write_idx <- function(x, file, header = as.raw(c(0, 0, 8, length(dim(x))))) {
  if (is.null(dim(x))) dim(x) <- length(x)
  header <- header
  con <- gzfile(file, "wb")
  on.exit(close(con))
  writeBin(header, con)
  writeBin(as.integer(dim(x)), con, size = 4L, endian = "big")
  writeBin(as.raw(aperm(x)), con)
  file
}
