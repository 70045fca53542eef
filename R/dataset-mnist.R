#' The MNIST data base of handwritten digits
#'
#' 60,000 images for training and 10,000 for testing. The first call downloads four files (11.6 MB together), verifies
#' them and keeps them in the cache; later calls read the cache. [dataset_digits()] returns 5,000 of the images without
#' any download.
#'
#' @param path Folder of the cached files. A relative path lies below `tools::R_user_dir("convnet", "cache")`; a file
#'   extension is dropped, so that the default, which is Keras's own, stands for the folder `mnist` there.
#'
#' @details
#' The files are taken from the first address that delivers them undamaged (checked by MD5 sum). The option
#' `convnet.mnist_mirrors`, a character vector of base addresses, puts other mirrors in place of the built-in ones. Where
#' no address can be reached, files put into the folder by hand are used: `train-images-idx3-ubyte.gz`,
#' `train-labels-idx1-ubyte.gz`, `t10k-images-idx3-ubyte.gz` and `t10k-labels-idx1-ubyte.gz`.
#'
#' The training images take 190 MB of memory as R integers.
#'
#' @return A list of two lists, `train` and `test`, each with
#' - `x`: integer array `[n, 28, 28]`, image, row from the top, column from the left; grey values from 0 (paper) to
#'   255 (ink).
#' - `y`: integer vector of length `n`, the digit shown, 0 to 9.
#'
#' `n` is 60,000 for `train` and 10,000 for `test`.
#'
#' @section Errors:
#' An error of class `convnet_error_file` names the addresses that were tried where no file could be had. A broken
#' download leaves nothing behind.
#'
#' @section Licence:
#' MNIST is distributed under the Creative Commons Attribution-ShareAlike 3.0 licence (CC BY-SA 3.0).
#'
#' @inherit dataset_digits references
#' @seealso [dataset_digits()], [array_reshape()], [to_categorical()]
#' @family data
#' @export
#' @examplesIf interactive()
#' mnist <- dataset_mnist()
#' str(mnist)
dataset_mnist <- function(path = "mnist.npz") {
  folder <- tools::file_path_sans_ext(path.expand(check_string(path, "path")))
  if (!grepl("^(/|\\\\|[A-Za-z]:)", folder)) folder <- file.path(tools::R_user_dir("convnet", "cache"), folder)

  mirrors <- getOption("convnet.mnist_mirrors", mnist_mirrors)
  for (i in seq_len(nrow(mnist_files))) {
    with(mnist_files[i, ], fetch_file(file.path(folder, name), paste0(sub("/*$", "/", mirrors), name), md5,
      alternative = "Use `dataset_digits()`: 5,000 of these images come with the package."))
  }
  file <- file.path(folder, mnist_files$name)
  list(train = idx_pair(file[1L], file[2L]), test = idx_pair(file[3L], file[4L]))
}

mnist_mirrors <- c(
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://storage.googleapis.com/cvdf-datasets/mnist/"
)

mnist_files <- data.frame(
  name = c(
    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
  ),
  md5 = c(
    "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"
  )
)

# Puts a verified copy at `target`: kept where it is there already, else from the first address that delivers it.
fetch_file <- function(target, addresses, md5, alternative = NULL) {
  verified <- function(file) file.exists(file) && identical(unname(tools::md5sum(file)), md5)
  if (verified(target)) return(invisible(target))

  dir.create(dirname(target), recursive = TRUE, showWarnings = FALSE)
  # Beside the target, so that the renaming stays within one file system and thus is one step.
  partial <- tempfile(paste0(basename(target), "-"), dirname(target))
  old <- options(timeout = max(300, getOption("timeout")))
  on.exit({
    unlink(partial)
    options(old)
  })
  trouble <- vapply(addresses, function(address) {
    if (verified(target)) return("")
    reason <- ""
    note <- function(condition) if (!nzchar(reason)) reason <<- conditionMessage(condition)
    # download.file() says why in a warning, then fails with less.
    tryCatch(
      withCallingHandlers(
        utils::download.file(address, partial, quiet = TRUE, mode = "wb"),
        warning = function(w) {
          note(w)
          invokeRestart("muffleWarning")
        }
      ),
      error = note
    )
    if (nzchar(reason)) return(reason)
    if (!verified(partial)) return(sprintf("%.0f bytes arrived, but not the expected file", file.size(partial)))
    if (file.rename(partial, target)) "" else sprintf("the file cannot be written to `%s`", dirname(target))
  }, "")
  if (verified(target)) return(invisible(target))

  abort_file(
    c(
      sprintf("`%s` cannot be downloaded.", basename(target)),
      stats::setNames(sprintf("Tried %s: %s.", addresses, sub("[.]*$", "", trouble)), rep("x", length(addresses)))
    ),
    remedy = paste(c(alternative, sprintf("Put the file into `%s` by hand.", dirname(target))), collapse = " Or: ")
  )
}
