#' Threads, instruction set, algorithm and build of the package
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
#' Convolutions in float32 with enough channels go by Winograd's algorithm, which takes four
#' products where six are needed otherwise, for two outputs of three taps, or three of two, along
#' each axis: 3 x 3 kernels of stride 1, 4 x 4 of stride 2, their transposes and gradients. Its rounding
#' errors are 0.7 to 1.6 times those of the sums as they are defined, some units of the seventh digit, and
#' NaN and infinity go where they belong. `options(convnet.winograd = FALSE)` does without.
#'
#' @return A list: `version`, `threads` (in use from the next operation on),
#'   `threads_used` (the largest team since the last call), `isa` (the instruction
#'   set from the next operation on), `isas` (those that this machine has, the best
#'   first), `winograd` (whether that algorithm may be used), `workspace` (bytes shared
#'   by all models; among them weights made ready for the kernels, which are kept until
#'   they change, as long as they take 256 MB at most).
#' @section Errors: `convnet_error_argument` when an option is not a number of
#'   threads, names an instruction set that this machine lacks, or is not `TRUE` or `FALSE`;
#'   every function that computes reads all three.
#' @references Lavin, A. and Gray, S. (2016). Fast Algorithms for Convolutional Neural Networks.
#'   \doi{10.1109/CVPR.2016.435}
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
  cpp_set_winograd(check_flag(getOption("convnet.winograd", TRUE), "convnet.winograd"))
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
