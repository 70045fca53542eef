values_of <- function(init, shape) initializer_values(get_initializer(init), shape)

test_that("constant initializers fill the shape", {
  expect_identical(values_of("zeros", c(2, 3)), matrix(0, 2, 3))
  expect_identical(values_of("ones", 4), array(1, 4))
  expect_identical(values_of(initializer_constant(2.5), c(1, 2)), matrix(2.5, 1, 2))
  expect_identical(values_of(initializer_constant(matrix(1:4, 2)), c(2, 2)), matrix(as.double(1:4), 2))
  expect_identical(values_of("identity", c(2, 3)), rbind(c(1, 0, 0), c(0, 1, 0)))
  expect_identical(values_of(initializer_identity(gain = 3), c(2, 2)), diag(3, 2))
})

test_that("random initializers have their moments and bounds", {
  withr::local_seed(1)
  shape <- c(5, 5, 20, 40)
  sd_of <- function(init) sqrt(mean(values_of(init, shape)^2))
  fan_in <- 25 * 20
  fan_out <- 25 * 40
  expect_equal(sd_of("glorot_uniform"), sqrt(2 / (fan_in + fan_out)), tolerance = 0.02)
  expect_equal(sd_of("glorot_normal"), sqrt(2 / (fan_in + fan_out)), tolerance = 0.02)
  expect_equal(sd_of("he_normal"), sqrt(2 / fan_in), tolerance = 0.02)
  expect_equal(sd_of("he_uniform"), sqrt(2 / fan_in), tolerance = 0.02)
  expect_equal(sd_of("lecun_normal"), sqrt(1 / fan_in), tolerance = 0.02)
  expect_equal(sd_of("lecun_uniform"), sqrt(1 / fan_in), tolerance = 0.02)
  expect_equal(sd_of(initializer_variance_scaling(3, "fan_out", "untruncated_normal")), sqrt(3 / fan_out),
               tolerance = 0.02)
  expect_lte(max(abs(values_of("glorot_uniform", shape))), sqrt(6 / (fan_in + fan_out)))
  expect_lte(max(abs(values_of("he_normal", shape))), 2 * sqrt(2 / fan_in) / 0.8796 + 1e-4)
  expect_lte(max(abs(values_of(initializer_truncated_normal(1, 0.1), shape) - 1)), 0.2)
  expect_equal(mean(values_of(initializer_random_normal(3, 0.5), shape)), 3, tolerance = 0.01)
  expect_equal(range(values_of(initializer_random_uniform(-1, 2), shape)), c(-1, 2), tolerance = 0.01)
})

test_that("units are counted as Keras counts them", {
  expect_identical(fans(c(3, 3, 4, 8)), list(fan_in = 36, fan_out = 72))
  expect_identical(fans(c(7L, 9L)), list(fan_in = 7, fan_out = 9))
  expect_identical(fans(5L), list(fan_in = 5, fan_out = 5))
})

test_that("orthogonal matrices are orthogonal, in both directions", {
  for (shape in list(c(6, 3), c(3, 6), c(3, 3, 2, 5), c(2, 2, 1, 9))) {
    w <- matrix(values_of(initializer_orthogonal(gain = 2), shape), ncol = shape[length(shape)])
    product <- if (nrow(w) >= ncol(w)) crossprod(w) else tcrossprod(w)
    expect_equal(product, diag(4, nrow(product)))
  }
  # Without the correction of signs the first entry would have one sign.
  withr::local_seed(1)
  first <- replicate(50, values_of("orthogonal", c(3, 3))[1, 1])
  expect_gt(mean(first > 0), 0.2)
  expect_lt(mean(first > 0), 0.8)
})

test_that("set.seed() repeats; a seed of its own leaves R's random numbers alone", {
  withr::local_seed(1)
  a <- values_of("glorot_uniform", c(3, 4))
  set.seed(1)
  expect_identical(values_of("glorot_uniform", c(3, 4)), a)
  before <- .Random.seed
  b <- values_of(initializer_he_normal(seed = 7), c(3, 4))
  expect_identical(.Random.seed, before)
  expect_identical(values_of(initializer_he_normal(seed = 7), c(3, 4)), b)
  expect_false(identical(values_of(initializer_he_normal(seed = 8), c(3, 4)), b))
})

test_that("initializers are found by name, function and object", {
  expect_identical(get_initializer("GlorotUniform"), initializer_glorot_uniform())
  expect_identical(get_initializer("uniform"), initializer_random_uniform())
  expect_identical(get_initializer("Orthogonal"), initializer_orthogonal())
  expect_identical(get_initializer(initializer_ones), initializer_ones())
  expect_identical(get_initializer("zero"), initializer_zeros())
  counting <- function(shape) array(seq_len(prod(shape)), shape)
  expect_identical(values_of(counting, c(2, 2)), matrix(as.double(1:4), 2))
  expect_identical(values_of(function(shape, dtype) k_constant(array(2, shape)), c(1, 2)), matrix(2, 1, 2))
  expect_snapshot(initializer_random_normal(seed = 3))
})

test_that("initializers refuse what makes no sense", {
  expect_snapshot_errors({
    get_initializer("glorot_unifrom")
    get_initializer(3)
    initializer_random_normal(stddev = -1)
    initializer_random_uniform(minval = 1, maxval = 0)
    initializer_variance_scaling(mode = "fan")
    initializer_constant("a")
    initializer_he_normal(seed = "a")
    values_of("identity", c(2, 2, 2))
    values_of("orthogonal", 3)
    values_of(initializer_constant(1:3), c(2, 2))
    values_of(function(shape) 1:3, c(2, 2))
  })
})
