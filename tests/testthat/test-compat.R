test_that("what Keras scripts call to set up Python says why nothing is needed", {
  expect_message(install_keras(), "Nothing to install: .* neither Python nor TensorFlow")
  expect_message(install_keras(method = "conda", tensorflow = "gpu", envname = "r"), "Nothing to install")
  expect_message(use_implementation("tensorflow"), "No implementation to choose")
  expect_message(use_backend("theano"), "No backend to choose")
  expect_message(use_session_with_seed(1), "set.seed()", fixed = TRUE)
  expect_null(expect_invisible(suppressMessages(install_keras())))
  expect_true(is_keras_available())
  expect_true(is_keras_available("2.0.0"))
})

test_that("models become bytes and models again, compiled or not", {
  model <- small_line(optimizer = optimizer_sgd(0.1, momentum = 0.9), loss = "mse")
  x <- matrix(1:8 / 8, 4)
  fit(model, x, 1:4, epochs = 2, verbose = 0)
  bytes <- serialize_model(model)
  expect_type(bytes, "raw")
  same <- unserialize_model(bytes)
  expect_identical(predict(same, x), predict(model, x))
  for (one in list(model, same)) fit(one, x, 1:4, epochs = 1, verbose = 0, shuffle = FALSE)
  expect_identical(get_weights(same), get_weights(model))
  for (bare in list(unserialize_model(serialize_model(model, include_optimizer = FALSE)),
                    unserialize_model(serialize_model(model), compile = FALSE))) {
    expect_identical(predict(bare, x), predict(model, x))
    expect_error(fit(bare, x, 1:4), "has not been compiled")
  }
  expect_false(is.null(model$optimizer))
  expect_error(unserialize_model("bytes"), class = "convnet_error_argument")
  expect_error(unserialize_model(serialize(1, NULL)), class = "convnet_error_argument")
  expect_error(serialize_model(3), class = "convnet_error_argument")
})

test_that("use_session_with_seed() sets R's seed", {
  set.seed(42)
  expected <- runif(3)
  use_session_with_seed(42, disable_gpu = FALSE, disable_parallel_cpu = FALSE, quiet = TRUE)
  expect_identical(runif(3), expected)
  expect_silent(use_session_with_seed(42, quiet = TRUE))
  expect_snapshot_errors(use_session_with_seed("a"))
})

test_that("a tuple is a list", {
  expect_identical(as.list(unclass(tuple(1, "a", NULL))), list(1, "a", NULL))
  expect_identical(tuple(list(1, 2)), tuple(1, 2))
  expect_length(tuple(), 0)
  expect_true(is.list(tuple(3, 3)))
  expect_identical(unlist(tuple(3, 3)), c(3, 3))
  expect_output(print(tuple(28, 28, 1)), "tuple(28, 28, 1)", fixed = TRUE)
  expect_identical(
    format(tuple("same", NULL, c(1, 2), tuple(1, TRUE))), "tuple(\"same\", NULL, c(1, 2), tuple(1, TRUE))"
  )
})
