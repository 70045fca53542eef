test_that("an IDX file is read in its own order, compressed or not", {
  x <- array(0:23, c(2, 3, 4))
  file <- write_idx(x, withr::local_tempfile())
  expect_equal(array(as.integer(read_idx(file)), dim(x)), x)
  expect_identical(read_idx(file)[2, 1, 3], as.raw(x[2, 1, 3]))

  # The bytes as they stand: sizes 2 x 3, then two rows.
  plain <- withr::local_tempfile()
  writeBin(as.raw(c(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255)), plain)
  expect_identical(read_idx(plain), matrix(as.raw(c(1, 2, 3, 4, 5, 255)), 2, byrow = TRUE))
  expect_identical(read_idx(write_idx(c(7, 0, 9), withr::local_tempfile())), as.raw(c(7, 0, 9)))
})

test_that("sizes above one byte are big-endian", {
  x <- rep(c(1, 2), 150)
  expect_length(read_idx(write_idx(x, withr::local_tempfile())), 300)
})

test_that("a damaged IDX file is an error that names the file", {
  folder <- withr::local_tempdir()
  bad <- function(name, ...) {
    file <- file.path(folder, name)
    writeBin(as.raw(c(...)), file)
    file
  }
  expect_snapshot_errors({
    read_idx(bad("empty"))
    read_idx(bad("text", charToRaw("<html>")))
    read_idx(bad("no-sizes", 0, 0, 8, 3, 0, 0, 0, 1))
    read_idx(bad("short", 0, 0, 8, 1, 0, 0, 0, 3, 1, 2))
    read_idx(bad("long", 0, 0, 8, 1, 0, 0, 0, 1, 1, 2))
  })
  expect_error(read_idx(bad("floats", 0, 0, 13, 1, 0, 0, 0, 0)), class = "convnet_error_file")
  expect_error(read_idx(bad("huge", 0, 0, 8, 1, 255, 255, 255, 255)), class = "convnet_error_file")

  whole <- write_idx(array(0, c(40, 40)), file.path(folder, "whole.gz"))
  writeBin(utils::head(readBin(whole, "raw", 1e5), -20), cut <- file.path(folder, "cut.gz"))
  expect_error(read_idx(cut), class = "convnet_error_file")
})

test_that("images and labels come as integers and must belong together", {
  x <- array(c(0, 255, 3, 4), c(2, 2, 2))
  images <- write_idx(x, withr::local_tempfile())
  pair <- idx_pair(images, write_idx(c(4, 9), withr::local_tempfile()))
  expect_equal(pair, list(x = array(c(0L, 255L, 3L, 4L), c(2, 2, 2)), y = c(4L, 9L)))
  expect_type(pair$x, "integer")
  expect_error(idx_pair(images, write_idx(1:3, withr::local_tempfile())), "3 labels", class = "convnet_error_file")
})
