# The scripts of inst/examples on a tiny budget; `make examples` runs them in full.

# A script in an environment of its own, as Rscript would run it with `folder` as its argument.
run_example <- function(script, folder) {
  withr::local_envvar(CONVNET_EXAMPLE_QUICK = "yes")
  withr::local_preserve_seed()
  env <- new.env(parent = globalenv())
  env$commandArgs <- function(...) folder
  capture.output(suppressMessages(sys.source(script, env)))
  env
}

for (script in list.files(system.file("examples", package = "convnet"), "[.]R$", full.names = TRUE)) {
  name <- sub("[.]R$", "", basename(script))
  test_that(paste(name, "runs: its loss falls and its picture is there"), {
    skip_on_cran() # minutes
    folder <- withr::local_tempdir()
    losses <- run_example(script, folder)$losses
    expect_true(all(is.finite(losses)))
    expect_lt(tail(losses, 1), losses[[1]])
    expect_gt(file.size(file.path(folder, paste0(name, ".png"))), 5000)
  })
}
