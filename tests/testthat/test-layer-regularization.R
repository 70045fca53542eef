drawn <- function(layer, x, seed = 1) {
  set.seed(seed)
  k_get_value(layer(x, training = TRUE))
}

test_that("spatial dropout keeps or drops whole channels of a sample", {
  for (case in list(list(layer_spatial_dropout_1d(rate = 0.5), c(40, 3, 20)),
                    list(layer_spatial_dropout_2d(rate = 0.5), c(40, 3, 2, 20)),
                    list(layer_spatial_dropout_3d(rate = 0.5), c(40, 2, 1, 2, 20)))) {
    y <- drawn(case[[1]], array(1, case[[2]]))
    ends <- apply(y, c(1, length(dim(y))), range)
    expect_identical(ends[1, , ], ends[2, , ])
    expect_setequal(as.vector(ends), c(0, 2))
    expect_equal(mean(ends), 1, tolerance = 0.15)
  }
  first <- drawn(layer_spatial_dropout_2d(rate = 0.5, data_format = "channels_first"), array(1, c(4, 5, 3, 2)))
  expect_identical(apply(first, 1:2, max), apply(first, 1:2, min))
})

test_that("alpha dropout keeps mean and variance", {
  x <- matrix(some_values(60000) * 0, 300)
  set.seed(2)
  x[] <- rnorm(length(x))
  y <- drawn(layer_alpha_dropout(rate = 0.3), x)
  expect_equal(mean(y), 0, tolerance = 0.02)
  expect_equal(var(as.vector(y)), 1, tolerance = 0.03)
  # y = a x' + b, x' being x or SELU's limit.
  limit <- -1.6732632423543772 * 1.0507009873554805
  a <- ((1 - 0.3) * (1 + 0.3 * limit^2))^-0.5
  dropped <- abs(y - a * limit * (1 - 0.3)) < 1e-5
  expect_equal(mean(dropped), 0.3, tolerance = 0.02)
  expect_equal(y[!dropped], a * x[!dropped] - a * limit * 0.3, tolerance = 1e-5)
})

test_that("Gaussian noise and dropout have the moments asked for", {
  x <- matrix(3, 300, 200)
  noise <- drawn(layer_gaussian_noise(stddev = 0.5), x) - x
  expect_equal(mean(noise), 0, tolerance = 0.01)
  expect_equal(sd(noise), 0.5, tolerance = 0.01)
  factors <- drawn(layer_gaussian_dropout(rate = 0.2), x) / x
  expect_equal(mean(factors), 1, tolerance = 0.01)
  expect_equal(var(as.vector(factors)), 0.2 / 0.8, tolerance = 0.02)
})

test_that("they are random in training only, and seeds decide", {
  x <- some_values(c(4, 3, 5))
  layers <- list(layer_spatial_dropout_1d, layer_alpha_dropout, layer_gaussian_dropout, layer_dropout,
                 function(rate, ...) layer_gaussian_noise(stddev = rate, ...))
  for (make in layers) {
    layer <- make(rate = 0.5)
    expect_equal(k_get_value(layer(x)), x, tolerance = 1e-6)
    expect_identical(drawn(layer, x), drawn(layer, x))
    expect_false(identical(drawn(layer, x), drawn(layer, x, seed = 2)))
    seeded <- make(rate = 0.5, seed = 7)
    expect_identical(drawn(seeded, x), drawn(seeded, x, seed = 2))
    expect_equal(drawn(make(rate = 0), x), x, tolerance = 1e-6)
  }
})

test_that("the output of a layer is penalised", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_activity_regularization(l1 = 0.1, l2 = 0.01)
  model %>% compile("sgd", "mse")
  x <- rbind(c(1, -2), c(3, 4))
  expect_equal(evaluate(model, x, x, verbose = 0)$loss, (0.1 * sum(abs(x)) + 0.01 * sum(x^2)) / 2, tolerance = 1e-6)
})

test_that("rates and weights out of range", {
  expect_snapshot_errors({
    layer_spatial_dropout_2d(rate = 1)
    layer_alpha_dropout(rate = -0.1)
    layer_gaussian_dropout(rate = "half")
    layer_gaussian_noise(stddev = -1)
    layer_gaussian_noise(stddev = 1, seed = 0.5)
    layer_activity_regularization(l1 = -1)
    layer_alpha_dropout(layer_input(3), rate = 0.5, noise_shape = c(NA, 1, 1))(matrix(1, 2, 3), training = TRUE)
  })
})
