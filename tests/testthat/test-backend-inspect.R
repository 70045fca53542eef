test_that("tensors tell what they are", {
  input <- layer_input(shape = 3)
  kinds <- list(input, input * 2, k_placeholder(2), k_variable(1), k_constant(1), 1)
  ask <- function(f) vapply(kinds, f, NA)
  expect_identical(ask(k_is_tensor), c(TRUE, TRUE, TRUE, TRUE, TRUE, FALSE))
  expect_identical(ask(k_is_keras_tensor), c(TRUE, TRUE, TRUE, FALSE, FALSE, FALSE))
  expect_identical(ask(k_is_placeholder), c(TRUE, FALSE, TRUE, FALSE, FALSE, FALSE))
  expect_false(k_is_sparse(input))
  expect_identical(k_to_dense(input), input)
  expect_equal(k_count_params(k_variable(matrix(0, 2, 3))), 6)
  expect_identical(k_get_variable_shape(k_variable(matrix(0, 2, 3))), shape(2, 3))
  expect_identical(k_backend(), "convnet")
  expect_error(k_is_sparse(1), class = "convnet_error_argument")
})

test_that("several values are read and written, or none", {
  a <- k_variable(1)
  b <- k_variable(c(2, 3))
  k_batch_set_value(list(list(a, 5), list(b, c(6, 7))))
  expect_equal(lapply(k_batch_get_value(list(a, b)), as.vector), list(5, c(6, 7)))
  expect_error(k_batch_set_value(list(list(a, 0), list(b, 1:3))), class = "convnet_error_weights")
  expect_equal(k_get_value(a), 5)
})

test_that("tensors are printed on their way", {
  expect_output(y <- k_print_tensor(k_constant(c(1.5, 2)), "values:"), "values:.*1.5 2.0")
  x <- layer_input(shape = 3)
  expect_output(expect_identical(k_print_tensor(x), x), "(None, 3)", fixed = TRUE)
  expect_identical(y$shape, 2L)
})

test_that("identifiers count up", {
  k_reset_uids()
  expect_identical(c(k_get_uid("a"), k_get_uid("a"), k_get_uid("b"), k_get_uid()), c(1L, 2L, 1L, 1L))
  k_reset_uids()
  expect_identical(k_get_uid("a"), 1L)
})
