test_that("penalties are sums of absolute values and squares", {
  w <- matrix(c(1, -2, 3, -4), 2)
  value <- function(x) k_get_value(regularization(get_regularizer(x), k_constant(w)))
  expect_equal(value(regularizer_l1(0.1)), 1, tolerance = 1e-6)
  expect_equal(value(regularizer_l2(0.1)), 3, tolerance = 1e-6)
  expect_equal(value(regularizer_l1_l2(0.1, 0.2)), 7, tolerance = 1e-6)
  expect_equal(value("l1"), 0.1, tolerance = 1e-6)
  expect_equal(value("L1L2"), 0.4, tolerance = 1e-6)
  expect_equal(value(regularizer_l2), 0.3, tolerance = 1e-6)
  expect_equal(value(regularizer_l1(0)), 0)
  expect_equal(value(function(w) k_square(w)), 30)
  expect_null(get_regularizer(NULL))
})

test_that("the factor has its old and its new name", {
  expect_identical(regularizer_l1(0.5), regularizer_l1(l1 = 0.5))
  expect_identical(regularizer_l2(l = 0.5), regularizer_l2(l2 = 0.5))
  expect_snapshot(regularizer_l1_l2(l2 = 0.5))
})

test_that("regularizers refuse what makes no sense", {
  expect_snapshot_errors({
    regularizer_l1(-1)
    regularizer_l2("a")
    get_regularizer("l3")
    get_regularizer(0.1)
  })
})
