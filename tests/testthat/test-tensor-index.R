test_that("parts of tensors are those of arrays", {
  local_float64()
  a <- array(rnorm(60), c(3, 4, 5))
  x <- k_constant(a)
  value <- function(t) as.array(t)
  expect_identical(value(x[1, , ]), a[1, , ])
  expect_identical(value(x[, 2, 5]), as.array(a[, 2, 5]))
  expect_identical(k_get_value(x[3, 4, 5]), a[3, 4, 5])
  expect_identical(value(x[, 2:3, ]), a[, 2:3, ])
  expect_identical(value(x[1:2, c(4, 2), c(1, 3, 5)]), a[1:2, c(4, 2), c(1, 3, 5)])
  expect_identical(value(x[c(1, 1, 3), , ]), a[c(1, 1, 3), , ])
  expect_identical(value(x[-1, , ]), a[-1, , ])
  expect_identical(value(x[, -c(2, 4), -5]), a[, -c(2, 4), -5])
  expect_identical(value(x[, c(TRUE, FALSE, FALSE, TRUE), ]), a[, c(TRUE, FALSE, FALSE, TRUE), ])
  expect_identical(value(x[, , 5:1]), a[, , 5:1])
  expect_identical(value(x[2, , , drop = FALSE]), a[2, , , drop = FALSE])
  expect_identical(x[], x)
  # Only axes for which one number is given are dropped: sizes of 1 stay where a range happens to have one element.
  one <- k_constant(array(1:4, c(1, 4)))
  expect_identical(one[, 1:2]$shape, c(1L, 2L))
  expect_identical(x[NULL, 1, , NULL, ]$shape, c(1L, 4L, 1L, 5L))
  v <- k_constant(c(5, 6, 7))
  expect_identical(k_get_value(v[2]), 6)
  expect_identical(value(v[-1]), array(c(6, 7)))
  i <- 2
  expect_identical(value((function(tensor, ...) tensor[i, ...])(x, 3, 1:2)), as.array(a[2, 3, 1:2]))
})

test_that("sizes may be unknown", {
  x <- k_placeholder(shape = list(NULL, NULL, 3))
  a <- array(as.double(1:24), c(2, 4, 3))
  parts <- list(x[, 1, ], x[, 1:2, ], x[, -1, 2], x[, -(1:2), 2:3], x[1, , ], x[, , c(3, 1)], x[, NULL, , 1])
  expect_identical(lapply(parts, dim), list(c(NA, 3L), c(NA, 2L, 3L), c(NA_integer_, NA), c(NA, NA, 2L), c(NA, 3L), c(NA, NA, 2L),
                                            c(NA, 1L, NA)))
  expect_equal(k_function(x, parts)(a), list(a[, 1, ], a[, 1:2, ], a[, -1, 2], a[, 3:4, 2:3], a[1, , ], a[, , c(3, 1)],
                                             array(a[, , 1], c(2, 1, 4))))
  # The difference of neighbours, for any number of samples.
  images <- layer_input(shape = c(4, 3))
  expect_equal(k_function(images, images[, 2:4, ] - images[, 1:3, ])(a)[[1]], a[, 2:4, ] - a[, 1:3, ])
})

test_that("double brackets count from 0", {
  x <- k_constant(matrix(1:6, 2))
  expect_equal(as.vector(x[[0]]), c(1, 3, 5))
  expect_equal(as.vector(x[[1]]), c(2, 4, 6))
  expect_equal(as.vector(x[[-1]]), c(2, 4, 6))
  expect_equal(k_get_value(k_constant(c(7, 8))[[1]]), 8)
  batch <- layer_input(shape = c(28, 1))
  size <- k_shape(batch)
  expect_identical(k_get_value(size[[1]]), 28L)
  expect_identical(k_function(batch, size[[0]])(array(0, c(3, 28, 1)))[[1]], 3L)
  expect_identical(k_random_normal(shape = c(size[[1]]))$shape, 28L)
})

test_that("tensors of whole numbers are indices, counted from 1", {
  a <- array(as.double(1:24), c(2, 3, 4))
  data <- k_placeholder(c(2, 3, 4))
  which <- k_placeholder(list(NULL), dtype = "int32")
  one <- k_placeholder(shape = integer(), dtype = "int32")
  take <- function(...) k_function(list(data, which, one), list(...))(list(a, c(3L, 1L, 3L), 2L))
  found <- take(data[, which, ], data[, one, ], data[, one, , drop = FALSE], data[one, , NULL, ])
  expect_equal(found[[1]], a[, c(3, 1, 3), ])
  expect_equal(found[[2]], a[, 2, ])
  expect_equal(found[[3]], a[, 2, , drop = FALSE])
  expect_equal(found[[4]], array(a[2, , ], c(3, 1, 4)))
  expect_identical(data[, which, ]$shape, c(2L, NA, 4L))
  expect_error(k_function(list(data, which), list(data[, which, ]))(list(a, array(4L))), class = "convnet_error_argument")
  # The row of the highest score.
  scores <- k_constant(c(0.1, 0.7, 0.2))
  x <- k_constant(matrix(1:6, 3))
  expect_equal(as.vector(x[k_argmax(scores, axis = 1) + 1L, ]), c(2, 5))
  expect_equal(as.array(x[k_constant(c(3, 1), dtype = "int32"), ]), matrix(1:6, 3)[c(3, 1), ])
})

test_that("gradients flow into the parts", {
  local_float64()
  a <- matrix(as.double(1:6), 2)
  expect_equal(gradient_of(function(x) x[1, ]^2, a), rbind(2 * a[1, ], 0))
  expect_equal(gradient_of(function(x) x[, c(1, 1, 3)], a), cbind(c(2, 2), 0, 1))
  expect_equal(gradient_of(function(x) x[[1]] * 3, a), rbind(0, c(3, 3, 3)))
})

test_that("vectors are reversed and matrices transposed", {
  expect_equal(as.vector(rev(k_constant(1:3))), c(3, 2, 1))
  expect_equal(as.array(t(k_constant(matrix(1:6, 2)))), t(matrix(1:6, 2)))
  expect_identical(t(k_constant(1:3))$shape, c(1L, 3L))
})

test_that("indices that make no sense are refused", {
  x <- k_constant(matrix(1:6, 2))
  open <- k_placeholder(list(NULL, 2))
  expect_snapshot_errors({
    x[1]
    x[1, 2, 3]
    x[3, ]
    x[0, ]
    x[c(-1, 1), ]
    x[1.5, ]
    x["a", ]
    x[c(TRUE, FALSE, TRUE), ]
    x[x > 2, 1]
    x[x, ]
    x[k_argmax(x), 1]
    x[k_constant(c(1, 3), dtype = "int32"), ]
    x[k_constant(matrix(1, 2, 2), dtype = "int32"), ]
    x[[2]]
    k_constant(1)[[0]]
    open[-2, ]
    open[c(TRUE, FALSE), ]
    rev(x)
    t(k_constant(array(0, c(1, 1, 1))))
  })
})
