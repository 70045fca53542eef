values <- function(layer, x) k_get_value(layer(x))

# The layer with its weights drawn anew, in place.
with_weights <- function(layer, x) {
  layer(x)
  set_weights(layer, lapply(get_weights(layer), function(w) some_values(dim(w), length(w))))
}

test_that("causal output does not depend on later steps", {
  local_float64()
  x <- some_values(c(1, 9, 2))
  layers <- list(layer_conv_1d(filters = 3, kernel_size = 3, padding = "causal", dilation_rate = 2),
                 layer_separable_conv_1d(filters = 3, kernel_size = 3, padding = "causal", dilation_rate = 2))
  for (layer in layers) {
    before <- values(with_weights(layer, x), x)
    later <- x
    later[1, 6:9, ] <- 100
    expect_identical(values(layer, later)[1, 1:5, ], before[1, 1:5, ])
    expect_false(any(values(layer, later)[1, 6, ] == before[1, 6, ]))
  }
})

test_that("groups are convolutions of their own", {
  local_float64()
  x <- some_values(c(2, 6, 5, 4))
  whole <- with_weights(layer_conv_2d(filters = 6, kernel_size = 3, groups = 2, use_bias = FALSE), x)
  kernel <- get_weights(whole)[[1]]
  half <- function(i) {
    part <- layer_conv_2d(filters = 3, kernel_size = 3, use_bias = FALSE, weights = list(kernel[, , , 3 * i + 1:3]))
    values(part, x[, , , 2 * i + 1:2])
  }
  both <- values(whole, x)
  expect_equal(both[, , , 1:3], half(0), tolerance = 1e-12)
  expect_equal(both[, , , 4:6], half(1), tolerance = 1e-12)
})

test_that("depthwise convolution is one with a group a channel, strides of their own included", {
  local_float64()
  x <- some_values(c(2, 7, 6, 3))
  depthwise <- with_weights(layer_depthwise_conv_2d(kernel_size = c(3, 2), strides = c(1, 2), padding = "same",
                                                    depth_multiplier = 2), x)
  weights <- get_weights(depthwise)
  kernel <- array_reshape(weights[[1]], c(3, 2, 1, 6))
  grouped <- layer_conv_2d(filters = 6, kernel_size = c(3, 2), strides = c(1, 2), padding = "same", groups = 3,
                           weights = list(kernel, weights[[2]]))
  expect_equal(values(depthwise, x), values(grouped, x), tolerance = 1e-12)
})

test_that("separable convolution is a depthwise one that a 1 x 1 convolution follows", {
  local_float64()
  x <- some_values(c(2, 7, 3))
  separable <- with_weights(layer_separable_conv_1d(filters = 4, kernel_size = 3, dilation_rate = 2, depth_multiplier = 2,
                                                    activation = "tanh"), x)
  weights <- get_weights(separable)
  expect_identical(lapply(weights, dim), list(c(3L, 3L, 2L), c(1L, 6L, 4L), 4L))
  first <- layer_depthwise_conv_1d(kernel_size = 3, dilation_rate = 2, depth_multiplier = 2, use_bias = FALSE,
                                   weights = weights[1])
  second <- layer_conv_1d(filters = 4, kernel_size = 1, activation = "tanh", weights = weights[2:3])
  expect_equal(values(separable, x), values(second, values(first, x)), tolerance = 1e-12)
})

test_that("transposed convolutions are adjoints for sequences and volumes", {
  local_float64()
  shapes <- list(list(layer_conv_1d, layer_conv_1d_transpose, 8, 4, 3),
                 list(layer_conv_3d, layer_conv_3d_transpose, c(6, 4, 8), c(3, 2, 4), c(3, 1, 2)))
  for (s in shapes) {
    x <- some_values(c(2, s[[3]], 1))
    y <- some_values(c(2, s[[4]], 1), 2)
    args <- list(filters = 1, kernel_size = s[[5]], strides = 2, padding = "same", use_bias = FALSE)
    down <- with_weights(do.call(s[[1]], args), x)
    up <- do.call(s[[2]], c(args, list(weights = get_weights(down))))
    expect_identical(dim(up(y)), dim(x))
    expect_equal(sum(values(down, x) * y), sum(x * values(up, y)), tolerance = 1e-12)
  }
})

test_that("arguments may be abbreviated as scripts do", {
  for (name in c("layer_conv_1d", "layer_conv_3d", "layer_conv_1d_transpose", "layer_conv_3d_transpose",
                 "layer_separable_conv_1d", "layer_separable_conv_2d", "layer_locally_connected_1d", "layer_locally_connected_2d")) {
    make <- getExportedValue("convnet", name)
    expect_identical(make(filter = 4, kernel_s = 3, stride = 2)$filters, 4L, label = name)
  }
})

test_that("arguments and inputs that convolutions cannot have", {
  k_reset_uids()
  x <- layer_input(c(8, 6))
  expect_snapshot_errors({
    layer_conv_1d(filters = 4, kernel_size = c(3, 3))
    layer_conv_1d(filters = 4, kernel_size = 3, padding = "full")
    layer_conv_2d(filters = 4, kernel_size = 3, padding = "causal")
    layer_conv_3d(filters = 4, kernel_size = c(3, 3))
    layer_conv_3d(filters = 4, kernel_size = 3, strides = 2, dilation_rate = c(1, 1, 2))
    layer_conv_1d_transpose(filters = 4, kernel_size = 3, strides = 2, output_padding = 2)
    layer_depthwise_conv_2d(kernel_size = 3, depth_multiplier = 0)
    layer_depthwise_conv_1d(kernel_size = 3, strides = 2, dilation_rate = 2)
    layer_separable_conv_2d(filters = 0, kernel_size = 3)
    layer_conv_1d(x, 4, 3, groups = 4)
    layer_conv_1d(x, 4, 9)
    layer_depthwise_conv_2d(x, 3)
    layer_conv_3d(layer_input(list(NULL, NULL, NULL, NULL)), 4, 3)
    layer_conv_1d(filters = 2, kernel_size = 3, input_shape = c(8, 6), weights = list(1))(array(0, c(1, 8, 6)))
  })
})
