values <- function(layer, x) k_get_value(layer(x))

test_that("padding and cropping are given for all sides, for each dimension, or for each side", {
  x <- some_values(c(2, 4, 5, 3))
  same <- list(2, c(2, 2), list(2, 2), list(c(2, 2), c(2, 2)), list(list(2, 2), list(2, 2)))
  for (padding in same) expect_identical(layer_zero_padding_2d(padding = padding)$padding, list(c(2L, 2L), c(2L, 2L)))
  expect_identical(layer_cropping_3d(cropping = c(1, 0, 2))$cropping, list(c(1L, 1L), c(0L, 0L), c(2L, 2L)))
  expect_identical(layer_zero_padding_1d(padding = 3)$padding, c(3L, 3L))
  expect_identical(layer_zero_padding_1d(padding = list(1, 3))$padding, c(1L, 3L))

  padded <- values(layer_zero_padding_2d(padding = list(c(1, 2), c(0, 3))), x)
  expected <- array(0, c(2, 7, 8, 3))
  expected[, 2:5, 1:5, ] <- x
  expect_equal(padded, expected, tolerance = 1e-6)
  expect_identical(values(layer_cropping_2d(cropping = list(c(1, 2), c(0, 3))), padded), values(layer_activation(activation = "linear"), x))
})

test_that("cropping works where extents are not known", {
  x <- layer_input(list(NULL, 2))
  y <- layer_cropping_1d(x, c(1, 2))
  expect_identical(y$shape, c(NA, NA, 2L))
  at <- some_values(c(3, 6, 2))
  expect_equal(k_function(x, y)(list(at))[[1]], at[, 2:4, ], tolerance = 1e-6)
  expect_error(k_function(x, y)(list(at[, 1:2, ])), class = "convnet_error_shape")
})

test_that("what is no padding, and crops that leave nothing", {
  k_reset_uids()
  expect_snapshot_errors({
    layer_zero_padding_2d(padding = c(1, 2, 3))
    layer_zero_padding_2d(padding = list(c(1, 2), 3))
    layer_zero_padding_1d(padding = -1)
    layer_zero_padding_3d(padding = "same")
    layer_cropping_2d(cropping = 1.5)
    layer_cropping_2d(layer_input(c(4, 4, 1)), list(c(1, 1), c(2, 2)))
    layer_zero_padding_2d(layer_input(c(4, 4)), 1)
  })
})
