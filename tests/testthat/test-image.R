test_that("a PNG file keeps every value", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  # No value lies in the middle between two that a file can hold.
  withr::local_seed(1)
  x <- array(sample(0:255, 5 * 7 * 3, replace = TRUE), c(5, 7, 3))
  image_array_save(x, file, scale = FALSE)
  expect_equal(image_load(file), x)
  grey <- image_load(file, grayscale = TRUE)
  expect_equal(grey[, , 1], round(0.299 * x[, , 1] + 0.587 * x[, , 2] + 0.114 * x[, , 3]))
  expect_identical(image_load(file, color_mode = "grayscale"), grey)

  image_array_save(x[, , 1], file, scale = FALSE)
  expect_equal(image_load(file), x[, , c(1, 1, 1)])
  expect_equal(image_load(file, grayscale = TRUE), x[, , 1, drop = FALSE])

  image_array_save(aperm(x, c(3, 1, 2)), file, data_format = "channels_first", file_format = "png")
  expect_equal(image_load(file), round((x - min(x)) / (max(x) - min(x)) * 255))
})

test_that("a JPEG file is read", {
  skip_if_not_installed("jpeg")
  file <- withr::local_tempfile(fileext = ".jpg")
  x <- outer(1:16, 1:16, function(i, j) 8 * (i + j) - 10)
  image_array_save(x, file, scale = FALSE)
  found <- image_load(file, grayscale = TRUE)
  expect_identical(dim(found), c(16L, 16L, 1L))
  expect_lt(max(abs(found[, , 1] - x)), 12)
})

test_that("images are resized and turned between formats", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  x <- array(sample(0:255, 4 * 6 * 3, replace = TRUE), c(4, 6, 3))
  image_array_save(x, file, scale = FALSE)
  expect_equal(image_load(file, target_size = c(2, 3)), x[c(2, 4), c(2, 4, 6), ])
  expect_identical(image_to_array(x, "channels_first"), aperm(x, c(3, 1, 2)))
  expect_identical(image_to_array(x[, , 1]), x[, , 1, drop = FALSE])

  half <- (x[c(1, 3), , ] + x[c(2, 4), , ]) / 2
  expect_equal(image_array_resize(x, 2, 6), half)
  expect_equal(image_array_resize(aperm(x, c(3, 1, 2)), 2, 6, "channels_first"), aperm(half, c(3, 1, 2)))
  expect_equal(image_array_resize(array(x, c(1, 4, 6, 3)), 2, 6), array(half, c(1, 2, 6, 3)))
  expect_equal(image_array_resize(aperm(array(x, c(1, 4, 6, 3)), c(1, 4, 2, 3)), 2, 6, "channels_first"),
               aperm(array(half, c(1, 2, 6, 3)), c(1, 4, 2, 3)))
  grey <- half[, , 1, drop = FALSE]
  expect_equal(image_array_resize(x[, , 1], 2, 6), grey)
  expect_equal(image_array_resize(x[, , 1], 2, 6, "channels_first"), aperm(grey, c(3, 1, 2)))
})

test_that("files that are no images are told", {
  file <- withr::local_tempfile(lines = "not an image")
  expect_error(image_load(file), class = "convnet_error_file")
  expect_error(image_load("nowhere.png"), class = "convnet_error_file")
  skip_if_not_installed("png")
  writeBin(as.raw(c(0x89, 0x50, 0x4e, 0x47, 1, 2, 3)), file)
  expect_error(image_load(file), class = "convnet_error_file")
  expect_error(image_array_save(array(1, c(2, 2, 2)), "x.png"), class = "convnet_error_shape")
  expect_error(image_array_save(matrix(1, 2, 2), "x.bmp"), class = "convnet_error_argument")
  expect_error(image_array_resize(1:3, 2, 2), class = "convnet_error_shape")
  expect_error(image_load(tempdir()), class = "convnet_error_file")
})

test_that("an image that cannot be written leaves the file as it was", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  image_array_save(matrix(1:6, 2), file)
  before <- image_load(file)
  expect_error(image_array_save(matrix(c(1, NaN), 2, 2), file), class = "convnet_error_argument")
  expect_error(image_array_save(matrix(0, 0, 2), file), class = "convnet_error_shape")
  expect_error(image_array_save(matrix(1:6, 2), file, file_format = NA), class = "convnet_error_argument")
  expect_error(image_array_save(matrix(1:6, 2), file.path(file, "inside.png")), class = "convnet_error_file")
  expect_identical(image_load(file), before)
})
