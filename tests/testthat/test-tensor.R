test_that("tensors are objects with identity", {
  a <- layer_input(3)
  b <- layer_input(3)
  expect_type(c(a, b), "list")
  expect_length(c(a, b), 2)
  expect_true(identical(c(a, b)[[1]], a))
  expect_false(identical(a, b))
  expect_identical(dim(a), c(NA, 3L))
  expect_identical(length(a), NA_integer_)
  expect_identical(dim(k_constant(matrix(1:6, 2))), c(2L, 3L))
  expect_equal(length(k_constant(matrix(1:6, 2))), 6)
  expect_null(dim(k_constant(2)))
})

test_that("tensors are shown with their kind, source, shape and type", {
  k_reset_uids()
  expect_snapshot({
    layer_input(c(28, 28, 1))
    k_placeholder(list(NULL, 3), dtype = "int32")
    k_constant(matrix(1:4, 2))
    k_variable(c(1.5, 2), name = "v")
    k_constant(5)
    (layer_dense(layer_input(2), 3))
  })
})

test_that("values go in and come out as they are", {
  x <- array(as.double(1:24), c(2, 3, 4))
  expect_identical(as.array(k_constant(x)), x)
  expect_identical(as.array(k_variable(x)), x)
  expect_identical(k_get_value(k_constant(x) + 0), x)
  expect_identical(as.double(k_constant(c(1, 2))), c(1, 2))
  expect_identical(as.vector(k_constant(matrix(1:2, 1))), c(1, 2))
  expect_equal(as.array(k_constant(TRUE)), TRUE)
  expect_identical(k_get_value(k_constant(1:6, shape = c(2, 3))), rbind(c(1, 2, 3), c(4, 5, 6)))
  expect_identical(k_get_value(k_constant(0.5, shape = c(2, 2))), matrix(0.5, 2, 2))
  v <- k_variable(matrix(0, 2, 2))
  k_set_value(v, matrix(1:4, 2))
  expect_identical(k_get_value(v), matrix(c(1, 2, 3, 4), 2))
  # A constant does not follow the array it was made of, nor a value the variable.
  value <- k_get_value(v)
  k_set_value(v, matrix(0, 2, 2))
  expect_identical(value, matrix(c(1, 2, 3, 4), 2))
})

test_that("the default type can be set, and is that of what is made then", {
  expect_identical(k_floatx(), "float32")
  third <- k_get_value(k_constant(1) / 3)
  expect_false(third == 1 / 3)
  local_float64()
  expect_identical(k_get_value(k_constant(1) / 3), 1 / 3)
  model <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, kernel_initializer = initializer_constant(1 / 3))
  expect_identical(as.vector(predict(model, 1)), 1 / 3)
  expect_identical(model$weights[[1]]$dtype, "float64")
})

test_that("functions compute outputs and carry out updates afterwards", {
  x <- k_placeholder(list(NULL, 2))
  total <- k_variable(0)
  f <- k_function(x, list(k_sum(x), total * 1), updates = list(k_update_add(total, k_sum(x))))
  expect_equal(f(list(matrix(1:4, 2))), list(10, 0))
  expect_equal(k_get_value(total), 10)
  expect_equal(f(list(matrix(1, 1, 2))), list(2, 10))
  expect_equal(k_get_value(total), 12)
  # Another number of rows each time; a single array without a list.
  expect_equal(f(matrix(1, 7, 2))[[1]], 14)
  average <- k_variable(c(10, 20))
  step <- k_function(x, k_mean(x), updates = list(k_moving_average_update(average, k_mean(x, axis = 1), 0.9)))
  step(list(rbind(c(0, 10), c(2, 10))))
  expect_equal(k_get_value(average), c(0.9 * 10 + 0.1, 0.9 * 20 + 1), tolerance = 1e-6)
  expect_error(f(list(matrix(NA, 1, 2))), class = "convnet_error_argument")
  expect_error(f(list(matrix(1, 1, 3))), class = "convnet_error_shape")
  expect_equal(k_get_value(total), 26)
})

test_that("gradients of gradients: a Hessian times a vector", {
  local_float64()
  # f(w) = sum(w^3) + w1 w2: H = diag(6 w) + [0 1; 1 0]
  w <- k_variable(c(2, -1))
  v <- k_constant(c(0.5, 3))
  at <- function(i) k_gather(w, i)
  value <- k_sum(w^3) + k_sum(at(1) * at(2))
  first <- k_gradients(value, w)[[1]]
  expect_equal(k_eval(first), c(3 * 4 - 1, 3 + 2))
  second <- k_gradients(k_sum(first * v), w)[[1]]
  expect_equal(k_eval(second), c(12 * 0.5 + 3, -6 * 3 + 0.5))
  third <- k_gradients(k_sum(second), w)[[1]]
  expect_equal(k_eval(third), 6 * c(0.5, 3))
})

test_that("second derivatives through a convolution", {
  local_float64()
  x <- ramp(1, 4, 4, 1)
  layer <- layer_conv_2d_transpose(filters = 1, kernel_size = 2, strides = 2, use_bias = FALSE)
  y <- layer(k_placeholder(list(1, 4, 4, 1)) -> input)
  loss <- k_sum(y^3) / 6
  kernel <- layer$kernel
  gradient <- k_gradients(loss, kernel)[[1]]
  curvature <- k_gradients(k_sum(gradient), kernel)[[1]]
  f <- k_function(input, list(gradient, curvature))
  # Windows do not overlap: y = x k, so the derivatives are k^2 / 2 sum(x^3) and k sum(x^3).
  k <- get_weights(layer)[[1]]
  expect_equal(f(list(x)), list(k^2 / 2 * sum(x^3), k * sum(x^3)))
})

test_that("what does not depend has gradient zero", {
  v <- k_variable(c(1, 2))
  other <- k_variable(matrix(1, 2, 2))
  g <- k_gradients(k_sum(v * 2), list(v, other))
  expect_equal(lapply(g, k_eval), list(c(2, 2), matrix(0, 2, 2)))
  expect_equal(k_eval(k_gradients(k_sum(k_stop_gradient(v) * v), v)[[1]]), c(1, 2))
})

test_that("constants become R vectors and matrices", {
  x <- matrix(c(0.5, 2.5, -1, 0), 2)
  expect_identical(as.matrix(k_constant(x)), x)
  expect_identical(as.matrix(k_constant(1:3)), matrix(c(1, 2, 3)))
  expect_identical(as.integer(k_argmax(k_constant(x))), c(0L, 0L))
  expect_identical(as.logical(k_constant(x) > 0), c(TRUE, TRUE, FALSE, FALSE))
  expect_identical(as.numeric(k_constant(x)), c(x))
})
