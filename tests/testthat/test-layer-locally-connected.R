values <- function(layer, x) k_get_value(layer(x))

test_that("with the same weights at each place it is a convolution", {
  local_float64()
  x <- some_values(c(2, 5, 6, 2))
  shared <- layer_conv_2d(filters = 3, kernel_size = c(2, 3), strides = c(1, 2), activation = "tanh")
  shared(x)
  weights <- get_weights(shared)
  rows <- matrix(array_reshape(weights[[1]], c(12, 3)), 12)
  kernel <- aperm(array(rows, c(12, 3, 8)), c(3, 1, 2))
  layer <- layer_locally_connected_2d(filters = 3, kernel_size = c(2, 3), strides = c(1, 2), activation = "tanh",
                                      weights = list(kernel, array(0, c(4, 2, 3))))
  expect_equal(values(layer, x), values(shared, x), tolerance = 1e-12)
})

test_that("each place has its own weights", {
  x <- array(1:4, c(1, 4, 1))
  layer <- layer_locally_connected_1d(filters = 1, kernel_size = 2, strides = 2,
                                      weights = list(array(c(1, 100, 10, 1000), c(2, 2, 1)), matrix(c(0.5, 0.25))))
  # Places 1 and 2 are rows of the kernel: (1, 10) and (100, 1000).
  expect_equal(as.vector(values(layer, x)), c(1 + 20 + 0.5, 300 + 4000 + 0.25), tolerance = 1e-6)
})

test_that("with channels first the kernel has its rows channel by channel, as in Keras", {
  local_float64()
  x <- some_values(c(2, 4, 5, 3))
  last <- layer_locally_connected_2d(filters = 2, kernel_size = c(3, 2))
  last(x)
  weights <- get_weights(last)
  kernel <- weights[[1]][, order(rep(1:3, 6), rep(1:6, each = 3)), ]
  first <- layer_locally_connected_2d(filters = 2, kernel_size = c(3, 2), data_format = "channels_first",
                                      weights = list(kernel, weights[[2]]))
  expect_equal(values(first, channels_to_front(x)), channels_to_front(values(last, x)), tolerance = 1e-12)
})

test_that("inputs and arguments that it cannot have", {
  k_reset_uids()
  built <- layer_locally_connected_1d(filters = 2, kernel_size = 3)
  built(layer_input(c(8, 4)))
  expect_snapshot_errors({
    layer_locally_connected_1d(filters = 2, kernel_size = 3, padding = "same")
    layer_locally_connected_2d(filters = 2, kernel_size = 3, implementation = 2)
    layer_locally_connected_1d(layer_input(list(NULL, 4)), 2, 3)
    layer_locally_connected_1d(layer_input(c(2, 4)), 2, 3)
    built(layer_input(c(9, 4)))
    built(layer_input(c(8, 5)))
  })
})
