# Whole models beside PyTorch: a training step in fit(), predict() of one row and of a batch, as a table in
# bench/results-workloads.md:
#   Rscript bench/workloads.R [--only W1,W3] [--rounds 7] [--threads 1,2] [--steps 4] [--quick]
#                             [--output bench/results-workloads.md]
# Peers take turns, one timing each a round; bench/README.md says how the table is to be read.

suppressPackageStartupMessages(library(convnet))
file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
Sys.setenv(CONVNET_BENCH_ROOT = normalizePath(file.path(dirname(file), "..")))
source(file.path(dirname(file), "peers.R"))

options <- options_of(commandArgs(trailingOnly = TRUE), list(only = "", rounds = 7, threads = "1,2", steps = 4,
  quick = FALSE, output = file.path(root, "bench", "results-workloads.md")), quick = list(rounds = 3, threads = "1", steps = 2))

# Workloads -----------------------------------------------------------------------------------------------------------

random <- function(...) array(stats::runif(prod(...)), c(...))
leaky <- function(x) activation_relu(x, alpha = 0.3)

workloads <- list(
  W1 = list(title = "mnist_cnn, batch 128", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(32, 3, activation = "relu") %>%
      layer_conv_2d(64, 3, activation = "relu") %>%
      layer_max_pooling_2d(2) %>%
      layer_dropout(0.25) %>%
      layer_flatten() %>%
      layer_dense(128, activation = "relu") %>%
      layer_dropout(0.5) %>%
      layer_dense(10, activation = "softmax")
    list(model = model, loss = "categorical_crossentropy", x = random(c(128, 28, 28, 1)),
      y = diag(10)[sample(10, 128, replace = TRUE), ])
  }),
  W2 = list(title = "convolutional autoencoder, batch 128", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(32, 3, padding = "same", activation = "relu") %>%
      layer_max_pooling_2d(2, padding = "same") %>%
      layer_conv_2d(32, 3, padding = "same", activation = "relu") %>%
      layer_max_pooling_2d(2, padding = "same") %>%
      layer_conv_2d_transpose(32, 3, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(32, 3, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(1, 3, padding = "same", activation = "sigmoid")
    list(model = model, loss = "binary_crossentropy", x = random(c(128, 28, 28, 1)), y = round(random(c(128, 28, 28, 1))))
  }),
  W3 = list(title = "DCGAN generator 32x32, batch 64", build = function() {
    model <- keras_model_sequential(input_shape = 100) %>%
      layer_dense(4 * 4 * 256, use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_reshape(c(4, 4, 256)) %>%
      layer_conv_2d_transpose(128, 5, strides = 2, padding = "same", use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_conv_2d_transpose(64, 5, strides = 2, padding = "same", use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation(leaky) %>%
      layer_conv_2d_transpose(3, 5, strides = 2, padding = "same", use_bias = FALSE, activation = "tanh")
    list(model = model, loss = "mse", x = random(c(64, 100)), y = random(c(64, 32, 32, 3)))
  }),
  W5 = list(title = "deconvolutional VAE's encoder and decoder, batch 100", build = function() {
    model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
      layer_conv_2d(1, 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 2, strides = 2, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 3, padding = "same", activation = "relu") %>%
      layer_flatten() %>%
      layer_dense(128, activation = "relu") %>%
      layer_dense(2) %>%
      layer_dense(128, activation = "relu") %>%
      layer_dense(64 * 14 * 14, activation = "relu") %>%
      layer_reshape(c(14, 14, 64)) %>%
      layer_conv_2d_transpose(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d_transpose(64, 3, strides = 2, activation = "relu") %>%
      layer_conv_2d(1, 2, activation = "sigmoid")
    list(model = model, loss = "binary_crossentropy", x = random(c(100, 28, 28, 1)), y = round(random(c(100, 28, 28, 1))))
  }),
  W7 = list(title = "FSRCNN x3, batch 16", build = function() {
    model <- keras_model_sequential(input_shape = c(32, 32, 1)) %>%
      layer_conv_2d(56, 5, padding = "same", activation = "relu") %>%
      layer_conv_2d(12, 1, activation = "relu")
    for (i in 1:4) model %>% layer_conv_2d(12, 3, padding = "same", activation = "relu")
    model %>%
      layer_conv_2d(56, 1, activation = "relu") %>%
      layer_conv_2d_transpose(1, 9, strides = 3, padding = "same")
    list(model = model, loss = "mse", x = random(c(16, 32, 32, 1)), y = random(c(16, 96, 96, 1)))
  })
)
missing_workloads <- c(W4 = "U-Net: layer_concatenate, keras_model()", W6 = "ConvLSTM2D: layer_conv_lstm_2d, layer_conv_3d",
  W8 = "imdb_cnn: layer_embedding, layer_conv_1d, layer_global_max_pooling_1d")
if (nzchar(options$only)) workloads <- workloads[strsplit(options$only, ",", fixed = TRUE)[[1]]]

# Multiply-adds that cannot be saved, times two, of one row's way through the model: of convolutions and dense layers.
flop <- function(model) {
  of <- vapply(model$layers, function(layer) {
    weights <- layer$get_weights()
    if (length(weights) == 0 || length(dim(weights[[1]])) < 2) return(0)
    kernel <- dim(weights[[1]])
    positions <- function(shape) prod(unlist(shape)[-c(1, length(shape))])
    transposed <- grepl("transpose", layer$name)
    2 * prod(kernel) * if (length(kernel) == 2) 1 else positions(if (transposed) layer$input_shape else layer$output_shape)
  }, 0)
  arithmetic <- of[of > 0]
  # Backward once more for the weights and once more for the data, but for the first layer.
  list(forward = sum(arithmetic), step = 3 * sum(arithmetic) - arithmetic[1])
}

rows_of <- function(x, rows) {
  if (length(dim(x)) == 2) x[rows, , drop = FALSE] else x[rows, , , , drop = FALSE]
}

# Peers ---------------------------------------------------------------------------------------------------------------

# By Sys.time(), which counts microseconds where system.time() counts milliseconds.
seconds <- function(f, calls) {
  start <- Sys.time()
  for (i in seq_len(calls)) f()
  as.numeric(Sys.time() - start, units = "secs") / calls
}

# The three timings of this package.
ours <- function(name) {
  set.seed(1)
  w <- workloads[[name]]$build()
  model <- w$model
  model %>% compile(optimizer = "adam", loss = w$loss)
  batch <- nrow(w$x)
  rows <- rep(seq_len(batch), options$steps)
  x <- rows_of(w$x, rows)
  y <- rows_of(w$y, rows)
  one <- rows_of(w$x, 1)
  list(flop = lapply(flop(model), function(f) f * batch), parameters = count_params(model),
    step = function() seconds(function() fit(model, x, y, batch_size = batch, epochs = 1, verbose = 0), 1) / options$steps,
    predict1 = function() seconds(function() predict(model, one), 50),
    predict = function() seconds(function() predict(model, w$x, batch_size = batch), 2))
}

python <- tryCatch(python_with_torch(), error = function(e) {
  note("PyTorch is left out: ", conditionMessage(e))
  NULL
})
program <- tryCatch(build("ours"), error = function(e) {
  note("The FMA peak is left out: ", conditionMessage(e))
  NULL
})

measure <- function(name, threads, layouts) {
  mine <- ours(name)
  timings <- list(convnet = mine[c("step", "predict1", "predict")])
  calls <- c(step = options$steps, predict1 = 20, predict = 2)
  # Filled in round 0, which warms up: what is far behind there takes part in three rounds of one call only.
  first <- slow <- matrix(NA, length(layouts) + 1, 3, dimnames = list(c("convnet", names(layouts)), names(calls)))
  for (layout in names(layouts)) local({
    peer <- layouts[[layout]]
    reply <- words(peer, "setup", name, layout)
    timings[[layout]] <<- lapply(stats::setNames(names(calls), names(calls)), function(what) {
      function() {
        once <- is.na(slow[layout, what]) || slow[layout, what]
        as.numeric(ask(peer, what, if (once) 1 else calls[[what]]))
      }
    })
  })
  times <- array(NA_real_, c(length(timings), 3, options$rounds), list(names(timings), names(calls), NULL))
  peak <- numeric()
  for (round in 0:options$rounds) {
    for (what in names(calls)) for (turn in seq_along(timings)) {
      peer <- names(timings)[(turn + round) %% length(timings) + 1]
      if (round > 3 && slow[peer, what]) next
      if (length(timings) > 1) Sys.sleep(0.005)
      value <- timings[[peer]][[what]]()
      if (round > 0) times[peer, what, round] <- value else first[peer, what] <- value
    }
    if (round == 0) slow <- first > 4 * rep(first["convnet", ], each = nrow(first))
    if (!is.null(meter)) peak <- c(peak, as.numeric(ask(meter, "peak 0.03")))
  }
  list(times = times, flop = mine$flop, peak = if (length(peak)) max(peak) else NA)
}

# Run -----------------------------------------------------------------------------------------------------------------

counts <- thread_counts(options$threads)
sections <- character()
torch_version <- NULL
for (threads in counts) {
  options(convnet.threads = threads)
  meter <- if (!is.null(program)) start_peer(program, threads = threads)
  layouts <- list()
  if (!is.null(python)) for (layout in c("nchw", "channels_last")) {
    script <- file.path(root, "bench", "workloads_torch.py")
    layouts[[layout]] <- optional_peer("PyTorch", function() start_peer(python, script, threads))
    torch_version <- layouts[[layout]]$name
  }
  measured <- lapply(stats::setNames(names(workloads), names(workloads)), function(name) {
    message(threads, if (threads == 1) " thread: " else " threads: ", name)
    measure(name, threads, layouts)
  })
  for (peer in c(layouts, if (!is.null(meter)) list(meter))) stop_peer(peer)
  peak <- max(vapply(measured, function(m) m$peak, 0))
  for (what in c("step", "predict", "predict1")) {
    ratios <- numeric()
    table <- do.call(rbind, lapply(names(measured), function(name) {
      m <- measured[[name]]
      medians <- apply(m$times[, what, , drop = FALSE], 1, stats::median, na.rm = TRUE)
      others <- medians[names(medians) != "convnet"]
      ratio <- NA
      if (length(others)) {
        ratio <- stats::median(m$times[names(which.min(others)), what, ] / m$times["convnet", what, ], na.rm = TRUE)
        ratios <<- c(ratios, ratio)
      }
      useful <- if (what == "step") m$flop$step else m$flop$forward
      row <- data.frame(workload = paste(name, workloads[[name]]$title), GFLOP = short(useful / 1e9),
        `ours, ms` = short(1e3 * medians[["convnet"]]), check.names = FALSE)
      if (what == "predict1") row$GFLOP <- NULL
      if (what != "predict1") row$`of peak` <- percent(useful / min(m$times["convnet", what, ]) / peak)
      for (layout in names(others)) row[[paste("PyTorch", layout, "ms")]] <- short(1e3 * others[[layout]])
      row$ratio <- short(ratio)
      row
    }))
    title <- c(step = "A training step in `fit()`", predict = "`predict()` of a batch", predict1 = "`predict()` of one row")
    sections <- c(sections, sprintf("\n## %s, %d thread%s", title[[what]], threads, if (threads == 1) "" else "s"), "",
      sprintf("FMA peak %s GFLOP/s; geometric mean of the ratios %s.", short(peak / 1e9), short(geometric_mean(ratios))),
      "", markdown(table))
  }
}

text <- c("# Whole models", "",
  paste0("Written by `Rscript bench/workloads.R`; [README.md](README.md) says how to read it. ", machine(), "; convnet ",
    utils::packageVersion("convnet"), " ", convnet_info()$isa, if (!is.null(torch_version)) paste0(", ", torch_version), "; ",
    options$rounds, " rounds."),
  "", "Milliseconds are medians, the fraction of the peak is that of the best round, the ratio is that of PyTorch's better",
  "time to ours (above 1: ours is faster), median over the rounds.",
  if (length(notes)) c("", paste("-", notes)), sections,
  "\n## Not here yet\n", paste0("- ", names(missing_workloads), " ", missing_workloads))
writeLines(text, options$output)
cat(text, sep = "\n")
