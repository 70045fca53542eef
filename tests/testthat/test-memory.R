# Resident memory of the process, in MB. Tests that look at it let it settle first: R's heap, the workspace that models
# share and the allocator's own reserves grow to a size that they keep.

resident <- function() {
  line <- grep("^VmRSS:", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

skip_without_proc <- function() {
  skip_if_not(file.exists("/proc/self/status"), "resident memory is read from /proc/self/status (Linux)")
}

# MB that `code` adds when it runs `times` times, after as many to let things settle.
growth <- function(code, times, settle = times) {
  code <- substitute(code)
  frame <- parent.frame()
  repeat_it <- function(n) for (i in seq_len(n)) eval(code, frame)
  repeat_it(settle)
  gc()
  before <- resident()
  repeat_it(times)
  gc()
  resident() - before
}

test_that("the measure sees a leak", {
  skip_without_proc()
  kept <- list()
  expect_gt(growth(kept[[length(kept) + 1]] <- numeric(1e5) + 1, 50), 20)
})

test_that("building, training and forgetting models leaves nothing behind", {
  skip_on_cran()
  skip_without_proc()
  x <- some_images(16)
  y <- some_targets(16)
  # A model that stayed would take 60 KB, a plan or a dataset that stayed some KB.
  cycle <- function() {
    model <- mixed_model()
    model %>% fit(x, y, epochs = 1, verbose = 0, validation_split = 0.25)
    evaluate(model, x, y, verbose = 0)
    rm(model)
  }
  added <- growth({
    for (k in 1:10) cycle()
    gc()
  }, times = 15, settle = 6)
  expect_lt(added, 4)
})

test_that("predicting again and again leaves nothing behind", {
  skip_on_cran()
  skip_without_proc()
  model <- mixed_model()
  x <- some_images(1)
  expect_lt(growth(predict(model, x), times = 10000, settle = 3000), 3)
})

test_that("batches of many sizes leave nothing behind", {
  skip_on_cran()
  skip_without_proc()
  model <- mixed_model()
  x <- some_images(40)
  y <- some_targets(40)
  added <- growth(for (n in 1:40) {
    predict(model, x[1:n, , , , drop = FALSE], batch_size = n)
    train_on_batch(model, x[1:n, , , , drop = FALSE], y[1:n, , , drop = FALSE])
  }, times = 12, settle = 4)
  expect_lt(added, 4)
})

test_that("data do not pile up until somebody calls gc()", {
  skip_without_proc()
  model <- keras_model_sequential(input_shape = 1000) %>% layer_dense(1)
  model %>% compile("sgd", "mse")
  x <- matrix(0, 1000, 1000) # 4 MB as float32
  y <- numeric(1000)
  f <- local({
    input <- k_placeholder(shape = list(NULL, 1000))
    k_function(list(input), k_sum(input))
  })
  layer <- layer_activation(activation = "relu")
  # 40 times 4 MB in each; a third of that may wait for the garbage collector.
  expect_lt(growth(evaluate(model, x, y, verbose = 0), 40, 5), 60)
  expect_lt(growth(predict(model, x), 40, 5), 60)
  expect_lt(growth(train_on_batch(model, x, y), 40, 5), 60)
  expect_lt(growth(test_on_batch(model, x, y), 40, 5), 60)
  expect_lt(growth(fit(model, x, y, epochs = 1, verbose = 0, validation_data = list(x, y)), 20, 3), 60)
  expect_lt(growth(f(list(x)), 40, 5), 60)
})

test_that("errors leave nothing behind", {
  skip_on_cran()
  skip_without_proc()
  model <- keras_model_sequential(input_shape = 1000) %>% layer_dense(1)
  model %>% compile("sgd", "mse")
  x <- matrix(0, 1000, 1000)
  wrong <- x
  wrong[5] <- NA
  added <- growth({
    try(predict(model, wrong), silent = TRUE)
    try(fit(model, x, numeric(3), epochs = 1, verbose = 0), silent = TRUE)
    try(fit(model, x, numeric(1000), epochs = 1, verbose = 0,
            callbacks = list(callback_lambda(on_epoch_end = function(epoch, logs) stop("enough")))), silent = TRUE)
  }, 30, 5)
  expect_lt(added, 40)
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
