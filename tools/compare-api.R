# Compares argument lists with those of Keras for R, with the package installed:
#   Rscript tools/compare-api.R SIGNATURES
# SIGNATURES has lines of group, kind, name and signature, separated by tabs. Writes the part of it that this package
# has to tests/testthat/fixtures/api.txt, and prints every difference, also those that test-api.R gives a reason for.

file <- commandArgs(trailingOnly = TRUE)
stopifnot("give the file of signatures" = length(file) == 1L, file.exists(file))
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
setwd(file.path(here, ".."))
suppressMessages(library(convnet))
source(file.path("tests", "testthat", "helper-api.R"))

table <- utils::read.delim(file, header = FALSE, comment.char = "#", quote = "", fill = TRUE,
  col.names = c("group", "kind", "name", "signature"))
table <- table[table$kind %in% c("export", "S3method", "reexport"), ]
here_too <- !vapply(lapply(table$name, our_function), is.null, NA)
known <- table[here_too, ]
known <- known[order(known$name, method = "radix"), ]
writeLines(c("# Of keras 2.2.5.0; see tools/compare-api.R", known$signature), file.path("tests", "testthat", "fixtures", "api.txt"))

signatures <- read_signatures(file.path("tests", "testthat", "fixtures", "api.txt"))
cat(sprintf("%d of %d functions are here\n", nrow(known), nrow(table)))
for (name in names(signatures)) {
  differences <- signature_differences(formals(args(our_function(name))), signatures[[name]])
  if (length(differences)) cat(name, ": ", paste(differences, collapse = ", "), "\n", sep = "")
}
