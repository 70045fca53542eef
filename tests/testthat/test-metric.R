y_true <- rbind(c(0, 1, 0), c(1, 0, 0))
y_pred <- rbind(c(0.2, 0.7, 0.1), c(0.3, 0.5, 0.2))

test_that("metrics have their values", {
  expect_close(metric_categorical_accuracy(y_true, y_pred), c(1, 0))
  expect_close(metric_sparse_categorical_accuracy(c(1, 0), y_pred), c(1, 0))
  expect_close(metric_sparse_categorical_accuracy(matrix(c(1, 0)), y_pred), c(1, 0))
  expect_close(metric_binary_accuracy(y_true, y_pred), c(1, 2 / 3))
  expect_close(metric_binary_accuracy(y_true, y_pred, threshold = 0.25), c(1, 2 / 3))
  expect_close(metric_binary_accuracy(c(0, 1), matrix(c(0.3, 0.4))), c(1, 0))
  expect_close(metric_top_k_categorical_accuracy(y_true, y_pred, k = 1), c(1, 0))
  expect_close(metric_top_k_categorical_accuracy(y_true, y_pred, k = 2), c(1, 1))
  expect_close(metric_sparse_top_k_categorical_accuracy(c(2, 0), y_pred, k = 2), c(0, 1))
  expect_close(metric_cosine_similarity(y_true, y_pred), -k_get_value(loss_cosine_similarity(y_true, y_pred)))
  for (name in c("mean_squared_error", "mean_absolute_error", "poisson", "hinge", "binary_crossentropy")) {
    expect_identical(k_get_value(member_function("metric_", name)(y_true, y_pred)),
                     k_get_value(member_function("loss_", name)(y_true, y_pred)), label = name)
  }
})

test_that("accuracy depends on the output and the loss", {
  kind <- function(name, units, loss) get_metric(name, c(NA, units), loss)$fn
  expect_identical(kind("accuracy", 1L, "mse"), "binary_accuracy")
  expect_identical(kind("acc", 10L, get_loss("binary_crossentropy")), "binary_accuracy")
  expect_identical(kind("accuracy", 10L, get_loss("categorical_crossentropy")), "categorical_accuracy")
  expect_identical(kind("accuracy", 10L, get_loss("sparse_categorical_crossentropy")), "sparse_categorical_accuracy")
  expect_identical(kind("accuracy", 10L, NULL), "categorical_accuracy")
  expect_identical(kind("ce", 10L, get_loss("sparse_categorical_crossentropy")), "sparse_categorical_crossentropy")
})

test_that("metrics keep the name that the user gave", {
  name <- function(x) get_metric(x, c(NA, 3L), NULL)$name
  expect_identical(name("acc"), "acc")
  expect_identical(name("accuracy"), "accuracy")
  expect_identical(name("mae"), "mae")
  expect_identical(name(metric_mean_absolute_error), "mean_absolute_error")
  expect_identical(name(metric_cosine_proximity), "cosine_proximity")
  expect_identical(name(loss_poisson), "poisson")
  expect_identical(name(metric_binary_accuracy(name = "hits")), "hits")
  expect_identical(name(list(error = function(y_true, y_pred) k_mean(y_true - y_pred))), "error")
  expect_identical(name(custom_metric("mine", function(y_true, y_pred) y_pred)), "mine")
  expect_identical(name(function(y_true, y_pred) y_pred), "custom_metric")
  expect_identical(get_metric("mae", c(NA, 1L), NULL)$fn, "mean_absolute_error")
  expect_snapshot(metric_binary_accuracy())
})

test_that("a metric of one's own is a function of tensors", {
  worst <- custom_metric("worst", function(y_true, y_pred) k_max(k_abs(y_true - y_pred)))
  metric <- get_metric(worst, c(NA, 3L), NULL)
  expect_close(metric_per_sample(metric, k_constant(y_true), k_constant(y_pred)), 0.7)
})

test_that("metrics refuse what makes no sense", {
  expect_snapshot_errors({
    get_metric("acuracy", c(NA, 1L), NULL)
    get_metric(3, c(NA, 1L), NULL)
    custom_metric("mine", "mse")
    custom_metric(3, mean)
    metric_top_k_categorical_accuracy(k = 0)
    metric_mean_squared_error(matrix(0, 2, 3), matrix(0, 3, 2))
    metric_per_sample(get_metric(function(y_true, y_pred) NULL, c(NA, 1L), NULL), k_constant(1), k_constant(1))
  })
})

test_that("metrics are Keras's", {
  golden <- goldens("training")
  local_float64()
  # Keras computed the top-k case with k = 2.
  args <- list(metric_top_k_categorical_accuracy = list(k = 2))
  found <- 0
  for (case in golden$metrics) {
    f <- get0(case$metric, envir = asNamespace("convnet"))
    if (is.null(f)) next
    found <- found + 1
    values <- do.call(f, c(list(golden$read(case$y_true), golden$read(case$y_pred)),
                           args[[case$metric]]))
    expect_equal(mean(k_get_value(values)), case$result, tolerance = 1e-6, label = case$metric)
  }
  expect_gte(found, 6)
})
