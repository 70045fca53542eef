# Whole models beside PyTorch: a training step in fit(), predict() of one row and of a batch, as a table in
# bench/results-workloads.md:
#   Rscript bench/workloads.R [--only W1,W3] [--rounds 7] [--threads 1,2] [--steps 4] [--quick]
#                             [--output bench/results-workloads.md]
# --memory W1 only runs a workload and prints the largest resident size of this process, in kB (Linux).
# Peers take turns, one timing each a round; bench/README.md says how the table is to be read.

suppressPackageStartupMessages(library(convnet))
file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
Sys.setenv(CONVNET_BENCH_ROOT = normalizePath(file.path(dirname(file), "..")))
source(file.path(dirname(file), "peers.R"))

options <- options_of(commandArgs(trailingOnly = TRUE), list(only = "", rounds = 7, threads = "1,2", steps = 4,
  quick = FALSE, memory = "", output = file.path(root, "bench", "results-workloads.md")), quick = list(rounds = 3, threads = "1", steps = 2))

source(file.path(dirname(file), "workloads-models.R"))
if (nzchar(options$only)) workloads <- workloads[strsplit(options$only, ",", fixed = TRUE)[[1]]]

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

peak_memory <- function() {
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)))
}

# Steps and predictions as they are timed, in a process that did nothing else.
work <- function(timings) for (what in c("step", "predict1", "predict")) timings[[what]]()

if (nzchar(options$memory)) {
  options(convnet.threads = max(thread_counts(options$threads)))
  work(ours(options$memory))
  cat(peak_memory(), "\n")
  quit()
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

# Largest resident sizes in MB: each peer in a process of its own.
memory_of <- function(name) {
  script <- file.path(root, "bench", "workloads.R")
  mine <- system2("Rscript", c(shQuote(script), "--memory", name, "--threads", max(counts)), stdout = TRUE, stderr = FALSE)
  others <- if (!is.null(python)) vapply(c("nchw", "channels_last"), function(layout) {
    peer <- start_peer(python, file.path(root, "bench", "workloads_torch.py"), max(counts))
    on.exit(stop_peer(peer))
    ask(peer, "setup", name, layout)
    for (what in c("step 4", "predict1 20", "predict 2")) ask(peer, what)
    as.numeric(ask(peer, "memory"))
  }, 0)
  data.frame(workload = paste(name, workloads[[name]]$title), `ours, MB` = short(as.numeric(utils::tail(mine, 1)) / 1024),
    `PyTorch, MB` = if (length(others)) short(min(others) / 1024), check.names = FALSE)
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

if (file.exists("/proc/self/status")) {
  sections <- c(sections, "\n## Largest resident memory of a process that trains and predicts", "",
    markdown(do.call(rbind, lapply(names(workloads), memory_of))))
}

text <- c("# Whole models", "",
  paste0("Written by `Rscript bench/workloads.R`; [README.md](README.md) says how to read it. ", machine(), "; convnet ",
    utils::packageVersion("convnet"), " ", convnet_info()$isa, if (!is.null(torch_version)) paste0(", ", torch_version), "; ",
    options$rounds, " rounds."),
  "", "Milliseconds are medians, the fraction of the peak is that of the best round, the ratio is that of PyTorch's better",
  "time to ours (above 1: ours is faster), median over the rounds.",
  if (length(notes)) c("", paste("-", notes)), sections)
writeLines(text, options$output)
cat(text, sep = "\n")
