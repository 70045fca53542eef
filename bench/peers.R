# Processes that the benchmarks take turns with: one request a line, one reply a line (conv/peer.h).

root <- Sys.getenv("CONVNET_BENCH_ROOT", ".")
programs <- file.path(root, "build", "bench")

# Idle threads of a peer must not keep the cores busy while another is timed: they sleep after about a millisecond.
# All have huge pages, which ours asks for by itself.
peer_environment <- function(threads) {
  c("GOMP_SPINCOUNT=20000", "KMP_BLOCKTIME=1", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
    paste0(c("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "=", threads))
}

start_peer <- function(command, arguments = character(), threads = 1) {
  files <- tempfile(c("in", "out", "log"))
  if (system2("mkfifo", files[1:2]) != 0) stop("mkfifo failed")
  # Both sides wait until the other has opened a pipe too: the order is that of the two calls of fifo().
  system(paste("env", paste(peer_environment(threads), collapse = " "), paste(shQuote(c(command, arguments)), collapse = " "),
    "<", files[1], ">", files[2], "2>", files[3]), wait = FALSE)
  peer <- list(log = files[3], to = fifo(files[1], "w", blocking = TRUE))
  peer$from <- fifo(files[2], "r", blocking = TRUE)
  unlink(files[1:2])
  peer$name <- ask(peer, "hello")
  ask(peer, paste("threads", threads))
  peer
}

stop_peer <- function(peer) {
  close(peer$to)
  close(peer$from)
}

# The words of the reply.
words <- function(peer, ...) strsplit(ask(peer, ...), " ", fixed = TRUE)[[1]]

ask <- function(peer, ...) {
  writeLines(paste(...), peer$to)
  reply <- readLines(peer$from, n = 1)
  if (length(reply) == 0) {
    stop("a peer ended: ", paste(utils::tail(readLines(peer$log, warn = FALSE), 3), collapse = "; "), call. = FALSE)
  }
  if (startsWith(reply, "error")) stop(reply, call. = FALSE)
  reply
}

# NULL and a note where it cannot be had.
optional_peer <- function(what, start) {
  tryCatch(start(), error = function(e) {
    note(what, " is left out: ", conditionMessage(e))
    NULL
  })
}

notes <- character()
note <- function(...) {
  text <- paste0(...)
  message(text)
  notes <<- union(notes, text)
}

# A Python that has PyTorch.
python_with_torch <- function() {
  for (python in unique(c(Sys.getenv("CONVNET_BENCH_PYTHON", "python3"), "python3", "/usr/bin/python3"))) {
    if (nzchar(Sys.which(python)) &&
        suppressWarnings(system2(python, c("-c", shQuote("import torch")), stdout = FALSE, stderr = FALSE)) == 0) {
      return(python)
    }
  }
  stop("no python3 here has torch", call. = FALSE)
}

build <- function(program) {
  status <- system2("make", c("-s", "-C", shQuote(file.path(root, "bench")), paste0("-j", cores()), program),
    stdout = if (program == "dnnl") FALSE else "", stderr = if (program == "dnnl") FALSE else "")
  if (status != 0) stop("bench/", program, " does not build", call. = FALSE)
  file.path(programs, program)
}

cores <- function() max(1, parallel::detectCores(), na.rm = TRUE)

# Arguments -----------------------------------------------------------------------------------------------------------

# --name value or --name=value; a flag alone is TRUE. --quick puts those of `quick` in the place of defaults.
options_of <- function(arguments, defaults, quick) {
  arguments <- unlist(lapply(arguments, function(a) {
    if (grepl("^--[a-z]+=", a)) c(sub("=.*", "", a), sub("^[^=]*=", "", a)) else a
  }))
  if ("--quick" %in% arguments) defaults[names(quick)] <- quick
  i <- 1
  while (i <= length(arguments)) {
    name <- sub("^--", "", arguments[i])
    if (!startsWith(arguments[i], "--") || !name %in% names(defaults)) {
      stop("unknown option ", arguments[i], "; there are --", paste(names(defaults), collapse = ", --"), call. = FALSE)
    }
    if (is.logical(defaults[[name]])) {
      defaults[[name]] <- TRUE
      i <- i + 1
    } else {
      defaults[[name]] <- utils::type.convert(arguments[i + 1], as.is = TRUE)
      i <- i + 2
    }
  }
  defaults
}

# Which thread counts "1,2" means on this machine.
thread_counts <- function(text) {
  counts <- as.integer(strsplit(as.character(text), ",", fixed = TRUE)[[1]])
  if (any(counts > cores())) note("More threads than this machine has cores are left out.")
  counts[counts <= cores()]
}

# Numbers and tables --------------------------------------------------------------------------------------------------

# 0.123, 1.23, 12.3, 123: blank where there is none.
short <- function(x, digits = 3) {
  ifelse(is.finite(x), formatC(signif(x, digits), digits = digits, format = "fg", flag = "#", width = 1), "") |>
    sub(pattern = "\\.$", replacement = "")
}
percent <- function(x) ifelse(is.finite(x), sprintf("%.0f%%", 100 * x), "")
geometric_mean <- function(x) exp(mean(log(x[is.finite(x)])))

markdown <- function(table) {
  line <- function(cells) paste0("| ", paste(cells, collapse = " | "), " |")
  c(line(names(table)), paste0("|", strrep("---|", length(table))), apply(as.matrix(table), 1, line))
}

machine <- function() {
  cpu <- if (file.exists("/proc/cpuinfo")) grep("^model name", readLines("/proc/cpuinfo"), value = TRUE)[1] else NA
  sprintf("%s, %d cores, %s", if (is.na(cpu)) R.version$platform else sub(".*: *", "", cpu), cores(), Sys.Date())
}
