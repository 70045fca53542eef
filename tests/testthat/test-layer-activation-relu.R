values <- function(layer, x) as.vector(k_get_value(layer(x)))

test_that("activation layers have the values of their formulas", {
  x <- matrix(c(-2, -0.5, 0.5, 1, 3), 1)
  expect_equal(values(layer_activation_relu(max_value = 2, negative_slope = 0.1, threshold = 0.75), x),
               c(-0.275, -0.125, -0.025, 1, 2), tolerance = 1e-6)
  expect_equal(values(layer_activation_leaky_relu(), x), c(-0.6, -0.15, 0.5, 1, 3), tolerance = 1e-6)
  expect_equal(values(layer_activation_elu(alpha = 2), x), c(2 * expm1(c(-2, -0.5)), 0.5, 1, 3), tolerance = 1e-6)
  expect_equal(values(layer_activation_thresholded_relu(), x), c(0, 0, 0, 0, 3))
  expect_equal(values(layer_activation_selu(), x), values(layer_activation(activation = "selu"), x))
  expect_equal(values(layer_activation_softmax(), x), exp(as.vector(x)) / sum(exp(x)), tolerance = 1e-6)
  layer <- layer_activation_parametric_relu(weights = list(c(0.5, 1, 2, 2, 2)))
  expect_equal(values(layer, x), c(-1, -0.5, 0.5, 1, 3))
})

test_that("slopes are shared along the axes named", {
  layer <- layer_activation_parametric_relu(shared_axes = c(1, 2), alpha_initializer = "ones")
  layer(layer_input(list(NULL, NULL, 3)))
  expect_identical(get_weights(layer), list(array(1, c(1, 1, 3))))
})

test_that("arguments out of range", {
  k_reset_uids()
  expect_snapshot_errors({
    layer_activation_relu(max_value = -1)
    layer_activation_leaky_relu(alpha = NULL)
    layer_activation_elu(alpha = "a")
    layer_activation_thresholded_relu(theta = -1)
    layer_activation_softmax(layer_input(3), axis = 2)
    layer_activation_parametric_relu(layer_input(c(3, 4)), shared_axes = 3)
    layer_activation_parametric_relu(layer_input(list(NULL, 4)))
    layer_permute(dims = c(1, 1))
    layer_permute(layer_input(c(3, 4)), c(2, 1, 3))
    layer_repeat_vector(n = 0)
    layer_repeat_vector(layer_input(c(3, 4)), 2)
  })
})
