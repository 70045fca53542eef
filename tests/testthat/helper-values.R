expect_close <- function(x, expected, tolerance = 1e-5, label = NULL) {
  value <- if (inherits(x, "convnet_tensor")) k_get_value(x) else x
  scale <- max(1, abs(expected))
  testthat::expect_lte(max(abs(as.vector(value) - as.vector(expected))) / scale, tolerance, label = label)
}

# float64 until the end of the test.
local_float64 <- function(env = parent.frame()) {
  before <- k_set_floatx("float64")
  withr::defer(k_set_floatx(before), env)
}

gradient_of <- function(f, x) {
  x <- k_variable(x)
  k_eval(k_gradients(k_sum(f(x)), x)[[1]])
}
