# Runs the C++ tests and the R tests of the installed package, and ends with "N passed, N failed, N skipped".
# A failure, a crash, or a suite without any test makes the exit status 1.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
setwd(file.path(here, ".."))

heading <- function(text) cat("\n== ", text, "\n\n", sep = "")

cpp_tests <- function() {
  heading("C++")
  log <- tempfile()
  # bash's pipefail: the status is that of make, while the output is seen as it comes.
  status <- system2("bash", c("-c", shQuote(sprintf(
    "set -o pipefail; make --no-print-directory -C tests/cpp run BUILD=%s PARTS=%s 2>&1 | tee %s",
    file.path(getwd(), "build", "cpp"), Sys.getenv("JOBS", "1"), log
  ))))
  said <- grep("^[0-9]+ passed, [0-9]+ failed", readLines(log, warn = FALSE), value = TRUE)
  counts <- vapply(strsplit(said, "[^0-9]+"), function(words) as.integer(words[1:2]), integer(2))
  result(sum(counts[1L, ]), sum(counts[2L, ]), 0L, status)
}

result <- function(passed, failed, skipped, status) {
  if (!length(passed) || is.na(passed)) passed <- failed <- 0L
  if (status != 0L && failed == 0L) {
    cat(sprintf("\nThe test process ended with status %d.\n", status))
    failed <- 1L
  }
  if (passed + failed == 0L) {
    cat("\nNo test ran.\n")
    failed <- 1L
  }
  c(passed = passed, failed = failed, skipped = skipped)
}

# In a process of its own, so that a crash is counted as a failure and not the end of the report. The counts are
# written after each file: what passed before a crash is known. It begins beside the C++ tests, whose compiler has
# more than one core only some of the time, and is heard after them.
start_r_tests <- function() {
  files <- tempfile(c("counts", "log", "status"))
  system(sprintf("(NOT_CRAN=true TESTTHAT_MAX_FAILS=Inf %s tools/run-tests.R --child %s; echo $? > %s) > %s 2>&1",
    shQuote(file.path(R.home("bin"), "Rscript")), files[1L], files[3L], files[2L]), wait = FALSE)
  files
}

finish_r_tests <- function(files) {
  heading("R")
  said <- 0L
  repeat {
    ended <- file.exists(files[3L]) && length(readLines(files[3L])) > 0L
    lines <- if (file.exists(files[2L])) readLines(files[2L], warn = FALSE) else character()
    if (length(lines) > said) writeLines(lines[(said + 1L):length(lines)])
    said <- length(lines)
    if (ended) break
    Sys.sleep(0.5)
  }
  counts <- files[1L]
  status <- as.integer(readLines(files[3L]))
  if (!file.exists(counts)) return(result(0L, 0L, 0L, status))
  seen <- readRDS(counts)
  if (length(seen$skips)) cat("\nSkipped:\n", paste0("  ", seen$skips, "\n"), sep = "")
  if (!seen$complete) cat(sprintf("\nThe process ended in %s: the tests after it did not run.\n", seen$file))
  result(seen$passed, seen$failed + !seen$complete, length(seen$skips), status)
}

r_tests_child <- function(target) {
  seen <- list(passed = 0L, failed = 0L, skips = character(), file = "", complete = FALSE)
  counter <- R6::R6Class("counter", inherit = testthat::Reporter, public = list(
    start_file = function(name) {
      seen$file <<- name
      saveRDS(seen, target)
    },
    add_result = function(context, test, result) {
      kind <- class(result)[1L]
      if (kind == "expectation_success") {
        seen$passed <<- seen$passed + 1L
      } else if (kind %in% c("expectation_failure", "expectation_error")) {
        seen$failed <<- seen$failed + 1L
      } else if (kind == "expectation_skip") {
        reason <- sub("^Reason: ", "", strsplit(conditionMessage(result), "\n")[[1L]][1L])
        seen$skips <<- c(seen$skips, sprintf("%s: %s: %s", seen$file, test, reason))
      }
    },
    end_reporter = function() {
      seen$complete <<- TRUE
      saveRDS(seen, target)
    }
  ))
  testthat::test_dir("tests/testthat",
    package = read.dcf("DESCRIPTION", "Package")[[1L]], load_package = "installed", stop_on_failure = FALSE,
    reporter = testthat::MultiReporter$new(reporters = list(
      testthat::ProgressReporter$new(show_praise = FALSE, update_interval = if (isatty(stdout())) 0.1 else Inf),
      counter$new()
    ))
  )
}

args <- commandArgs(trailingOnly = TRUE)
if (length(args) == 2L && args[1L] == "--child") {
  invisible(r_tests_child(args[2L]))
} else {
  files <- start_r_tests()
  total <- cpp_tests() + finish_r_tests(files)
  cat(sprintf("\n%d passed, %d failed, %d skipped\n", total[["passed"]], total[["failed"]], total[["skipped"]]))
  quit(status = as.integer(total[["failed"]] > 0L))
}
