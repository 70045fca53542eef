# A critic whose loss contains the gradient of its own output (Gulrajani et al. 2017, arXiv:1704.00028): training it
# takes second derivatives. Real digits against the same digits with their pixels shuffled.

pixels <- function(n, from = 0) {
  array_reshape(dataset_digits()$train$x[from + seq_len(n), , ], c(n, 28, 28, 1)) / 255
}

shuffled <- function(x) {
  for (i in seq_len(nrow(x))) x[i, , , ] <- sample(x[i, , , ])
  x
}

# One model of real and fake images: scores of both, and the penalty at points between them.
penalized <- function(critic, optimizer, weight = function(n) 0.5) {
  real <- layer_input(shape = c(28, 28, 1))
  fake <- layer_input(shape = c(28, 28, 1))
  between <- layer_lambda(list(real, fake), function(x) {
    share <- weight(k_shape(x[[1]])[[0]])
    share * x[[1]] + (1 - share) * x[[2]]
  })
  mean_score <- function(y_true, y_pred) k_mean(y_true * y_pred)
  penalty <- function(y_true, y_pred) {
    slope <- k_gradients(y_pred, between)[[1]]
    k_square(k_sqrt(k_sum(k_square(slope), axis = c(2, 3, 4))) - 1)
  }
  model <- keras_model(list(real, fake), list(critic(real), critic(fake), critic(between)))
  compile(model, optimizer, loss = list(mean_score, mean_score, penalty), loss_weights = c(1, 1, 100))
  model
}

# The critic shall give low scores to real images and high ones to fakes.
signs <- function(n) list(matrix(1, n), matrix(-1, n), matrix(0, n))

test_that("a step follows the penalty's derivative by the weights", {
  local_float64()
  set.seed(1)
  critic <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(3, 5, strides = 3, padding = "same", activation = "tanh") %>%
    layer_conv_2d_transpose(2, 3, strides = 2, activation = "softplus") %>%
    layer_flatten() %>%
    layer_dense(1)
  model <- penalized(critic, optimizer_sgd(lr = 1))
  images <- list(pixels(4), shuffled(pixels(4)))
  before <- get_weights(critic)
  train_on_batch(model, images, signs(4))
  gradients <- Map(`-`, before, get_weights(critic))

  loss_at <- function(weights) {
    set_weights(critic, weights)
    test_on_batch(model, images, signs(4))[[1]]
  }
  step <- 1e-4
  for (i in seq_along(before)) {
    direction <- gradients[[i]]
    direction[] <- rnorm(length(direction)) / sqrt(length(direction))
    moved <- function(by) replace(before, i, list(before[[i]] + by * direction))
    slope <- (loss_at(moved(step)) - loss_at(moved(-step))) / (2 * step)
    expect_close(sum(gradients[[i]] * direction), slope, 1e-6, label = paste("weight", i))
  }
})

test_that("a critic with a gradient penalty learns to tell digits, with slopes near 1", {
  set.seed(1)
  critic <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
    layer_conv_2d(8, 5, strides = 2, padding = "same", activation = "elu") %>%
    layer_conv_2d(16, 5, strides = 2, padding = "same", activation = "elu") %>%
    layer_flatten() %>%
    layer_dense(1)
  anywhere <- function(n) k_random_uniform(list(n, 1L, 1L, 1L))
  model <- penalized(critic, optimizer_adam(lr = 0.001, beta_1 = 0.5, beta_2 = 0.9), anywhere)
  real <- pixels(480)
  history <- fit(model, list(real, shuffled(real)), signs(480), batch_size = 32, epochs = 12, verbose = 0)
  expect_lt(tail(history$metrics$loss, 1), history$metrics$loss[1] - 10)

  # 1-Lipschitz: scores differ by no more than the images do, and nearly by as much as they may.
  held_out <- pixels(100, from = 480)
  fakes <- shuffled(held_out)
  gap <- predict(critic, fakes) - predict(critic, held_out)
  expect_true(all(gap > 0))
  x <- layer_input(shape = c(28, 28, 1))
  slopes <- k_function(list(x), k_gradients(critic(x), x))(list((held_out + fakes) / 2))[[1]]
  expect_equal(mean(sqrt(apply(slopes^2, 1, sum))), 1, tolerance = 0.1)
})
