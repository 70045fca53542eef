test_that("zeros, ones, the identity and ranges", {
  expect_equal(k_get_value(k_zeros(c(2, 3))), matrix(0, 2, 3))
  expect_equal(k_get_value(k_ones(list(2, 2), dtype = "float64")), matrix(1, 2, 2))
  expect_identical(k_ones(2, dtype = "int32")$dtype, "int32")
  expect_equal(k_get_value(k_eye(3)), diag(3))
  range <- function(...) as.vector(k_get_value(k_arange(...)))
  expect_identical(range(4), 0:3)
  expect_identical(range(2, 10, 3), c(2L, 5L, 8L))
  expect_identical(range(3, 0, -1), 3:1)
  expect_equal(range(0, 1, 0.25, "float32"), c(0, 0.25, 0.5, 0.75))
  expect_identical(k_arange(3, 3)$shape, 0L)
  # Variables, that can be written.
  v <- k_zeros(2)
  k_set_value(v, c(1, 2))
  expect_equal(as.vector(k_get_value(v)), c(1, 2))
})

test_that("sizes may be tensors", {
  x <- k_placeholder(list(NULL, 3))
  f <- k_function(x, list(k_zeros(k_shape(x)), k_ones(list(2, k_shape(x)[[0]]))))
  expect_equal(f(matrix(5, 4, 3)), list(matrix(0, 4, 3), matrix(1, 2, 4)))
})

test_that("sizes and numbers that make no sense are refused", {
  expect_snapshot_errors({
    k_zeros(c(2, NA))
    k_random_normal(c(-1, 2))
    k_ones("a")
    k_zeros(2, dtype = "complex")
    k_eye(0)
    k_arange(0, 3, 0)
    k_arange("a")
  })
})
