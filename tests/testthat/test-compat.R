test_that("what Keras scripts call to set up Python says why nothing is needed", {
  expect_snapshot({
    install_keras()
    install_keras(method = "conda", tensorflow = "gpu")
    use_implementation("tensorflow")
    use_backend("theano")
    use_session_with_seed(1)
    is_keras_available()
    is_keras_available("2.0.0")
  })
  expect_invisible(suppressMessages(install_keras()))
})

test_that("use_session_with_seed() sets R's seed", {
  set.seed(42)
  expected <- runif(3)
  use_session_with_seed(42, disable_gpu = FALSE, disable_parallel_cpu = FALSE, quiet = TRUE)
  expect_identical(runif(3), expected)
  expect_silent(use_session_with_seed(42, quiet = TRUE))
  expect_snapshot(error = TRUE, use_session_with_seed("a"))
})
