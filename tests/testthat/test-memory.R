# Resident memory of a process, in MB. It settles first: the workspace that models share and the allocator's reserves
# grow to a size that they keep; R's heap has its size from the start. A process of its own, because what earlier tests
# freed would hide a leak.

# MB that `code` adds when it runs `times` times, after `settle` times to let things settle: after the garbage collector
# was called, and before. `setup` runs once. Skips where it cannot be measured, on CRAN what is not `quick`.
growth <- function(setup, code, times, settle = times, quick = FALSE) {
  if (!quick) skip_on_cran()
  skip_if_not(file.exists("/proc/self/status"), "resident memory is read from /proc/self/status (Linux)")
  in_new_process(function(helpers, setup, code, times, settle) {
    library(convnet)
    for (name in names(helpers)) {
      environment(helpers[[name]]) <- globalenv()
      assign(name, helpers[[name]], globalenv())
    }
    resident <- function() {
      line <- grep("^VmRSS:", readLines("/proc/self/status"), value = TRUE)
      as.numeric(gsub("[^0-9]", "", line)) / 1024
    }
    repeat_it <- function(n) for (i in seq_len(n)) eval(code, globalenv())
    eval(setup, globalenv())
    repeat_it(settle)
    gc()
    before <- resident()
    repeat_it(times)
    after <- resident()
    gc()
    c(collected = resident(), waiting = after) - before
  }, mget(c("mixed_model", "some_images", "some_targets"), inherits = TRUE), substitute(setup), substitute(code), times,
  settle, env = c(R_NSIZE = "1200000", R_VSIZE = "64M"))
}

test_that("the measure sees a leak", {
  added <- growth(kept <- list(), kept[[length(kept) + 1]] <- numeric(25e3) + 1, 100, quick = TRUE)
  expect_gt(added[["collected"]], 15)
  expect_lt(added[["collected"]], 25)
})

test_that("building, training and forgetting models leaves nothing behind", {
  # Models or programs that stayed would take more than 100 KB a cycle.
  added <- growth({
    x <- some_images(16)
    y <- some_targets(16)
    cycle <- function() {
      model <- mixed_model()
      model %>% fit(x, y, epochs = 1, verbose = 0, validation_split = 0.25)
      evaluate(model, x, y, verbose = 0)
      rm(model)
    }
  }, {
    for (k in 1:10) cycle()
    gc()
  }, times = 12, settle = 6)
  expect_lt(added[["collected"]], 2)
})

test_that("predicting again and again leaves nothing behind", {
  added <- growth({
    model <- mixed_model()
    x <- some_images(1)
  }, predict(model, x), times = 10000, settle = 3000)
  expect_lt(added[["collected"]], 2)
})

test_that("batches of many sizes leave nothing behind", {
  added <- growth({
    model <- mixed_model()
    x <- some_images(40)
    y <- some_targets(40)
  }, for (n in 1:40) {
    predict(model, x[1:n, , , , drop = FALSE], batch_size = n)
    train_on_batch(model, x[1:n, , , , drop = FALSE], y[1:n, , , drop = FALSE])
  }, times = 12, settle = 4)
  expect_lt(added[["collected"]], 2)
})

test_that("data do not pile up until somebody calls gc()", {
  # 4 MB as float32 in each call; the garbage collector may be late, but not by all of them.
  calls <- list(
    quote(evaluate(model, x, y, verbose = 0)),
    quote(predict(model, x)),
    quote(train_on_batch(model, x, y)),
    quote(fit(model, x, y, epochs = 1, verbose = 0, validation_data = list(x, y))),
    quote(f(list(x))),
    quote(layer(x))
  )
  for (call in calls) {
    added <- eval(bquote(growth({
      model <- keras_model_sequential(input_shape = 1000) %>% layer_dense(1)
      model %>% compile("sgd", "mse")
      x <- matrix(0, 1000, 1000)
      y <- numeric(1000)
      input <- k_placeholder(shape = list(NULL, 1000))
      f <- k_function(list(input), k_sum(input))
      layer <- layer_dense(units = 1)
    }, .(call), 50, 10, quick = TRUE)))
    expect_lt(added[["waiting"]], 90, label = paste("MB left by", deparse(call)))
  }
})

test_that("errors leave nothing behind", {
  added <- growth({
    model <- keras_model_sequential(input_shape = 1000) %>% layer_dense(1)
    model %>% compile("sgd", "mse")
    x <- matrix(0, 1000, 1000)
    wrong <- x
    wrong[5] <- NA
    stops <- callback_lambda(on_epoch_end = function(epoch, logs) stop("enough"))
  }, {
    try(predict(model, wrong), silent = TRUE)
    try(fit(model, x, numeric(3), epochs = 1, verbose = 0), silent = TRUE)
    try(fit(model, x, numeric(1000), epochs = 1, verbose = 0, callbacks = list(stops)), silent = TRUE)
  }, 30, 5)
  expect_lt(added[["waiting"]], 60)
})

test_that("k_clear_session() gives the workspace back", {
  model <- keras_model_sequential(input_shape = c(64, 64, 1)) %>% layer_conv_2d(32, 3)
  x <- array(0, c(8, 64, 64, 1))
  before <- predict(model, x)
  expect_gt(convnet_info()$workspace, 1e6)
  k_clear_session()
  expect_identical(convnet_info()$workspace, 0)
  expect_identical(predict(model, x), before)
})
