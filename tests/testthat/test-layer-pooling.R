values <- function(layer, x) k_get_value(layer(x))
sequence <- function(...) array(c(...), c(1, length(c(...)), 1))

test_that("padding never wins a maximum and does not count in a mean", {
  x <- sequence(-3, -1, -2)
  expect_equal(values(layer_max_pooling_1d(pool_size = 2, padding = "same"), x), sequence(-1, -2))
  expect_equal(values(layer_average_pooling_1d(pool_size = 2, padding = "same"), x), sequence(-2, -2))
  expect_equal(values(layer_average_pooling_1d(pool_size = 3, strides = 1, padding = "same"), x), sequence(-2, -2, -1.5))
  expect_equal(values(layer_max_pooling_1d(pool_size = 2, strides = 1), x), sequence(-1, -1))
})

test_that("windows step by their own size unless told otherwise", {
  expect_identical(layer_average_pooling_3d(pool_size = c(1, 2, 3))$strides, c(1L, 2L, 3L))
  expect_identical(layer_max_pooling_1d(pool_size = 3, strides = 2)$strides, 2L)
})

test_that("global pooling takes images of any size", {
  x <- layer_input(list(NULL, NULL, 3))
  means <- layer_global_average_pooling_2d(x)
  kept <- layer_global_max_pooling_2d(x, keepdims = TRUE)
  expect_identical(means$shape, c(NA, 3L))
  expect_identical(kept$shape, c(NA, 1L, 1L, 3L))
  f <- k_function(x, list(means, kept))
  for (size in 4:5) {
    at <- some_values(c(2, size, 3, 3))
    found <- f(list(at))
    expect_equal(found[[1]], apply(at, c(1, 4), mean), tolerance = 1e-6)
    expect_equal(found[[2]][, 1, 1, ], apply(at, c(1, 4), max), tolerance = 1e-6)
  }
})

test_that("the mean of a sequence leaves out the steps that are masked", {
  x <- some_values(c(2, 3, 4))
  x[1, 2, ] <- x[2, 3, ] <- 0
  means <- rbind(colMeans(x[1, c(1, 3), ]), colMeans(x[2, 1:2, ]))
  expect_equal(values(layer_global_average_pooling_1d(), layer_masking()(x)), means, tolerance = 1e-6)
  first <- layer_global_average_pooling_1d(data_format = "channels_first", keepdims = TRUE)
  mask <- rbind(c(TRUE, FALSE, TRUE), c(TRUE, TRUE, FALSE))
  expect_equal(k_get_value(first(channels_to_front(x), mask = mask)), array(means, c(2, 4, 1)), tolerance = 1e-6)
})

test_that("windows that do not fit", {
  k_reset_uids()
  expect_snapshot_errors({
    layer_max_pooling_1d(pool_size = 0)
    layer_average_pooling_2d(pool_size = c(2, 2, 2))
    layer_average_pooling_3d(padding = "causal")
    layer_max_pooling_3d(layer_input(c(1, 4, 4, 1)))
    layer_average_pooling_1d(layer_input(c(4, 4, 1)))
    layer_global_max_pooling_1d(layer_input(4))
    layer_global_average_pooling_2d(keepdims = "yes")
  })
})
