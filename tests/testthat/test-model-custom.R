x <- matrix(sin(1:40), 20)
y <- matrix(cos(1:40), 20)

mlp <- function() {
  keras_model_custom(name = "mlp", function(self) {
    self$hidden <- layer_dense(units = 4, activation = "tanh")
    self$more <- list(layer_dropout(rate = 0.5), layer_dense(units = 2))
    function(inputs, mask = NULL, training = FALSE) {
      h <- self$hidden(inputs)
      for (layer in self$more) h <- layer(h)
      if (training) h else h * 2
    }
  })
}

test_that("a model from a function computes, trains and knows the phase", {
  set.seed(1)
  model <- mlp()
  model %>% compile(optimizer_adam(0.03), "mse", metrics = "mae")
  history <- model %>% fit(x, y, epochs = 30, verbose = 0)
  expect_lt(history$metrics$loss[[30]], history$metrics$loss[[1]])
  w <- get_weights(model)
  by_hand <- 2 * (tanh(x %*% w[[1]] + rep(w[[2]], each = 20)) %*% w[[3]] + rep(w[[4]], each = 20))
  expect_equal(predict(model, x), by_hand, tolerance = 1e-5)
  expect_equal(evaluate(model, x, y, verbose = 0)$mae, mean(abs(by_hand - y)), tolerance = 1e-5)
  expect_equal(as.array(model(x)), by_hand, tolerance = 1e-5)
  expect_identical(vapply(model$layers, function(l) l$class_name, ""), c("Dense", "Dropout", "Dense"))
  expect_identical(model$hidden, model$layers[[1]])
  expect_identical(count_params(model), 22)
  freeze_weights(model, to = 1)
  expect_length(model$trainable_weights, 2)
})

test_that("it is saved, cloned and used as a layer", {
  set.seed(2)
  model <- mlp()
  model %>% compile("adam", "mse")
  model %>% fit(x, y, epochs = 1, verbose = 0)
  file <- saved(model)
  seed <- .Random.seed
  model %>% fit(x, y, epochs = 2, initial_epoch = 1, verbose = 0)
  there <- in_new_process(function(file, x, y, seed) {
    library(convnet)
    assign(".Random.seed", seed, globalenv())
    model <- readRDS(file)
    fit(model, x, y, epochs = 2, initial_epoch = 1, verbose = 0)
    predict(model, x)
  }, file, x, y, seed)
  expect_identical(there, predict(model, x))
  copy <- clone_model(model)
  copy(x)
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))
  input <- layer_input(2)
  whole <- keras_model(input, model(input) + input)
  expect_equal(predict(whole, x), predict(model, x) + x, tolerance = 1e-6)
  expect_length(whole$weights, 4)
  stack <- keras_model_sequential(input_shape = 2) %>% model() %>% layer_dense(1)
  expect_identical(stack$output_shape, c(NA, 1L))
})

test_that("several inputs and outputs", {
  model <- keras_model_custom(function(self) {
    self$dense <- layer_dense(units = 2, use_bias = FALSE, weights = list(diag(2)))
    function(inputs) list(self$dense(inputs[[1]]) + inputs[[2]], inputs[[1]] * inputs[[2]])
  })
  model %>% compile("sgd", loss = list("mse", "mae"), loss_weights = list(1, 2))
  found <- evaluate(model, list(x, y), list(0 * x, 0 * x), verbose = 0)
  expect_equal(found, list(loss = mean((x + y)^2) + 2 * mean(abs(x * y)), output_1_loss = mean((x + y)^2),
                           output_2_loss = mean(abs(x * y))), tolerance = 1e-5)
  expect_equal(predict(model, list(x, y)), list(x + y, x * y), tolerance = 1e-6)
})

test_that("a model class is a recipe for models", {
  model_tower <- new_model_class("Tower",
    initialize = function(units) self$dense <- lapply(units, function(n) layer_dense(units = n)),
    call = function(inputs) {
      for (layer in self$dense) inputs <- layer(inputs)
      inputs
    })
  tower <- model_tower(units = c(4, 3), name = "t")
  expect_identical(dim(predict(tower, x)), c(20L, 3L))
  expect_identical(tower$name, "t")
  expect_identical(count_params(tower), 27)
  copy <- clone_model(tower)
  expect_identical(dim(predict(copy, x)), c(20L, 3L))
  expect_identical(copy$class_name, "Tower")
  expect_false(identical(get_weights(copy), get_weights(tower)))
})

test_that("what is wrong with the function is said", {
  k_reset_uids()
  expect_snapshot_errors({
    keras_model_custom(3)
    keras_model_custom(function(self) NULL)
    keras_model_custom(function(self) stop("no layers today"))
    predict(keras_model_custom(function(self) function(inputs) stop("no output today")), x)
    predict(keras_model_custom(function(self) function(inputs) "text"), x)
  })
})

test_that("variables are weights of a model from a function", {
  local_float64()
  model <- keras_model_custom(function(self) {
    self$bias <- k_variable(c(1, 2))
    self$dense <- layer_dense(units = 2, use_bias = FALSE)
    function(inputs) self$dense(inputs) + self$bias
  })
  model %>% compile(optimizer_sgd(0.1), "mse")
  error <- predict(model, x) - y
  train_on_batch(model, x, y)
  expect_equal(c(get_weights(model)[[1]]), c(1, 2) - 0.1 * colMeans(error))
  expect_identical(k_get_value(model$bias), c(get_weights(readRDS(saved(model)))[[1]]))
})

test_that("summary() shows the shapes inside a function, and where there are several", {
  k_reset_uids()
  model <- keras_model_custom(name = "two", function(self) {
    self$shared <- layer_conv_1d(filters = 1, kernel_size = 2)
    self$once <- layer_dense(units = 3)
    self$never <- layer_dense(units = 3)
    function(inputs) self$once(k_concatenate(list(self$shared(inputs), self$shared(inputs[, 1:3, ])), axis = 2))
  })
  predict(model, some_values(c(2, 5, 2)))
  shown <- format(model, line_length = 60)
  row <- function(name) strsplit(grep(name, shown, fixed = TRUE, value = TRUE)[[1]], " {2,}")[[1]]
  expect_identical(row("conv1d (Conv1D)")[2], "multiple")
  expect_identical(row("dense (Dense)")[2], "(None, 6, 3)")
  expect_identical(row("dense_1 (Dense)")[2:3], c("?", "?"))
  # As in a graph.
  conv <- layer_conv_1d(filters = 1, kernel_size = 2, name = "both")
  a <- layer_input(c(5, 2))
  b <- layer_input(c(4, 2))
  shown <- format(keras_model(list(a, b), list(conv(a), conv(b))))
  expect_match(grep("both (Conv1D)", shown, fixed = TRUE, value = TRUE), "multiple")
})

test_that("nothing is a part of itself", {
  inner <- keras_model_custom(name = "inner", function(self) {
    self$out <- layer_dense(units = 1)
    function(inputs) self$out(inputs)
  })
  outer <- keras_model_custom(name = "outer", function(self) {
    self$inner <- inner
    function(inputs) self$inner(inputs)
  })
  around <- keras_model_sequential(input_shape = 2, name = "around") %>% outer()
  expect_snapshot_errors({
    inner$me <- inner
    inner$parents <- list(outer)
    inner$around <- around
    keras_model_custom(name = "new", function(self) self$me <- self)
  })
  expect_identical(dim(predict(around, matrix(1, 3, 2))), c(3L, 1L))
  expect_length(get_weights(outer), 2)
})
