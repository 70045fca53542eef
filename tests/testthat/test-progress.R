run <- function(verbose, epochs = 2, ...) {
  progress <- new_progress(verbose, epochs, 48000, ...)
  for (epoch in seq_len(epochs %||% 1)) {
    progress$epoch_begin(epoch)
    progress$update(24000, list(loss = 1))
    progress$epoch_end(epoch, list(loss = 0.498, acc = 0.8238, val_loss = 4e-4, val_acc = 0), 7.2)
  }
  progress$end()
}

test_that("verbose = 2 writes a line an epoch", {
  expect_snapshot(run(2))
})

test_that("a step is a batch when their number is given", {
  expect_snapshot(run(2, epochs = 1, steps = 375))
  expect_snapshot(run(2, epochs = 1, steps = 5))
})

test_that("without epochs it counts samples", {
  expect_snapshot(run(2, epochs = NULL))
})

test_that("verbose = 0 is silent", {
  expect_silent(run(0))
})

test_that("verbose = 1 writes lines where the terminal cannot redraw", {
  withr::local_options(cli.dynamic = FALSE)
  expect_identical(capture.output(run(1)), capture.output(run(2)))

  withr::local_options(cli.dynamic = TRUE, knitr.in.progress = TRUE)
  expect_false(can_redraw())
  expect_identical(capture.output(run(1)), capture.output(run(2)))
})

test_that("the bar stays out of what is captured", {
  withr::local_options(cli.dynamic = TRUE, cli.progress_show_after = 0, knitr.in.progress = NULL)
  expect_true(can_redraw())
  suppressMessages(lines <- capture.output(run(1)))
  expect_identical(lines, capture.output(run(2)))
  expect_false(any(grepl("[\r\033]", lines)))
})

test_that("a bar is shown, and closed when training ends early", {
  withr::local_options(cli.dynamic = TRUE, cli.progress_show_after = 0)
  shown <- capture_messages({
    progress <- new_progress(1, 3, 100)
    progress$epoch_begin(1)
    progress$update(50, list(loss = 0.25))
    progress$end()
    progress$update(100, list(loss = 0.2))
    progress$end()
  })
  expect_match(paste(shown, collapse = ""), "Epoch 1/3 .* 50% ETA .* - loss: 0.2500")
})

test_that("numbers are written as Keras writes them", {
  expect_identical(
    format_logs(list(loss = 0.00100001, mse = 1e-3, acc = 0, mae = 12.34567, bad = NaN, off = -1e-5)),
    "loss: 0.0010 - mse: 1.0000e-03 - acc: 0.0000 - mae: 12.3457 - bad: NaN - off: -1.0000e-05"
  )
  expect_identical(format_logs(list()), character())
  expect_identical(vapply(c(2, 0.0123, 118e-6), format_step, ""), c("2s", "12ms", "118us"))
})
