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
  for (name in c("abs", "sign", "exp", "expm1", "floor", "ceiling", "cos", "sin", "tanh", "round")) {
    f <- match.fun(name)
    expect_equal(k_get_value(f(x)), f(a), label = name)
  }
  y <- k_constant(abs(a))
  for (name in c("sqrt", "log", "log1p", "log2", "log10")) {
    f <- match.fun(name)
    expect_equal(k_get_value(f(y)), f(abs(a)), label = name)
  }
  expect_equal(k_get_value(log(y, base = 3)), log(abs(a), 3))
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
    cumsum(k_constant(1:3))
    round(k_constant(1.25), 1)
  })
  expect_error(k_constant(1:2) + k_constant(1:3), class = "convnet_error_shape")
  expect_error(k_constant(1) + k_constant(1, "float64"), class = "convnet_error_dtype")
})

test_that("tensor functions and their gradients are Keras's", {
  golden <- goldens("ops")
  local_float64()
  for (case in golden$ops) {
    if (!exists(case$fn, envir = asNamespace("convnet"))) next
    f <- get(case$fn, envir = asNamespace("convnet"))
    args <- golden_args(case$args[setdiff(names(case$args), c("list", "note", "greater_than"))])
    x <- lapply(case$x, golden$read)
    if (case$fn == "k_gather") x[[2]] <- x[[2]] + 1
    in_list <- function(x) if (isTRUE(case$args$list)) list(x) else x
    name <- paste(case$fn, paste(deparse(args), collapse = ""))
    y <- do.call(f, c(in_list(x), args))
    expect_close(y, golden$read(case$y), label = name)
    expect_identical(as.integer(y$shape), as.integer(unlist(case$y$shape)), label = name)
    indices <- case$fn %in% c("k_gather", "k_sparse_categorical_crossentropy")
    if (is.null(case$g) || indices) next
    variables <- lapply(x, k_variable)
    loss <- k_sum(do.call(f, c(in_list(variables), args)) * golden$read(case$g))
    gradients <- k_gradients(loss, variables)
    for (i in seq_along(case$grad_x)) {
      expect_close(gradients[[i]], golden$read(case$grad_x[[i]]), label = name)
    }
  }
})
