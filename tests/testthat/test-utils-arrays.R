test_that("array_reshape() goes row by row", {
  expect_identical(array_reshape(1:6, c(2, 3)), matrix(1:6, 2, byrow = TRUE))
  m <- matrix(1:6, 2)
  expect_identical(array_reshape(m, 6), array(c(1L, 3L, 5L, 2L, 4L, 6L)))
  expect_identical(array_reshape(m, c(3, 2)), rbind(c(1L, 3L), c(5L, 2L), c(4L, 6L)))

  # Index by index against the definition.
  x <- array(rnorm(120), c(4, 5, 6))
  y <- array_reshape(x, c(2, 10, 3, 2))
  row_major <- function(index, dim) sum((index - 1) * rev(cumprod(c(1, rev(dim)[-length(dim)]))))
  for (index in list(c(1, 1, 1, 1), c(1, 3, 2, 2), c(2, 10, 3, 1), c(2, 7, 1, 2))) {
    position <- row_major(index, dim(y))
    source <- c(position %/% 30, position %/% 6 %% 5, position %% 6) + 1
    expect_identical(y[rbind(index)], x[rbind(source)])
  }
  expect_identical(array_reshape(y, dim(x)), x)
})

test_that("array_reshape() computes one dimension, keeps the type and follows `order`", {
  expect_identical(dim(array_reshape(1:12, c(-1, 4))), c(3L, 4L))
  expect_identical(dim(array_reshape(1:12, c(NA, 2, 2))), c(3L, 2L, 2L))
  expect_identical(dim(array_reshape(1:12, list(NULL, 6))), c(2L, 6L))
  expect_identical(dim(array_reshape(1:12, shape(NULL, 6))), c(2L, 6L))
  expect_identical(dim(array_reshape(numeric(), c(0, 3))), c(0L, 3L))
  expect_identical(array_reshape(1:6, c(2, 3), order = "F"), matrix(1:6, 2))
  expect_identical(array_reshape(as.raw(1:4), c(2, 2)), matrix(as.raw(1:4), 2, byrow = TRUE))
  expect_identical(array_reshape(data.frame(a = 1:2, b = 3:4), 4), array(c(1L, 3L, 2L, 4L)))
  expect_null(dimnames(array_reshape(matrix(1:4, 2, dimnames = list(c("a", "b"), NULL)), c(2, 2))))
})

test_that("array_reshape() refuses what does not fit", {
  expect_snapshot_errors({
    array_reshape(1:6, c(2, 4))
    array_reshape(1:6, c(-1, 4))
    array_reshape(1:6, c(-1, -1))
    array_reshape(1:6, c(2, 3.5))
    array_reshape(1:6, "six")
    array_reshape(1:6, NULL)
    array_reshape(list(1, 2), 2)
    array_reshape(factor("a"), 1)
    array_reshape(1:6, c(2, 3), order = "R")
  })
  expect_error(array_reshape(1:6, 5), class = "convnet_error_shape")
  expect_error(array_reshape(1:6, -2), class = "convnet_error_argument")
  expect_error(array_reshape(numeric(), c(-1, 0)), class = "convnet_error_shape")
})

test_that("to_categorical() puts a one in the column of the class", {
  expect_identical(to_categorical(c(0, 2, 1)), rbind(c(1, 0, 0), c(0, 0, 1), c(0, 1, 0)))
  expect_identical(to_categorical(1, 3), rbind(c(0, 1, 0)))
  expect_identical(to_categorical(0:1, 3), rbind(c(1, 0, 0), c(0, 1, 0)))
  expect_identical(dim(to_categorical(integer(), 3)), c(0L, 3L))
  expect_identical(to_categorical(c(TRUE, FALSE)), rbind(c(0, 1), c(1, 0)))
  # Keras takes 0 classes for none given.
  expect_identical(to_categorical(0:1, 0), diag(2))
})

test_that("to_categorical() takes the levels of a factor", {
  f <- factor(c("b", "a"), levels = c("a", "b", "c"))
  expect_identical(to_categorical(f), rbind(c(0, 1, 0), c(1, 0, 0)))
  expect_identical(to_categorical(f, 4), rbind(c(0, 1, 0, 0), c(1, 0, 0, 0)))
})

test_that("to_categorical() adds the classes as a last dimension", {
  y <- rbind(c(0, 1), c(2, 0))
  out <- to_categorical(y)
  expect_identical(dim(out), c(2L, 2L, 3L))
  expect_identical(out[1, 2, ], c(0, 1, 0))
  expect_identical(out[2, 1, ], c(0, 0, 1))
  expect_identical(to_categorical(matrix(c(0, 1), 2)), diag(2))
})

test_that("to_categorical() returns the type asked for", {
  expect_identical(to_categorical(0:1, dtype = "int32"), diag(1L, 2))
  expect_identical(to_categorical(0:1, dtype = "bool"), diag(2) == 1)
  expect_type(to_categorical(0:1, dtype = "float64"), "double")
})

test_that("to_categorical() refuses what is no label", {
  expect_snapshot_errors({
    to_categorical(c(0, -1))
    to_categorical(c(0, NA))
    to_categorical(c(0, 1.5))
    to_categorical(c(1, 2, 3), num_classes = 3)
    to_categorical(c("cat", "dog"))
    to_categorical(integer())
    to_categorical(1, num_classes = -1)
    to_categorical(1, dtype = "float23")
  })
  expect_error(to_categorical(factor(c("a", NA))), class = "convnet_error_argument")
})

test_that("normalize() divides by the norm along the axis", {
  x <- rbind(c(3, 4), c(6, 8), c(0, 0))
  expect_equal(normalize(x), rbind(c(0.6, 0.8), c(0.6, 0.8), c(0, 0)))
  expect_equal(normalize(x, axis = 1), sweep(x, 2, sqrt(colSums(x^2)), "/"))
  expect_equal(normalize(x, axis = 2), normalize(x, axis = -1))
  expect_equal(normalize(x, axis = 1), normalize(x, axis = -2))
  expect_equal(normalize(-x, order = 1), -rbind(c(3, 4) / 7, c(6, 8) / 14, 0))
  expect_equal(normalize(x, order = 3)[1, ], c(3, 4) / 91^(1 / 3))
  expect_equal(normalize(-x, order = Inf), -rbind(c(0.75, 1), c(0.75, 1), 0))
  expect_equal(normalize(c(3L, 4L)), c(0.6, 0.8))

  y <- array(rnorm(24), c(2, 3, 4))
  for (axis in 1:3) {
    others <- setdiff(1:3, axis)
    expect_equal(apply(normalize(y, axis)^2, others, sum), array(1, dim(y)[others]))
  }
  expect_identical(dim(normalize(array(0, c(0, 3)))), c(0L, 3L))
  expect_identical(dimnames(normalize(head(iris[1:4], 3)))[[2]], names(iris)[1:4])
  expect_identical(normalize(c(NaN, 1)), c(NaN, NaN))
})

test_that("normalize() refuses what it cannot scale", {
  expect_snapshot_errors({
    normalize(c(1, NA))
    normalize("a")
    normalize(diag(2), axis = 3)
    normalize(diag(2), axis = 0)
    normalize(diag(2), order = 0)
    normalize(diag(2), order = 1.5)
    normalize(iris)
  })
})
