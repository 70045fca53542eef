#' @keywords internal
#' @useDynLib convnet, .registration = TRUE
#' @importFrom Rcpp evalCpp
"_PACKAGE"

.onLoad <- function(libname, pkgname) {
  apply_session_options()
}
