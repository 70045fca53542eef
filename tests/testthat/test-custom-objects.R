# Functions and classes of the user's are part of the model: they are trained, saved, cloned and used elsewhere.

x <- matrix(sin(1:60), 20)
y <- cbind(x[, 1] - x[, 2], x[, 3]^2)

scale_layer <- function(start) {
  list(
    class_name = "Scale",
    init = function(args) {
      args$power <- args$power %||% 1
      args
    },
    build = function(self, input_shape) {
      self$scale <- self$add_weight("scale", input_shape[length(input_shape)],
                                    initializer = initializer_constant(start),
                                    constraint = function(w) k_clip(w, 0, 3))
      self$seen <- self$add_weight("seen", integer(), "zeros", trainable = FALSE)
    },
    call = function(self, inputs, training = FALSE) {
      if (training) k_update_add(self$seen, 1)
      inputs * self$scale * self$power
    }
  )
}
`%||%` <- function(a, b) if (is.null(a)) b else a

# Everything that takes a function of the user's; each closure carries a value of its own.
custom_model <- function() {
  slope <- 0.25
  factor <- 0.001
  limit <- 0.9
  weight <- 2
  model <- keras_model_sequential(input_shape = 3) %>%
    layer_dense(4, name = "first",
      activation = function(x) k_maximum(x, x * slope),
      kernel_initializer = function(shape) array(cos(seq_len(prod(shape))), shape),
      bias_initializer = function(shape) array(0.1, shape),
      kernel_regularizer = function(w) k_sum(k_square(w)) * factor,
      activity_regularizer = function(a) k_sum(k_abs(a)) * factor,
      kernel_constraint = function(w) k_clip(w, -limit, limit))
  create_layer(scale_layer(0.5), model, list(power = 2, name = "scale"))
  model %>% layer_dense(2, name = "last", kernel_initializer = initializer_glorot_normal(seed = 1))
  model %>% compile(
    optimizer = optimizer_sgd(0.1, momentum = 0.5),
    loss = function(y_true, y_pred) k_mean(k_square(y_true - y_pred), axis = -1) * weight,
    metrics = list(custom_metric("worst", function(y_true, y_pred) k_max(k_abs(y_true - y_pred)) * weight),
                   half = function(y_true, y_pred) k_mean(k_abs(y_true - y_pred)) / weight))
  model
}

used <- function(model) {
  set.seed(2)
  history <- model %>% fit(x, y, epochs = 3, batch_size = 5, verbose = 0)
  list(metrics = history$metrics, weights = get_weights(model), predicted = predict(model, x),
       evaluated = evaluate(model, x, y, verbose = 0))
}

test_that("functions of the user's do what they say", {
  model <- custom_model()
  start <- get_weights(model)
  expect_equal(start[[1]], matrix(cos(1:12), 3), tolerance = 1e-6) # constraints apply after steps
  expect_equal(start[[2]], array(0.1, 4), tolerance = 1e-6)
  hidden <- x %*% start[[1]] + 0.1
  hidden <- pmax(hidden, 0.25 * hidden)
  predicted <- (hidden * 0.5 * 2) %*% start[[5]] + rep(start[[6]], each = 20)
  expect_equal(predict(model, x), predicted, tolerance = 1e-5)
  evaluated <- evaluate(model, x, y, verbose = 0, batch_size = 20)
  expect_named(evaluated, c("loss", "worst", "half"))
  penalty <- 0.001 * sum(start[[1]]^2) + 0.001 * sum(abs(hidden)) / 20
  expect_equal(evaluated$loss, 2 * mean((y - predicted)^2) + penalty, tolerance = 1e-5)
  expect_equal(evaluated$worst, 2 * max(abs(y - predicted)), tolerance = 1e-5)
  expect_equal(evaluated$half, mean(abs(y - predicted)) / 2, tolerance = 1e-5)
  result <- used(model)
  expect_lte(max(abs(result$weights[[1]])), 0.9 + 1e-6)
  expect_true(all(result$weights[[3]] >= 0 & result$weights[[3]] <= 3))
  expect_identical(k_get_value(get_layer(model, "scale")$seen), 12)
  expect_lt(result$metrics$loss[[3]], result$metrics$loss[[1]])
})

test_that("they go with the model into a new process", {
  here <- custom_model()
  file <- saved(here)
  half <- custom_model()
  set.seed(2)
  half %>% fit(x, y, epochs = 1, batch_size = 5, verbose = 0)
  there <- in_new_process(function(file, half, used, seed, x, y) {
    library(convnet)
    environment(used) <- environment()
    model <- readRDS(file)
    assign(".Random.seed", seed, globalenv())
    halfway <- readRDS(half)
    fit(halfway, x, y, epochs = 3, initial_epoch = 1, batch_size = 5, verbose = 0)
    list(resumed = get_weights(halfway), used = used(model),
         layer = as.array(get_layer(model, "scale")(matrix(1, 1, 4))))
  }, file, saved(half), used, .Random.seed, x, y)
  expect_identical(there$used, used(here))
  expect_identical(there$resumed, there$used$weights)
  expect_identical(there$layer, as.array(get_layer(here, "scale")(matrix(1, 1, 4))))
})

test_that("a layer class of the user's is cloned and made again from its configuration", {
  model <- custom_model()
  copy <- clone_model(model)
  expect_identical(get_weights(copy), get_weights(model))
  copy %>% compile(optimizer_sgd(0.1, momentum = 0.5), "mse")
  before <- get_weights(model)
  copy %>% fit(x, y, epochs = 1, verbose = 0)
  expect_identical(get_weights(model), before)
  layer <- get_layer(model, "scale")
  again <- from_config(get_config(layer))
  expect_identical(again$power, 2)
  expect_identical(as.array(again(matrix(1:4, 1))), as.array(layer(matrix(1:4, 1))))
})

test_that("a layer that keeps plain values of its own keeps them when it is saved", {
  remember <- list(
    class_name = "Remember",
    build = function(self, input_shape) self$table <- list(width = input_shape[2], label = "a", offset = 0.5),
    call = function(self, inputs) inputs * self$table$width + self$table$offset
  )
  layer <- create_layer(remember)
  model <- keras_model_sequential(list(layer), input_shape = 3)
  copy <- unserialize(serialize(model, NULL))
  expect_identical(copy$layers[[1]]$table, list(width = 3L, label = "a", offset = 0.5))
  expect_equal(predict(copy, matrix(1, 1, 3)), matrix(3.5, 1, 3))
})

test_that("a layer inside a layer of the user's is built, trained and saved with it", {
  residual <- list(
    class_name = "Residual",
    build = function(self, input_shape) self$inner <- layer_dense(units = input_shape[2], kernel_initializer = "ones"),
    call = function(self, inputs) inputs + self$inner(inputs)
  )
  model <- keras_model_sequential(input_shape = 3)
  create_layer(residual, model)
  expect_equal(predict(model, matrix(1:3, 1)), matrix(c(7, 8, 9), 1))
  expect_identical(count_params(model), 12)
  expect_identical(lapply(get_weights(model), dim), list(c(3L, 3L), 3L))
  model %>% compile(optimizer_sgd(0.001), "mse")
  before <- get_weights(model)
  model %>% fit(x, x, epochs = 2, verbose = 0)
  expect_true(all(get_weights(model)[[1]] != before[[1]]))
  copy <- unserialize(serialize(model, NULL))
  expect_identical(predict(copy, x), predict(model, x))
  set_weights(copy, before)
  expect_equal(predict(copy, matrix(1:3, 1)), matrix(c(7, 8, 9), 1))
  # Frozen with the layer that it is part of.
  freeze_weights(model)
  expect_length(model$trainable_weights, 0)
  expect_length(model$weights, 2)
})
