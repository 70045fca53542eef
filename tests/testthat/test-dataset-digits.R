test_that("the digits have the documented form", {
  digits <- dataset_digits()
  expect_named(digits, c("train", "test"))
  expect_identical(dim(digits$train$x), c(4000L, 28L, 28L))
  expect_identical(dim(digits$test$x), c(1000L, 28L, 28L))
  for (part in digits) {
    expect_type(part$x, "integer")
    expect_type(part$y, "integer")
    expect_identical(range(part$x), c(0L, 255L))
    expect_identical(as.vector(table(part$y)), rep(nrow(part$x) %/% 10L, 10L))
    expect_identical(sort(unique(part$y)), 0:9)
  }
})

test_that("the values are those of the data base", {
  test <- dataset_digits()$test
  expect_identical(head(test$y, 12), c(9L, 5L, 2L, 3L, 1L, 5L, 5L, 3L, 8L, 6L, 4L, 2L))
  expect_identical(sum(test$x), 26235811L)
  picture <- apply(test$x[1, , ], 1, function(row) paste(c(" ", ".", "o", "#")[1 + row %/% 64], collapse = ""))
  expect_snapshot(cat(picture, sep = "\n"))
  # Images are upright and untransposed: a one is higher than wide.
  ones <- test$x[test$y == 1, , ] > 127
  extent <- function(margin) mean(rowSums(apply(ones, c(1, margin), any)))
  expect_gt(extent(2), 2 * extent(3))
})

test_that("source and licence lie beside the digits", {
  folder <- system.file("extdata", package = "convnet")
  expect_match(paste(readLines(file.path(folder, "digits-LICENSE.md")), collapse = " "), "CC BY-SA 3.0", fixed = TRUE)
  expect_lt(file.size(file.path(folder, "digits.rds")), 1e6)
})
