test_that("what to do with an array of the wrong shape", {
  remedy <- function(given, expected) convnet:::shape_remedy(given, expected, "x")
  expect_snapshot({
    remedy(c(8, 8, 1, 4), c(NA, 8, 8, 1))
    remedy(c(8, 8, 1), c(NA, 8, 8, 1))
    remedy(c(4, 8, 8), c(NA, 8, 8, 1))
    remedy(c(4, 3, 8, 8), c(NA, 8, 8, 3))
    remedy(c(4, 64), c(NA, 8, 8, 1))
    remedy(c(8, 8), c(NA, 8, 8, 1))
    remedy(c(4, 8, 8, 3), c(NA, 8, 8, 1))
    remedy(c(5, 4), c(NA, 5))
    remedy(c(4, 7), c(NA, 5))
    remedy(c(4, 7, 7, 1), c(NA, 8, 8, 1))
    remedy(c(4, 8, 8), c(NA, NA, NA, 1))
  })
})

test_that("the remedies work", {
  model <- keras_model_sequential(input_shape = c(2, 3, 1)) %>% layer_flatten()
  right <- array(as.double(1:24), c(4, 2, 3, 1))
  expected <- predict(model, right)
  follow <- function(x) {
    remedy <- tryCatch(predict(model, x), error = function(e) e$remedy)
    code <- sub("^[^:]*: *(try )?", "", sub("^(For one sample try|Try) ", ": ", remedy))
    x <- eval(str2expression(sub("\\.$", "", code)), list(x = x)) -> changed
    changed
  }
  expect_identical(follow(aperm(right, c(2, 3, 4, 1))), right)
  expect_identical(follow(array_reshape(right, c(4, 6))), right)
  expect_identical(follow(aperm(right, c(1, 4, 2, 3))), right)
  no_channel <- right[, , , 1]
  dim(no_channel) <- c(dim(no_channel), 1)
  expect_identical(predict(model, no_channel), expected)
})

test_that("arrays keep their meaning: x[n, h, w, c] is that element", {
  x <- array(as.double(1:48), c(2, 3, 4, 2))
  model <- keras_model_sequential(input_shape = c(3, 4, 2)) %>% layer_flatten()
  flat <- predict(model, x)
  for (n in 1:2) expect_identical(flat[n, ], as.vector(aperm(x[n, , , ], c(3, 2, 1))))
  expect_identical(predict(keras_model_sequential(input_shape = c(3, 4, 2)) %>% layer_activation("linear"), x), x)
})

test_that("a vector feeds one column, a data frame its columns in order", {
  model <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, weights = list(matrix(2), 1))
  expect_equal(predict(model, c(1, 2)), matrix(c(3, 5)))
  expect_equal(predict(model, 1:2), matrix(c(3, 5)))
  expect_equal(predict(model, c(TRUE, FALSE)), matrix(c(3, 1)))
  two <- keras_model_sequential(input_shape = 2) %>% layer_dense(1, weights = list(matrix(c(1, 10)), 0))
  expect_equal(predict(two, data.frame(a = 1:2, b = c(3.5, 4))), matrix(c(36, 42)))
  expect_equal(predict(two, data.frame(a = c(TRUE, FALSE), b = 0:1)), matrix(c(1, 10)))
})

test_that("huge and tiny numbers survive in float64 and become what float32 has", {
  model <- keras_model_sequential(input_shape = 1) %>% layer_activation("linear")
  expect_equal(as.vector(predict(model, c(1 / 3, 1e-30, 1e30))), c(1 / 3, 1e-30, 1e30), tolerance = 1e-7)
  expect_warning(out <- predict(model, c(Inf, NaN)), class = "convnet_warning_nonfinite")
  expect_identical(as.vector(out), c(Inf, NaN))
})

test_that("a row that lost its dimension is told what to do", {
  x <- matrix(as.double(1:12), 3)
  model <- keras_model_sequential(input_shape = 4) %>% layer_dense(1)
  expect_error(predict(model, x[1, ]), "rbind\\(x\\)", class = "convnet_error_shape")
  row <- x[1, ]
  expect_equal(predict(model, rbind(row)), predict(model, x)[1, , drop = FALSE], tolerance = 1e-6)
})
