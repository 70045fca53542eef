names_of <- function(layers) vapply(layers, function(layer) layer$name, "")

# Two inputs, a layer called twice, an operation between layers, two outputs.
two_by_two <- function() {
  a <- layer_input(3, name = "a")
  b <- layer_input(3, name = "b")
  shared <- layer_dense(units = 2, name = "shared", weights = list(matrix(c(1, 2, 3, -1, 0, 1), 3), c(0.5, -0.5)))
  sum <- shared(a) * 2 + shared(b)
  out <- layer_dense(units = 1, name = "out", weights = list(matrix(c(1, -1), 2), 0.25))
  keras_model(list(a, b), list(out(sum), layer_activation(sum, "tanh", name = "bent")))
}
xs <- list(matrix(sin(1:12), 4), matrix(cos(1:12), 4))

by_hand <- function(xs) {
  kernel <- matrix(c(1, 2, 3, -1, 0, 1), 3)
  shared <- function(x) x %*% kernel + rep(c(0.5, -0.5), each = 4)
  sum <- shared(xs[[1]]) * 2 + shared(xs[[2]])
  list(sum %*% c(1, -1) + 0.25, tanh(sum))
}

test_that("a graph with several inputs and outputs computes what it says", {
  model <- two_by_two()
  expect_equal(predict(model, xs), by_hand(xs), tolerance = 1e-6)
  expect_equal(predict(model, list(b = xs[[2]], a = xs[[1]])), by_hand(xs), tolerance = 1e-6)
  expect_equal(predict(model, xs, batch_size = 3), by_hand(xs), tolerance = 1e-6)
  expect_equal(predict_on_batch(model, xs), by_hand(xs), tolerance = 1e-6)
  expect_equal(lapply(model(xs), as.array), by_hand(xs), tolerance = 1e-6)
  expect_equal(lapply(model(list(b = xs[[2]], a = xs[[1]])), as.array), by_hand(xs), tolerance = 1e-6)
})

test_that("layers are listed in Keras's order, the inputs among them", {
  model <- two_by_two()
  expect_identical(names_of(model$layers), c("a", "shared", "b", "out", "bent"))
  expect_identical(get_layer(model, "a")$class_name, "InputLayer")
  expect_identical(get_layer(model, index = 2)$name, "shared")
  expect_identical(count_params(model), 11)
  expect_identical(model$input_names, c("a", "b"))
  expect_identical(model$output_names, c("out", "bent"))
  expect_identical(model$output_shape, list(c(NA, 1L), c(NA, 2L)))
  expect_identical(get_layer(model, "a")$output, model$inputs[[1]])
  expect_identical(get_layer(model, "out")$output, model$output[[1]])
  # Deeper layers first; at one depth as one meets them from the outputs.
  x <- layer_input(2, name = "x")
  long <- x %>% layer_dense(2, name = "l1") %>% layer_dense(2, name = "l2") %>% layer_dense(2, name = "l3")
  short <- x %>% layer_dense(2, name = "s1")
  both <- keras_model(x, k_concatenate(list(short, long)))
  expect_identical(names_of(both$layers), c("x", "l1", "l2", "s1", "l3"))
})

test_that("the gradient of a shared layer is the sum over its calls", {
  local_float64()
  x <- layer_input(3)
  twice <- layer_dense(units = 3, use_bias = FALSE, weights = list(diag(3) / 2 + 0.1))
  model <- keras_model(x, twice(tanh(twice(x))))
  model %>% compile(optimizer_sgd(0.1), loss = "mse")
  w <- diag(3) / 2 + 0.1
  data <- xs[[1]]
  hidden <- tanh(data %*% w)
  slope <- 2 * (hidden %*% w - xs[[2]]) / 12
  gradient <- t(hidden) %*% slope + t(data) %*% (slope %*% t(w) * (1 - hidden^2))
  train_on_batch(model, data, xs[[2]])
  expect_equal(get_weights(model)[[1]], w - 0.1 * gradient)
  expect_length(model$weights, 1)
})

test_that("losses, metrics and weights of several outputs add up as said", {
  local_float64()
  model <- two_by_two()
  model %>% compile(optimizer_sgd(0.1), loss = list(bent = "mae", out = "mse"), loss_weights = list(bent = 0.5),
                    metrics = list(out = "mae", bent = list("mse", twice = "mae")))
  ys <- list(matrix(1:4), matrix(1:8 / 8, 4))
  error <- Map(`-`, by_hand(xs), ys)
  expected <- list(loss = mean(error[[1]]^2) + 0.5 * mean(abs(error[[2]])), out_loss = mean(error[[1]]^2),
                   bent_loss = mean(abs(error[[2]])), out_mae = mean(abs(error[[1]])),
                   bent_mse = mean(error[[2]]^2), bent_twice = mean(abs(error[[2]])))
  expect_equal(evaluate(model, xs, ys, verbose = 0), expected)
  expect_equal(evaluate(model, list(b = xs[[2]], a = xs[[1]]), list(bent = ys[[2]], out = ys[[1]]), verbose = 0), expected)
  expect_equal(as.list(test_on_batch(model, xs, ys)), expected)
  expect_equal(as.list(train_on_batch(model, xs, ys)), expected)
  # One step by hand: the gradient of the loss with respect to the bias of `out`.
  expect_equal(get_weights(model)[[4]], array(0.25 - 0.1 * 2 * mean(error[[1]])))
  model$optimizer$learning_rate <- 0.001
  history <- model %>% fit(xs, ys, epochs = 2, verbose = 0, validation_data = list(xs, ys))
  expect_named(history$metrics, c(names(expected), paste0("val_", names(expected))))
  expect_lt(history$metrics$loss[[2]], history$metrics$loss[[1]])
})

test_that("weights of rows and classes can be given by output", {
  local_float64()
  model <- two_by_two()
  model %>% compile("sgd", loss = "mse", weighted_metrics = list(out = "mae"))
  ys <- list(c(0, 1, 1, 0), matrix(0, 4, 2))
  squares <- Map(function(p, y) rowMeans((p - y)^2), by_hand(xs), ys)
  weights <- list(c(1, 2, 3, 4), c(0, 1, 0, 2))
  both <- test_on_batch(model, xs, ys, sample_weight = weights)
  expect_equal(both$out_loss, mean(squares[[1]] * weights[[1]]))
  expect_equal(both$bent_loss, mean(squares[[2]] * weights[[2]]))
  expect_equal(both$out_mae, weighted.mean(abs(by_hand(xs)[[1]] - ys[[1]]), weights[[1]]))
  one <- test_on_batch(model, xs, ys, sample_weight = list(bent = weights[[2]]))
  expect_equal(one$out_loss, mean(squares[[1]]))
  expect_equal(one$bent_loss, both$bent_loss)
  same <- test_on_batch(model, xs, ys, sample_weight = weights[[1]])
  expect_equal(same$bent_loss, mean(squares[[2]] * weights[[1]]))
  classes <- train_on_batch(model, xs, ys, class_weight = list(out = list("0" = 2, "1" = 5)))
  expect_equal(classes$out_loss, mean(squares[[1]] * c(2, 5, 5, 2)))
  expect_equal(classes$bent_loss, mean(squares[[2]]))
})

test_that("an output without loss is not trained, and needs no targets", {
  model <- two_by_two()
  model %>% compile("sgd", loss = list(out = "mse"), metrics = "mae")
  expect_named(evaluate(model, xs, matrix(1:4), verbose = 0), c("loss", "out_loss", "out_mae"))
  expect_equal(evaluate(model, xs, list(out = matrix(1:4)), verbose = 0),
               evaluate(model, xs, list(1:4, matrix(0, 4, 2)), verbose = 0))
})

test_that("outputs of one layer get names of their own", {
  x <- layer_input(2)
  layer <- layer_dense(units = 1, name = "head")
  model <- keras_model(x, list(layer(x), layer(x * 2), layer(x * 3)))
  model %>% compile("sgd", "mse")
  expect_named(evaluate(model, matrix(1, 2, 2), list(1:2, 1:2, 1:2), verbose = 0),
               c("loss", "head_loss", "head_1_loss", "head_2_loss"))
})

test_that("names given to inputs and outputs are theirs", {
  x <- layer_input(2)
  y <- layer_input(2)
  model <- keras_model(list(left = x, right = y), list(difference = x - y, sum = x + y))
  values <- predict(model, list(right = matrix(1, 1, 2), left = matrix(3, 1, 2)))
  expect_equal(values, list(difference = matrix(2, 1, 2), sum = matrix(4, 1, 2)))
})

test_that("names of data follow the layers' names, also after use", {
  model <- two_by_two()
  values <- predict(model, list(b = xs[[2]], a = xs[[1]]))
  rename <- function(layer, name) layer$name <- name
  rename(get_layer(model, "a"), "left")
  rename(get_layer(model, "bent"), "curved")
  expect_identical(model$input_names, c("left", "b"))
  expect_identical(model$output_names, c("out", "curved"))
  expect_identical(predict(model, list(b = xs[[2]], left = xs[[1]])), values)
  expect_error(predict(model, list(b = xs[[2]], a = xs[[1]])), class = "convnet_error_argument")
  copy <- unserialize(serialize(model, NULL))
  rename(get_layer(copy, "b"), "right")
  expect_identical(copy$input_names, c("left", "right"))
  expect_identical(model$input_names, c("left", "b"))
})

test_that("parts of a model need not be joined", {
  a <- layer_input(2)
  b <- layer_input(2)
  model <- keras_model(list(a, b), list(a + 1, b * 2))
  x <- list(matrix(1:4, 2), matrix(5:8, 2))
  expect_equal(predict(model, x), list(x[[1]] + 1, x[[2]] * 2))
})

test_that("models are layers", {
  local_float64()
  inner_in <- layer_input(3)
  inner <- keras_model(inner_in, layer_dense(inner_in, 2, name = "d", weights = list(matrix(1:6, 3), 1:2)), name = "inner")
  x <- layer_input(3)
  y <- layer_input(3)
  outer <- keras_model(list(x, y), x %>% inner + inner(y))
  data <- xs
  expect_equal(predict(outer, xs), (xs[[1]] + xs[[2]]) %*% matrix(1:6, 3) + rep(2 * (1:2), each = 4))
  expect_identical(outer$layers[[3]], inner)
  expect_length(outer$weights, 2)
  stack <- keras_model_sequential() %>% inner %>% layer_activation("tanh")
  expect_equal(predict(stack, xs[[1]]), tanh(predict(inner, xs[[1]])))
  expect_identical(names_of(stack$layers)[1], "inner")
  # Frozen from outside, trained inside.
  freeze_weights(inner)
  outer %>% compile("sgd", "mse")
  before <- get_weights(inner)
  outer %>% fit(xs, matrix(0, 4, 2), verbose = 0, epochs = 1)
  expect_identical(get_weights(inner), before)
  unfreeze_weights(inner)
  outer %>% compile("sgd", "mse")
  outer %>% fit(xs, matrix(0, 4, 2), verbose = 0, epochs = 1)
  expect_false(identical(get_weights(inner), before))
  # A list in a pipe.
  z <- list(x, y) %>% outer
  expect_equal(predict(keras_model(list(x, y), z * 2), xs), 2 * predict(outer, xs))
})

test_that("a model is a layer on the tensors that it was made of, too", {
  local_float64()
  x <- layer_input(3)
  double <- layer_dense(units = 3, use_bias = FALSE, weights = list(2 * diag(3)))
  inner <- keras_model(x, layer_activation(x, "tanh"))
  wide <- keras_model(x, inner(double(x)))
  model <- keras_model(x, list(wide(inner(double(x))), double(x), inner(x)))
  data <- xs[[1]]
  expect_equal(predict(wide, data), tanh(2 * data))
  expect_equal(predict(model, data), list(tanh(2 * tanh(2 * data)), 2 * data, tanh(data)))
  # A loss sees the tensors of the whole, not those of a part.
  model %>% compile("sgd", function(y_true, y_pred) k_mean(x) + 0 * k_mean(y_pred))
  expect_equal(evaluate(model, data, predict(model, data), verbose = 0)$loss, 3 * mean(data))
})

test_that("a frozen layer deep inside changes what a step computes", {
  x <- layer_input(2)
  norm <- layer_batch_normalization()
  inner <- keras_model(x, norm(x))
  model <- keras_model_sequential() %>% inner
  model %>% compile(optimizer_sgd(0), "mse")
  data <- matrix(c(1, 3, 2, 6), 2)
  moving <- function() get_weights(norm)[[3]]
  train_on_batch(model, data, data)
  once <- moving()
  expect_false(all(once == 0))
  norm$trainable <- FALSE
  train_on_batch(model, data, data)
  expect_identical(moving(), once)
})

test_that("features come out of a model", {
  model <- keras_model_sequential(input_shape = 3) %>%
    layer_dense(4, activation = "relu", name = "hidden") %>%
    layer_dense(1)
  features <- keras_model(model$input, get_layer(model, "hidden")$output)
  weights <- get_weights(model)
  expect_equal(predict(features, xs[[1]]), pmax(xs[[1]] %*% weights[[1]] + rep(weights[[2]], each = 4), 0),
               tolerance = 1e-6)
  # From the middle on.
  rest <- keras_model(get_layer(model, "hidden")$output, model$output)
  expect_equal(predict(rest, predict(features, xs[[1]])), predict(model, xs[[1]]), tolerance = 1e-6)
  expect_identical(rest$layers[[1]]$class_name, "InputLayer")
})

test_that("a graph is made again from its configuration", {
  model <- two_by_two()
  config <- get_config(model)
  copy <- from_config(config)
  # The weights are given in the configuration of their layers only where they were arguments.
  expect_identical(lapply(get_weights(copy), dim), lapply(get_weights(model), dim))
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, xs), predict(model, xs))
  expect_identical(get_config(copy), config)
  expect_identical(format(copy), format(model))
  expect_identical(copy$output_names, model$output_names)
  # New weights, not the same ones.
  before <- get_weights(model)
  set_weights(copy, lapply(before, function(w) w * 0))
  expect_identical(get_weights(model), before)
})

test_that("clones keep names, nested models, arguments of calls, variables and tied weights", {
  local_float64()
  scale <- k_variable(c(2, 3), name = "scale")
  inner_in <- layer_input(3)
  encoder <- layer_dense(units = 2, use_bias = FALSE, name = "encoder")
  inner <- keras_model(inner_in, encoder(inner_in), name = "inner")
  x <- layer_input(3, name = "x")
  code <- inner(x) * scale + matrix(c(0.5, 1), 1)
  dropped <- layer_dropout(rate = 0.5)(code, training = FALSE)
  decoded <- k_dot(dropped, k_transpose(encoder$kernel))
  model <- keras_model(list(image = x), list(code = code, decoded = decoded), name = "tied")
  copy <- clone_model(model)
  expect_identical(copy$name, "tied")
  expect_identical(names(predict(copy, xs[[1]])), c("code", "decoded"))
  weights <- list(matrix(cos(1:6), 3))
  set_weights(model, weights)
  set_weights(copy, weights)
  expect_identical(predict(copy, xs[[1]]), predict(model, xs[[1]]))
  expect_equal(predict(copy, xs[[1]])$decoded,
               ((xs[[1]] %*% weights[[1]]) * rep(2:3, each = 4) + rep(c(0.5, 1), each = 4)) %*% t(weights[[1]]))
  k_set_value(scale, c(0, 0))
  expect_false(identical(predict(copy, xs[[1]]), predict(model, xs[[1]])))
  on_tensors <- clone_model(model, input_tensors = list(layer_input(3, name = "other")))
  expect_identical(names_of(on_tensors$layers)[1], "other")
})

test_that("functional models are trained on in a new process as if nothing had happened", {
  build <- function() {
    set.seed(4)
    model <- two_by_two()
    x <- layer_input(3, name = "x")
    both <- model(list(x, x * 2))
    deep <- both[[1]] %>% layer_dense(4, activation = "relu") %>% layer_dropout(0.3) %>% layer_batch_normalization()
    whole <- keras_model(x, list(layer_concatenate(list(deep, both[[2]])), deep))
    whole %>% compile("adam", "mse", metrics = "mae")
    whole
  }
  x <- matrix(sin(1:60), 20)
  y <- list(matrix(cos(1:120), 20), matrix(cos(1:80), 20))
  model <- build()
  set.seed(5)
  model %>% fit(x, y, epochs = 1, batch_size = 5, verbose = 0)
  file <- saved(model)
  seed <- .Random.seed
  model %>% fit(x, y, epochs = 3, initial_epoch = 1, batch_size = 5, verbose = 0)
  there <- in_new_process(function(file, x, y, seed) {
    library(convnet)
    model <- readRDS(file)
    assign(".Random.seed", seed, globalenv())
    fit(model, x, y, epochs = 3, initial_epoch = 1, batch_size = 5, verbose = 0)
    list(weights = get_weights(model), predicted = predict(model, x), copied = length(get_weights(clone_model(model))))
  }, file, x, y, seed)
  expect_identical(there$weights, get_weights(model))
  expect_identical(there$predicted, predict(model, x))
  expect_identical(there$copied, length(there$weights))
})

test_that("tensors among the arguments of a call are part of the graph", {
  mixed <- list(class_name = "Mixed", call = function(self, inputs, state, scale = 1, mask = NULL) {
    y <- inputs * scale + state[[1]] - state[[2]]
    list(y, if (is.null(mask)) y else y * mask)
  })
  layer <- create_layer(mixed)
  x <- layer_input(2, name = "x")
  h <- layer_input(2, name = "h")
  c <- layer_input(2, name = "c")
  y <- layer(x, state = list(h, c * 2), scale = 3, mask = c)
  model <- keras_model(list(x, h, c), y)
  data <- lapply(1:3, function(i) matrix(i + 1:4, 2))
  expected <- 3 * data[[1]] + data[[2]] - 2 * data[[3]]
  expect_equal(predict(model, data), list(expected, expected * data[[3]]))
  # By position, on arrays, and with numbers.
  expect_equal(as.array(layer(data[[1]], list(data[[2]], 1))[[1]]), data[[1]] + data[[2]] - 1)
  expect_equal(as.array(layer(data[[1]], state = list(k_constant(data[[2]]), k_constant(data[[3]])), mask = 2)[[2]]),
               2 * (data[[1]] + data[[2]] - data[[3]]))
  copy <- unserialize(serialize(model, NULL))
  expect_identical(predict(copy, data), predict(model, data))
})

test_that("each call of a layer has its tensors", {
  x <- layer_input(3)
  y <- layer_input(c(4, 3))
  layer <- layer_dense(units = 2)
  once <- layer(x)
  expect_identical(layer$output, once)
  twice <- layer(y)
  expect_identical(get_input_at(layer, 2), y)
  expect_identical(list(get_output_at(layer, 1), get_output_at(layer, 2)), list(once, twice))
  expect_identical(get_input_shape_at(layer, 1), c(NA, 3L))
  expect_identical(get_output_shape_at(layer, 2), c(NA, 4L, 2L))
  model <- keras_model(x, once)
  on_y <- model(k_placeholder(list(NULL, 3)))
  expect_identical(list(get_output_at(model, 1), get_output_at(model, 2)), list(once, on_y))
  expect_identical(model$output, once)
  expect_error(get_output_at(layer, 3), "no such call", class = "convnet_error_argument")
})

test_that("wrong graphs are refused", {
  k_reset_uids()
  x <- layer_input(2, name = "x")
  y <- layer_input(2, name = "y")
  z <- layer_dense(x + y, 1, name = "z")
  stack <- keras_model_sequential(input_shape = 2, name = "stack")
  expect_snapshot_errors({
    keras_model(x, z)
    keras_model(z, x)
    keras_model(list(x, x, y), z)
    keras_model(list(x, y))
    keras_model(list(x, y), 3)
    keras_model(matrix(1, 2, 2), z)
    keras_model(list(x, y), k_variable(1))
    keras_model(list(x, y), list(z, layer_dense(x, 2, name = "z")))
    keras_model(list(a = x, a = y), z)
    stack %>% stack
    layer_dense(units = 1, name = "d")(x, initial_state = y)
    keras_model(list(x, y), z)(list(x, y, x))
    keras_model(list(x, y), z)(list(x = x, other = y))
    keras_model(list(x, y), z)(list(x, layer_input(3)))
  })
  shared <- layer_dense(units = 2, name = "shared")
  shared(shared(x))
  expect_snapshot_errors(shared$output)
})

test_that("data and settings that do not fit the inputs and outputs are refused", {
  k_reset_uids()
  model <- two_by_two()
  expect_snapshot_errors({
    compile(model, loss = list(out = "mse", bend = "mae"))
    compile(model, loss = list("mse", "mae", "mse"))
    compile(model, loss = list(NULL, NULL))
    compile(model, loss = "mse", metrics = list(out = "mae", other = "mae"))
    compile(model, loss = "mse", loss_weights = list(1, 2, 3))
    compile(model, loss = "mse", loss_weights = c(other = 2))
    predict(model, xs[[1]])
    predict(model, list(a = xs[[1]], c = xs[[2]]))
    predict(model, list(b = xs[[1]]))
    predict(model, list(xs[[1]], xs[[2]][1:2, ]))
    predict(model, list(xs[[1]], cbind(xs[[2]], 1)))
  })
  model %>% compile("sgd", "mse")
  ys <- list(1:4, matrix(0, 4, 2))
  expect_refused(model, {
    fit(model, xs, ys[[1]])
    fit(model, xs, list(out = ys[[1]], other = ys[[2]]))
    fit(model, xs, list(ys[[1]], matrix(0, 4, 3)))
    fit(model, xs, list(ys[[1]], matrix(0, 3, 2)))
    fit(model, xs, ys, sample_weight = list(1:4))
    fit(model, xs, ys, sample_weight = list(other = 1:4))
    fit(model, xs, ys, sample_weight = list(out = 1:3))
    fit(model, xs, ys, class_weight = list("0" = 1, "1" = 2))
  })
})

test_that("a saved graph holds weights, the optimizer's state and little else; calls leave nothing behind", {
  x <- layer_input(c(8, 8, 3))
  h <- x
  for (i in 1:10) {
    y <- h %>% layer_conv_2d(8, 3, padding = "same") %>% layer_batch_normalization()
    h <- if (i == 1) y else layer_add(y, h)
  }
  model <- keras_model(x, list(layer_flatten(h) %>% layer_dense(2), h))
  model %>% compile("adam", "mse")
  data <- array(sin(1:768), c(4, 8, 8, 3))
  targets <- list(matrix(0, 4, 2), array(0, c(4, 8, 8, 8)))
  model %>% fit(data, targets, epochs = 1, verbose = 0)
  trained <- sum(vapply(model$trainable_weights, count_params, 0))
  size <- saved_size(model)
  expect_lt(size, 4 * count_params(model) + 8 * trained + 200e3)
  for (i in 1:20) model(data)
  for (i in 1:5) predict(model, data)
  expect_lt(abs(saved_size(model) - size), 20e3)
})
