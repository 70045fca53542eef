# Builds inst/extdata/digits.rds from the four IDX files of the digits:
#   Rscript tools/make-digits.R FOLDER
# FOLDER holds digits-{train,test}-images-idx3-ubyte.gz and digits-{train,test}-labels-idx1-ubyte.gz.

folder <- commandArgs(trailingOnly = TRUE)
stopifnot("give the folder of the IDX files" = length(folder) == 1L, dir.exists(folder))
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
root <- normalizePath(file.path(here, ".."))

reader <- new.env()
sys.source(file.path(root, "R", "dataset-idx.R"), reader)

# In the file's own order [column, row, image] xz makes the images 14 % smaller than in R's.
part <- function(name) {
  file <- function(what) file.path(folder, sprintf("digits-%s-%s-ubyte.gz", name, what))
  list(x = aperm(reader$read_idx(file("images-idx3")), 3:1), y = reader$read_idx(file("labels-idx1")))
}
digits <- list(train = part("train"), test = part("test"))
stopifnot(
  identical(dim(digits$train$x), c(28L, 28L, 4000L)), length(digits$train$y) == 4000L,
  identical(dim(digits$test$x), c(28L, 28L, 1000L)), length(digits$test$y) == 1000L
)

target <- file.path(root, "inst", "extdata", "digits.rds")
dir.create(dirname(target), recursive = TRUE, showWarnings = FALSE)
con <- xzfile(target, "wb", compression = 9)
saveRDS(digits, con)
close(con)
cat(sprintf("%s: %d bytes\n", basename(target), file.size(target)))
