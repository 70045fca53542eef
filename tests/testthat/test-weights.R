test_that("weights are copies, in Keras's order and layout", {
  model <- keras_model_sequential(input_shape = c(5, 5, 3)) %>%
    layer_conv_2d(2, c(3, 2), name = "conv") %>%
    layer_conv_2d_transpose(4, c(2, 3), name = "up") %>%
    layer_batch_normalization(name = "norm") %>%
    layer_flatten() %>% layer_dense(2, use_bias = FALSE, name = "out")
  expect_identical(lapply(get_weights(model), dim),
                   list(c(3L, 2L, 3L, 2L), 2L, c(2L, 3L, 4L, 2L), 4L, 4L, 4L, 4L, 4L, c(96L, 2L)))
  expect_identical(vapply(get_layer(model, "norm")$weights, function(w) w$name, ""),
                   paste0("norm/", c("gamma", "beta", "moving_mean", "moving_variance")))
  expect_identical(count_params(model), 36 + 2 + 48 + 4 + 16 + 192)
  expect_length(get_weights(model, trainable = TRUE), 7)
  expect_identical(get_weights(model, trainable = FALSE), list(array(0, 4), array(1, 4)))
  kept <- get_weights(model)
  kept[[2]][1] <- 100
  expect_identical(get_weights(model)[[2]], array(0, 2))
})

test_that("what is set is what is read", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(2)
  given <- list(rbind(c(1, 2), c(3, 4)), array(c(5, 6)))
  expect_identical(set_weights(model, given), model)
  expect_identical(get_weights(model), given)
  expect_equal(predict(model, rbind(c(1, 0), c(0, 1))), rbind(c(6, 8), c(8, 10)))
  set_weights(model, list(matrix(0L, 2, 2), c(TRUE, FALSE)))
  expect_identical(get_weights(model), list(matrix(0, 2, 2), array(c(1, 0))))
  layer <- model$layers[[1]]
  layer$set_weights(given)
  expect_identical(layer$get_weights(), given)
  # Given when the layer is made they are set when it is built.
  waiting <- layer_dense(units = 2, weights = given)
  expect_identical(get_weights(waiting), list())
  expect_equal(as.array(waiting(rbind(c(1, 1)))), rbind(c(9, 12)))
})

test_that("frozen weights do not move, the others do", {
  make <- function(frozen) {
    model <- keras_model_sequential(input_shape = 2) %>%
      layer_dense(2, name = "base", trainable = if (frozen) FALSE) %>% layer_dense(1, name = "head")
    model %>% compile(optimizer_sgd(0.1, momentum = 0.9), "mse")
    model
  }
  x <- matrix(1:8, 4)
  model <- make(TRUE)
  before <- get_weights(model)
  fit(model, x, 1:4, epochs = 2, verbose = 0)
  after <- get_weights(model)
  expect_identical(after[1:2], before[1:2])
  expect_gt(max(abs(after[[3]] - before[[3]])), 1e-3)
  expect_gt(abs(after[[4]] - before[[4]]), 1e-3)

  model <- make(FALSE)
  freeze_weights(model, from = "head")
  expect_identical(vapply(model$layers, function(l) l$trainable, NA), c(TRUE, FALSE))
  expect_length(model$trainable_weights, 2)
  expect_length(model$non_trainable_weights, 2)
  # Not yet: compile() takes note.
  before <- get_weights(model)
  fit(model, x, 1:4, epochs = 1, verbose = 0)
  expect_gt(abs(get_weights(model)[[4]] - before[[4]]), 1e-3)
  model %>% compile(optimizer_sgd(0.1), "mse")
  before <- get_weights(model)
  fit(model, x, 1:4, epochs = 1, verbose = 0)
  expect_identical(get_weights(model)[3:4], before[3:4])
  expect_gt(max(abs(get_weights(model)[[1]] - before[[1]])), 1e-5)
  unfreeze_weights(model)
  expect_length(model$trainable_weights, 4)
  freeze_weights(model, to = 1)
  expect_identical(vapply(model$layers, function(l) l$trainable, NA), c(FALSE, TRUE))
  model$trainable <- FALSE
  expect_identical(model$trainable_weights, list())
})

test_that("a frozen batch normalization uses its moving statistics", {
  x <- matrix(c(1, 3, 5, 7))
  model <- keras_model_sequential(input_shape = 1) %>% layer_batch_normalization(momentum = 0.5, epsilon = 0, name = "norm")
  model %>% compile(optimizer_sgd(0), "mse")
  train_on_batch(model, x, x)
  # mean 4, variance 5
  expect_equal(get_weights(model), list(array(1), array(0), array(2), array(3)), tolerance = 1e-6)
  expect_equal(predict(model, x), (x - 2) / sqrt(3), tolerance = 1e-6)
  normal <- mean(((x - 4) / sqrt(5) - x)^2)
  expect_equal(train_on_batch(model, x, x)$loss, normal, tolerance = 1e-6)

  set_weights(model, list(1, 0, 2, 3))
  freeze_weights(model)
  model %>% compile(optimizer_sgd(1), "mse")
  frozen <- mean(((x - 2) / sqrt(3) - x)^2)
  expect_equal(train_on_batch(model, x, x)$loss, frozen, tolerance = 1e-6)
  expect_equal(get_weights(model), list(array(1), array(0), array(2), array(3)), tolerance = 1e-6)
})

test_that("compile() decides what is trained, as a discriminator in two models needs", {
  judge <- keras_model_sequential(input_shape = 1, name = "judge") %>% layer_dense(1, name = "judge_out")
  judge %>% compile(optimizer_sgd(0.1), "mse")
  freeze_weights(judge)
  both <- keras_model_sequential(input_shape = 1) %>% layer_dense(1, name = "maker") %>% judge()
  both %>% compile(optimizer_sgd(0.1), "mse")
  before <- get_weights(judge)
  fit(both, matrix(1:4), c(9, 9, 9, 9), epochs = 1, verbose = 0)
  expect_identical(get_weights(judge), before)
  fit(judge, matrix(1:4), c(9, 9, 9, 9), epochs = 1, verbose = 0)
  expect_gt(abs(get_weights(judge)[[2]] - before[[2]]), 0.1)
})

test_that("weights have the names of variables, too", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(2) %>% layer_batch_normalization()
  expect_identical(model$trainable_variables, model$trainable_weights)
  expect_identical(model$non_trainable_variables, model$non_trainable_weights)
  expect_length(model$non_trainable_variables, 2)
})

test_that("freeze_weights() takes the layers that are meant, in any form", {
  model <- keras_model_sequential(input_shape = 2) %>% layer_dense(2, name = "a") %>% layer_dense(2, name = "b") %>%
    layer_dense(2, name = "c")
  frozen <- function() vapply(model$layers, function(layer) !layer$trainable, NA)
  for (which in list(c("a", "c"), c(1, 3), c(TRUE, FALSE, TRUE), function(layer) layer$name != "b")) {
    freeze_weights(model, which = which)
    expect_identical(frozen(), c(TRUE, FALSE, TRUE))
    unfreeze_weights(model, which = which)
    expect_identical(frozen(), c(FALSE, FALSE, FALSE))
  }
  expect_error(freeze_weights(model, which = TRUE), class = "convnet_error_argument")
  expect_error(freeze_weights(model, which = "d"), class = "convnet_error_argument")
  expect_error(freeze_weights(model, from = 1, which = 1), class = "convnet_error_argument")
  expect_identical(frozen(), c(FALSE, FALSE, FALSE))
})

test_that("predictions follow every change of weights, whoever made it", {
  make <- function() {
    keras_model_sequential(input_shape = c(6, 6, 8)) %>% layer_conv_2d(16, 3, name = "conv") %>%
      layer_conv_2d_transpose(3, 4, strides = 2, name = "up") %>% compile(optimizer_sgd(0.1), "mse")
  }
  set.seed(5)
  model <- make()
  x <- array(rnorm(5 * 6 * 6 * 8), c(5, 6, 6, 8))
  y <- array(rnorm(5 * 10 * 10 * 3), c(5, 10, 10, 3))
  seen <- predict(model, x)
  follows <- function(change, batch_size = 5) {
    change
    found <- predict(model, x, batch_size = batch_size)
    expect_false(isTRUE(all.equal(found, seen)))
    expect_equal(found, predict(make() %>% set_weights(get_weights(model)), x), tolerance = 1e-6)
    seen <<- found
  }
  kernel <- get_layer(model, "up")$kernel
  scaled <- lapply(get_weights(model), function(w) w * 1.1)
  other <- keras_model(model$input, get_layer(model, "conv")$output) %>% compile("sgd", "mse")

  follows(set_weights(model, scaled))
  follows(get_layer(model, "up")$set_weights(list(scaled[[3]] * 2, array(1:3))))
  follows(k_set_value(kernel, k_get_value(kernel) / 2), batch_size = 2)
  follows(k_function(list(), list(), updates = list(k_update_add(kernel, k_ones_like(kernel))))(list()))
  follows(train_on_batch(model, x, y), batch_size = 2)
  follows(fit(model, x, y, epochs = 1, batch_size = 2, verbose = 0))
  follows(train_on_batch(other, x, array(0, c(5, 4, 4, 16))))
  copy <- unserialize(serialize(model, NULL))
  set_weights(copy, scaled)
  expect_identical(predict(model, x), seen)
  follows(set_weights(model, scaled))
  expect_identical(predict(copy, x), seen)
})

test_that("predictions follow moving statistics and constraints", {
  set.seed(6)
  x <- array(rnorm(5 * 6 * 6 * 8), c(5, 6, 6, 8))
  follows <- function(model) {
    before <- predict(model, x)
    train_on_batch(model, x, before)
    found <- predict(model, x)
    expect_false(isTRUE(all.equal(found, before)))
    expect_equal(found, predict(clone_model(model) %>% set_weights(get_weights(model)), x), tolerance = 1e-6)
  }
  # Nothing is learnt, so that what changes is the statistics, or what the constraint does.
  keras_model_sequential(input_shape = c(6, 6, 8)) %>% layer_conv_2d(16, 3) %>% layer_batch_normalization() %>%
    compile(optimizer_sgd(0), "mse") %>% follows()
  keras_model_sequential(input_shape = c(6, 6, 8)) %>%
    layer_conv_2d(16, 3, kernel_constraint = constraint_maxnorm(0.1)) %>%
    compile(optimizer_sgd(0), "mse") %>% follows()
})

test_that("steps follow weights that other models train", {
  x <- array(seq(-1, 1, length.out = 8 * 8 * 8 * 16), c(8, 8, 8, 16))
  real <- array(rep(c(0, 1, 0.5), length.out = 8 * 15 * 15 * 3), c(8, 15, 15, 3))
  # What is kept of the discriminator's weights for the generator's steps is lost before each of them, or not.
  train <- function(before_step) {
    set.seed(7)
    generator <- keras_model_sequential(input_shape = c(8, 8, 16)) %>%
      layer_conv_2d_transpose(3, 3, strides = 2, padding = "same", output_padding = 0)
    discriminator <- keras_model_sequential(input_shape = c(15, 15, 3)) %>%
      layer_conv_2d(16, 3, strides = 2, activation = "relu") %>% layer_batch_normalization() %>%
      layer_conv_2d(16, 3, activation = "relu") %>% layer_global_average_pooling_2d() %>%
      layer_dense(1, activation = "sigmoid") %>% compile(optimizer_sgd(0.1), "binary_crossentropy")
    freeze_weights(discriminator)
    gan <- keras_model_sequential() %>% generator() %>% discriminator() %>%
      compile(optimizer_sgd(0.1), "binary_crossentropy")
    losses <- vapply(1:4, function(step) {
      before_step()
      c(train_on_batch(discriminator, real, rep(1, 8)), train_on_batch(gan, x, rep(0, 8)))
    }, c(0, 0))
    list(losses = losses, generator = get_weights(generator), discriminator = get_weights(discriminator))
  }
  found <- train(function() NULL)
  expect_identical(found, train(k_clear_session))
  expect_true(all(diff(found$losses[1, ]) < 0))
})
