values <- function(layer, x) k_get_value(layer(x))
standard <- function(x) (x - mean(x)) / sqrt(mean((x - mean(x))^2) + 0.001)

test_that("layer normalization standardises each sample over the axes", {
  local_float64()
  x <- some_values(c(3, 2, 4))
  y <- values(layer_layer_normalization(), x)
  for (i in 1:3) for (j in 1:2) expect_equal(y[i, j, ], standard(x[i, j, ]), tolerance = 1e-12)
  both <- layer_layer_normalization(axis = c(2, 1))
  y <- values(both, x)
  for (i in 1:3) expect_equal(y[i, , ], standard(x[i, , ]), tolerance = 1e-12)
  expect_identical(dim(get_weights(both)[[1]]), c(2L, 4L))
})

test_that("gamma and beta lie along the axes", {
  local_float64()
  x <- some_values(c(2, 3, 4))
  gamma <- c(1, 10, 100)
  y <- values(layer_layer_normalization(axis = 1, weights = list(gamma, c(5, 6, 7))), x)
  plain <- values(layer_layer_normalization(axis = 1, center = FALSE, scale = FALSE), x)
  for (j in 1:3) expect_equal(y[, j, ], plain[, j, ] * gamma[j] + j + 4, tolerance = 1e-12)
})

test_that("groups of channels are standardised together, wherever the channels are", {
  local_float64()
  x <- some_values(c(2, 3, 2, 6))
  y <- values(layer_group_normalization(groups = 2), x)
  for (i in 1:2) for (g in 0:1) expect_equal(y[i, , , 3 * g + 1:3], standard(x[i, , , 3 * g + 1:3]), tolerance = 1e-12)
  first <- values(layer_group_normalization(groups = 2, axis = 1), channels_to_front(x))
  expect_equal(first, channels_to_front(y), tolerance = 1e-12)
  each <- values(layer_group_normalization(groups = -1), x)
  for (c in 1:6) expect_equal(each[1, , , c], standard(x[1, , , c]), tolerance = 1e-12)
})

test_that("unit normalization makes norms 1 and leaves zeros", {
  local_float64()
  x <- some_values(c(3, 2, 4))
  x[1, 1, ] <- 0
  y <- values(layer_unit_normalization(), x)
  expect_equal(apply(y^2, 1:2, sum), matrix(c(0, 1, 1, 1, 1, 1), 3), tolerance = 1e-12)
  expect_equal(apply(values(layer_unit_normalization(axis = c(1, 2)), x)^2, 1, sum), c(1, 1, 1), tolerance = 1e-12)
})

test_that("axes and groups that do not fit", {
  k_reset_uids()
  x <- layer_input(c(4, 6))
  expect_snapshot_errors({
    layer_layer_normalization(x, axis = 3)
    layer_layer_normalization(x, axis = c(2, -1))
    layer_layer_normalization(axis = "last")
    layer_layer_normalization(layer_input(list(NULL, 6)), axis = 1)
    layer_group_normalization(x)
    layer_group_normalization(x, groups = 0)
    layer_unit_normalization(x, axis = 0)
    layer_batch_normalization(layer_input(list(4, NULL)))
    layer_batch_normalization(epsilon = -1)
  })
})
