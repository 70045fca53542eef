classifier <- function() {
  keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(8, kernel_size = 3, strides = 2, padding = "same", trainable = FALSE) %>%
    layer_batch_normalization() %>%
    layer_max_pooling_2d() %>%
    layer_conv_2d_transpose(4, kernel_size = 3) %>%
    layer_flatten() %>%
    layer_dense(10)
}

test_that("a block has the sizes, the kind and the words of its layer", {
  blocks <- model_blocks(classifier())
  expect_identical(
    vapply(blocks, function(b) b$kind, ""),
    c("input", "convolution", "normalization", "pooling", "transposed convolution", "other", "dense")
  )
  expect_identical(blocks[[2]]$size[c("rows", "columns", "channels")], list(rows = 14L, columns = 14, channels = 8L))
  expect_identical(blocks[[2]]$lines, c("Conv2D", shape_product(c(14, 14, 8)), "80 (frozen)"))
  expect_identical(blocks[[6]]$size$length, 324L)
  expect_identical(blocks[[7]]$lines, c("Dense", "10", "3,250 parameters"))
})

test_that("sizes follow the data format and the number of dimensions", {
  image <- block_size(c(3L, 32L, 16L), channels_first = TRUE)
  expect_identical(image[c("rows", "columns", "channels")], list(rows = 32L, columns = 16, channels = 3L))
  sequence <- block_size(c(20L, 5L), FALSE)
  expect_identical(sequence[c("rows", "columns", "channels")], list(rows = 20L, columns = 1, channels = 5L))
  volume <- block_size(c(4L, 10L, 9L, 2L), FALSE)
  expect_identical(volume$rows, 10L)
  expect_equal(volume$columns, 6)
})

test_that("larger outputs are larger blocks; unknown sizes are in the middle", {
  blocks <- scale_blocks(model_blocks(classifier()))
  height <- vapply(blocks, function(b) b$height, 0)
  expect_true(height[1] > height[2] && height[2] > height[4])
  expect_true(height[6] > height[7])
  expect_true(all(height > 0 & height <= 1))

  unknown <- scale_blocks(model_blocks(keras_model_sequential(input_shape = c(NA, NA, 3)) %>% layer_conv_2d(8, 3)))
  expect_identical(unknown[[2]]$height, 0.5)
  expect_true(unknown[[2]]$open)
})

test_that("every model can be drawn, on wide and narrow devices", {
  deep <- keras_model_sequential(input_shape = c(16, 16, 1))
  for (i in 1:20) deep %>% layer_conv_2d_transpose(2, kernel_size = 3, padding = "same")
  models <- list(
    classifier(), deep,
    keras_model_sequential(input_shape = 3) %>% layer_dense(1),
    keras_model_sequential() %>% layer_dense(1) %>% layer_dense(2)
  )
  for (size in list(c(7, 7), c(10, 3), c(3, 8))) {
    withr::local_pdf(NULL, width = size[1], height = size[2])
    before <- graphics::par("mar")
    for (model in models) expect_identical(withVisible(plot(model)), list(value = model, visible = FALSE))
    expect_silent(plot(models[[1]], main = "A title", labels = FALSE, legend = FALSE))
    expect_identical(graphics::par("mar"), before)
  }
})

test_that("blocks keep on the page, rows are used up", {
  withr::local_pdf(NULL, width = 7, height = 5)
  graphics::par(mar = c(0, 0, 0, 0))
  graphics::plot.new()
  blocks <- scale_blocks(model_blocks(classifier()))
  plan <- plan_rows(blocks, c(6.7, 4), labels = TRUE, cex = NULL)
  expect_gte(plan$per_row * round(4 / plan$height), length(blocks))
  expect_lte(max(vapply(blocks, function(b) extent(b)[1], 0)) * plan$unit, plan$slot)
  expect_lte(max(vapply(blocks, function(b) extent(b)[2], 0)) * plan$unit, plan$area)
})

test_that("a model without layers is refused", {
  k_clear_session()
  expect_snapshot_errors(plot(keras_model_sequential()))
})

test_that("a graph is drawn with an arrow for each connection", {
  x <- layer_input(c(8, 8, 2), name = "x")
  first <- layer_conv_2d(x, 2, 3, padding = "same", name = "first")
  model <- keras_model(x, first %>% layer_activation("tanh", name = "bent") %>% layer_add(first, x, name = "sum") %>% `*`(2))
  blocks <- model_blocks(model)
  expect_identical(vapply(blocks, function(b) b$title, ""), c("x", "first", "bent", "sum", "multiply"))
  expect_identical(model_links(model), list(c(1L, 2L), c(2L, 3L), c(3L, 4L), c(2L, 4L), c(1L, 4L), c(4L, 5L)))
  expect_null(model_links(keras_model(x, first)))
  expect_null(model_links(classifier()))
  file <- withr::local_tempfile(fileext = ".pdf")
  grDevices::pdf(file)
  plot(model)
  grDevices::dev.off()
  expect_gt(file.size(file), 1000)
})
