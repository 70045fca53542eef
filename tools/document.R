# Rscript tools/document.R, from the top folder with the package installed:
# regenerates RcppExports, NAMESPACE and man/.
Rcpp::compileAttributes(".")
# LinkingTo makes Rcpp include all of Eigen here, which these wrappers do not use:
# 15 seconds of every build.
exports <- file.path("src", "RcppExports.cpp")
writeLines(grep("include <RcppEigen.h>", readLines(exports), fixed = TRUE, invert = TRUE,
                value = TRUE), exports)
roxygen2::roxygenise(".", roclets = c("namespace", "rd"), load_code = "installed")
