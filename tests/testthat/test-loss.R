y_true <- rbind(c(0, 1, 0), c(1, 0, 0))
y_pred <- rbind(c(0.2, 0.7, 0.1), c(0.3, 0.5, 0.2))

test_that("losses have their values", {
  local_float64()
  expect_loss <- function(loss, expected) {
    expect_close(loss(y_true, y_pred), expected)
  }
  e <- y_pred - y_true
  s <- 2 * y_true - 1
  expect_loss(loss_mean_squared_error, rowMeans(e^2))
  expect_loss(loss_mean_absolute_error, rowMeans(abs(e)))
  expect_loss(loss_mean_squared_logarithmic_error, rowMeans((log1p(y_pred) - log1p(y_true))^2))
  expect_loss(loss_huber, rowMeans(e^2 / 2))
  expect_loss(function(t, p) loss_huber(t, p, delta = 0.25),
              rowMeans(ifelse(abs(e) <= 0.25, e^2 / 2, 0.25 * abs(e) - 0.25^2 / 2)))
  expect_loss(loss_logcosh, rowMeans(log(cosh(e))))
  expect_loss(loss_poisson, rowMeans(y_pred - y_true * log(y_pred)))
  expect_loss(loss_binary_crossentropy, -rowMeans(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)))
  expect_loss(loss_categorical_crossentropy, -log(c(0.7, 0.3)))
  expect_loss(loss_kullback_leibler_divergence, -log(c(0.7, 0.3)))
  expect_loss(loss_hinge, rowMeans(pmax(1 - s * y_pred, 0)))
  expect_loss(loss_squared_hinge, rowMeans(pmax(1 - s * y_pred, 0)^2))
  expect_loss(loss_categorical_hinge, c(0.2 - 0.7 + 1, 0.5 - 0.3 + 1))
  expect_loss(loss_cosine_similarity, -c(0.7, 0.3) / sqrt(rowSums(y_pred^2)))
  expect_close(loss_mean_absolute_percentage_error(y_pred, y_true), 100 * rowMeans(abs(e / y_pred)), 1e-6)
  expect_close(loss_sparse_categorical_crossentropy(c(1, 0), y_pred), -log(c(0.7, 0.3)), 1e-6)
  expect_close(loss_sparse_categorical_crossentropy(matrix(c(1, 0)), y_pred), -log(c(0.7, 0.3)), 1e-6)
})

test_that("probabilities of 0 and 1 keep losses finite, in float32 too", {
  for (floatx in c("float32", "float64")) {
    k_set_floatx(floatx)
    withr::defer(k_set_floatx("float32"))
    for (loss in list(loss_binary_crossentropy, loss_categorical_crossentropy, loss_kullback_leibler_divergence)) {
      expect_true(all(is.finite(k_get_value(loss(rbind(c(0, 1)), rbind(c(1, 0)))))))
    }
  }
  expect_equal(as.vector(k_get_value(loss_binary_crossentropy(matrix(1), matrix(800), from_logits = TRUE))), 0)
  expect_equal(as.vector(k_get_value(loss_logcosh(matrix(0), matrix(1000)))), 1000 - log(2), tolerance = 1e-6)
})

test_that("a vector fits one unit, a single number everything", {
  expect_close(loss_mean_squared_error(c(1, 2), matrix(c(1, 4))), c(0, 4))
  expect_close(loss_mean_squared_error(matrix(c(1, 2)), c(1, 4)), 2)
  expect_close(loss_mean_squared_error(0, matrix(c(1, 4))), c(1, 16))
  expect_error(loss_mean_squared_error(c(1, 2), matrix(0, 2, 3)), class = "convnet_error_shape")
  expect_error(loss_mean_squared_error(matrix(0, 2, 1), matrix(0, 2, 3)), class = "convnet_error_shape")
})

test_that("losses are found by name, function and object", {
  expect_identical(get_loss("mse"), loss_mean_squared_error())
  expect_identical(get_loss("MeanSquaredError"), loss_mean_squared_error())
  expect_identical(loss_name(get_loss("kld")), "kullback_leibler_divergence")
  expect_identical(loss_name(get_loss("log_cosh")), "logcosh")
  expect_identical(loss_name(get_loss(loss_cosine_proximity)), "cosine_similarity")
  expect_identical(get_loss(loss_huber(delta = 2))$config, list(delta = 2))
  expect_true(is_builtin_loss(get_loss(loss_poisson)))
  own <- get_loss(function(y_true, y_pred) k_sum(y_true * y_pred))
  expect_false(is_builtin_loss(own))
  expect_equal(k_get_value(loss_per_sample(own, k_constant(2), k_constant(3))), 6)
  expect_snapshot(loss_huber(delta = 2))
})

test_that("losses refuse what makes no sense", {
  expect_snapshot_errors({
    get_loss("mean_sqared_error")
    get_loss(3)
    get_loss(NULL)
    loss_huber(delta = -1)
    loss_binary_crossentropy(label_smoothing = 2)
    loss_categorical_crossentropy(matrix(0:1), matrix(0.5, 2, 2))
    loss_mean_squared_error(matrix(0, 2, 3), matrix(0, 3, 2))
    loss_sparse_categorical_crossentropy(matrix(0, 2, 2), matrix(0, 2, 2))
    loss_per_sample(get_loss(function(y_true, y_pred) "none"), k_constant(1), k_constant(1))
  })
})

test_that("losses are Keras's", {
  golden <- goldens("training")
  for (floatx in c("float64", "float32")) {
    k_set_floatx(floatx)
    withr::defer(k_set_floatx("float32"))
    for (case in golden$losses) {
      f <- get(case$loss, envir = asNamespace("convnet"))
      values <- do.call(f, c(list(golden$read(case$y_true), golden$read(case$y_pred)), case$args))
      expect_close(values, golden$read(case$per_sample), label = paste(floatx, case$loss))
    }
  }
})
