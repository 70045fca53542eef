# A mirror on this machine: a folder behind a file:// address, with the bytes 1 to 9 as its one file.
local_mirror <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  writeBin(as.raw(1:9), file.path(folder, "data.gz"))
  list(
    address = paste0("file://", folder, "/data.gz"), broken = paste0("file://", folder, "/absent/data.gz"),
    md5 = unname(tools::md5sum(file.path(folder, "data.gz"))), target = file.path(folder, "cache", "data.gz")
  )
}

test_that("a file is fetched once, from the first address that has it", {
  mirror <- local_mirror()
  fetch_file(mirror$target, c(mirror$broken, mirror$address), mirror$md5)
  expect_identical(readBin(mirror$target, "raw", 100), as.raw(1:9))
  expect_identical(list.files(dirname(mirror$target)), "data.gz")

  # The second time the cache answers: no address is needed.
  expect_silent(fetch_file(mirror$target, mirror$broken, mirror$md5))
})

test_that("a damaged copy in the cache is replaced", {
  mirror <- local_mirror()
  dir.create(dirname(mirror$target))
  writeBin(as.raw(1:3), mirror$target)
  fetch_file(mirror$target, mirror$address, mirror$md5)
  expect_identical(readBin(mirror$target, "raw", 100), as.raw(1:9))
})

test_that("a broken download is an error and leaves nothing", {
  mirror <- local_mirror()
  wrong <- strrep("0", 32)
  hide <- function(lines) {
    lines <- gsub(dirname(dirname(mirror$target)), "<folder>", lines, fixed = TRUE)
    sub("(absent/data.gz: ).*", "\\1<reason>.", lines)
  }
  expect_snapshot_errors(transform = hide, {
    fetch_file(mirror$target, c(mirror$broken, mirror$address), wrong, alternative = "Use something else.")
  })
  expect_error(fetch_file(mirror$target, mirror$broken, wrong), class = "convnet_error_file")
  expect_identical(list.files(dirname(mirror$target)), character())
})

test_that("dataset_mnist() names the addresses and offers the digits where it cannot download", {
  cache <- withr::local_tempdir()
  withr::local_envvar(R_USER_CACHE_DIR = cache)
  withr::local_options(convnet.mnist_mirrors = c("file:///nowhere-1", "file:///nowhere-2/"))
  error <- expect_error(dataset_mnist(), class = "convnet_error_file")
  expect_s3_class(error, "convnet_error")
  said <- paste(conditionMessage(error), collapse = "\n")
  expect_match(said, "file:///nowhere-1/train-images-idx3-ubyte.gz", fixed = TRUE)
  expect_match(said, "file:///nowhere-2/train-images-idx3-ubyte.gz", fixed = TRUE)
  expect_match(said, "dataset_digits()", fixed = TRUE)
  # Keras's default path is a folder of the package's own cache.
  expect_true(dir.exists(file.path(tools::R_user_dir("convnet", "cache"), "mnist")))
  expect_identical(list.files(cache, recursive = TRUE), character())
})

test_that("`path` is checked", {
  expect_snapshot_errors({
    dataset_mnist(NULL)
    dataset_mnist(c("a", "b"))
  })
})

test_that("the four files of MNIST become its training and test images", {
  # Small files in the place of the 11 MB: their sums stand in for MNIST's.
  folder <- withr::local_tempdir()
  parts <- list(array(1:12, c(3, 2, 2)), c(5, 0, 4), array(1:8, c(2, 2, 2)), c(7, 2))
  for (i in 1:4) write_idx(parts[[i]], file.path(folder, mnist_files$name[i]))
  small <- dataset_mnist
  environment(small) <- list2env(
    list(mnist_files = transform(mnist_files, md5 = unname(tools::md5sum(file.path(folder, name))))),
    parent = environment(dataset_mnist)
  )
  expect_equal(small(folder), list(
    train = list(x = array(1:12, c(3, 2, 2)), y = c(5L, 0L, 4L)),
    test = list(x = array(1:8, c(2, 2, 2)), y = c(7L, 2L))
  ))
})
