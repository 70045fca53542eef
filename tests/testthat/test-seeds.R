# set.seed() decides everything that is random, and only what is random moves R's generator.

x <- some_images(40)
y <- some_targets(40)

trained <- function(epochs = 3, ...) {
  model <- mixed_model()
  history <- model %>% fit(x, y, epochs = epochs, batch_size = 16, verbose = 0, ...)
  list(weights = get_weights(model), metrics = history$metrics, predicted = predict(model, x))
}

test_that("set.seed() repeats a run, another seed gives another one", {
  set.seed(42)
  first <- trained()
  set.seed(42)
  expect_identical(trained(), first)
  set.seed(43)
  second <- trained()
  differs <- !mapply(identical, first$weights, second$weights)
  expect_true(all(differs))
  expect_false(identical(first$metrics, second$metrics))
})

test_that("set.seed() repeats a run in a new process", {
  set.seed(42)
  here <- trained()
  there <- in_new_process(function(build, x, y) {
    library(convnet)
    environment(build) <- globalenv()
    set.seed(42)
    model <- build()
    history <- fit(model, x, y, epochs = 3, batch_size = 16, verbose = 0)
    list(weights = get_weights(model), metrics = history$metrics, predicted = predict(model, x))
  }, mixed_model, x, y)
  expect_identical(there, here)
})

test_that("without a seed two runs differ", {
  expect_false(identical(trained(1)$weights, trained(1)$weights))
})

test_that("only building, epochs and random functions draw from R's generator", {
  draws <- function(code) {
    before <- .Random.seed
    force(code)
    !identical(.Random.seed, before)
  }
  set.seed(1)
  expect_true(draws(model <- mixed_model()))
  expect_false(draws(mixed <- keras_model_sequential() %>% layer_dense(3)))
  expect_false(draws(model %>% compile("adam", "mse", metrics = "mae")))
  expect_false(draws(predict(model, x)))
  expect_false(draws(predict_on_batch(model, x)))
  expect_false(draws(evaluate(model, x, y, verbose = 0)))
  expect_false(draws(test_on_batch(model, x, y)))
  expect_false(draws(capture.output(summary(model), print(model))))
  expect_false(draws(get_weights(model)))
  expect_false(draws(unserialize(serialize(model, NULL))))
  expect_false(draws(convnet_info()))
  expect_false(draws(k_eval(k_sum(k_constant(1:3)))))
  expect_true(draws(model %>% fit(x, y, epochs = 1, verbose = 0, shuffle = FALSE)))
  expect_true(draws(train_on_batch(model, x, y)))
  # Data that were fed to a deferred model build it.
  expect_true(draws(predict(mixed, matrix(1, 2, 2))))
  expect_false(draws(predict(mixed, matrix(1, 2, 2))))
  # Gradients and functions without random operations.
  input <- k_placeholder(shape = list(NULL, 2))
  expect_false(draws(f <- k_function(list(input), k_gradients(k_sum(input^2), input))))
  expect_false(draws(f(list(matrix(1, 2, 2)))))
  # Initializers: those with a seed of their own, and constants, leave it alone.
  expect_true(draws(layer_dense(units = 2)(matrix(1, 1, 2))))
  expect_false(draws(layer_dense(units = 2, kernel_initializer = initializer_he_normal(seed = 9))(matrix(1, 1, 2))))
  expect_false(draws(layer_dense(units = 2, kernel_initializer = "ones")(matrix(1, 1, 2))))
  # A dropout layer does not draw where it passes everything through.
  dropout <- layer_dropout(rate = 0.5)
  expect_false(draws(dropout(matrix(1, 2, 2))))
  expect_true(draws(dropout(matrix(1, 2, 2), training = TRUE)))
})

test_that("a session that never drew a random number has no seed after predict()", {
  has_seed <- in_new_process(function(file, x) {
    library(convnet)
    model <- readRDS(file)
    predict(model, x)
    exists(".Random.seed", globalenv(), inherits = FALSE)
  }, saved(mixed_model()), x)
  expect_false(has_seed)
})

test_that("validation does not change the run", {
  set.seed(5)
  plain <- trained()
  set.seed(5)
  validated <- trained(validation_data = list(x[1:8, , , , drop = FALSE], y[1:8, , ]))
  expect_identical(validated$weights, plain$weights)
  expect_identical(validated$metrics$loss, plain$metrics$loss)
})

test_that("epochs in one call and in several are the same run", {
  set.seed(6)
  whole <- trained(4)
  set.seed(6)
  model <- mixed_model()
  losses <- unlist(lapply(1:4, function(epoch) {
    fit(model, x, y, epochs = epoch, initial_epoch = epoch - 1, batch_size = 16, verbose = 0)$metrics$loss
  }))
  expect_identical(get_weights(model), whole$weights)
  expect_identical(losses, whole$metrics$loss)
})

test_that("how often R looks at progress does not change the run", {
  set.seed(7)
  plain <- trained()
  set.seed(7)
  watched <- trained(callbacks = list(callback_lambda(on_batch_end = function(batch, logs) NULL)))
  expect_identical(watched$weights, plain$weights)
})

# The gradient of sum(dropout(x * w)) along w is the mask / (1 - rate): training with sgd shows the masks.
masks_of <- function(steps, epochs, seed = NULL, rate = 0.5) {
  masks <- list()
  model <- keras_model_sequential(input_shape = 50) %>%
    layer_dense(50, use_bias = FALSE, kernel_initializer = "identity", name = "weights") %>%
    layer_dropout(rate, seed = seed)
  model %>% compile(optimizer_sgd(1), function(y_true, y_pred) k_sum(y_pred, axis = -1))
  before <- diag(get_weights(model)[[1]])
  model %>% fit(matrix(1, steps, 50), matrix(0, steps, 50), batch_size = 1, epochs = epochs, verbose = 0,
    callbacks = list(callback_lambda(on_batch_end = function(batch, logs) {
      after <- diag(get_weights(model)[[1]])
      masks[[length(masks) + 1]] <<- round((before - after) * (1 - rate), 4)
      before <<- after
    })))
  masks
}

test_that("each step of each epoch has a dropout mask of its own", {
  set.seed(8)
  masks <- masks_of(6, 3)
  expect_length(masks, 18)
  expect_true(all(unlist(masks) %in% 0:1))
  expect_identical(anyDuplicated(masks), 0L)
  expect_equal(mean(unlist(masks)), 0.5, tolerance = 0.1)
  set.seed(8)
  expect_identical(masks_of(6, 3), masks)
  set.seed(9)
  expect_false(identical(masks_of(6, 3), masks))
})

test_that("two dropout layers of a model have different masks", {
  layers <- list(layer_dropout(rate = 0.5), layer_dropout(rate = 0.5))
  input <- k_placeholder(shape = list(NULL, 200))
  k_set_learning_phase(1)
  withr::defer(k_set_learning_phase(0))
  f <- k_function(list(input), lapply(layers, function(layer) layer(input)))
  set.seed(10)
  values <- f(list(matrix(1, 3, 200)))
  expect_setequal(unique(c(values[[1]])), c(0, 2))
  expect_false(identical(values[[1]], values[[2]]))
  # Rows of a batch, too.
  expect_false(identical(values[[1]][1, ], values[[1]][2, ]))
})

test_that("a dropout layer with a seed of its own repeats its masks, whatever set.seed() says", {
  x <- matrix(1, 4, 100)
  masks <- function(seed, layer_seed) {
    set.seed(seed)
    as.array(layer_dropout(rate = 0.3, seed = layer_seed)(x, training = TRUE))
  }
  expect_identical(masks(1, 5), masks(2, 5))
  expect_false(identical(masks(1, 5), masks(1, 6)))
  expect_false(identical(masks(1, NULL), masks(2, NULL)))
  set.seed(1)
  first <- masks_of(4, 2, seed = 5)
  set.seed(2)
  expect_identical(masks_of(4, 2, seed = 5), first)
  expect_gt(length(unique(first)), 3)
})

test_that("the shuffle follows set.seed() and is another one in each epoch", {
  # sgd on one weight: the order of the rows decides the value.
  order_of <- function(seed, epochs, ...) {
    set.seed(seed)
    seen <- numeric()
    model <- keras_model_sequential(input_shape = 1) %>%
      layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros")
    model %>% compile(optimizer_sgd(1), function(y_true, y_pred) k_mean(y_true * y_pred, axis = -1))
    before <- 0
    model %>% fit(matrix(1, 12, 1), 1:12, batch_size = 1, epochs = epochs, verbose = 0, ...,
      callbacks = list(callback_lambda(on_batch_end = function(batch, logs) {
        after <- get_weights(model)[[1]][[1]]
        seen <<- c(seen, round(before - after))
        before <<- after
      })))
    split(seen, rep(seq_len(epochs), each = 12))
  }
  orders <- order_of(1, 3)
  for (order in orders) expect_setequal(order, 1:12)
  expect_identical(anyDuplicated(orders), 0L)
  expect_identical(order_of(1, 3), orders)
  expect_false(identical(order_of(2, 3), orders))
  expect_identical(order_of(1, 2, shuffle = FALSE), list(`1` = as.numeric(1:12), `2` = as.numeric(1:12)))
})

test_that("losses and layers that draw do so anew in each evaluate(), and leave the training as it is", {
  noisy <- function() {
    model <- keras_model_sequential(input_shape = 2) %>%
      layer_lambda(function(x) x + k_random_normal(k_shape(x), stddev = 0.1)) %>%
      layer_dense(1, kernel_initializer = "ones")
    noisy_loss <- function(y_true, y_pred) (y_true - y_pred)^2 + k_random_uniform(k_shape(y_pred))
    model %>% compile(optimizer_sgd(0.01), noisy_loss)
    model
  }
  x <- matrix(1:8, 4)
  y <- rowSums(x)
  model <- noisy()
  set.seed(1)
  losses <- replicate(3, evaluate(model, x, y, verbose = 0)$loss)
  expect_identical(anyDuplicated(losses), 0L)
  set.seed(1)
  expect_identical(replicate(3, test_on_batch(model, x, y)[[1]]), losses)
  run <- function(...) {
    set.seed(2)
    model <- noisy()
    history <- fit(model, x, y, epochs = 3, batch_size = 2, verbose = 0, ...)
    list(weights = get_weights(model), metrics = history$metrics)
  }
  plain <- run()
  validated <- run(validation_data = list(x, y))
  expect_identical(validated$weights, plain$weights)
  expect_identical(anyDuplicated(validated$metrics$val_loss), 0L)
  expect_identical(run(validation_data = list(x, y)), validated)
})
