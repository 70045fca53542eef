values <- function(layer, x) k_get_value(layer(x))

test_that("nearest repeats each step or pixel", {
  x <- some_values(c(2, 3, 2))
  expect_equal(values(layer_upsampling_1d(size = 2), x), x[, c(1, 1, 2, 2, 3, 3), ], tolerance = 1e-6)
  x <- some_values(c(1, 2, 1, 3, 2))
  expect_equal(values(layer_upsampling_3d(size = c(2, 1, 3)), x), x[, c(1, 1, 2, 2), , rep(1:3, each = 3), , drop = FALSE],
               tolerance = 1e-6)
})

test_that("bilinear pixels lie between their neighbours", {
  x <- array(c(0, 1), c(1, 1, 2, 1))
  y <- values(layer_upsampling_2d(size = c(1, 4), interpolation = "bilinear"), x)
  expect_equal(as.vector(y), c(0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1), tolerance = 1e-6)
})

test_that("factors and interpolations that there are not", {
  k_reset_uids()
  expect_snapshot_errors({
    layer_upsampling_1d(size = 0)
    layer_upsampling_2d(size = c(2, 2, 2))
    layer_upsampling_2d(interpolation = "bilinaer")
    layer_upsampling_3d(layer_input(c(4, 4, 1)))
  })
})
