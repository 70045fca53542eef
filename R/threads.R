#' Threads, instruction set and build of the package
#'
#' Convolutions and other large operations use several threads: as many as
#' `options(convnet.threads = )` says, or else two or the number of cores,
#' whichever is less; `OMP_THREAD_LIMIT` is never exceeded. Results do not depend
#' on the number of threads. In a forked child process (`parallel::mclapply()`)
#' one thread is used.
#'
#' The kernels use the best instruction set that the machine has, or the one that
#' `options(convnet.isa = )` names: `"sse2"`, `"avx2"` or `"avx512"` on x86,
#' `"neon"` on ARM, `"auto"` for the best. Results under two instruction sets
#' differ by rounding.
#'
#' @return A list: `version`, `threads` (in use from the next operation on),
#'   `threads_used` (the largest team since the last call), `isa` (the instruction
#'   set from the next operation on), `isas` (those that this machine has, the best
#'   first), `workspace` (bytes shared by all models; among them weights made ready for
#'   the kernels, which are kept until they change, as long as they take 256 MB at most).
#' @section Errors: `convnet_error_argument` when an option is not a number of
#'   threads, or names an instruction set that this machine lacks; every function
#'   that computes reads both options.
#' @family session
#' @examples
#' convnet_info()$threads
#' @export
convnet_info <- function() {
  apply_session_options()
  c(list(version = as.character(utils::packageVersion("convnet"))), cpp_session())
}

# The options are read anew before each run.
apply_session_options <- function() {
  apply_thread_option()
  apply_isa_option()
}

# It may ask for more threads than there are cores.
apply_thread_option <- function() {
  wanted <- getOption("convnet.threads")
  threads <- if (is.null(wanted)) min(2L, cpp_cores()) else check_counts(wanted, "convnet.threads")
  limit <- Sys.getenv("OMP_THREAD_LIMIT")
  if (nzchar(limit)) threads <- min(threads, suppressWarnings(as.integer(limit)), na.rm = TRUE)
  cpp_set_threads(threads)
}

apply_isa_option <- function() {
  wanted <- getOption("convnet.isa", "auto")
  if (identical(wanted, the$isa)) return(invisible())
  cpp_set_isa(check_choice(wanted, c("auto", cpp_session()$isas), "convnet.isa"))
  the$isa <- wanted
}
