test_that("an error has its parts, its classes and the user's call", {
  error <- tryCatch(layer_conv_2d_transpose(filters = 2, kernel_size = 3, strides = 2, output_padding = 2, name = "up"),
                    error = identity)
  expect_s3_class(error, c("convnet_error_argument", "convnet_error", "rlang_error"), exact = FALSE)
  expect_identical(error$where, "Layer \"up\" (Conv2DTranspose)")
  expect_identical(error$expected, "less than c(2, 2)")
  expect_identical(error$received, "c(2, 2)")
  expect_identical(as.character(conditionCall(error)[[1]]), "layer_conv_2d_transpose")
})

test_that("the headline, what was expected, what was received, the remedy", {
  shown <- function(...) conditionMessage(tryCatch(convnet:::abort_argument(...), error = identity))
  expect_snapshot(cat(
    shown("Something is wrong."), shown("Something is wrong.", expected = 1, received = 2, remedy = "Do it.", where = "Layer \"a\""),
    sep = "\n\n"
  ))
})

test_that("errors of the core are raised alike", {
  error <- tryCatch(k_constant(1:2) + k_constant(1:3), error = identity)
  expect_s3_class(error, "convnet_error_shape")
  expect_identical(error$received, "(2) and (3)")
  expect_s3_class(tryCatch(convnet:::emit("no_such_op", list(k_constant(1))), error = identity), "convnet_error_argument")
  expect_s3_class(tryCatch(k_constant(1:2) + k_constant(TRUE), error = identity), "convnet_error_dtype")
})

test_that("the name in messages is that of the innermost layer, and is gone afterwards", {
  outer <- keras_model_sequential(input_shape = c(4, 4, 1), name = "outer")
  inner <- keras_model_sequential(name = "inner") %>% layer_max_pooling_2d(5, name = "pool")
  error <- tryCatch(outer %>% inner(), error = identity)
  expect_identical(error$where, "Layer \"pool\" (MaxPooling2D)")
  expect_null(convnet:::the$where)
  expect_null(convnet:::the$trace)
  expect_null(tryCatch(k_constant("a"), error = identity)$where)
})

test_that("what a user's function raises is the parent", {
  model <- small_line(loss = function(y_true, y_pred) rlang::abort("no loss today", class = "my_error"))
  error <- tryCatch(fit(model, matrix(1, 2, 2), 1:2, verbose = 0), error = identity)
  expect_s3_class(error, "convnet_error_function")
  expect_s3_class(error$parent, "my_error")
  expect_match(conditionMessage(error), "no loss today", fixed = TRUE)
  expect_null(convnet:::the$trace)
})

test_that("suggestions are near, or there are none", {
  known <- c("relu", "sigmoid", "softmax")
  expect_identical(convnet:::suggest("rleu", known), "Did you mean \"relu\"?")
  expect_identical(convnet:::suggest("Softmaks", known), "Did you mean \"softmax\"?")
  expect_null(convnet:::suggest("convolution", known))
  expect_null(convnet:::suggest("a", character()))
})

test_that("things are described shortly", {
  expect_identical(
    vapply(list(NULL, 3, "a", NA, TRUE, 1:3, letters, list(1), iris, matrix(0, 2, 3), sum, new.env(), quote(x), factor("a"), NaN,
                k_constant(1:2), layer_dense(units = 1, name = "d"), strrep("long", 100)), convnet:::describe, ""),
    c("NULL", "3", "\"a\"", "NA", "TRUE", "an integer vector of length 3", "a character vector of length 26", "a list of length 1",
      "a data frame of dimensions (150, 5)", "an array of dimensions (2, 3)", "a function", "an environment", "an expression",
      "a factor of length 1", "NaN", "a tensor of shape (2,)", "Layer \"d\" (Dense)", paste0("\"", strrep("long", 15), "\""))
  )
})

test_that("a word of which no letter is right is no suggestion", {
  expect_null(convnet:::suggest("r2", c("ce", "mse")))
  expect_match(convnet:::suggest("acuracy", c("ce", "accuracy")), "accuracy")
})
