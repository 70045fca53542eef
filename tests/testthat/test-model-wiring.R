# Bytes of a model's file beside its weights.
overhead <- function(model) saved_size(model) - 4 * count_params(model)

vae_parts <- function() {
  image <- layer_input(6, name = "image")
  hidden <- image %>% layer_dense(5, activation = "tanh", name = "hidden")
  mean <- hidden %>% layer_dense(2, name = "mean")
  log_var <- hidden %>% layer_dense(2, name = "log_var")
  code <- layer_lambda(list(mean, log_var), function(args) args[[1]] + 0 * args[[2]], name = "code")
  decode <- layer_dense(units = 300, name = "decode")
  decoded <- code %>% decode() %>% layer_dense(6, name = "decoded")
  list(image = image, mean = mean, log_var = log_var, decoded = decoded, decode = decode)
}

images <- matrix(sin(1:24), 4)

test_that("a part of a model is saved without the rest", {
  parts <- vae_parts()
  vae <- keras_model(parts$image, parts$decoded, name = "vae")
  encoder <- keras_model(parts$image, parts$mean, name = "encoder")
  image <- layer_input(6, name = "image")
  hidden <- layer_dense(image, 5, activation = "tanh", name = "hidden")
  alone <- keras_model(image, layer_dense(hidden, 2, name = "mean"), name = "encoder")
  expect_identical(saved_size(encoder), saved_size(alone))
  expect_gt(saved_size(vae), saved_size(encoder) + 4 * count_params(parts$decode))
  # Nor does what is made of its tensors, or of the model, later come along.
  layer_dense(encoder$output, 1000)
  layer_dense(get_layer(encoder, "hidden")$output, 1000)
  keras_model_sequential() %>% encoder() %>% layer_dense(1000)
  expect_identical(saved_size(encoder), saved_size(alone))
  # From the middle on.
  rest <- keras_model(get_layer(vae, "decode")$output, vae$output)
  expect_lt(overhead(rest), 6000)
  compile(vae, "sgd", "mse")
  fit(vae, images, images, epochs = 1, verbose = 0)
  expect_identical(saved_size(encoder), saved_size(alone))
  there <- in_new_process(function(file, images) {
    encoder <- readRDS(file)
    list(predict(encoder, images), vapply(encoder$layers, function(layer) layer$name, ""))
  }, saved(encoder), images)
  expect_identical(there, list(predict(encoder, images), c("image", "hidden", "mean")))
})

test_that("layers are saved without the models that they are called in", {
  shared <- layer_dense(units = 3, name = "shared")
  layer_input(2) %>% shared() %>% layer_dense(1000)
  expect_lt(overhead(shared), 2000)
  # A network that another one is trained against.
  image <- layer_input(4)
  judge <- keras_model(image, layer_dense(image, 1))
  before <- saved_size(judge)
  noise <- layer_input(2)
  both <- keras_model(noise, noise %>% layer_dense(1000) %>% layer_dense(4) %>% judge())
  expect_gt(saved_size(both), before + 4 * 1000)
  expect_identical(saved_size(judge), before)
})

test_that("parts train each other's layers, here and when they were saved together", {
  set.seed(1)
  parts <- vae_parts()
  vae <- keras_model(parts$image, parts$decoded)
  encoder <- keras_model(parts$image, parts$mean)
  compile(vae, "sgd", "mse")
  copies <- readRDS(saved(list(vae = vae, encoder = encoder, decode = parts$decode)))
  expect_identical(predict(copies$encoder, images), predict(encoder, images))
  expect_true(identical(get_layer(copies$vae, "hidden"), get_layer(copies$encoder, "hidden")))
  expect_true(identical(get_layer(copies$vae, "decode"), copies$decode))
  for (both in list(list(vae = vae, encoder = encoder), copies)) {
    before <- predict(both$encoder, images)
    both$vae %>% fit(images, images, epochs = 2, verbose = 0)
    expect_false(identical(predict(both$encoder, images), before))
  }
  expect_identical(predict(copies$encoder, images), predict(encoder, images))
})

test_that("models from files are built upon, also together", {
  parts <- vae_parts()
  vae <- keras_model(parts$image, parts$decoded)
  encoder <- keras_model(parts$image, parts$mean)
  rest <- keras_model(get_layer(vae, "decode")$output, vae$output)
  there <- in_new_process(function(file, images) {
    library(convnet)
    models <- readRDS(file)
    vae <- models$vae
    inner <- get_layer(vae, "hidden")$output
    ones <- list(matrix(1, 5, 1), array(0))
    deeper <- keras_model(vae$input, layer_dense(inner, 1, weights = ones))
    # The same tensor in three models.
    outputs <- lapply(models[c("vae", "encoder", "rest")], function(model) model$output)
    joined <- keras_model(models$encoder$input, layer_concatenate(unname(outputs)))
    saveRDS(list(joined, vae), file)
    again <- readRDS(file)
    list(hidden = predict(keras_model(vae$input, inner), images), deeper = predict(deeper, images),
         joined = predict(joined, images), again = predict(again[[1]], images), vae = predict(vae, images),
         rest = predict(models$rest, matrix(1, 1, 300)), layers = vapply(joined$layers, function(layer) layer$name, ""),
         shared = identical(again[[1]]$layers[[2]], again[[2]]$layers[[2]]))
  }, saved(list(rest = rest, encoder = encoder, vae = vae)), images)
  expect_identical(there$hidden, predict(keras_model(vae$input, get_layer(vae, "hidden")$output), images))
  expect_equal(there$deeper, matrix(rowSums(there$hidden)), tolerance = 1e-6)
  expect_identical(there$vae, predict(vae, images))
  expect_identical(there$joined, unname(cbind(there$vae, predict(encoder, images), there$vae)))
  expect_identical(there$again, there$joined)
  expect_identical(there$rest, predict(rest, matrix(1, 1, 300)))
  expect_identical(anyDuplicated(there$layers), 0L)
  expect_true(there$shared)
})

test_that("a loss that uses tensors of the model is saved with it", {
  model <- (function() {
    set.seed(2)
    parts <- vae_parts()
    beside <- layer_dense(parts$mean, 1, name = "beside")  # no part of the model
    model <- keras_model(parts$image, parts$decoded)
    model %>% compile(optimizer_sgd(0.01), function(y_true, y_pred) {
      k_mean(k_square(y_true - y_pred)) + k_mean(k_exp(parts$log_var)) + k_mean(k_square(beside))
    })
    model
  })()
  there <- in_new_process(function(file, images) {
    model <- readRDS(file)
    list(generics::evaluate(model, images, images, verbose = 0), convnet::train_on_batch(model, images, images),
         generics::evaluate(model, images, images, verbose = 0))
  }, saved(model), images)
  expect_identical(there[[1]], evaluate(model, images, images, verbose = 0))
  train_on_batch(model, images, images)
  expect_identical(there[[3]], evaluate(model, images, images, verbose = 0))
  expect_false(there[[1]]$loss == there[[3]]$loss)
})

test_that("layers of a model from a file know their calls", {
  x <- layer_input(3, name = "x")
  shared <- layer_dense(units = 3, name = "shared")
  inner <- keras_model(x, layer_activation(x, "relu", name = "bend"), name = "inner")
  first <- shared(x)
  model <- keras_model(x, layer_add(list(inner(shared(inner(first))), k_exp(first))))
  copy <- unserialize(serialize(model, NULL))
  layer <- get_layer(copy, "shared")
  expect_error(layer$output, "called several times", class = "convnet_error_argument")
  expect_error(get_output_at(layer, 3), class = "convnet_error_argument")
  expect_identical(get_input_at(layer, 1), copy$input)
  expect_identical(get_output_shape_at(layer, 2), c(NA, 3L))
  calls <- keras_model(copy$input, list(get_output_at(layer, 1), get_output_at(layer, 2),
                                        get_input_at(get_layer(copy, "inner"), 3)))
  data <- matrix(cos(1:6), 2)
  values <- predict(calls, data)
  weights <- get_weights(shared)[[1]]
  expect_equal(values[[1]], data %*% weights, tolerance = 1e-6)
  expect_equal(values[[2]], pmax(data %*% weights, 0) %*% weights, tolerance = 1e-6)
  expect_identical(values[[3]], values[[2]])
  expect_identical(get_config(copy), get_config(model))
  expect_identical(capture.output(summary(copy)), capture.output(summary(model)))
  clone <- clone_model(copy)
  set_weights(clone, get_weights(model))
  expect_identical(predict(clone, data), predict(model, data))
})

test_that("stacks and models of functions go on from a file as they would have here", {
  set.seed(3)
  stack <- keras_model_sequential(input_shape = 6) %>% layer_dense(4, name = "a") %>% layer_dense(3, name = "b")
  custom <- keras_model_custom(function(self) {
    self$dense <- layer_dense(units = 2, name = "inside")
    function(inputs) self$dense(inputs) + 1
  })
  expected <- predict(custom, images)
  copies <- unserialize(serialize(list(stack = stack, custom = custom), NULL))
  expect_identical(predict(copies$custom, images), expected)
  expect_identical(predict(keras_model(copies$custom$input, copies$custom$output * 2), images), 2 * expected)
  pop_layer(copies$stack)
  first <- predict(keras_model(stack$input, get_layer(stack, "a")$output), images)
  expect_identical(predict(copies$stack, images), first)
  expect_identical(get_layer(copies$stack, "a")$output, copies$stack$output)
  copies$stack %>% layer_dense(1, name = "c", weights = list(matrix(1, 4, 1), 0))
  expect_equal(predict(copies$stack, images), matrix(rowSums(first)), tolerance = 1e-6)
})

test_that("what a stack is saved with grows with it", {
  set.seed(4)
  sequences <- array(c(sin(1:10), 0, 0), c(2, 3, 2))
  same <- function(stack) {
    expect_identical(predict(unserialize(serialize(stack, NULL)), sequences), predict(stack, sequences))
  }
  stack <- keras_model_sequential(input_shape = c(3, 2), name = "stack") %>% layer_masking(name = "masking")
  same(stack)
  stack %>% layer_lstm(3, return_sequences = TRUE, name = "a")
  same(stack)
  # Its tensors go into another record, and what is made of them there is not the stack's.
  layer_concatenate(list(layer_input(c(3, 4)) * 2, stack$output))
  stack %>% layer_lstm(2, name = "b")
  same(stack)
  pop_layer(stack)
  stack %>% layer_gru(2, name = "c")
  same(stack)
  layers <- list(layer_masking(name = "masking"), layer_lstm(units = 3, return_sequences = TRUE, name = "a"),
                 layer_gru(units = 2, name = "c"))
  expect_identical(saved_size(stack), saved_size(keras_model_sequential(layers, input_shape = c(3, 2), name = "stack")))
})

test_that("tensors of a model from a file have their masks", {
  x <- layer_input(c(3, 2), name = "x")
  masking <- layer_masking(name = "masking")
  model <- keras_model(x, masking(x))
  data <- array(c(1, 0, 2, 1, 0, 0), c(1, 3, 2))
  copy <- unserialize(serialize(model, NULL))
  mask <- function(layer) k_function(list(get_input_at(layer, 1)), list(get_output_mask_at(layer, 1)))(list(data))[[1]]
  expect_equal(mask(masking), matrix(c(TRUE, FALSE, TRUE), 1))
  expect_identical(mask(get_layer(copy, "masking")), mask(masking))
  counting <- list(class_name = "Counting", call = function(self, inputs, mask) k_sum(k_cast(mask, "float32"), 2))
  count <- function(model) predict(keras_model(model$input, create_layer(counting, model$output)), data)
  expect_equal(c(count(model), count(copy)), c(2, 2))
})

test_that("a layer keeps its calls for the session", {
  layer <- layer_dense(units = 2)
  layer(layer_input(3, name = "gone"))
  gc()
  expect_identical(layer$input_shape, c(NA, 3L))
  expect_identical(format(layer$input), "<tensor \"gone\" (None, 3) float32>")
})

test_that("using a model does not change its file", {
  parts <- vae_parts()
  model <- keras_model(parts$image, list(parts$mean, parts$log_var))
  model %>% compile("sgd", "mse")
  before <- serialize(model, NULL)
  predict(model, images)
  evaluate(model, images, predict(model, images), verbose = 0)
  expect_identical(serialize(model, NULL), before)
  copy <- unserialize(before)
  predict(copy, images)
  expect_identical(serialize(copy, NULL), before)
})

test_that("configurations come back as they were given", {
  own <- list(class_name = "Own", call = function(self, inputs) inputs)
  given <- list(word = "relu", words = c("a", "b"), empty = "", missing = NA_character_, none = NULL, nothing = list(),
                nested = list(of = "mice", n = 1L, deep = list(x = NULL, y = "z")), unnamed = list("a", b = "c"),
                umlaut = "\u00fc", frame = data.frame(a = "x"), named = c(a = "x"), long = strrep("long", 1e4),
                member = initializer_constant(2), f = exp, level = factor("a"))
  layer <- create_layer(own, args = given)
  expect_identical(get_config(layer)[names(given)], given, ignore_attr = TRUE)
  expect_identical(lapply(stats::setNames(names(given), names(given)), function(name) layer[[name]]), given)
  # Symbols are no words.
  odd <- create_layer(own, args = list(symbol = quote(a), word = "b"))
  expect_identical(list(odd$symbol, odd$word), list(quote(a), "b"))
})

test_that("150 layers take less than 200 KB beside their weights", {
  y <- x <- layer_input(c(4, 4, 2))
  for (i in 1:50) {
    y <- y %>% layer_conv_2d(2, 3, padding = "same") %>% layer_batch_normalization() %>% layer_activation("relu")
  }
  model <- keras_model(x, y)
  expect_lt(overhead(model), 200e3)
  stack <- keras_model_sequential(input_shape = 2)
  for (i in 1:150) stack %>% layer_dense(2)
  expect_lt(overhead(stack), 200e3)
})
