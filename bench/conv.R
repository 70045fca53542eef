# Convolutions one by one, beside oneDNN and PyTorch, as tables in bench/results-conv.md:
#   Rscript bench/conv.R [--filter REGEX] [--rounds 7] [--threads 1,2] [--budget 0.01] [--isa auto] [--quick]
#                        [--pause 0.002] [--shapes bench/shapes.csv] [--output bench/results-conv.md]
#                        [--raw build/bench/conv.csv]
# Peers take turns, one timing each a round; bench/README.md says how the tables are to be read.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
Sys.setenv(CONVNET_BENCH_ROOT = normalizePath(file.path(dirname(file), "..")))
source(file.path(dirname(file), "peers.R"))

options <- options_of(commandArgs(trailingOnly = TRUE),
  list(filter = "", rounds = 7, threads = "1,2", budget = 0.01, isa = "auto", pause = 0.002, quick = FALSE,
    shapes = file.path(root, "bench", "shapes.csv"), output = file.path(root, "bench", "results-conv.md"),
    raw = file.path(programs, "conv.csv")),
  quick = list(rounds = 3, threads = "1", budget = 0.005))

# Problems ------------------------------------------------------------------------------------------------------------

# "3" or "10x24x24" for each axis.
per_axis <- function(text, dims) rep_len(as.integer(strsplit(as.character(text), "x", fixed = TRUE)[[1]]), dims)

# Keras's rules for the output and its padding.
geometry <- function(shape) {
  g <- lapply(shape[c("in.", "kernel", "stride", "dilation")], per_axis, shape$dims)
  extent <- g$dilation * (g$kernel - 1) + 1
  if (shape$kind == "conv") {
    g$out <- if (shape$padding == "same") ceiling(g$in. / g$stride) else (g$in. - extent) %/% g$stride + 1
    total <- pmax((g$out - 1) * g$stride + extent - g$in., 0)
  } else {
    g$out <- if (shape$padding == "same") g$in. * g$stride else (g$in. - 1) * g$stride + pmax(extent, g$stride)
    total <- pmax((g$in. - 1) * g$stride + extent - g$out, 0)
  }
  if (shape$padding == "valid") total <- 0 * total
  g$pad_lo <- total %/% 2
  # As far as the last window reaches, which may be short of the end.
  small <- if (shape$kind == "conv") g$out else g$in.
  large <- if (shape$kind == "conv") g$in. else g$out
  g$pad_hi <- (small - 1) * g$stride + extent - large - g$pad_lo
  # Multiplications with padding count too, as everywhere.
  g$flop <- 2 * shape$batch * prod(small) * prod(g$kernel) * shape$in_channels * shape$out_channels / shape$groups
  g
}

shapes <- utils::read.csv(options$shapes, check.names = FALSE)
names(shapes)[names(shapes) == "in"] <- "in."
shapes <- shapes[grepl(options$filter, shapes$name), ]
if (nrow(shapes) == 0) stop("no shape matches ", options$filter)
problems <- lapply(split(shapes, seq_len(nrow(shapes))), function(shape) c(as.list(shape), list(g = geometry(shape))))

setup_line <- function(p) {
  axes <- do.call(rbind, p$g[c("in.", "kernel", "stride", "dilation", "pad_lo", "pad_hi", "out")])
  paste(c("setup", p$kind, p$dims, p$batch, p$in_channels, p$out_channels, p$groups, axes), collapse = " ")
}

# Peers ---------------------------------------------------------------------------------------------------------------

ours <- build("ours")
dnnl <- tryCatch(build("dnnl"), error = function(e) note("oneDNN is left out: ", conditionMessage(e),
  " (Debian: apt-get install libdnnl-dev)"))
python <- tryCatch(python_with_torch(), error = function(e) note("PyTorch is left out: ", conditionMessage(e)))

# A peer's algorithm that it takes only if asked to: it is shown, but is not one of those that ratios are to.
if_asked <- "oneDNN F(4,3)"

start_all <- function(threads) {
  peers <- list(ours = start_peer(ours, options$isa, threads))
  if (file.exists(dnnl)) {
    peers$oneDNN <- optional_peer("oneDNN", function() start_peer(dnnl, threads = threads))
    peers[[if_asked]] <- optional_peer(if_asked, function() start_peer(dnnl, "winograd", threads))
  }
  if (nzchar(Sys.which(python))) {
    peers$PyTorch <- optional_peer("PyTorch", function() {
      start_peer(python, file.path(root, "bench", "conv", "torch_peer.py"), threads)
    })
  }
  peers
}
if (is.null(dnnl)) dnnl <- ""
if (is.null(python)) python <- ""

# One problem ---------------------------------------------------------------------------------------------------------

# What cannot be the fastest is not asked for ever.
hopeless <- function(seconds, rounds, fastest) {
  is.finite(seconds) && (seconds > 8 * fastest || rounds >= 3 && seconds > 3 * fastest)
}

# `left_out`: what an earlier thread count has shown to be far behind.
measure <- function(p, peers, left_out) {
  works <- list()
  for (name in names(peers)) {
    reply <- tryCatch(words(peers[[name]], setup_line(p)), error = function(e) {
      if (name != if_asked) note(name, " does not take ", p$name, ": ", conditionMessage(e))
      NULL
    })
    if (is.null(reply)) next
    works[[name]] <- reply[-1]
  }
  # All are to compute the same: the sums of their results when all data are ones.
  sums <- lapply(stats::setNames(names(works), names(works)), function(name) {
    stats::setNames(as.numeric(words(peers[[name]], "check")), works[[name]])
  })
  for (name in setdiff(names(sums), c("ours", if_asked))) {
    expected <- sums$ours[sub("_cl$", "", names(sums[[name]]))]
    if (any(abs(sums[[name]] - expected) > 1e-5 * abs(expected))) note(name, " and we disagree on ", p$name, ".")
  }
  jobs <- do.call(rbind, lapply(names(works), function(name) {
    data.frame(peer = name, call = works[[name]], work = sub("_cl$", "", works[[name]]),
      layout = ifelse(grepl("_cl$", works[[name]]), "channels_last", ""))
  }))
  times <- matrix(NA_real_, nrow(jobs), options$rounds)
  peak <- numeric()
  open <- !paste(jobs$peer, jobs$call) %in% left_out
  for (round in seq_len(options$rounds)) {
    peak <- c(peak, as.numeric(ask(peers$ours, "peak 0.015")))
    # The works of one kind follow one another, and each round begins with another peer.
    turn <- (match(jobs$peer, names(peers)) + round) %% length(peers)
    for (job in order(jobs$work, turn)) {
      if (!open[job]) next
      if (length(peers) > 1) Sys.sleep(options$pause)
      times[job, round] <- as.numeric(ask(peers[[jobs$peer[job]]], "time", jobs$call[job], options$budget))
    }
    median <- apply(times, 1, stats::median, na.rm = TRUE)
    counts <- ifelse(jobs$peer == if_asked, Inf, median)
    fastest <- stats::ave(counts, jobs$work, FUN = function(x) min(x, na.rm = TRUE))
    open <- jobs$peer == "ours" | open & !mapply(hopeless, median, round, fastest)
    if (round == 1) left_out <- union(left_out, paste(jobs$peer, jobs$call)[!open])
  }
  list(jobs = jobs, times = times, peak = peak, left_out = left_out)
}

# Tables --------------------------------------------------------------------------------------------------------------

titles <- c(forward = "Forward", backward_data = "Backward, data", backward_weights = "Backward, weights",
  forward_bias_relu = "Forward with bias and ReLU")

# Each peer's median and, against the fastest of them, the ratio by the medians of the rounds.
row_of <- function(p, m, work, peak) {
  rate <- function(seconds) p$g$flop / seconds / 1e9
  rows <- which(m$jobs$work == work)
  mine <- m$times[rows[m$jobs$peer[rows] == "ours"], ]
  others <- setdiff(unique(m$jobs$peer), "ours")
  best <- NA
  ratio <- NA
  cells <- list()
  for (peer in others) {
    medians <- vapply(rows[m$jobs$peer[rows] == peer], function(i) stats::median(m$times[i, ], na.rm = TRUE), 0)
    if (!any(is.finite(medians))) next
    chosen <- rows[m$jobs$peer[rows] == peer][which.min(medians)]
    cells[[peer]] <- paste0(short(rate(min(medians, na.rm = TRUE))), if (nzchar(m$jobs$layout[chosen])) " cl")
    if (peer != if_asked && (is.na(best) || min(medians, na.rm = TRUE) < best)) {
      best <- min(medians, na.rm = TRUE)
      ratio <- stats::median(m$times[chosen, ] / mine, na.rm = TRUE)
    }
  }
  list(name = p$name, mine = rate(stats::median(mine)), fraction = rate(min(mine)) / (peak / 1e9), cells = cells,
    ratio = ratio)
}

table_of <- function(rows, peers) {
  column <- function(f) vapply(rows, f, "")
  table <- data.frame(shape = column(function(r) r$name), ours = column(function(r) short(r$mine)),
    `of peak` = column(function(r) percent(r$fraction)), check.names = FALSE)
  for (peer in peers) table[[peer]] <- column(function(r) if (is.null(r$cells[[peer]])) "" else r$cells[[peer]])
  if (length(peers)) table$ratio <- column(function(r) short(r$ratio))
  numbers <- function(what) vapply(rows, function(r) r[[what]], 0)
  last <- table[1, ]
  last[] <- ""
  last$shape <- "**geometric mean**"
  last$ours <- short(geometric_mean(numbers("mine")))
  last$`of peak` <- percent(geometric_mean(numbers("fraction")))
  if (length(peers)) last$ratio <- short(geometric_mean(numbers("ratio")))
  rbind(table, last)
}

# Run -----------------------------------------------------------------------------------------------------------------

counts <- thread_counts(options$threads)
sections <- character()
summary <- list()
raw <- list()
names_of_peers <- character()
left_out <- list()
for (threads in counts) {
  peers <- start_all(threads)
  names_of_peers <- vapply(peers, function(p) p$name, "")
  measured <- lapply(problems, function(p) {
    message(threads, if (threads == 1) " thread: " else " threads: ", p$name)
    m <- measure(p, peers, left_out[[p$name]])
    left_out[[p$name]] <<- m$left_out
    m
  })
  for (peer in peers) stop_peer(peer)
  peak <- max(vapply(measured, function(m) max(m$peak), 0))
  sections <- c(sections, sprintf("\n## %d thread%s: FMA peak %s GFLOP/s (median %s)", threads, if (threads == 1) "" else "s",
    short(peak / 1e9), short(stats::median(unlist(lapply(measured, function(m) m$peak))) / 1e9)))
  for (work in names(titles)) {
    rows <- Map(row_of, problems, measured, work, peak)
    ratios <- vapply(rows, function(r) r$ratio, 0)
    sections <- c(sections, "", paste("###", titles[[work]]), "", markdown(table_of(rows, names(peers)[-1])))
    summary[[length(summary) + 1]] <- data.frame(threads = threads, work = titles[[work]],
      `ours, GFLOP/s` = short(geometric_mean(vapply(rows, function(r) r$mine, 0))),
      `of peak` = percent(geometric_mean(vapply(rows, function(r) r$fraction, 0))),
      `ratio to the fastest peer` = short(geometric_mean(ratios)),
      `shapes below 1` = paste(sum(ratios < 1, na.rm = TRUE), "of", sum(is.finite(ratios))), check.names = FALSE)
  }
  raw <- c(raw, Map(function(p, m) {
    data.frame(shape = p$name, gflop = p$g$flop / 1e9, threads = threads, m$jobs[c("peer", "work", "layout")],
      round = rep(seq_len(options$rounds), each = nrow(m$jobs)), seconds = c(m$times))
  }, problems, measured))

  text <- c("# Convolutions, one by one", "",
    paste0("Written by `Rscript bench/conv.R`; [README.md](README.md) says how to read it. ", machine(), "; ",
      paste(unique(names_of_peers), collapse = ", "), "; ", options$rounds, " rounds."),
    "", "GFLOP/s are medians, the fraction of the peak is that of the best round, the ratio is that of the fastest peer's",
    "time to ours (above 1: ours is faster), median over the rounds. cl: channels_last was PyTorch's better layout.",
    paste0(if_asked, " is its Winograd algorithm, which it takes only if asked to; it is not in the ratios."),
    if (length(notes)) c("", paste("-", notes)),
    "", "## Summary: geometric means", "", markdown(do.call(rbind, summary)), sections)
  writeLines(text, options$output)
  dir.create(dirname(options$raw), recursive = TRUE, showWarnings = FALSE)
  utils::write.csv(do.call(rbind, raw), options$raw, row.names = FALSE)
}
cat(text[seq_len(match(TRUE, startsWith(text, "## 1 thread") | startsWith(text, "\n## ")) - 1)], sep = "\n")
cat("\nAll tables:", options$output, "\n")
