test_that("inputs that are not what the model takes", {
  model <- small_classifier()
  x <- ramp(4, 6, 6, 1)
  with_na <- replace(x, 3, NA)
  expect_refused(model, {
    predict(model, with_na)
    predict(model, ramp(4, 6, 6))
    predict(model, ramp(6, 6, 1, 4))
    predict(model, ramp(4, 6, 6, 3))
    predict(model, ramp(4, 1, 6, 6))
    predict(model, ramp(6, 6, 1))
    predict(model, ramp(6, 6))
    predict(model, ramp(4, 36))
    predict(model, 1:4)
    predict(model, array(0, c(0, 6, 6, 1)))
    predict(model)
    predict(model, list())
    predict(model, list(x, x))
    predict(model, "digits.csv")
    predict(model, x + 1i)
    predict(model, sum)
    predict(model, mtcars)
    predict(model, x, batch_size = 0)
    predict(model, x, steps = 0.5)
    predict(model, x, callbacks = list(sum))
    predict(model, x, batchsize = 8)
    predict_on_batch(model, NULL)
  })
})

test_that("tables name the column", {
  k_reset_uids()
  model <- keras_model_sequential(name = "table", input_shape = 3) %>% layer_dense(1, kernel_initializer = "ones")
  table <- data.frame(a = 1:3, b = c(1, NA, 3), c = c(NA, 2, NaN))
  expect_refused(model, {
    predict(model, table)
    predict(model, unname(as.matrix(table)))
    predict(model, data.frame(a = 1:2, b = c("u", "v"), c = factor(1:2)))
    predict(model, data.frame(a = 1:2, b = 3:4))
    predict(model, t(matrix(1, 5, 3)))
    predict(model, factor(c("a", "b")))
  })
})

test_that("targets that do not fit the inputs or the output", {
  model <- small_classifier()
  x <- ramp(4, 6, 6, 1)
  one_hot <- diag(3)[c(1, 2, 3, 1), ]
  expect_refused(model, {
    fit(model, x, c(0, 1, 2, 0, 1))
    fit(model, x)
    fit(model, x, c(1, 2, 3, 1))
    fit(model, x, c(0, 1, 0.5, -1))
    fit(model, x, c(0, 1, NA, 2))
    fit(model, x, one_hot)
    fit(model, x, c("cat", "dog", "cat", "cat"))
    fit(model, x, factor(1:4))
    fit(model, x, factor(c("a", NA, "b", "a")))
    fit(model, x, list(0, 1))
    fit(model, x, sum)
    fit(model, x, 0:3, validation_data = list(x, 1:3))
    fit(model, x, c(0, 1, 2, 0), validation_data = list(ramp(2, 5, 5, 1), 0:1))
    fit(model, x, c(0, 1, 2, 0), validation_data = x)
    train_on_batch(model, x, 1:3)
    test_on_batch(model, x, 3:6)
    evaluate(model, x, 0:2)
  })
  model <- small_classifier("categorical_crossentropy")
  expect_refused(model, {
    fit(model, x, c(0, 1, 2, 0))
    fit(model, x, t(one_hot))
    fit(model, x, cbind(one_hot, 0))
    fit(model, x, array(one_hot, c(4, 1, 3)))
    fit(model, x, data.frame(species = c("a", "b", "c", "a")))
  })
  model <- small_classifier("mse")
  expect_refused(model, fit(model, x, c(0, 1, 2, 0)))
})

test_that("weights of samples and classes", {
  model <- small_classifier()
  x <- ramp(4, 6, 6, 1)
  y <- c(0, 1, 2, 0)
  expect_refused(model, {
    fit(model, x, y, sample_weight = 1:3)
    fit(model, x, y, sample_weight = c(1, NA, 1, 1))
    fit(model, x, y, sample_weight = "heavy")
    fit(model, x, y, class_weight = list("0" = 1, "1" = 2))
    fit(model, x, y, class_weight = c(1, 2))
    fit(model, x, y, class_weight = c(1, 2, NA))
    fit(model, x, y, class_weight = "balanced")
    evaluate(model, x, y, sample_weight = 1)
  })
})

test_that("arguments of fit", {
  model <- small_classifier()
  x <- ramp(4, 6, 6, 1)
  y <- c(0, 1, 2, 0)
  expect_refused(model, {
    fit(model, x, y, batch_size = 0)
    fit(model, x, y, batch_size = 2.5)
    fit(model, x, y, epochs = -1)
    fit(model, x, y, epochs = "many")
    fit(model, x, y, verbose = "loud")
    fit(model, x, y, shuffle = "rows")
    fit(model, x, y, validation_split = 1)
    fit(model, x, y, validation_split = -0.1)
    fit(model, x, y, steps_per_epoch = 0)
    fit(model, x, y, callbacks = "early_stopping")
    fit(model, x, y, callbacks = list(KerasCallback))
    fit(model, x, y, batchsize = 8)
    fit(model, x, y, class_weights = 1)
  })
})

test_that("NaN and infinite values warn once a call", {
  model <- small_line(loss = "mse")
  x <- cbind(c(1, Inf), c(NaN, 2))
  warnings <- capture_warnings_of(predict(model, x))
  expect_identical(vapply(warnings, function(w) class(w)[1], ""), "convnet_warning_nonfinite")
  warnings <- capture_warnings_of(fit(model, x, 1:2, epochs = 3, verbose = 0))
  expect_identical(vapply(warnings, function(w) class(w)[1], ""),
                   c("convnet_warning_nonfinite", "convnet_warning_nan"))
  expect_snapshot(cat(vapply(warnings, conditionMessage, ""), sep = "\n"))
})

test_that("names that do not exist", {
  model <- small_classifier(NULL)
  expect_refused(model, {
    compile(model)
    compile(model, "adam", "categorical_crossentropie")
    compile(model, "adam", "mean_square_error")
    compile(model, "adm", "mse")
    compile(model, optimizer_adam, "mse")
    compile(model, 3, "mse")
    compile(model, "adam", "mse", metrics = "acuracy")
    compile(model, "adam", "mse", metrics = list(3))
    compile(model, "adam", c("mse", "mae"))
    compile(model, "adam", list("mse", "mae"))
    compile(model, "adam", "mse", loss_weights = "a")
    compile(model, "adam", "mse", sample_weight_mode = "temporal")
    compile(model, "adam", "mse", weighted_metrics = "mea")
    compile(model, "adam", "mse", learning_rate = 0.1)
    fit(model, ramp(2, 6, 6, 1), 0:1)
    evaluate(model, ramp(2, 6, 6, 1), 0:1)
    train_on_batch(model, ramp(2, 6, 6, 1), 0:1)
    test_on_batch(model, ramp(2, 6, 6, 1), 0:1)
    get_layer(model, "cnov")
    get_layer(model, index = 4)
    get_layer(model)
    freeze_weights(model, from = "heed")
    model %>% layer_dense(2, name = "head")
    model %>% layer_dense(2, activation = "rleu")
    model %>% layer_dense(2, kernel_initializer = "glorot_unifrom")
    model %>% layer_dense(2, kernel_regularizer = "l3")
    model %>% layer_dense(2, kernel_constraint = "non_negativ")
    layer_conv_2d(filters = 2, kernel_size = 1, padding = "vaild")
    layer_conv_2d(filters = 2, kernel_size = 1, data_format = "channel_last")
  })
})

test_that("sizes of layers", {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = c(8, 8, 3), name = "m")
  expect_refused(model, {
    model %>% layer_conv_2d(0, 3)
    model %>% layer_conv_2d(-2, 3)
    model %>% layer_conv_2d(2.5, 3)
    model %>% layer_conv_2d(2, c(3, 3, 3))
    model %>% layer_conv_2d(2, 3, strides = 0)
    model %>% layer_conv_2d(2, "3")
    model %>% layer_conv_2d(2, NA)
    model %>% layer_conv_2d(filters = 2)
    model %>% layer_conv_2d(2, 3, strides = 2, dilation_rate = 2)
    model %>% layer_conv_2d_transpose(2, 3, strides = c(1, 2), dilation_rate = c(2, 1))
    model %>% layer_conv_2d_transpose(2, 3, strides = 2, output_padding = 2)
    model %>% layer_conv_2d_transpose(2, 3, strides = 2, output_padding = -1)
    model %>% layer_conv_2d_transpose(2, 3, data_format = "last")
    model %>% layer_conv_2d(4, 3, groups = 3)
    model %>% layer_conv_2d(6, 3, groups = 2)
    model %>% layer_dense(0)
    model %>% layer_dense()
    model %>% layer_dropout(1)
    model %>% layer_dropout(-0.1)
    model %>% layer_reshape(c(4, -1, -1))
    model %>% layer_reshape("square")
    model %>% layer_batch_normalization(axis = 7)
    model %>% layer_batch_normalization(axis = 1.5)
    model %>% layer_batch_normalization(momentum = 2)
    model %>% layer_dense(2, use_bias = "yes")
    model %>% layer_dense(2, trainable = NA)
    model %>% layer_dense(2, name = c("a", "b"))
    model %>% layer_dense(2, dtype = "float16")
    model %>% layer_dense(2, weights = matrix(1, 3, 2))
    model %>% layer_dense(2, weights = list(matrix(1, 4, 2), 1:2))
    keras_model_sequential(input_shape = c(8, 0))
    keras_model_sequential(input_shape = "8x8")
    keras_model_sequential(layers = "dense")
    layer_dense(units = 2, batch_input_shape = c(4, 1.5))
    layer_input()
    layer_input(shape = -1)
  })
})

test_that("layers that do not fit on the one before", {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = c(4, 4, 3), name = "m")
  expect_refused(model, {
    model %>% layer_conv_2d(2, 5)
    model %>% layer_conv_2d(2, 3, dilation_rate = 2)
    model %>% layer_max_pooling_2d(5)
    model %>% layer_reshape(c(5, 5))
    model %>% layer_conv_2d(2, 3, activation = function(x) stop("no such luck"))
    model %>% layer_dense(2, kernel_initializer = function(shape) stop("no numbers"))
    model %>% layer_dense(2, kernel_initializer = function(shape) "ones")
  })
  flat <- keras_model_sequential(input_shape = 7, name = "flat") %>% layer_flatten()
  expect_refused(flat, {
    flat %>% layer_conv_2d_transpose(2, 3)
    flat %>% layer_conv_2d(2, 3)
    flat %>% layer_max_pooling_2d()
  })
  # A kernel larger than the input is what transposed convolution is for.
  expect_identical((model %>% layer_conv_2d_transpose(2, 7))$output_shape, c(NA, 10L, 10L, 2L))
})

test_that("a layer that could not be added is as it was", {
  model <- keras_model_sequential(input_shape = c(4, 4, 3))
  layer <- layer_conv_2d(filters = 2, kernel_size = 5)
  expect_error(convnet:::add_layer(model, layer), class = "convnet_error_shape")
  expect_false(layer$built)
  expect_identical(layer$weights, list())
  expect_identical(dim(as.array(layer(ramp(1, 5, 5, 1)))), c(1L, 1L, 1L, 2L))
})

test_that("sizes beyond memory", {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = c(8, 8, 3), name = "m")
  no_sizes <- function(text) gsub("(at most|Received:) [0-9.]+ GB", "\\1 <size> GB", text)
  refused <- function(code) {
    error <- tryCatch(code, error = identity)
    expect_s3_class(error, "convnet_error_memory")
    no_sizes(conditionMessage(error))
  }
  before <- state_of(model)
  messages <- c(
    refused(model %>% layer_conv_2d(1e9, 3)),
    refused(model %>% layer_dense(2^31)),
    refused(model %>% layer_conv_2d_transpose(2e9, 8)),
    refused(keras_model_sequential(name = "huge", input_shape = c(1e6, 1e6, 1000)) %>% layer_flatten()),
    refused(keras_model_sequential(input_shape = c(2^31, 2))),
    refused(model %>% layer_conv_2d_transpose(1, 1, strides = 2e9)),
    refused(to_categorical(2^31))
  )
  expect_identical(state_of(model), before)
  # A plan for many samples may not fit where one for a few does.
  wide <- keras_model_sequential(input_shape = 1, name = "wide") %>%
    layer_dense(1e5, kernel_initializer = "zeros", use_bias = FALSE, name = "grows")
  messages <- c(messages, refused(predict(wide, numeric(1e7), batch_size = 1e7)))
  expect_identical(dim(predict(wide, 1:2)), c(2L, 100000L))
  expect_snapshot(cat(messages, sep = "\n"))
})

test_that("lists of weights", {
  model <- small_line(loss = "mse")
  expect_refused(model, {
    set_weights(model, list(matrix(1, 2, 1)))
    set_weights(model, list(matrix(1, 3, 1), 0))
    set_weights(model, list(matrix(1, 2, 1), "zero"))
    set_weights(model, list(matrix(c(1, NA), 2, 1), 0))
    set_weights(model, matrix(1, 2, 1))
    set_weights(model, NULL)
    set_weights(keras_model_sequential(name = "m") %>% layer_dense(1), list(1, 2))
    model$weights <- list(1)
    model$layers[[1]]$trainable <- "no"
    model$optimizer$learning_rate <- "fast"
  })
})

test_that("objects that are not models, layers or tensors", {
  model <- small_line(loss = "mse")
  x <- layer_input(3, name = "x")
  expect_refused(model, {
    get_weights(3)
    pop_layer("model")
    get_layer(list(), "a")
    train_on_batch(NULL, 1, 1)
    predict_on_batch(3, 1)
    clone_model(layer_dense(units = 1))
    count_params(lm)
    from_config(list(units = 3))
    create_layer("Dense3")
    create_layer(3)
    create_layer(list(class_name = "Mine"))
    create_layer("Dense", args = list(3))
    layer_dense("model", 3)
    layer_dense(quote(x), 3)
    layer_dense(iris, 3)
    layer_flatten(mean)
    layer_dense(units = 1)()
    layer_dense(units = 1)(list())
    layer_dense(units = 1)("a")
    k_function(3, x)
    k_function(x, "y")
    k_function(x, x * 2)(list(1, 2))
    k_function(list(), x * 2)
    k_gradients(x, 3)
    k_update(x, 3)
    k_set_value(x, 3)
    k_variable(NA)
    k_constant("a")
    callback_lambda(on_epoch_end = "print")
    x + layer_input(4)
    k_update(k_variable(1), "a")
  })
})

test_that("a model without shape stays so when its first data are refused", {
  k_reset_uids()
  model <- keras_model_sequential(name = "m") %>% layer_dense(3, name = "first") %>% layer_dense(2, name = "second")
  model %>% compile("sgd", "mse")
  expect_refused(model, {
    fit(model, matrix(1, 4, 2), matrix(1, 4, 3))
    fit(model, matrix(NA_real_, 4, 2), matrix(1, 4, 2))
    predict(model, "a")
    predict(model, list(1, 2))
    count_params(model)
  })
  images <- keras_model_sequential(name = "images") %>% layer_conv_2d(2, 3, name = "conv") %>% layer_max_pooling_2d(4, name = "pool")
  expect_refused(images, {
    predict(images, ramp(2, 4, 4, 1))
    images(ramp(2, 4, 4, 1))
    predict(keras_model_sequential(name = "empty"), 1)
  })
  expect_identical(dim(predict(images, ramp(2, 6, 6, 1))), c(2L, 1L, 1L, 2L))
})

test_that("the error is shown at the call that the user wrote", {
  model <- small_line(loss = "mse")
  call_of <- function(code) as.character(conditionCall(tryCatch(code, error = identity))[[1]])
  expect_identical(call_of(fit(model, 1:3, 1:3)), "fit")
  expect_identical(call_of(model %>% predict("a")), "predict")
  expect_identical(call_of(model |> evaluate(matrix(1, 2, 2), 1:3)), "evaluate")
  expect_identical(call_of(compile(model, "adam", "msee")), "compile")
  expect_identical(call_of(model %>% layer_dense(-1)), "layer_dense")
  expect_identical(call_of(layer_conv_2d(filters = 1)), "layer_conv_2d")
  expect_identical(call_of(set_weights(model, 3)), "set_weights")
})

test_that("no argument of a wrong type ends in anything but a convnet_error", {
  odd <- odd_values()
  strays <- character()
  turn <- 0
  model <- keras_model_sequential(name = "fuzzed")
  check <- function(code, what) {
    error <- tryCatch({
      suppressWarnings(code)
      NULL
    }, error = identity)
    if (!is.null(error) && !inherits(error, "convnet_error")) strays <<- c(strays, paste0(what, ": ", conditionMessage(error)))
    while (length(model$layers)) pop_layer(model)
  }
  for (name in names(layer_rows)) {
    row <- layer_rows[[name]]
    make <- getExportedValue("convnet", name)
    if (!is.list(row$input)) model <- keras_model_sequential(input_shape = row$input, name = "fuzzed")
    for (arg in setdiff(names(formals(make)), c("object", "inputs"))) {
      # A sixth of the values each, another one for the next argument.
      turn <- turn + 1
      for (i in which((seq_along(odd) + turn) %% 6 == 0)) {
        args <- row$args
        args[arg] <- odd[i]
        check(do.call(make, if (is.list(row$input)) args else c(list(model), args)), paste(name, arg, i))
      }
    }
    for (i in seq_along(odd)) check(do.call(make, c(odd[i], row$args)), paste(name, "object", i))
  }
  expect_identical(strays, character())

  trained <- small_line(loss = "mse")
  x <- matrix(1, 4, 2)
  for (i in seq_along(odd)) {
    value <- odd[[i]]
    check(predict(trained, value), paste("predict", i))
    check(predict(trained, list(value)), paste("predict list", i))
    check(trained(value), paste("call", i))
    check(evaluate(trained, x, value, verbose = 0), paste("evaluate", i))
    check(train_on_batch(trained, value, 1), paste("train_on_batch", i))
    check(keras_model_sequential(value), paste("sequential", i))
    check(get_layer(trained, value), paste("get_layer", i))
    check(set_weights(trained, value), paste("set_weights", i))
    check(freeze_weights(trained, value), paste("freeze_weights", i))
    check(from_config(value), paste("from_config", i))
    check(k_function(value, value), paste("k_function", i))
    check(k_gradients(value, value), paste("k_gradients", i))
    check(k_update(k_variable(1), value), paste("k_update", i))
    check(k_placeholder(value), paste("k_placeholder", i))
    check(create_layer(value, args = value), paste("create_layer", i))
    for (arg in setdiff(names(formals(convnet:::fit.keras_model)), c("object", "x", "..."))) {
      args <- list(trained, x, y = 1:4, epochs = 1, verbose = 0)
      args[arg] <- odd[i]
      # Two billion epochs would be right, but long.
      turn <- turn + 1
      if (turn %% 3 == 0 && !(arg == "epochs" && is.numeric(value) && length(value) == 1)) {
        check(utils::capture.output(do.call(fit, args)), paste("fit", arg, i))
      }
    }
    for (arg in c("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics")) {
      copy <- small_line(loss = "mse")
      args <- list(copy, optimizer = "sgd", loss = "mse")
      args[arg] <- odd[i]
      check({
        do.call(compile, args)
        fit(copy, x, 1:4, epochs = 1, verbose = 0)
      }, paste("compile", arg, i))
    }
  }
  unfreeze_weights(trained)
  expect_identical(strays, character())
  expect_identical(dim(predict(trained, x)), c(4L, 1L))
})
