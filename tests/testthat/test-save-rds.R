x <- some_images(40)
y <- some_targets(40)

optimizers <- function() {
  list(momentum = optimizer_sgd(0.05, momentum = 0.9, decay = 0.01),
       nesterov = optimizer_sgd(0.05, momentum = 0.5, nesterov = TRUE),
       rmsprop = optimizer_rmsprop(0.003, momentum = 0.5, centered = TRUE),
       adam = optimizer_adam(0.003, decay = 0.01, clipnorm = 1),
       amsgrad = optimizer_adam(0.003, amsgrad = TRUE))
}

test_that("a model predicts and evaluates in a new process exactly as here", {
  set.seed(1)
  model <- mixed_model()
  model %>% fit(x, y, epochs = 2, batch_size = 16, verbose = 0)
  # Without library(convnet): reading the model loads the package.
  there <- in_new_process(function(file, x, y) {
    model <- readRDS(file)
    list(predicted = predict(model, x), evaluated = generics::evaluate(model, x, y, verbose = 0),
         attached = "package:convnet" %in% search())
  }, saved(model), x, y)
  expect_false(there$attached)
  expect_identical(there$predicted, predict(model, x))
  expect_identical(there$evaluated, evaluate(model, x, y, verbose = 0))
  expect_gt(diff(range(there$predicted)), 0.01)
})

test_that("training goes on in a new process as if it had never stopped", {
  uninterrupted <- lapply(optimizers(), function(optimizer) {
    set.seed(7)
    model <- mixed_model(optimizer)
    history <- model %>% fit(x, y, epochs = 4, batch_size = 16, verbose = 0, validation_split = 0.2)
    list(weights = get_weights(model), metrics = history$metrics,
         iterations = model$optimizer$iterations, slots = model$optimizer$slots)
  })
  halfway <- lapply(optimizers(), function(optimizer) {
    set.seed(7)
    model <- mixed_model(optimizer)
    history <- model %>% fit(x, y, epochs = 2, batch_size = 16, verbose = 0, validation_split = 0.2)
    list(model = model, metrics = history$metrics, seed = .Random.seed)
  })
  resumed <- in_new_process(function(file, x, y) {
    library(convnet)
    lapply(readRDS(file), function(saved) {
      assign(".Random.seed", saved$seed, globalenv())
      model <- saved$model
      history <- fit(model, x, y, epochs = 4, initial_epoch = 2, batch_size = 16, verbose = 0,
                     validation_split = 0.2)
      list(weights = get_weights(model), metrics = Map(c, saved$metrics, history$metrics),
           iterations = model$optimizer$iterations, slots = model$optimizer$slots)
    })
  }, saved(halfway), x, y)
  expect_identical(resumed, uninterrupted)
  expect_identical(resumed$adam$iterations, 8)
  # Saving was no event for the model here, either.
  assign(".Random.seed", halfway$adam$seed, globalenv())
  halfway$adam$model %>% fit(x, y, epochs = 4, initial_epoch = 2, batch_size = 16, verbose = 0,
                             validation_split = 0.2)
  expect_identical(get_weights(halfway$adam$model), uninterrupted$adam$weights)
})

test_that("the state of the optimizer is saved", {
  for (optimizer in optimizers()) {
    model <- mixed_model(optimizer)
    model %>% fit(x, y, epochs = 1, verbose = 0)
    model$optimizer$learning_rate <- 0.001234
    copy <- readRDS(saved(model))
    expect_identical(copy$optimizer$iterations, 2)
    expect_identical(copy$optimizer$lr, 0.001234)
    expect_identical(copy$optimizer$slots, model$optimizer$slots)
    # Slots of the copy are its own.
    before <- model$optimizer$slots
    before <- unserialize(serialize(before, NULL))
    copy %>% fit(x, y, epochs = 1, verbose = 0)
    expect_identical(model$optimizer$slots, before)
    expect_false(identical(copy$optimizer$slots, before))
  }
})

two_layers <- function() {
  keras_model_sequential(input_shape = 3) %>%
    layer_dense(2, name = "base") %>%
    layer_dense(1, name = "head")
}

# Which layers change when the model is trained, here and after a round trip.
trained_layers <- function(model) {
  kernels <- function(model) lapply(model$layers, function(layer) get_weights(layer)[[1]])
  before <- kernels(model)
  model %>% fit(matrix(1, 4, 3), rep(2, 4), epochs = 1, verbose = 0)
  after <- kernels(model)
  changed <- !mapply(identical, before, after)
  vapply(model$layers, function(layer) layer$name, "")[changed]
}

test_that("the weights that compile() took note of are trained after readRDS()", {
  frozen_later <- two_layers()
  frozen_later %>% compile("sgd", "mse")
  freeze_weights(frozen_later, to = "base")
  frozen_before <- two_layers()
  freeze_weights(frozen_before, to = "base")
  frozen_before %>% compile("sgd", "mse")
  unfreeze_weights(frozen_before)
  copies <- readRDS(saved(list(frozen_later, frozen_before)))
  expect_identical(trained_layers(copies[[1]]), c("base", "head"))
  expect_identical(trained_layers(copies[[2]]), "head")
  expect_identical(trained_layers(frozen_later), c("base", "head"))
  expect_identical(trained_layers(frozen_before), "head")
  # compile() looks again.
  copies[[1]] %>% compile("sgd", "mse")
  expect_identical(trained_layers(copies[[1]]), "head")
})

test_that("a model that never ran can be saved: uncompiled, compiled, deferred, empty", {
  set.seed(3)
  built <- two_layers()
  compiled <- two_layers()
  compiled %>% compile("adam", "mse", metrics = "mae")
  deferred <- keras_model_sequential() %>% layer_dense(2, activation = "relu") %>% layer_dense(1)
  deferred %>% compile("adam", "mse")
  empty <- keras_model_sequential(name = "empty")
  models <- list(built = built, compiled = compiled, deferred = deferred, empty = empty)
  copies <- in_new_process(function(file) {
    library(convnet)
    models <- readRDS(file)
    x <- matrix(1:12 / 12, 4)
    set.seed(4)
    models$empty %>% layer_dense(2, input_shape = 3)
    list(built = predict(models$built, x), compiled = evaluate(models$compiled, x, 1:4, verbose = 0),
         deferred = {
           history <- fit(models$deferred, x, 1:4, epochs = 2, verbose = 0)
           list(history$metrics, get_weights(models$deferred))
         },
         empty = get_weights(models$empty), classes = lapply(models, class))
  }, saved(models))
  x <- matrix(1:12 / 12, 4)
  set.seed(4)
  empty %>% layer_dense(2, input_shape = 3)
  expect_identical(copies$empty, get_weights(empty))
  expect_identical(copies$built, predict(built, x))
  expect_identical(copies$compiled, evaluate(compiled, x, 1:4, verbose = 0))
  history <- deferred %>% fit(x, 1:4, epochs = 2, verbose = 0)
  expect_identical(copies$deferred, list(history$metrics, get_weights(deferred)))
  expect_identical(copies$classes, lapply(models, class))
})

test_that("layers, variables, tensors and constants can be saved", {
  set.seed(5)
  layer <- layer_conv_2d_transpose(filters = 3, kernel_size = 3, strides = 2, activation = "relu", name = "up")
  image <- array(sin(1:32), c(1, 4, 4, 2))
  value <- as.array(layer(image))
  variables <- list(
    single = k_variable(matrix(c(0.1, 1e30, -Inf, 1 / 3), 2)),
    double = k_variable(c(0.1, 1e300, pi), dtype = "float64"),
    whole = k_variable(c(1L, -7L), dtype = "int32"),
    scalar = k_variable(2.5)
  )
  untouched <- layer_dense(units = 2, kernel_initializer = "ones")
  objects <- list(layer = layer, variables = variables, untouched = untouched, constant = k_constant(1:3))
  there <- in_new_process(function(file, image) {
    library(convnet)
    objects <- readRDS(file)
    list(layer = as.array(objects$layer(image)), weights = get_weights(objects$layer),
         config = get_config(objects$layer),
         variables = lapply(objects$variables, k_get_value),
         dtypes = lapply(objects$variables, k_dtype),
         untouched = as.array(objects$untouched(matrix(1:4, 2))),
         constant = as.array(objects$constant))
  }, saved(objects), image)
  expect_identical(there$layer, value)
  expect_identical(there$weights, get_weights(layer))
  expect_identical(there$config, get_config(layer))
  expect_identical(there$variables, lapply(variables, k_get_value))
  expect_identical(there$dtypes, list(single = "float32", double = "float64", whole = "int32", scalar = "float32"))
  expect_equal(there$untouched, matrix(c(4, 6, 4, 6), 2))
  expect_equal(there$constant, array(1:3))
})

test_that("a copy made by serialize() is a model of its own", {
  set.seed(6)
  model <- mixed_model()
  copy <- unserialize(serialize(model, NULL))
  text <- unserialize(serialize(model, NULL, ascii = TRUE))
  before <- predict(model, x)
  expect_identical(predict(copy, x), before)
  expect_identical(predict(text, x), before)
  copy %>% fit(x, y, epochs = 1, verbose = 0)
  expect_identical(predict(model, x), before)
  expect_false(identical(predict(copy, x), before))
})

test_that("objects saved together keep what they share", {
  set.seed(8)
  shared <- layer_dense(units = 2, name = "shared")
  first <- keras_model_sequential(list(layer_dense(units = 2), shared), input_shape = 3)
  second <- keras_model_sequential(list(shared, layer_dense(units = 1)), input_shape = 2)
  first %>% compile("sgd", "mse")
  weight <- shared$weights[[1]]
  copies <- readRDS(saved(list(first = first, second = second, weight = weight)))
  expect_true(identical(copies$first$layers[[2]], copies$second$layers[[1]]))
  before <- predict(copies$second, matrix(1, 1, 2))
  copies$first %>% fit(matrix(1, 8, 3), matrix(2, 8, 2), epochs = 2, verbose = 0)
  expect_false(identical(predict(copies$second, matrix(1, 1, 2)), before))
  expect_identical(k_get_value(copies$weight), get_weights(copies$second)[[1]])
  # Nothing is shared with the originals.
  expect_identical(predict(second, matrix(1, 1, 2)), before)
  k_set_value(copies$weight, matrix(0, 2, 2))
  expect_identical(get_weights(copies$first$layers[[2]])[[1]], matrix(0, 2, 2))
})

test_that("functions of tensors can be saved", {
  x <- k_placeholder(shape = list(NULL, 2))
  w <- k_variable(matrix(c(0.5, -1, 2, 0.25), 2))
  count <- k_variable(0)
  y <- k_sum(k_tanh(k_dot(x, w)), axis = 2)
  f <- k_function(list(x), list(y, k_gradients(y, w)[[1]], k_identity(count)), updates = list(k_update_add(count, 1)))
  given <- matrix(c(0.1, -0.3, 0.7, 1.5), 2)
  here <- f(list(given))
  there <- in_new_process(function(file, given) {
    f <- readRDS(file)
    list(f(list(given)), f(list(given)))
  }, saved(f), given)
  expect_identical(there[[1]][1:2], here[1:2])
  expect_identical(list(there[[1]][[3]], there[[2]][[3]]), list(1, 2))
  expect_identical(f(list(given))[[3]], 1)
})

test_that("a function reads variables before its updates write them", {
  a <- k_variable(c(1, 2))
  b <- k_variable(c(3, 4))
  exchange <- k_function(list(), list(a, k_identity(b)), updates = list(k_update(a, b), k_update(b, a)))
  expect_equal(exchange(list()), list(c(1, 2), c(3, 4)))
  expect_equal(list(k_get_value(a), k_get_value(b)), list(c(3, 4), c(1, 2)))
})

test_that("a model of many layers can be saved", {
  model <- keras_model_sequential(input_shape = 2)
  for (i in 1:150) model %>% layer_activation("linear")
  model %>% layer_dense(1)
  copy <- unserialize(serialize(model, NULL))
  expect_identical(predict(copy, matrix(1:4, 2)), predict(model, matrix(1:4, 2)))
})

test_that("layers with automatic names can be added to a model from another session", {
  file <- in_new_process(function(file) {
    library(convnet)
    model <- keras_model_sequential(input_shape = 3) %>% layer_dense(4) %>% layer_dense(2)
    saveRDS(model, file)
    file
  }, tempfile(fileext = ".rds"))
  names <- in_new_process(function(file) {
    library(convnet)
    model <- readRDS(file)
    model %>% layer_dense(5) %>% layer_dense(1)
    list(vapply(model$layers, function(layer) layer$name, ""),
         vapply(model$weights, function(weight) weight$name, ""), dim(predict(model, matrix(1, 2, 3))))
  }, file)
  expect_identical(anyDuplicated(names[[1]]), 0L)
  expect_identical(anyDuplicated(names[[2]]), 0L)
  expect_identical(names[[3]], c(2L, 1L))
})

# Versions -----------------------------------------------------------------

test_that("models that earlier versions saved are loaded, used and trained on", {
  files <- list.files(test_path("fixtures", "models"), full.names = TRUE)
  expect_true("denoiser-0.1.0.rds" %in% basename(files))
  for (file in files) {
    expect_lt(file.size(file), 60e3)
    content <- readRDS(file)
    model <- content$model
    images <- array(as.integer(content$x) / 255, c(dim(content$x), 1))
    expect_equal(predict(model, images), content$predicted, tolerance = 1e-6)
    expect_gt(diff(range(content$predicted)), 0.5)
    expect_identical(model$optimizer$iterations, content$iterations)
    expect_equal(evaluate(model, images, images, verbose = 0), content$evaluated, tolerance = 1e-6)
    expect_equal(as.list(train_on_batch(model, images, images)), as.list(content$batch), tolerance = 1e-6)
    expect_equal(evaluate(model, images, images, verbose = 0), content$afterwards, tolerance = 1e-5)
    expect_lt(content$afterwards$loss, content$evaluated$loss)
    # And saved again, extended, cloned.
    copy <- unserialize(serialize(model, NULL))
    expect_identical(predict(copy, images), predict(model, images))
    pop_layer(copy)
    copy %>% layer_conv_2d_transpose(1, 3, strides = 2, padding = "same")
    expect_identical(dim(predict(copy, images)), dim(images))
    expect_identical(clone_model(model)$output_shape, model$output_shape)
    expect_output(summary(model), "Total params: ")
  }
})

# Size ---------------------------------------------------------------------

# What the file must hold: weights and the optimizer's state.
needed <- function(model) {
  state <- sum(vapply(model$optimizer$slots, function(slots) sum(lengths(slots)), 0))
  4 * count_params(model) + state
}

test_that("a model trained beside 100 MB of data does not take them along", {
  skip_on_cran() # takes a while
  train <- function(own) {
    heavy <- matrix(0.5, 1000, 13000)
    images <- array(heavy[1:2560], c(40, 8, 8, 1))
    one <- heavy[1] * 2
    optimizer <- optimizer_adam(lr = heavy[1] / 100)
    model <- mixed_model(optimizer)
    deferred <- keras_model_sequential(name = paste0("deferred", ncol(heavy))) %>%
      layer_conv_2d(2 * one, kernel_size = c(3, one + 2), activation = own, weights = NULL,
                    name = paste("conv", one), kernel_regularizer = regularizer_l2(heavy[2] / 10),
                    kernel_initializer = initializer_random_normal(stddev = heavy[3])) %>%
      layer_flatten() %>%
      layer_dense(one, activation = if (one == 1) "sigmoid" else "relu")
    deferred %>% compile(if (one == 1) "rmsprop" else "sgd", loss = own_loss, metrics = c(own = own_loss),
                         loss_weights = one)
    seen <- 0
    history <- model %>% fit(images, y * one, epochs = one + 1, verbose = 0, validation_data = list(images, y),
      callbacks = list(callback_lambda(on_epoch_end = function(epoch, logs) seen <<- heavy[1])),
      sample_weight = rep(one, 40))
    deferred %>% fit(images, rep(one, 40), epochs = one, verbose = 0, validation_split = heavy[1])
    predict(model, images)
    evaluate(model, images, y, verbose = 0)
    train_on_batch(model, images, y)
    predict_on_batch(deferred, images)
    input <- k_placeholder(shape = c(one + 1, 2))
    f <- k_function(list(input), list(input * one), not_used = heavy)
    layer <- layer_dense(units = one, kernel_initializer = initializer_constant(heavy[1]))
    layer(heavy[1:2, 1:3])
    list(model = model, deferred = deferred, history = history, f = f, layer = layer,
         clone = clone_model(deferred), optimizer = optimizer, config = get_config(deferred))
  }
  own <- function(x) k_relu(x) * 2
  own_loss <- function(y_true, y_pred) k_mean(k_square(y_true - y_pred))
  environment(own) <- environment(own_loss) <- globalenv()
  made <- train(own)
  limit <- 200e3
  expect_lte(saved_size(made$model), needed(made$model) + limit)
  expect_lte(saved_size(made$deferred), needed(made$deferred) + limit)
  for (name in c("history", "f", "layer", "clone", "optimizer", "config")) {
    expect_lte(saved_size(made[[name]]), limit, label = name)
  }
  # The limit is generous: this is what a small model takes.
  expect_lte(saved_size(made$model), needed(made$model) + 40e3)
})

test_that("functions written in a long script do not take the script along", {
  script <- tempfile(fileext = ".R")
  long <- rep("    filler <- c(a = 1, b = 2, c = sum(1:10) + mean(c(1, 2, 3)) * 4, d = paste('x', 'y'))", 3000)
  writeLines(c(
    "own <- function(x) {", "  # a comment", "  k_relu(x) * 2", "}",
    "own_loss <- function(y_true, y_pred) k_mean(k_square(y_true - y_pred))",
    "own_penalty <- function(w) k_sum(k_square(w))",
    "own_layer <- list(class_name = 'Own', call = function(self, inputs) inputs * 2)",
    "own_start <- function(shape) array(0.5, shape)",
    "other <- function() {", long, "}"
  ), script)
  scope <- new.env(parent = globalenv())
  withr::with_options(list(keep.source = TRUE), sys.source(script, scope, keep.source = TRUE))
  for (name in c("own", "own_loss", "own_penalty", "own_start")) environment(scope[[name]]) <- globalenv()
  environment(scope$own_layer$call) <- globalenv()
  expect_gt(saved_size(scope$own), 200e3)
  model <- keras_model_sequential(input_shape = 4) %>%
    layer_dense(2, activation = scope$own, kernel_regularizer = scope$own_penalty,
                kernel_initializer = scope$own_start, bias_constraint = scope$own, activity_regularizer = scope$own_penalty)
  create_layer(scope$own_layer, model)
  model %>% layer_activation(scope$own)
  model %>% compile("sgd", scope$own_loss, metrics = list(own = scope$own_loss), weighted_metrics = list(again = scope$own_loss))
  model %>% fit(matrix(1, 4, 4), matrix(1, 4, 2), epochs = 1, verbose = 0)
  expect_lte(saved_size(model), 60e3)
  # The user's function is as it was.
  expect_false(is.null(attr(scope$own, "srcref")))
})

test_that("values that are damaged are refused", {
  model <- keras_model_sequential(input_shape = 4) %>% layer_dense(3) %>% layer_dense(1)
  model %>% compile("adam", "mse")
  x <- matrix(1, 4, 4)
  fit(model, x, 1:4, epochs = 1, verbose = 0)
  damaged <- function(code) expect_error(code, class = "convnet_error_weights")
  for (values in list(raw(3), raw(), NULL, numeric(12), "kernel")) {
    copy <- readRDS(saved(model))
    assign("storage", values, copy$weights[[1]])
    damaged(predict(copy, x))
    damaged(fit(copy, x, 1:4, epochs = 1, verbose = 0))
    damaged(get_weights(copy))
    damaged(set_weights(copy, get_weights(model)))
  }
  copy <- readRDS(saved(model))
  copy$optimizer$slots <- lapply(copy$optimizer$slots, function(slots) list(raw(1), raw(1)))
  before <- get_weights(copy)
  damaged(fit(copy, x, 1:4, epochs = 1, verbose = 0))
  expect_identical(get_weights(copy), before)
  expect_identical(get_weights(model), before)
})
