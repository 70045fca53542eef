test_that("operators and functions agree with R's", {
  local_float64()
  a <- matrix(c(0.5, -1.5, 2, 3.25, -0.75, 1), 2)
  b <- matrix(c(2, 1.5, -2, 0.5, 4, 1), 2)
  x <- k_constant(a)
  for (op in c("+", "-", "*", "/", "%%", "%/%", "==", "!=", "<", "<=", ">", ">=")) {
    f <- match.fun(op)
    expect_equal(k_get_value(f(x, k_constant(b))), f(a, b), label = op)
    expect_equal(k_get_value(f(x, 2)), f(a, 2), label = op)
    expect_equal(k_get_value(f(2, x)), f(2, a), label = op)
    expect_equal(k_get_value(f(x, b)), f(a, b), label = op)
  }
  expect_equal(k_get_value(x^3), a^3)
  expect_equal(k_get_value(x^2), a^2)
  expect_equal(k_get_value(2^x), 2^a)
  expect_equal(k_get_value(-x), -a)
  expect_identical(+x, x)
  for (name in c("abs", "sign", "exp", "expm1", "floor", "ceiling", "cos", "sin", "tanh", "round", "trunc", "tan", "atan",
                 "sinh", "cosh", "asinh")) {
    f <- match.fun(name)
    expect_equal(k_get_value(f(x)), f(a), label = name)
  }
  y <- k_constant(abs(a))
  for (name in c("sqrt", "log", "log1p", "log2", "log10")) {
    f <- match.fun(name)
    expect_equal(k_get_value(f(y)), f(abs(a)), label = name)
  }
  expect_equal(k_get_value(log(y, base = 3)), log(abs(a), 3))
  part <- c(-1, -0.75, -1e-3, 0, 0.5, 1)
  for (name in c("asin", "acos", "atanh")) {
    f <- match.fun(name)
    expect_equal(as.vector(f(k_constant(part))), f(part), label = name)
  }
  expect_equal(as.vector(acosh(k_constant(c(1, 1.5, 20)))), acosh(c(1, 1.5, 20)))
  expect_equal(as.vector(asinh(k_constant(c(-1e9, 1e9)))), asinh(c(-1e9, 1e9)))
  expect_equal(gradient_of(asinh, c(-2, 0, 3)), 1 / sqrt(1 + c(4, 0, 9)))
  expect_equal(as.vector(cumsum(k_constant(c(1, 2, 4)))), c(1, 3, 7))
  expect_equal(as.vector(cumprod(k_constant(c(2, 3, 4)))), c(2, 6, 24))
})

test_that("R's summaries reduce tensors to one number", {
  local_float64()
  a <- matrix(c(0.5, -1.5, 2, 3.25, -0.75, 1), 2)
  x <- k_constant(a)
  for (name in c("sum", "prod", "mean", "max", "min")) {
    f <- match.fun(name)
    expect_equal(k_get_value(f(x)), f(a), label = name)
  }
  expect_equal(k_get_value(sum(x, k_constant(10), 5)), sum(a, 15))
  expect_equal(k_get_value(max(x, 4)), 4)
  expect_equal(as.vector(range(x)), range(a))
  expect_identical(k_get_value(any(x > 3)), TRUE)
  expect_identical(k_get_value(all(x > 3, x > -2)), FALSE)
  # Gradients are right where factors are 0.
  expect_equal(gradient_of(prod, c(2, 0, 5)), c(0, 10, 0))
  expect_equal(gradient_of(prod, c(0, 0, 5)), c(0, 0, 0))
  expect_equal(gradient_of(function(x) k_cumprod(x), c(2, 0, 5)), c(1, 2 + 10, 0))
})

test_that("truth values combine", {
  x <- k_constant(c(1, 2, 3))
  expect_identical(as.vector(k_get_value((x > 1) & (x < 3))), c(FALSE, TRUE, FALSE))
  expect_identical(as.vector(k_get_value((x < 2) | (x > 2))), c(TRUE, FALSE, TRUE))
  expect_identical(as.vector(k_get_value(!(x > 1))), c(TRUE, FALSE, FALSE))
  expect_equal(k_get_value(k_mean(x > 1)), 2 / 3, tolerance = 1e-6)
})

test_that("shapes broadcast from the last axis", {
  x <- matrix(1:6, 2)
  expect_equal(k_get_value(k_constant(x) + c(10, 20, 30)), x + rep(c(10, 20, 30), each = 2))
  expect_equal(k_get_value(k_constant(x) * k_constant(matrix(c(1, 2), 2))), x * c(1, 2))
})

test_that("reductions agree with R's", {
  local_float64()
  x <- array(rnorm(24), 2:4)
  reductions <- list(k_sum = sum, k_mean = mean, k_max = max, k_min = min,
                     k_var = function(v) mean((v - mean(v))^2), k_std = function(v) sqrt(mean((v - mean(v))^2)),
                     k_logsumexp = function(v) log(sum(exp(v))))
  for (name in names(reductions)) {
    f <- match.fun(name)
    r <- reductions[[name]]
    expect_equal(k_get_value(f(x)), r(x), label = name)
    expect_equal(as.vector(k_get_value(f(x, axis = 2))), as.vector(apply(x, c(1, 3), r)), label = name)
    expect_equal(as.vector(k_get_value(f(x, axis = c(1, -1)))), as.vector(apply(x, 2, r)), label = name)
    expect_identical(f(x, axis = 2, keepdims = TRUE)$shape, c(2L, 1L, 4L))
    expect_identical(f(x)$shape, integer())
  }
  expect_equal(as.vector(k_get_value(k_argmax(x, axis = 3))), as.vector(apply(x, 1:2, which.max)) - 1)
  expect_equal(k_get_value(k_logsumexp(c(1000, 1000))), 1000 + log(2))
  expect_equal(k_get_value(k_mean(1:4)), 2.5)
})

test_that("shapes change row by row", {
  x <- array(rnorm(24), 2:4)
  expect_identical(k_get_value(k_reshape(k_constant(x, "float64"), c(4, -1))), array_reshape(x, c(4, 6)))
  expect_identical(k_reshape(x, list(NULL, 12))$shape, c(2L, 12L))
  expect_identical(k_flatten(x)$shape, 24L)
  expect_identical(k_batch_flatten(x)$shape, c(2L, 12L))
  expect_identical(k_get_value(k_transpose(k_constant(x, "float64"))), aperm(x))
  expect_identical(k_get_value(k_permute_dimensions(k_constant(x, "float64"), c(3, 1, 2))), aperm(x, c(3, 1, 2)))
  expect_identical(k_expand_dims(x)$shape, c(2L, 3L, 4L, 1L))
  expect_identical(k_expand_dims(x, 1)$shape, c(1L, 2L, 3L, 4L))
  expect_identical(k_squeeze(array(0, c(2, 1, 3)), 2)$shape, c(2L, 3L))
  expect_identical(k_int_shape(x), shape(2, 3, 4))
  expect_identical(k_ndim(x), 3L)
  expect_identical(k_dtype(x), "float32")
})

test_that("unknown sizes stay unknown", {
  one <- k_placeholder(shape = list(NULL, 4, 3))
  expect_identical(k_batch_flatten(one)$shape, c(NA, 12L))
  expect_identical(k_reshape(one, c(-1, 2, 6))$shape, c(NA, 2L, 6L))
  several <- k_placeholder(shape = list(NULL, NULL, 3))
  expect_identical(k_expand_dims(several, 2)$shape, c(NA, 1L, NA, 3L))
  expect_identical(k_squeeze(k_expand_dims(several, 2), 2)$shape, c(NA, NA, 3L))
  value <- array(1:12, c(2, 2, 3))
  f <- k_function(list(several), list(k_expand_dims(several, 2)))
  expect_equal(f(list(value))[[1]], array(value, c(2, 1, 2, 3)))
})

test_that("tensors are joined, multiplied and picked from", {
  local_float64()
  a <- matrix(rnorm(6), 2)
  b <- matrix(rnorm(12), 3)
  expect_equal(k_get_value(k_dot(a, b)), a %*% b)
  x <- array(rnorm(24), 2:4)
  w <- matrix(rnorm(20), 4)
  expect_equal(k_get_value(k_dot(x, w)), array(matrix(x, 6) %*% w, c(2, 3, 5)))
  expect_equal(k_get_value(k_concatenate(list(a, a))), cbind(a, a))
  expect_equal(k_get_value(k_concatenate(list(a, a), axis = 1)), rbind(a, a))
  expect_equal(k_get_value(k_gather(b, c(3, 1))), b[c(3, 1), ])
  expect_equal(k_get_value(k_gather(b, k_constant(c(2, 0), "int32"))), b[c(3, 1), ])
  expect_equal(k_get_value(k_one_hot(c(0, 2), 3)), rbind(c(1, 0, 0), c(0, 0, 1)))
})

test_that("tensors are multiplied sample by sample, stacked and repeated", {
  local_float64()
  x <- array(rnorm(24), 2:4)
  y <- array(rnorm(40), c(2, 4, 5))
  expected <- aperm(array(vapply(1:2, function(n) x[n, , ] %*% y[n, , ], matrix(0, 3, 5)), c(3, 5, 2)), c(3, 1, 2))
  expect_equal(k_get_value(k_batch_dot(x, y)), expected)
  expect_equal(k_get_value(k_batch_dot(x, aperm(y, c(1, 3, 2)), 3)), expected)
  open <- lapply(list(x, y), function(a) k_placeholder(list(NULL, NULL, dim(a)[3])))
  expect_equal(k_function(open, k_batch_dot(open[[1]], open[[2]], c(3, 2)))(list(x, y))[[1]], expected)
  steps <- k_placeholder(list(NULL, NULL, 4))
  f <- k_function(steps, list(k_repeat_elements(steps, 2, 2), k_tile(steps, c(1, 3, 1)), k_reverse(steps, c(1, 2)),
                              k_prod(steps, c(1, 3)), k_stack(list(steps, -steps), 2)))
  expect_equal(f(x), list(x[, c(1, 1, 2, 2, 3, 3), ], x[, rep(1:3, 3), ], x[2:1, 3:1, ], apply(x, 2, prod),
                          aperm(array(c(x, -x), c(2:4, 2)), c(1, 4, 2, 3))))
  scores <- rbind(c(0.1, 0.5, 0.4), c(0.3, 0.3, 0.4))
  expect_identical(as.vector(k_get_value(k_in_top_k(scores, c(2, 0), 2))), c(TRUE, TRUE))
  expect_identical(as.vector(k_get_value(k_in_top_k(scores, c(0, 1), 1))), c(FALSE, FALSE))
})

test_that("training statistics normalize a batch", {
  local_float64()
  x <- array(rnorm(24), 2:4)
  made <- lapply(k_normalize_batch_in_training(x, 1:4, rep(0.5, 4), c(1, 2)), k_get_value)
  mean <- apply(x, 3, mean)
  var <- apply(x, 3, function(v) mean((v - mean(v))^2))
  expect_equal(as.vector(made[[2]]), mean)
  expect_equal(as.vector(made[[3]]), var)
  expect_equal(made[[1]], sweep(sweep(sweep(x, 3, mean), 3, sqrt(var + 1e-3), "/"), 3, 1:4, "*") + 0.5)
})

test_that("types are changed, values filled and gradients stopped", {
  expect_identical(k_get_value(k_cast(c(-1.5, 2.7), "int32")) + 0L, array(c(-1L, 2L)) + 0L, ignore_attr = TRUE)
  expect_identical(k_cast_to_floatx(1:3)$dtype, "float32")
  expect_identical(k_zeros_like(1:3, dtype = "int32")$dtype, "int32")
  expect_equal(k_get_value(k_ones_like(matrix(0, 2, 2))), matrix(1, 2, 2))
  expect_equal(as.vector(gradient_of(function(x) x * k_stop_gradient(x), c(2, 3))), c(2, 3))
  expect_equal(as.vector(gradient_of(function(x) k_identity(x) * 2, c(2, 3))), c(2, 2))
})

test_that("batch normalization takes vectors and lacking ones", {
  local_float64()
  x <- matrix(rnorm(12), 4)
  m <- colMeans(x)
  v <- c(1, 2, 3)
  expected <- sweep(sweep(x, 2, m), 2, sqrt(v + 1e-3), "/")
  expect_equal(k_get_value(k_batch_normalization(x, m, v)), expected)
  expect_equal(k_get_value(k_batch_normalization(x, m, v, beta = c(1, 1, 1), gamma = c(2, 2, 2))), 2 * expected + 1)
})

test_that("defaults of the session are set and checked", {
  before <- k_set_epsilon(1e-5)
  expect_identical(k_epsilon(), 1e-5)
  k_set_epsilon(before)
  expect_identical(k_set_image_data_format("channels_first"), "channels_last")
  expect_identical(k_image_data_format(), "channels_first")
  k_set_image_data_format("channels_last")
  expect_error(k_set_floatx("float16"), class = "convnet_error_argument")
  expect_error(k_set_epsilon(0), class = "convnet_error_argument")
  expect_identical(k_floatx(), "float32")
})

test_that("tensor functions refuse what makes no sense", {
  expect_snapshot_errors({
    k_sum(matrix(1, 2, 2), axis = 3)
    k_sum(matrix(1, 2, 2), axis = 0)
    k_mean(matrix(1, 2, 2), axis = c(1, -2))
    k_exp("a")
    k_exp(c(1, NA))
    k_reshape(1:6, c(-1, -1))
    k_permute_dimensions(matrix(1, 2, 2), c(1, 1))
    k_squeeze(matrix(1, 2, 2), 1)
    k_concatenate(list())
    k_cast(1, "complex")
    k_one_hot(0, num_classes = 0)
    k_dot(1, 2)
    cumsum(k_constant(matrix(1, 2, 2)))
    cummax(k_constant(1:3))
    k_batch_dot(1:2, matrix(1, 2, 2), 1)
    k_batch_dot(matrix(1, 2, 2), matrix(1, 2, 2), 1)
    k_repeat_elements(1:2, 0, 1)
    k_tile(matrix(1, 2, 2), c(1, 2, 3))
    k_reverse(1:3, 2)
    k_stack(list(1:2, 1:3))
    k_in_top_k(matrix(1, 2, 2), c(0, 1), 0)
    round(k_constant(1.25), 1)
  })
  expect_error(k_constant(1:2) + k_constant(1:3), class = "convnet_error_shape")
  expect_error(k_constant(1) + k_constant(1, "float64"), class = "convnet_error_dtype")
})
