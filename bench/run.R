# Speed and size, as a Markdown table:
#   Rscript bench/run.R
# CONVNET_BENCH_CYCLES sets the number of build-fit-forget cycles (1,000).

library(convnet)

cycles <- as.integer(Sys.getenv("CONVNET_BENCH_CYCLES", "1000"))
set.seed(1)

# Timing ---------------------------------------------------------------------------------------------------------------

# Median seconds of one call, each timing long enough for the clock.
seconds <- function(f, timings = 11, least = 0.05, typical = stats::median) {
  f()
  elapsed <- function(n) system.time(for (i in seq_len(n)) f(), gcFirst = FALSE)[["elapsed"]]
  n <- 1
  while ((once <- elapsed(n)) < least) n <- ceiling(n * max(2, least / max(once, 1e-3)))
  typical(replicate(timings, elapsed(n))) / n
}

# A step of fit() without what a call of fit() costs: the difference between many steps and few. Of the fastest
# timings: a difference of medians is mostly what else the machine was doing.
step_seconds <- function(model, x, y, batch_size, few, many) {
  run <- function(steps) {
    rows <- rep_len(seq_len(nrow(x)), batch_size * steps)
    x <- take(x, rows)
    y <- take(y, rows)
    function() fit(model, x, y, batch_size = batch_size, epochs = 1, verbose = 0, shuffle = FALSE)
  }
  fastest <- function(steps) seconds(run(steps), typical = min)
  (fastest(many) - fastest(few)) / (many - few)
}

take <- function(x, rows) if (length(dim(x)) == 4) x[rows, , , , drop = FALSE] else x[rows, , drop = FALSE]

time <- function(s) {
  if (s < 1e-3) sprintf("%.0f us", s * 1e6) else if (s < 1) sprintf("%.2f ms", s * 1e3) else sprintf("%.2f s", s)
}

# Models ---------------------------------------------------------------------------------------------------------------

# The model of demo/denoise.R.
denoiser <- function() {
  model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(16, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d(32, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d_transpose(32, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d_transpose(16, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d(1, kernel_size = 3, padding = "same", activation = "sigmoid")
  model %>% compile(optimizer = optimizer_adam(lr = 0.003), loss = "binary_crossentropy", metrics = "mse")
  model
}

dense_net <- function(inputs, units) {
  model <- keras_model_sequential(input_shape = inputs) %>%
    layer_dense(units, activation = "relu") %>%
    layer_dense(1)
  model %>% compile(optimizer = "adam", loss = "mse")
  model
}

results <- list()
report <- function(what, goal, measured) results[[length(results) + 1]] <<- c(what, goal, measured)

# Prediction and training ----------------------------------------------------------------------------------------------

image <- array(runif(320 * 28 * 28), c(320, 28, 28, 1))
table <- matrix(rnorm(320 * 64), 320)
target <- matrix(rnorm(320), 320)

# A net of two units has next to no arithmetic: what a step of it takes is overhead.
tiny <- dense_net(2, 2)
tiny_step <- step_seconds(tiny, table[, 1:2], target, 1, few = 500, many = 5000)
tiny_x <- matrix(0, 1, 2)
tiny_y <- matrix(0, 1, 1)
report("Training step without arithmetic (two units, batch 1) in `fit()`", "< 100 us", time(tiny_step))
report("The same as a call of `train_on_batch()`", "", time(seconds(function() train_on_batch(tiny, tiny_x, tiny_y))))
report("The same as a call of `predict()`", "", time(seconds(function() predict(tiny, tiny_x))))

dense <- dense_net(64, 64)
for (batch in c(1, 8, 32)) {
  step <- step_seconds(dense, table, target, batch, few = 500, many = 5000)
  report(sprintf("Training step in `fit()`: dense net 64-64-1, batch %d", batch), "", time(step))
}

model <- denoiser()
for (batch in c(1, 32)) {
  step <- step_seconds(model, image, image, batch, few = 10, many = 60)
  report(sprintf("Training step in `fit()`: demo model, batch %d", batch), "", time(step))
}

one <- take(image, 1)
report("`predict()` of one row through the demo model", "", time(seconds(function() predict(model, one))))
rm(image, table, target)

# Start ----------------------------------------------------------------------------------------------------------------

fresh <- '
  start <- proc.time()[["elapsed"]]
  suppressPackageStartupMessages(library(convnet))
  model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(16, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
    layer_conv_2d_transpose(1, kernel_size = 3, strides = 2, padding = "same")
  invisible(predict(model, array(0, c(1, 28, 28, 1))))
  cat(proc.time()[["elapsed"]] - start)
'
script <- tempfile(fileext = ".R")
writeLines(fresh, script)
rscript <- file.path(R.home("bin"), "Rscript")
starts <- replicate(5, as.numeric(system2(rscript, shQuote(script), stdout = TRUE)))
report("`library(convnet)`, a model and its first `predict()` in a fresh process", "< 1 s", time(stats::median(starts)))

# Size -----------------------------------------------------------------------------------------------------------------

megabytes <- function(bytes) sprintf("%.1f MB", bytes / 2^20)

files <- list.files(system.file(package = "convnet"), recursive = TRUE, full.names = TRUE)
report("Installed size", "< 20 MB", megabytes(sum(file.size(files))))

resident <- function() {
  line <- grep("^VmRSS:", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) * 1024
}

# How much the process grows while cycle() runs; the first tenth fills caches.
growth <- function(cycle, cycles) {
  for (i in seq_len(cycles %/% 10)) cycle()
  before <- resident()
  for (i in seq_len(cycles - cycles %/% 10)) cycle()
  sprintf("%+.1f MB of %s", (resident() - before) / 2^20, megabytes(before))
}

if (file.exists("/proc/self/status")) {
  x <- matrix(rnorm(64 * 16), 64)
  y <- matrix(rnorm(64), 64)
  cycle <- function() {
    model <- dense_net(16, 8)
    fit(model, x, y, epochs = 1, verbose = 0)
    rm(model)
    gc()
  }
  report(sprintf("Growth of resident memory, %s cycles of build, fit, rm, gc", format(cycles, big.mark = ",")), "none",
    growth(cycle, cycles))
  source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "workloads-models.R"))
  films <- workloads$W9$build()
  films$model %>% compile(optimizer = "adam", loss = films$loss)
  report("The same, 20 epochs of ConvLSTM, 10 frames 40x40, 40 filters", "none",
    growth(function() fit(films$model, films$x, films$y, epochs = 1, verbose = 0), 20))
}

# Table ----------------------------------------------------------------------------------------------------------------

cat("| What | Goal | Measured |\n|---|---|---|\n")
for (row in results) cat("| ", paste(row, collapse = " | "), " |\n", sep = "")
cat(sprintf("\nR %s, convnet %s, %s, %d cores\n", getRversion(), packageVersion("convnet"), R.version$platform,
  parallel::detectCores()))
