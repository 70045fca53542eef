test_that("the operators work with convnet alone", {
  expect_identical(c(1, 4) %>% sqrt(), c(1, 2))
  c(c(a, b), d) %<-% list(list(1, 2), 3)
  expect_identical(c(a, b, d), c(1, 2, 3))
  c(e, f) %<-% tuple(28, 1)
  expect_identical(c(e, f), c(28, 1))
  c(g, h) %<-% shape(28, NULL)
  expect_identical(list(g, h), list(28L, NULL))
})

test_that("evaluate() leaves `x` to the data", {
  expect_identical(names(formals(evaluate)), c("object", "..."))
  expect_identical(compile, generics::compile)
  expect_identical(fit, generics::fit)
})

test_that("a tuple is a list", {
  expect_identical(as.list(unclass(tuple(1, "a", NULL))), list(1, "a", NULL))
  expect_identical(tuple(list(1, 2)), tuple(1, 2))
  expect_length(tuple(), 0)
  expect_true(is.list(tuple(3, 3)))
  expect_identical(unlist(tuple(3, 3)), c(3, 3))
  expect_output(print(tuple(28, 28, 1)), "tuple(28, 28, 1)", fixed = TRUE)
  expect_identical(
    format(tuple("same", NULL, c(1, 2), tuple(1, TRUE))), "tuple(\"same\", NULL, c(1, 2), tuple(1, TRUE))"
  )
})

test_that("a shape holds NULL where the size is unknown", {
  expect_identical(as.list(unclass(shape(NULL, 28, 1))), list(NULL, 28L, 1L))
  expect_identical(shape(NA, 3), shape(NULL, 3))
  expect_identical(shape(-1, 3), shape(NULL, 3))
  expect_identical(as.integer(shape(NULL, 3)), c(NA, 3L))
  expect_identical(as.numeric(shape(NULL, 3)), c(NA, 3))
  expect_identical(shape(1, c(2, 3), list(4, NULL)), shape(1, 2, 3, 4, NULL))
  expect_identical(shape(shape(NULL, 3), 4), shape(NULL, 3, 4))
  expect_identical(shape(array(0, c(2, 3)), 4), shape(2, 3, 4))
  expect_length(shape(), 0)
  expect_identical(shape(2, 3, 4)[2:3], shape(3, 4))
  expect_output(print(shape(NULL, 28, 28, 1)), "shape(NULL, 28, 28, 1)", fixed = TRUE)
  expect_identical(format(shape()), "shape()")
  expect_snapshot_errors({
    shape(2.5)
    shape(-2, 3)
    shape("a")
    shape(TRUE)
  })
})
