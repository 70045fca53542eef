test_that("levels of a factor are classes", {
  probabilities <- rbind(c(0.7, 0.2, 0.1), c(0.1, 0.8, 0.1), c(0.2, 0.2, 0.6))
  model <- keras_model_sequential(input_shape = 3) %>% layer_activation("linear")
  species <- factor(c("cat", "dog", "elk"))
  for (loss in c("categorical_crossentropy", "sparse_categorical_crossentropy")) {
    model %>% compile("sgd", loss, metrics = "accuracy")
    expect_equal(evaluate(model, probabilities, species, verbose = 0),
                 list(loss = -mean(log(c(0.7, 0.8, 0.6))), accuracy = 1), tolerance = 1e-6)
    # The levels count, not those that occur.
    expect_equal(evaluate(model, probabilities[2:3, ], species[2:3], verbose = 0)$accuracy, 1)
    expect_equal(evaluate(model, probabilities, factor(species, levels = c("elk", "dog", "cat")), verbose = 0)$accuracy, 1 / 3, tolerance = 1e-6)
  }
  binary <- keras_model_sequential(input_shape = 1) %>% layer_activation("linear")
  binary %>% compile("sgd", "binary_crossentropy")
  expect_equal(evaluate(binary, c(0.9, 0.2), factor(c("yes", "no"), levels = c("no", "yes")), verbose = 0)$loss,
               -mean(log(c(0.9, 0.8))), tolerance = 1e-6)
  expect_error(evaluate(binary, c(0.9, 0.2, 0.1), factor(1:3), verbose = 0), "more levels", class = "convnet_error_argument")
})

test_that("labels for each pixel", {
  model <- keras_model_sequential(input_shape = c(2, 2, 3)) %>% layer_activation("softmax")
  model %>% compile("sgd", "sparse_categorical_crossentropy")
  x <- array(0, c(2, 2, 2, 3))
  labels <- array(c(0, 1, 2, 0, 1, 2, 0, 1), c(2, 2, 2))
  expected <- list(loss = log(3))
  expect_equal(evaluate(model, x, labels, verbose = 0), expected, tolerance = 1e-6)
  expect_equal(evaluate(model, x, array(labels, c(2, 2, 2, 1)), verbose = 0), expected, tolerance = 1e-6)
  expect_error(evaluate(model, x, labels + 1, verbose = 0), "labels", class = "convnet_error_argument")
  expect_error(evaluate(model, x, labels[, , 1], verbose = 0), class = "convnet_error_shape")
  expect_error(fit(model, x, labels, class_weight = c(1, 1, 1), verbose = 0), "one class for each row", class = "convnet_error_argument")
})

test_that("weights of rows multiply", {
  target <- list(value = c(0, 1, 1), shape = c(3L, 1L))
  weights <- function(...) convnet:::row_weights(..., targets = list(target), n = 3, names = "out")[[1]]
  expect_null(weights(NULL, NULL))
  expect_identical(weights(c(1, 2, 3), NULL), c(1, 2, 3))
  expect_identical(weights(matrix(1:3), NULL), c(1, 2, 3))
  expect_identical(weights(NULL, list("0" = 2, "1" = 5)), c(2, 5, 5))
  expect_identical(weights(NULL, list("1" = 5, "0" = 2)), c(2, 5, 5))
  expect_identical(weights(c(1, 2, 3), c(2, 5)), c(2, 10, 15))
  one_hot <- list(value = rbind(c(0, 1), c(1, 0), c(0, 1)), shape = c(3L, 2L))
  expect_identical(convnet:::row_weights(NULL, c(2, 5), list(one_hot), 3, "out"), list(c(5, 2, 5)))
})

test_that("a custom loss takes targets of any shape", {
  model <- keras_model_sequential(input_shape = 3) %>% layer_activation("linear")
  model %>% compile("sgd", function(y_true, y_pred) k_sum(y_pred, axis = -1) * y_true)
  expect_equal(evaluate(model, rbind(1:3, 4:6), c(2, 4), verbose = 0)$loss, mean(outer(c(6, 15), c(2, 4))), tolerance = 1e-6)
})
