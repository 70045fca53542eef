#' Threads and build of the package
#'
#' Convolutions and other large operations use several threads: as many as
#' `options(convnet.threads = )` says, or else two or the number of cores,
#' whichever is less; `OMP_THREAD_LIMIT` is never exceeded. Results do not depend
#' on the number of threads. In a forked child process (`parallel::mclapply()`)
#' one thread is used.
#'
#' @return A list: `version`, `threads` (in use from the next operation on),
#'   `threads_used` (the largest team since the last call), `isa` (the instruction set of the kernels),
#'   `workspace` (bytes shared by all models).
#' @family session
#' @examples
#' convnet_info()$threads
#' @export
convnet_info <- function() {
  apply_thread_option()
  c(list(version = as.character(utils::packageVersion("convnet"))), cpp_session())
}

# The option is read anew before each run; it may ask for more than there are cores.
apply_thread_option <- function() {
  wanted <- getOption("convnet.threads")
  threads <- if (is.null(wanted)) min(2L, cpp_cores()) else check_counts(wanted, "convnet.threads")
  limit <- suppressWarnings(as.integer(Sys.getenv("OMP_THREAD_LIMIT", "")))
  cpp_set_threads(min(threads, limit, na.rm = TRUE))
}
