# The values of all of these are compared with Keras's in test-goldens-ops.R.

test_that("images with channels first give what those with channels last give", {
  local_float64()
  first <- function(x) aperm(x, c(1, 4, 2, 3))
  x <- array(rnorm(2 * 6 * 5 * 4), c(2, 6, 5, 4))
  kernel <- array(rnorm(3 * 2 * 4 * 3), c(3, 2, 4, 3))
  depthwise <- array(rnorm(3 * 2 * 4 * 2), c(3, 2, 4, 2))
  pointwise <- array(rnorm(8 * 3), c(1, 1, 8, 3))
  cases <- list(
    function(x, format) k_conv2d(x, kernel, strides = 2, padding = "same", data_format = format),
    function(x, format) k_depthwise_conv2d(x, depthwise, data_format = format),
    function(x, format) k_separable_conv2d(x, depthwise, pointwise, data_format = format),
    function(x, format) k_pool2d(x, 2, 2, "same", format, "avg"),
    function(x, format) k_resize_images(x, 2, 3, format, "bilinear"),
    function(x, format) k_spatial_2d_padding(x, list(c(1, 0), c(2, 1)), format),
    function(x, format) k_bias_add(x, 1:4, format)
  )
  for (f in cases) {
    expect_equal(k_get_value(f(first(x), "channels_first")), first(k_get_value(f(x, "channels_last"))))
  }
})

test_that("transposed convolutions have the shape that is asked for, and are adjoint", {
  local_float64()
  kernel <- array(rnorm(2 * 3 * 2 * 4), c(2, 3, 2, 4))
  for (padding in c("valid", "same")) {
    for (size in list(c(7, 9), c(8, 10))) {
      x <- array(rnorm(prod(size) * 2), c(1, size, 2))
      y <- k_get_value(k_conv2d(x, kernel, strides = c(2, 3), padding = padding))
      back <- k_conv2d_transpose(y, kernel, c(1, size, 2), strides = c(2, 3), padding = padding)
      expect_identical(back$shape, dim(x))
      expect_equal(sum(x * k_get_value(back)), sum(y^2))
    }
  }
  x <- k_placeholder(list(NULL, 3, 3, 3, 1))
  y <- k_conv3d_transpose(x, array(1, c(2, 2, 2, 5, 1)), list(k_shape(x)[[0]], 6, 6, 6, 5), strides = c(2, 2, 2))
  expect_identical(y$shape, c(NA, 6L, 6L, 6L, 5L))
})

test_that("separable convolution in one dimension agrees with loops", {
  local_float64()
  x <- array(rnorm(2 * 7 * 3), c(2, 7, 3))
  depthwise <- array(rnorm(2 * 3 * 2), c(2, 3, 2))
  pointwise <- array(rnorm(6 * 4), c(1, 6, 4))
  y <- k_get_value(k_separable_conv1d(x, depthwise, pointwise, strides = 2))
  expected <- array(0, c(2, 3, 4))
  for (n in 1:2) for (o in 1:3) {
    mixed <- unlist(lapply(1:3, function(ch) lapply(1:2, function(m) sum(x[n, 2 * o - 1:0, ch] * depthwise[, ch, m]))))
    expected[n, o, ] <- mixed %*% pointwise[1, , ]
  }
  expect_equal(y, expected)
})

test_that("local convolution with one kernel everywhere is convolution", {
  local_float64()
  x <- array(rnorm(2 * 6 * 5 * 3), c(2, 6, 5, 3))
  kernel <- array(rnorm(3 * 2 * 3 * 4), c(3, 2, 3, 4))
  everywhere <- function(flat, positions) aperm(array(flat, c(dim(flat), positions)), c(3, 1, 2))
  expected <- k_get_value(k_conv2d(x, kernel, strides = c(1, 2)))
  local <- everywhere(array_reshape(kernel, c(18, 4)), 8)
  expect_equal(k_get_value(k_local_conv2d(x, local, c(3, 2), c(1, 2), c(4, 2))), expected)
  # With channels first the values under a window are read channel by channel.
  local <- everywhere(array_reshape(aperm(kernel, c(3, 1, 2, 4)), c(18, 4)), 8)
  expect_equal(k_get_value(k_local_conv2d(aperm(x, c(1, 4, 2, 3)), local, c(3, 2), c(1, 2), c(4, 2), "channels_first")),
               aperm(expected, c(1, 4, 2, 3)))
  line <- array(rnorm(2 * 7 * 3), c(2, 7, 3))
  kernel <- array(rnorm(2 * 3 * 4), c(2, 3, 4))
  expect_equal(k_get_value(k_local_conv1d(line, everywhere(array_reshape(kernel, c(6, 4)), 3), 2, 2)),
               k_get_value(k_conv1d(line, kernel, strides = 2)))
})

test_that("unknown sizes stay unknown", {
  x <- k_placeholder(shape = list(NULL, NULL, 4, 2))
  expect_identical(k_resize_images(x, 2, 2, "channels_last")$shape, c(NA, NA, 8L, 2L))
  expect_identical(k_pool2d(x, c(2, 2))$shape, c(NA, NA, 3L, 2L))
  expect_identical(k_spatial_2d_padding(x)$shape, c(NA, NA, 6L, 2L))
})

test_that("functions of images refuse what does not fit", {
  x <- array(0, c(1, 4, 4, 2))
  expect_snapshot_errors({
    k_conv2d(matrix(0, 2, 2), array(0, c(1, 1, 1, 1)))
    k_conv2d(x, array(0, c(2, 2, 3, 1)))
    k_conv2d(x, array(0, c(2, 2, 2, 1)), padding = "causal")
    k_conv2d_transpose(x, array(0, c(2, 2, 1, 2)), c(1, NA, 8, 1), strides = c(2, 2))
    k_conv2d_transpose(x, array(0, c(2, 2, 1, 2)), c(1, 12, 8, 1), strides = c(2, 2))
    k_depthwise_conv2d(x, array(0, c(2, 2, 2)))
    k_pool2d(x, c(5, 5))
    k_pool2d(x, c(2, 2), pool_mode = "sum")
    k_resize_images(x, 0, 1, "channels_last")
    k_resize_images(x, 2, 2, "channels_last", interpolation = "lanczos3")
    k_spatial_2d_padding(x, 1)
    k_spatial_2d_padding(x, list(c(1, 1), c(-1, 0)))
    k_bias_add(x, matrix(0, 2, 2))
    k_bias_add(x, 1:3)
  })
})
