test_that("sizes are those of the layers", {
  expect_identical(conv_output_size(c(27, 28), 3, 2, "same"), c(14L, 14L))
  expect_identical(conv_output_size(10, 3), 8L)
  expect_identical(conv_output_size(10, 3, 3), 3L)
  expect_identical(conv_output_size(10, 3, dilation_rate = 2), 6L)
  expect_identical(conv_output_size(c(10, 20, 30), c(1, 2, 3), padding = "SAME"), c(10L, 20L, 30L))

  # 2 x 3, kernel 3, stride 2, same: NULL is not 0
  expect_identical(conv_transpose_output_size(2:3, 3, 2, "same"), c(4L, 6L))
  expect_identical(conv_transpose_output_size(2:3, 3, 2, "same", 0), c(3L, 5L))
  expect_identical(conv_transpose_output_size(2:3, 3, 2, "same", 1), c(4L, 6L))
  expect_identical(conv_transpose_output_size(4, 3, 2), 9L)
  expect_identical(conv_transpose_output_size(4, 2, 3), 12L)
  expect_identical(conv_transpose_output_size(4, 2, 3, output_padding = 2), 13L)
  expect_identical(conv_transpose_output_size(4, 3, dilation_rate = 2), 8L)
})

test_that("NULL means that the default gives the wanted size", {
  expect_null(conv_output_padding(14, 28, 3, 2, "same"))
  expect_null(conv_output_padding(7, 7, 5, padding = "same"))
  expect_null(conv_output_padding(5, 7, 3))
  expect_identical(conv_output_padding(14, 27, 3, 2, "same"), 0L)
  expect_identical(conv_output_padding(5, 12, 3, 2), 1L)
})

test_that("dimensions have values of their own", {
  expect_identical(conv_output_padding(c(5, 8), c(9, 16), 3, 2, "same"), c(0L, 1L))
  expect_identical(conv_output_padding(4, c(9, 10), 3, 2), c(0L, 1L))
  expect_identical(conv_output_padding(4, c(9, 14), c(3, 4), c(2, 3)), c(0L, 1L))
  expect_identical(conv_output_padding(c(3, 3, 3), c(5, 6, 5), 3, 2, "same"), c(0L, 1L, 0L))

  op <- conv_output_padding(c(5, 8), c(9, 16), 3, 2, "same")
  layer <- layer_conv_2d_transpose(filters = 2, kernel_size = 3, strides = 2, padding = "same", output_padding = op)
  expect_identical(dim(layer(array(1, c(1, 5, 8, 1)))), c(1L, 9L, 16L, 2L))
})

test_that("every convolution is inverted: its size comes back, and the layer found is its adjoint", {
  local_float64()
  grid <- expand.grid(size = 1:9, kernel = 1:5, strides = 1:3, dilation = 1:2, padding = c("valid", "same"),
                      stringsAsFactors = FALSE)
  grid <- grid[!(grid$strides > 1 & grid$dilation > 1), ]
  grid <- grid[grid$padding == "same" | grid$size > grid$dilation * (grid$kernel - 1), ]
  gaps <- with(grid, mapply(function(size, kernel, strides, dilation, padding) {
    small <- conv_output_size(size, kernel, strides, padding, dilation)
    op <- conv_output_padding(small, size, kernel, strides, padding, dilation)
    if (conv_transpose_output_size(small, kernel, strides, padding, op, dilation) != size) return(Inf)
    # One dimension twice: the layers know images.
    args <- list(filters = 1, kernel_size = kernel, strides = strides, dilation_rate = dilation, padding = padding,
                 use_bias = FALSE, weights = list(array(rnorm(kernel^2), c(kernel, kernel, 1, 1))))
    down <- do.call(layer_conv_2d, args)
    up <- do.call(layer_conv_2d_transpose, c(args, list(output_padding = op)))
    x <- array(rnorm(size^2), c(1, size, size, 1))
    y <- array(rnorm(small^2), c(1, small, small, 1))
    abs(sum(as.array(down(x)) * y) - sum(x * as.array(up(y))))
  }, size, kernel, strides, dilation, padding))
  expect_gt(length(gaps), 300)
  expect_lt(max(gaps), 1e-10)
})

test_that("what cannot be had is refused, with the sizes that can", {
  expect_snapshot_errors({
    conv_output_padding(14, 30, 3, 2, "same")
    conv_output_padding(c(14, 14), c(28, 30), 3, 2, "same")
    conv_output_padding(c(14, 14), c(28, 27), 4, c(2, 3), "same")
    conv_output_padding(1, 5, 2, 2, "same")
    conv_output_padding(7, 8, 3, padding = "same")
    conv_output_padding(c(14, 14), c(28, 28, 1), 3, 2)
    conv_output_padding(c(1, 14, 14, 1), c(1, 28, 28, 1), 3, 2)
    conv_output_padding(0, 28, 3, 2)
    conv_output_padding(14, NA, 3, 2)
    conv_output_padding(14, 28, 3, 2, "smae")
    conv_transpose_output_size(5, 3, 2, output_padding = 2)
    conv_transpose_output_size(5, 3, 2, output_padding = -1)
  })
})
