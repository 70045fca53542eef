# Freezes the error of each expression in `code`: call, class, message. expect_snapshot(error = TRUE) would freeze the
# way that one version of testthat shows conditions.
expect_snapshot_errors <- function(code, transform = identity) {
  calls <- substitute(code)
  calls <- if (identical(calls[[1L]], quote(`{`))) as.list(calls)[-1L] else list(calls)
  env <- parent.frame()
  errors <- transform(unlist(lapply(calls, function(call) {
    error <- tryCatch({
      eval(call, env)
      simpleCondition("no error")
    }, error = identity)
    c(deparse(call, 500L), paste0("<", class(error)[1L], ">"), strsplit(conditionMessage(error), "\n")[[1L]], "")
  })))
  testthat::expect_snapshot(cat(errors, sep = "\n"))
}
