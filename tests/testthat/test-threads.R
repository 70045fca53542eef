# Results may not depend on the number of threads: not by rounding, not at all.

# The last ones are above the number of cores of many machines; CRAN's own allow two.
counts <- if (identical(Sys.getenv("NOT_CRAN"), "true")) c(1, 2, 4, 7) else 1:2

# The value of `code` at each count, and the largest team that it called up.
at_each_count <- function(code) {
  code <- substitute(code)
  frame <- parent.frame()
  lapply(counts, function(count) {
    withr::local_options(convnet.threads = count)
    convnet_info() # from here on
    value <- eval(code, new.env(parent = frame))
    list(value = value, threads = convnet_info()$threads_used)
  })
}

# All values are identical, and the team was as large as it was to be: up to `most` where there are no more tasks.
expect_same_at_each_count <- function(code, most = Inf) {
  code <- substitute(code)
  results <- eval(substitute(at_each_count(code), list(code = code)), parent.frame())
  label <- paste(deparse(code, 60L)[[1]], "...")
  threads <- vapply(results, function(result) result$threads, 1L)
  expect_identical(as.double(threads), pmin(counts, most), label = paste("threads of", label))
  for (i in seq_along(counts)[-1]) {
    # Not expect_identical(): the difference of two models is long.
    expect_true(identical(results[[i]]$value, results[[1]]$value),
                label = sprintf("%s identical at %d threads", label, counts[[i]]))
  }
  invisible(results[[1]]$value)
}

# A limit of the environment is for the tests below, not for these.
without_limit <- function(frame = parent.frame()) withr::local_envvar(OMP_THREAD_LIMIT = NA, .local_envir = frame)

train_and_use <- function(optimizer, dtype = k_floatx()) {
  x <- some_images(48, 24)
  y <- some_targets(48)
  set.seed(11)
  model <- mixed_model(optimizer, filters = 16, size = 24, dtype = dtype)
  history <- model %>% fit(x, y, epochs = 2, batch_size = 20, verbose = 0, validation_split = 0.25)
  list(weights = get_weights(model), slots = model$optimizer$slots, metrics = history$metrics,
       predicted = predict(model, x), evaluated = evaluate(model, x, y, verbose = 0),
       seed = .Random.seed)
}

test_that("training, prediction and evaluation are identical at any number of threads", {
  without_limit()
  value <- expect_same_at_each_count(train_and_use(optimizer_adam(global_clipnorm = 0.5)))
  expect_true(all(is.finite(unlist(value$weights))))
  expect_gt(diff(range(value$predicted)), 0.01)
  expect_same_at_each_count(train_and_use(optimizer_rmsprop(momentum = 0.5, centered = TRUE, clipnorm = 0.1)))
})

test_that("so they are in float64", {
  without_limit()
  value <- expect_same_at_each_count(train_and_use(optimizer_sgd(0.01, momentum = 0.9, clipnorm = 0.01), "float64"))
  expect_true(all(is.finite(unlist(value$weights))))
  single <- train_and_use(optimizer_sgd(0.01, momentum = 0.9, clipnorm = 0.01))
  expect_equal(value$weights, single$weights, tolerance = 1e-3)
  expect_false(identical(value$weights, single$weights))
})

test_that("layers of different types train together", {
  # The regularizer of a float64 layer and the loss of a float32 output make one loss.
  x <- matrix(sin(1:40), 10)
  model <- keras_model_sequential(input_shape = 4) %>%
    layer_dense(3, dtype = "float64", kernel_initializer = "ones", kernel_regularizer = regularizer_l2(0.1)) %>%
    layer_dense(1, kernel_initializer = "ones")
  model %>% compile(optimizer_sgd(0), "mse")
  expect_equal(evaluate(model, x, rep(0, 10), verbose = 0)$loss, mean((3 * rowSums(x))^2) + 0.1 * 12, tolerance = 1e-6)
  expect_identical(vapply(model$weights, k_dtype, ""), rep(c("float64", "float32"), each = 2))
})

test_that("other geometries, data formats and regularizers make no difference", {
  without_limit()
  expect_same_at_each_count({
    set.seed(12)
    model <- keras_model_sequential(input_shape = c(6, 20, 20)) %>%
      layer_conv_2d(8, c(5, 3), strides = 2, groups = 2, data_format = "channels_first", activation = "elu") %>%
      layer_conv_2d_transpose(12, 4, strides = c(3, 2), data_format = "channels_first", activation = "selu") %>%
      layer_conv_2d(16, 3, dilation_rate = 2, data_format = "channels_first", activity_regularizer = "l2") %>%
      layer_batch_normalization(axis = 1) %>%
      layer_max_pooling_2d(3, strides = 2, data_format = "channels_first") %>%
      layer_flatten(data_format = "channels_first") %>%
      layer_dense(32, activation = "softmax", kernel_regularizer = "l1_l2") %>%
      layer_dropout(0.5) %>%
      layer_dense(1, activation = "sigmoid")
    model %>% compile("sgd", "binary_crossentropy", metrics = "accuracy")
    x <- array(sin(1:(32 * 6 * 400)), c(32, 6, 20, 20))
    history <- model %>% fit(x, rep(0:1, 16), epochs = 2, verbose = 0)
    list(get_weights(model), history$metrics, predict(model, x))
  })
})

test_that("reductions add up in one order", {
  without_limit()
  for (dtype in c("float32", "float64")) {
    wide <- k_constant(matrix(sin(1:600000) * 1e3, 600), dtype = dtype)
    for (axis in list(NULL, 1, 2)) {
      for (reduce in list(k_sum, k_mean, k_max, k_min, k_std)) {
        expect_same_at_each_count(k_get_value(reduce(wide, axis = axis)))
      }
    }
    expect_same_at_each_count(k_get_value(k_softmax(wide)))
    expect_same_at_each_count(k_get_value(k_dot(wide, k_transpose(wide))))
  }
})

test_that("gradients of first and second order are identical", {
  without_limit()
  x <- k_placeholder(shape = list(NULL, 16, 16, 8))
  layer <- layer_conv_2d_transpose(filters = 8, kernel_size = 3, strides = 2, padding = "same", activation = "tanh",
                                   kernel_initializer = initializer_random_normal(seed = 3))
  y <- layer(x)
  first <- k_gradients(k_sum(k_square(y)), list(x, layer$weights[[1]]))
  second <- k_gradients(k_sum(k_square(first[[2]])), x)
  f <- k_function(list(x), c(list(y), first, second))
  given <- array(cos(1:(16 * 2048)), c(16, 16, 16, 8))
  value <- expect_same_at_each_count(f(list(given)))
  expect_gt(max(abs(value[[4]])), 0)
})

test_that("arrays are converted the same way", {
  without_limit()
  x <- array(as.double(1:2e6) / 7, c(100, 20, 100, 10))
  value <- expect_same_at_each_count(as.array(k_constant(x, dtype = "float64") * 1))
  expect_identical(value, x)
})

test_that("the number of threads follows the option and the limit of the environment", {
  without_limit()
  threads <- function() convnet_info()$threads
  withr::local_options(convnet.threads = NULL)
  expect_true(threads() %in% 1:2)
  withr::local_options(convnet.threads = 5)
  expect_identical(threads(), 5L)
  withr::local_envvar(OMP_THREAD_LIMIT = "3")
  expect_identical(threads(), 3L)
  withr::local_options(convnet.threads = 2)
  expect_identical(threads(), 2L)
  withr::local_options(convnet.threads = 0)
  expect_error(convnet_info(), class = "convnet_error_argument")
  withr::local_options(convnet.threads = "many")
  expect_error(convnet_info(), class = "convnet_error_argument")
})

test_that("threads_used counts from one look to the next", {
  without_limit()
  withr::local_options(convnet.threads = 2)
  big <- k_constant(matrix(1, 500, 500))
  convnet_info()
  k_get_value(k_dot(big, big))
  expect_identical(convnet_info()$threads_used, 2L)
  expect_identical(convnet_info()$threads_used, 1L)
})
