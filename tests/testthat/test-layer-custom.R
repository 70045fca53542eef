x <- matrix(sin(1:12), 4)

# A dense layer as a script for Keras writes it.
MyDense <- R6::R6Class("MyDense", inherit = KerasLayer, public = list(
  units = NULL,
  kernel = NULL,
  initialize = function(units) self$units <- units,
  build = function(input_shape) {
    self$kernel <- self$add_weight(name = "kernel", shape = list(input_shape[[2]], self$units),
                                   initializer = initializer_random_normal(seed = 1), regularizer = regularizer_l2(0.1),
                                   trainable = TRUE)
  },
  call = function(x, mask = NULL) k_dot(x, self$kernel),
  compute_output_shape = function(input_shape) list(input_shape[[1]], self$units)
))
layer_my_dense <- function(object, units, name = NULL, trainable = TRUE) {
  create_layer(MyDense, object, list(units = as.integer(units), name = name, trainable = trainable))
}

test_that("an R6 class is a layer like any other", {
  local_float64()
  k_reset_uids()
  model <- keras_model_sequential(input_shape = 3) %>% layer_my_dense(2) %>% layer_my_dense(1, name = "last")
  expect_identical(vapply(model$layers, function(l) l$name, ""), c("my_dense", "last"))
  expect_identical(model$output_shape, c(NA, 1L))
  weights <- get_weights(model)
  expect_equal(predict(model, x), x %*% weights[[1]] %*% weights[[2]])
  model %>% compile(optimizer_sgd(0.1), "mse")
  expect_equal(test_on_batch(model, x, rep(1, 4))$loss,
               mean((x %*% weights[[1]] %*% weights[[2]] - 1)^2) + 0.1 * sum(weights[[1]]^2, weights[[2]]^2))
  error <- x %*% weights[[1]] %*% weights[[2]] - 1
  train_on_batch(model, x, rep(1, 4))
  gradient <- t(x) %*% (error / 2) %*% t(weights[[2]]) + 0.2 * weights[[1]]
  expect_equal(get_weights(model)[[1]], weights[[1]] - 0.1 * gradient)
  # Frozen, called on arrays and tensors, in a functional model.
  layer <- model$layers[[1]]
  expect_equal(as.array(layer(x)), x %*% get_weights(layer)[[1]])
  layer$trainable <- FALSE
  expect_length(model$trainable_weights, 1)
  input <- layer_input(3)
  expect_equal(predict(keras_model(input, layer(input) + 1), x), x %*% get_weights(layer)[[1]] + 1)
  expect_identical(layer$compute_output_shape(list(NULL, 3)), list(NULL, 2L))
})

test_that("it is cloned, and goes with the model into a new process", {
  model <- keras_model_sequential(input_shape = 3) %>% layer_my_dense(2)
  model %>% compile("adam", "mse")
  copy <- clone_model(model)
  expect_identical(get_config(copy)$layers[[1]]$units, 2L)
  set_weights(copy, list(matrix(1:6, 3)))
  expect_equal(predict(copy, x), x %*% matrix(1:6, 3), tolerance = 1e-6)
  expect_false(identical(get_weights(copy), get_weights(model)))
  file <- saved(model)
  there <- in_new_process(function(file, x) {
    model <- readRDS(file)
    fitted <- generics::fit(model, x, x[, 1:2], epochs = 2, verbose = 0, shuffle = FALSE)
    list(stats::predict(model, x), fitted$metrics$loss, convnet::get_weights(convnet::clone_model(model))[[1]])
  }, file, x)
  history <- model %>% fit(x, x[, 1:2], epochs = 2, verbose = 0, shuffle = FALSE)
  expect_identical(there[[1]], predict(model, x))
  expect_identical(there[[2]], history$metrics$loss)
  expect_identical(dim(there[[3]]), c(3L, 2L))
})

test_that("classes inherit, have private members and active fields", {
  Shifted <- R6::R6Class("Shifted", inherit = MyDense,
    public = list(
      shift = 1,
      initialize = function(units, shift) {
        super$initialize(units)
        self$shift <- shift
      },
      call = function(x, mask = NULL) private$add(super$call(x))
    ),
    private = list(used = 0, add = function(y) y + self$shift),
    active = list(twice = function(value) if (missing(value)) 2 * self$shift else self$shift <- value / 2))
  layer <- create_layer(Shifted, args = list(units = 2, shift = 5))
  expect_equal(as.array(layer(x)), x %*% get_weights(layer)[[1]] + 5, tolerance = 1e-6)
  expect_identical(layer$twice, 10)
  layer$twice <- 4
  expect_identical(layer$shift, 2)
  copy <- unserialize(serialize(layer, NULL))
  copy$shift <- 7
  expect_equal(as.array(copy(x)) - as.array(layer(x)), matrix(5, 4, 2), tolerance = 1e-6)
})

test_that("layers inside are its layers: in fields, lists and private members, in other layers", {
  local_float64()
  Block <- R6::R6Class("Block", inherit = KerasLayer,
    public = list(first = NULL, rest = NULL,
      initialize = function(n) {
        self$first <- layer_dense(units = 3, use_bias = FALSE)
        self$rest <- lapply(seq_len(n), function(i) layer_dense(units = 3, use_bias = FALSE))
        private$norm <- layer_batch_normalization()
      },
      call = function(inputs, mask = NULL, training = NULL) {
        h <- self$first(inputs)
        for (layer in self$rest) h <- h + layer(h)
        private$norm(h)
      }),
    private = list(norm = NULL))
  Outer <- R6::R6Class("Outer", inherit = KerasLayer, public = list(
    block = NULL,
    initialize = function() self$block <- create_layer(Block, args = list(n = 2)),
    call = function(inputs) self$block(inputs) * 2))
  model <- keras_model_sequential(input_shape = 3) %>% create_layer(Outer, .)
  expect_identical(count_params(model), 3 * 9 + 4 * 3)
  expect_length(model$trainable_weights, 5)
  w <- get_weights(model)
  h <- x %*% w[[1]]
  h <- h + h %*% w[[2]]
  h <- h + h %*% w[[3]]
  expect_equal(predict(model, x), 2 * h / sqrt(1.001))
  model %>% compile("sgd", "mse")
  train_on_batch(model, x, x)
  expect_false(any(mapply(identical, get_weights(model), w)))
  copy <- clone_model(readRDS(saved(model)))
  set_weights(copy, get_weights(model))
  expect_identical(predict(copy, x), predict(model, x))
  # Frozen as a whole: moving statistics stay, too.
  model$layers[[1]]$trainable <- FALSE
  model %>% compile("sgd", "mse")
  frozen <- get_weights(model)
  train_on_batch(model, x, x)
  expect_identical(get_weights(model), frozen)
})

test_that("several inputs and outputs, losses and constraints of one's own", {
  local_float64()
  Cap <- R6::R6Class("Cap", inherit = KerasConstraint, public = list(
    at = NULL, initialize = function(at) self$at <- at, call = function(w) k_minimum(w, self$at)))
  layer_mix <- Layer("Mix",
    initialize = function(start) self$start <- start,
    start = NULL, gate = NULL,
    build = function(input_shape) {
      self$gate <- self$add_weight("gate", input_shape[[1]][2], initializer = initializer_constant(self$start),
                                   constraint = Cap$new(0.5))
    },
    call = function(inputs, scale = 1) {
      self$add_loss(k_square(self$gate))
      list(inputs[[1]] * self$gate * scale, inputs[[2]] - inputs[[1]])
    })
  a <- layer_input(3, name = "a")
  b <- layer_input(3, name = "b")
  outputs <- layer_mix(list(a, b), start = 0.4, name = "mix")
  model <- keras_model(list(a, b), outputs)
  expect_equal(predict(model, list(x, 2 * x)), list(0.4 * x, x))
  model %>% compile(optimizer_sgd(10), "mse")
  # 0.4^2 from the layer, mean((0.4 x)^2) and mean(x^2) from the outputs.
  expect_equal(test_on_batch(model, list(x, 2 * x), list(0 * x, 0 * x))$loss, 0.16 + 1.16 * mean(x^2))
  train_on_batch(model, list(x, 2 * x), list(10 * x, 0 * x))
  expect_lte(max(get_weights(model)[[1]]), 0.5)
})

test_that("a wrapper has the layer that it goes around", {
  Residual <- R6::R6Class("Residual", inherit = KerasWrapper, public = list(
    factor = NULL,
    initialize = function(factor = 1) self$factor <- factor,
    call = function(inputs, mask = NULL) inputs + self$layer(inputs) * self$factor))
  model <- keras_model_sequential(input_shape = 3)
  create_wrapper(Residual, model, list(layer = layer_dense(units = 3, kernel_initializer = "ones"), factor = 2))
  expect_equal(predict(model, x), x + 2 * rowSums(x), tolerance = 1e-6)
  expect_identical(count_params(model), 12)
  copy <- clone_model(model)
  set_weights(copy, list(matrix(0, 3, 3), rep(1, 3)))
  expect_equal(predict(copy, x), x + 2, tolerance = 1e-6)
  expect_equal(predict(model, x), x + 2 * rowSums(x), tolerance = 1e-6)
})

test_that("what fails in a class is said with the layer's name", {
  k_reset_uids()
  failing <- function(...) R6::R6Class("Failing", inherit = KerasLayer, public = list(...))
  make <- function(class, args = list()) create_layer(class, layer_input(3), c(args, name = "f"))
  expect_snapshot_errors({
    make(failing(initialize = function() stop("at the start"), call = function(x) x))
    make(failing(build = function(input_shape) stop("in build"), call = function(x) x))
    make(failing(call = function(x) stop("in call")))
    make(failing(call = function(x) x, name = NULL))
    make(failing(initialize = function(units) NULL, call = function(x) x), list(width = 3))
    make(failing())
    create_layer(3)
    new_layer_class(3)
  })
})

test_that("variables that are assigned to self are weights", {
  local_float64()
  Affine <- R6::R6Class("Affine", inherit = KerasLayer,
    public = list(factor = NULL, parts = NULL, table = NULL,
      initialize = function(start = 2) self$factor <- k_variable(c(start, start, start), name = "factor"),
      build = function(input_shape) {
        self$parts <- list(shift = k_variable(rep(1, input_shape[[2]])))
        private$scale <- k_variable(0.5)
        self$table <- k_variable(1:3, dtype = "int32")
      },
      call = function(x) (x * self$factor + self$parts$shift) * private$scale),
    private = list(scale = NULL))
  model <- keras_model_sequential(input_shape = 3) %>% create_layer(Affine, .)
  expect_equal(get_weights(model), list(array(rep(2, 3)), array(rep(1, 3)), array(0.5), array(1:3)), ignore_attr = TRUE)
  expect_length(model$trainable_weights, 3)
  expect_equal(predict(model, x), (2 * x + 1) / 2)
  model %>% compile(optimizer_sgd(0.1), "mse")
  error <- predict(model, x)
  train_on_batch(model, x, 0 * x)
  expect_equal(c(get_weights(model)[[1]]), 2 - 0.1 * 2 * colSums(error * x * 0.5) / 12)
  expect_equal(c(get_weights(model)[[3]]), 0.5 - 0.1 * 2 * mean(error * (2 * x + 1)))
  copy <- unserialize(serialize(model, NULL))
  expect_identical(get_weights(copy), get_weights(model))
  train_on_batch(copy, x, 0 * x)
  train_on_batch(model, x, 0 * x)
  expect_identical(get_weights(copy), get_weights(model))
  fresh <- clone_model(model)
  expect_equal(predict(fresh, x), (2 * x + 1) / 2)
  set_weights(fresh, get_weights(model))
  expect_identical(predict(fresh, x), predict(model, x))
  freeze_weights(model)
  expect_length(model$trainable_weights, 0)
  # A variable that takes the place of another.
  layer <- model$layers[[1]]
  layer$factor <- k_variable(c(1, 2, 3))
  expect_identical(c(get_weights(model)[[1]]), c(1, 2, 3))
  expect_length(get_weights(model), 4)
})

test_that("a variable that a layer counts with is not changed by the optimizer", {
  layer_counter <- Layer("Counter", count = NULL,
    build = function(input_shape) self$count <- k_variable(0),
    call = function(inputs, training = FALSE) {
      if (isTRUE(training)) k_update_add(self$count, 1)
      inputs
    })
  model <- keras_model_sequential(input_shape = 3) %>% layer_counter() %>% layer_dense(1)
  model %>% compile("adam", "mse")
  model %>% fit(x, 1:4, epochs = 2, batch_size = 2, verbose = 0)
  expect_equal(c(get_weights(model)[[1]]), 4)
})

test_that("get_config() of a class says what its copies are made from", {
  Power <- R6::R6Class("Power", inherit = KerasLayer, public = list(
    exponent = NULL,
    initialize = function(exponent = 1, doubled = FALSE) self$exponent <- if (doubled) 2 * exponent else exponent,
    call = function(x) x^self$exponent,
    get_config = function() {
      config <- super$get_config()
      config$exponent <- self$exponent
      config$doubled <- FALSE
      config
    }))
  model <- keras_model_sequential(input_shape = 3) %>%
    create_layer(Power, ., list(exponent = 1, doubled = TRUE, name = "p"))
  layer <- model$layers[[1]]
  config <- get_config(layer)
  expect_identical(config[c("name", "exponent", "doubled")], list(name = "p", exponent = 2, doubled = FALSE))
  layer$exponent <- 3
  stack <- keras_model_sequential(list(from_config(get_config(layer))))
  for (copy in list(clone_model(model), from_config(get_config(model)), stack)) {
    expect_equal(predict(copy, x), x^3, tolerance = 1e-6)
    expect_identical(copy$layers[[1]]$name, "p")
  }
  # What all layers have need not be named.
  layer_short <- Layer("Short", initialize = function(n) self$n <- n, call = function(inputs) inputs * self$n, n = NULL,
                       get_config = function() list(n = self$n + 1))
  copy <- from_config(get_config(layer_short(n = 1, name = "s")))
  expect_identical(copy$name, "s")
  expect_equal(as.array(copy(x)), 2 * x, tolerance = 1e-6)
  layer_wrong <- Layer("Wrong", call = function(inputs) inputs, get_config = function() list(3))
  expect_error(get_config(layer_wrong()), "get_config", class = "convnet_error_argument")
  model_power <- new_model_class("PowerModel", n = NULL, initialize = function(n) self$n <- n,
                                 call = function(inputs) inputs^self$n, get_config = function() list(n = 2))
  model <- model_power(n = 1)
  expect_equal(predict(clone_model(model), x), x^2, tolerance = 1e-6)
})

test_that("classes are functions that make layers, and stand for themselves where a class is expected", {
  layer_power <- new_layer_class("Power",
    initialize = function(exponent, factor = 1, ...) {
      super$initialize(...)
      self$exponent <- exponent
      self$factor <- factor
    },
    call = function(inputs) self$factor * inputs^self$exponent)
  x <- matrix(1:4, 2)
  expect_equal(as.array(layer_power(exponent = 2)(x)), x^2)
  expect_equal(as.array(layer_power(x, 3, factor = 2)), 2 * x^3)
  expect_equal(as.array(layer_power(x, factor = 2, 3)), 2 * x^3)
  expect_error(layer_power(x, 1, 2, 3), class = "convnet_error_argument")
  expect_equal(as.array(create_layer(layer_power, x, list(exponent = 2))), x^2)
  expect_equal(as.array(create_layer_wrapper(layer_power)(x, 2)), x^2)
  layer_square <- Layer("Square", inherit = layer_power, initialize = function() super$initialize(2))
  expect_equal(as.array(layer_square(x)), x^2)
  model <- keras_model_sequential(input_shape = 2) %>% layer_power(2, name = "power")
  expect_equal(predict(readRDS(saved(model)), x), x^2)
})

test_that("weights need no names", {
  layer_linear <- Layer("Linear",
    initialize = function(units) self$units <- units,
    build = function(input_shape) {
      self$w <- self$add_weight(shape = shape(input_shape[[2]], self$units), initializer = "ones")
      self$b <- self$add_weight(shape = shape(self$units), initializer = "zeros", trainable = FALSE)
    },
    call = function(inputs) k_dot(inputs, self$w) + self$b)
  layer <- layer_linear(units = 2, name = "linear")
  expect_equal(as.array(layer(matrix(1:2, 1))), matrix(3, 1, 2))
  expect_identical(vapply(layer$weights, function(w) w$name, ""), c("linear/variable", "linear/variable_1"))
})

test_that("super is also a function, and knows initialize() by Python's name", {
  Base <- R6::R6Class("Base", inherit = KerasLayer, public = list(
    initialize = function(factor) self$factor <- factor,
    factor = NULL,
    call = function(inputs) inputs * self$factor))
  layer_more <- Layer("More", inherit = Base,
    initialize = function() {
      super()$`__init__`(3)
      self$shift <- 1
    },
    call = function(inputs) super()$call(inputs) + self$shift)
  layer_own <- Layer("Own", initialize = function(units) {
      super()$`__init__`()
      self$units <- units
    },
    call = function(inputs) inputs * self$units, get_config = function() super()$get_config())
  expect_equal(as.array(layer_more(matrix(1:2, 1))), matrix(c(4, 7), 1))
  model <- keras_model_sequential(input_shape = 2) %>% layer_more() %>% layer_own(units = 2)
  expect_equal(predict(clone_model(model), matrix(1:2, 1)), matrix(c(8, 14), 1))
  expect_equal(predict(readRDS(saved(model)), matrix(1:2, 1)), matrix(c(8, 14), 1))
})

test_that("call() uses tensors that it was not given: they are inputs of the call", {
  set.seed(1)
  build <- function() {
    x <- layer_input(3)
    side <- layer_input(2, name = "side")
    factor <- layer_dense(side, 3, name = "factor")
    keras_model(list(x, side), layer_lambda(x, function(x) x * factor) %>% layer_dense(1, name = "out"))
  }
  model <- build()
  data <- list(matrix(1:6 / 6, 2), matrix(1:4 / 4, 2))
  w <- get_weights(model)
  expected <- (data[[1]] * (data[[2]] %*% w[[1]])) %*% w[[3]]
  expect_equal(predict(model, data), expected, tolerance = 1e-6)
  expect_length(get_weights(model), 4)
  expect_identical(predict(readRDS(saved(model)), data), predict(model, data))
  # As a layer of another model, on other tensors.
  a <- layer_input(3)
  b <- layer_input(2)
  expect_equal(predict(keras_model(list(a, b), model(list(a, b)) * 2), data), 2 * expected, tolerance = 1e-6)
  model %>% compile("sgd", "mse")
  model %>% fit(data, c(0, 0), epochs = 1, verbose = 0)
  expect_false(identical(get_weights(model)[[1]], w[[1]]))
  x <- layer_input(3)
  other <- layer_input(3, name = "other")
  expect_error(keras_model(x, layer_lambda(x, function(x) x + other)), "\"other\"", class = "convnet_error_argument")
})

test_that("a model whose layers add losses needs no loss and no targets", {
  x <- matrix(c(1, 2, 3, 4), 2)
  input <- layer_input(2)
  code <- layer_dense(input, 1, use_bias = FALSE, kernel_initializer = "ones", name = "code")
  decoded <- layer_dense(code, 2, use_bias = FALSE, kernel_initializer = "ones")
  # The loss of a variational autoencoder, as books have it: it knows the code without having been given it.
  Error <- R6::R6Class("Error", inherit = KerasLayer, public = list(
    call = function(inputs, mask = NULL) {
      self$add_loss(k_mean(k_square(inputs[[1]] - inputs[[2]])) + 0.5 * k_mean(k_square(code)), inputs = inputs)
      inputs[[1]]
    }))
  model <- keras_model(input, create_layer(Error, list(input, decoded)))
  model %>% compile(optimizer_sgd(lr = 0.01), loss = NULL)
  sums <- rowSums(x)
  expected <- mean((x - sums)^2) + 0.5 * mean(sums^2)
  expect_equal(evaluate(model, x, NULL, verbose = 0)$loss, expected, tolerance = 1e-6)
  history <- model %>% fit(x, NULL, epochs = 3, verbose = 0, validation_data = list(x, NULL))
  expect_equal(history$metrics$loss[1], expected, tolerance = 1e-6)
  expect_lt(history$metrics$val_loss[3], expected)
  fresh <- keras_model(input, code)
  expect_error(compile(fresh, "sgd"), "needs a loss", class = "convnet_error_argument")
})
