autoencoder <- function() {
  k_clear_session()
  keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(16, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
    layer_batch_normalization() %>%
    layer_conv_2d_transpose(16, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d_transpose(1, kernel_size = 3, padding = "same", activation = "sigmoid")
}

test_that("a model is a table in Keras's layout", {
  k_clear_session()
  model <- keras_model_sequential(input_shape = 784) %>%
    layer_dense(256, activation = "relu", name = "dense_1") %>%
    layer_dropout(0.4) %>%
    layer_dense(10, activation = "softmax", name = "dense_2")
  expect_snapshot(summary(model, line_length = 80))
})

test_that("columns give room to one another", {
  model <- autoencoder()
  expect_snapshot(summary(model, line_length = 80))
  expect_snapshot(summary(model, line_length = 100))
})

test_that("what does not fit is continued on the next line", {
  model <- autoencoder()
  expect_snapshot(summary(model, line_length = 50))
  expect_snapshot(summary(model, line_length = 80, positions = c(0.2, 0.4, 1)))
})

test_that("frozen layers have a column", {
  model <- autoencoder()
  freeze_weights(model, to = 1)
  expect_snapshot(summary(model, line_length = 80))
})

test_that("a model that is not built says so", {
  k_clear_session()
  model <- keras_model_sequential()
  expect_snapshot(summary(model, line_length = 80))
  model %>% layer_conv_2d_transpose(2, kernel_size = 3)
  expect_snapshot(summary(model, line_length = 80))
})

test_that("print, summary and format show the same", {
  model <- autoencoder()
  withr::local_options(width = 80)
  lines <- format(model)
  expect_identical(capture.output(print(model)), lines)
  expect_identical(capture.output(shown <- withVisible(summary(model))), lines)
  expect_identical(shown, list(value = lines, visible = FALSE))
  expect_true(all(nchar(lines[-1]) <= 80))
  expect_identical(capture.output(returned <- print(model)), lines)
  expect_identical(returned, model)
})

test_that("a layer is one line", {
  layers <- autoencoder()$layers
  layers[[1]]$trainable <- FALSE
  expect_snapshot({
    layers[[1]]
    layers[[3]]
    layer_dense(units = 3)
    layer_dense(units = 1, use_bias = FALSE, input_shape = 1)
  })
})

test_that("positions that do not describe the columns are refused", {
  model <- autoencoder()
  expect_snapshot_errors({
    summary(model, positions = c(0.5, 1))
    summary(model, positions = c(0.5, 0.4, 1))
  })
})

test_that("cells of several lines make rows of several lines", {
  table <- list(name = c("a", "b"), from = list(c("x[0][0]", "y[0][0]"), character()))
  expect_snapshot(cat(format_table(table, c(8L, 20L)), sep = "\n"))
})

# A shared layer, a merge, operations, a model inside.
joined <- function() {
  k_reset_uids()
  image <- layer_input(c(8, 8, 3), name = "image")
  extra <- layer_input(3, name = "extra")
  first <- image %>% layer_conv_2d(4, 3, padding = "same", activation = "relu")
  sum <- first %>% layer_conv_2d(4, 3, padding = "same") %>% layer_add(first)
  inner <- keras_model_sequential(input_shape = 3) %>% layer_dense(3, trainable = FALSE)
  both <- k_concatenate(list(layer_flatten(sum), inner(extra) * 2))
  head <- layer_dense(units = 2, name = "head")
  keras_model(list(image, extra), list(head(both), head(tanh(both))))
}

test_that("a graph that is no chain says what is connected to what", {
  model <- joined()
  expect_snapshot(summary(model, line_length = 90))
  x <- layer_input(3, name = "x")
  h <- layer_dense(x, 2, name = "h")
  lines <- function(...) format(keras_model(x, ...))
  expect_false(any(grepl("Connected", lines(h))))
  expect_false(any(grepl("Connected", lines(h * 2))))
  expect_true(any(grepl("Connected", lines(list(h * 2, h + 1)))))
  # A model has been called once before: on its own inputs.
  inner <- keras_model(x, h, name = "inner")
  y <- layer_input(2, name = "y")
  expect_true(any(grepl("inner[1][0]", format(keras_model(list(x, y), layer_add(inner(x), y))), fixed = TRUE)))
})
