some_history <- function(epochs = 12, done = epochs, ...) {
  at <- seq_len(done)
  new_history(
    utils::modifyList(list(batch_size = 128L, epochs = epochs, samples = 48000L, validation_samples = 12000L,
      do_validation = TRUE, metrics = c("loss", "accuracy", "val_loss", "val_accuracy")), list(...)),
    list(loss = 2 / at, accuracy = 1 - 0.5 / at, val_loss = 2.5 / at, val_accuracy = 0.98 - 0.5 / at)
  )
}

test_that("print says how long training took and where it ended", {
  expect_snapshot({
    some_history()
    some_history(done = 5)
    some_history(done = 3, interrupted = TRUE)
    some_history(done = 0, interrupted = TRUE)
    some_history(epochs = 8, done = 4, initial_epoch = 4L)
    new_history(list(batch_size = 32L, epochs = 1L, samples = 100L, do_validation = FALSE), list(loss = 123456.789))
  })
})

test_that("print returns its argument, invisibly", {
  history <- some_history()
  capture.output(shown <- withVisible(print(history)))
  expect_identical(shown, list(value = history, visible = FALSE))
})

test_that("a data frame has one row for each value", {
  data <- as.data.frame(some_history(epochs = 3))
  expect_identical(names(data), c("epoch", "value", "metric", "data"))
  expect_identical(data$epoch, rep(1:3, 4))
  expect_identical(data$value, unlist(some_history(epochs = 3)$metrics, use.names = FALSE))
  expect_identical(data$metric, factor(rep(c("loss", "accuracy", "loss", "accuracy"), each = 3), c("loss", "accuracy")))
  expect_identical(data$data, factor(rep(c("training", "validation"), each = 6)))
})

test_that("epochs that did not take place are NA", {
  stopped <- as.data.frame(some_history(epochs = 5, done = 2))
  expect_identical(stopped$epoch[stopped$metric == "loss" & stopped$data == "training"], 1:5)
  expect_identical(stopped$value[1:5], c(2, 1, NA, NA, NA))

  resumed <- as.data.frame(some_history(epochs = 5, done = 2, initial_epoch = 3L))
  expect_identical(resumed$value[1:5], c(NA, NA, NA, 2, 1))

  none <- as.data.frame(new_history(list(epochs = 2L, metrics = character()), list()))
  expect_identical(dim(none), c(0L, 4L))
})

test_that("values that callbacks left are no curves", {
  history <- some_history(epochs = 2)
  history$metrics$lr <- c(0.1, 0.01)
  expect_identical(levels(as.data.frame(history)$metric), c("loss", "accuracy"))
})

test_that("ggplot2 draws each metric in a panel of its own", {
  skip_if_not_installed("ggplot2")
  history <- some_history(epochs = 5)
  plot <- plot(history)
  expect_s3_class(plot, "ggplot")
  built <- ggplot2::ggplot_build(plot)
  expect_identical(nrow(built$layout$layout), 2L)
  expect_identical(nrow(built$data[[2]]), 20L)
  expect_identical(nrow(ggplot2::ggplot_build(plot(history, metrics = "val_loss", theme_bw = TRUE))$layout$layout), 1L)

  layers <- function(...) vapply(plot(some_history(...))$layers, function(l) class(l$geom)[1], "")
  expect_identical(layers(epochs = 1), "GeomPoint")
  expect_identical(layers(epochs = 9), c("GeomLine", "GeomPoint"))
  expect_identical(layers(epochs = 10), c("GeomSmooth", "GeomPoint"))
})

test_that("base graphics draw and leave the device as it was", {
  withr::local_pdf(NULL)
  before <- graphics::par(no.readonly = TRUE)
  for (done in c(1, 6, 12)) expect_invisible(plot(some_history(done = done), method = "base"))
  expect_null(plot(some_history(), metrics = "accuracy", method = "base", smooth = FALSE, bg = "white"))
  after <- graphics::par(no.readonly = TRUE)
  expect_identical(after[c("mfrow", "mar", "oma", "mgp", "cex")], before[c("mfrow", "mar", "oma", "mgp", "cex")])
})

test_that("values that are not finite are left out of a picture", {
  withr::local_pdf(NULL)
  history <- some_history(epochs = 3)
  history$metrics$loss <- c(1, NaN, Inf)
  history$metrics$val_loss <- c(NaN, NaN, NaN)
  expect_silent(plot(history, method = "base"))
})

test_that("what cannot be drawn is refused", {
  expect_snapshot_errors({
    plot(some_history(), metrics = "acuracy")
    plot(some_history(done = 0))
  })
})

test_that("plot() leaves out what is not finite, and refuses what it cannot draw", {
  history <- some_history(epochs = 3)
  history$metrics[] <- lapply(history$metrics, function(values) c(1, Inf, NaN))
  withr::local_pdf(NULL)
  expect_no_warning(plot(history, method = "base"))
  history$metrics[] <- lapply(history$metrics, function(values) rep(Inf, 3))
  expect_error(plot(history, method = "base"), class = "convnet_error_argument")
  expect_error(plot(history, method = "lattice"), class = "convnet_error_argument")
  expect_error(plot(some_history(), method = "base", smooth = "a"), class = "convnet_error_argument")
})
