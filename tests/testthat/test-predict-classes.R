test_that("classes count from 0", {
  model <- keras_model_sequential(input_shape = 3) %>% layer_activation("softmax")
  x <- rbind(c(1, 3, 2), c(5, 0, 0), c(0, 0, 9))
  expect_identical(predict_classes(model, x), c(1L, 0L, 2L))
  expect_identical(predict_proba(model, x), predict(model, x))
  pair <- keras_model_sequential(input_shape = 1) %>% layer_activation("sigmoid")
  expect_identical(predict_classes(pair, matrix(c(-1, 2))), matrix(c(0L, 1L)))
  frames <- keras_model_sequential(input_shape = c(2, 3)) %>% layer_activation("softmax")
  expect_identical(predict_classes(frames, array(rbind(x[1, ], x[3, ]), c(1, 2, 3))), matrix(c(1L, 2L), 1))
})

test_that("several outputs have no single class", {
  x <- layer_input(shape = 2)
  model <- keras_model(x, list(layer_dense(x, 2), layer_dense(x, 2)))
  expect_error(predict_classes(model, matrix(0, 1, 2)), class = "convnet_error_argument")
})
