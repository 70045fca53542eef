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
