signatures <- read_signatures(test_path("fixtures", "api.txt"))

# Where our argument lists differ from those of keras 2.2.5.0, and why.
known_differences <- list(
  compile.keras.engine.training.Model = list(
    c("optimizer = \"rmsprop\"", "loss = NULL"),
    "an error of our own says what is missing; rmsprop is the default of keras3"),
  k_batch_dot = list("axes = NULL", "the axes that Python's Keras takes"),
  k_batch_normalization = list(c("beta = NULL", "gamma = NULL"), "without scale or shift, as Python's Keras allows"),
  k_clip = list(c("min_value = NULL", "max_value = NULL"), "open on one side"),
  k_squeeze = list("axis = NULL", "all axes of size 1"),
  layer_conv_2d_transpose = list(
    "order", "the order before 2.2.5.0, where position 6 is data_format; the two newer arguments follow `weights`"),
  layer_dot = list("axes = NULL", "an error of our own says what is missing; behind a list it may be given by position"),
  predict.keras.engine.training.Model = list("x = NULL", "an error of our own says that data are missing"),
  predict_on_batch = list("x = NULL", "an error of our own says that data are missing"),
  test_on_batch = list(c("x = NULL", "y = NULL"), "an error of our own says that data are missing"),
  train_on_batch = list(c("x = NULL", "y = NULL"), "an error of our own says that data are missing")
)

test_that("functions have the arguments of keras, in its order, with its defaults", {
  expect_gte(length(signatures), 200)
  for (name in names(signatures)) {
    found <- signature_differences(formals(args(our_function(name))), signatures[[name]])
    expect_identical(found, as.character(known_differences[[name]][[1]]), label = paste("differences of", name))
  }
  expect_identical(setdiff(names(known_differences), names(signatures)), character())
})

test_that("the comparison sees what differs", {
  differences <- function(ours, keras) signature_differences(formals(ours), signature_formals(keras))
  expect_identical(differences(function(x, axis = -1) NULL, "k(x, axis = -1L)"), character())
  expect_identical(differences(function(x, axis = -1, new, ...) NULL, "k(x, axis = -1, ...)"), character())
  expect_identical(differences(function(x) NULL, "k(x, axis = -1)"), "-axis")
  expect_identical(differences(function(axis = -1, x) NULL, "k(x, axis = -1)"), "order")
  expect_identical(differences(function(x, new, axis = -1) NULL, "k(x, axis = -1)"), "order")
  expect_identical(differences(function(x, axis = 1) NULL, "k(x, axis = -1)"), "axis = 1")
  expect_identical(differences(function(x, axis) NULL, "k(x, axis = -1)"), "axis = ")
  expect_identical(differences(function(x = NULL) NULL, "k(x)"), "x = NULL")
})

test_that("layer_conv_2d_transpose() has the arguments of its specification", {
  ours <- formals(layer_conv_2d_transpose)
  specified <- signature_formals(paste(
    "layer_conv_2d_transpose(object, filters, kernel_size, strides = c(1L, 1L), padding = \"valid\",",
    "data_format = NULL, activation = NULL, use_bias = TRUE, kernel_initializer = \"glorot_uniform\",",
    "bias_initializer = \"zeros\", kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,",
    "kernel_constraint = NULL, bias_constraint = NULL, input_shape = NULL, batch_input_shape = NULL,",
    "batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL)"))
  expect_identical(names(ours), c(names(specified), "output_padding", "dilation_rate"))
  expect_identical(signature_differences(ours, specified), character())
  expect_null(ours$output_padding)
  expect_equal(eval(ours$dilation_rate), c(1, 1))
})

test_that("positions and abbreviations in scripts mean what they mean in keras", {
  # By position: filters, kernel_size, strides, padding, data_format, activation.
  layer <- layer_conv_2d_transpose(, 4, 3, 2, "same", "channels_first", "relu")
  expect_identical(layer$filters, 4L)
  expect_identical(layer$strides, c(2L, 2L))
  expect_identical(layer$data_format, "channels_first")
  expect_identical(layer$activation, "relu")
  # Abbreviated.
  expect_identical(layer_conv_2d(filter = 32, kernel_s = 3)$filters, 32L)
  expect_identical(layer_conv_2d(filter = 32, kernel_s = 3, stride = 2)$strides, c(2L, 2L))
  expect_identical(layer_conv_2d_transpose(filter = 8, kernel_s = 3, stride = 2, pad = "same")$padding, "same")
  model <- keras_model_sequential(input_shape = 2)
  model %>% layer_dense(unit = 3, activa = "relu") %>% layer_dense(unit = 1)
  expect_identical(model$output_shape, c(NA, 1L))
  model %>% compile(opt = "sgd", loss = "mse", metric = "mae")
  history <- model %>% fit(matrix(1, 8, 2), rep(1, 8), epoch = 2, batch = 4, verb = 0)
  expect_length(history$metrics$mae, 2)
  expect_named(model %>% evaluate(matrix(1, 8, 2), rep(1, 8), verb = 0), c("loss", "mae"))
  expect_identical(dim(predict(model, matrix(1, 8, 2), batch = 3)), c(8L, 1L))
})

test_that("convolutions take the abbreviations that scripts have", {
  dims <- c(conv_1d = 1, conv_2d = 2, conv_3d = 3, conv_2d_transpose = 2, conv_3d_transpose = 3, separable_conv_1d = 1,
            separable_conv_2d = 2, locally_connected_1d = 1, locally_connected_2d = 2)
  for (name in names(dims)) {
    make <- our_function(paste0("layer_", name))
    layer <- make(filter = 4, kernel_s = 3, stride = 2, pad = "valid", activa = "relu", use = FALSE)
    expect_identical(layer$filters, 4L, label = name)
    expect_identical(layer$kernel_size, rep(3L, dims[[name]]), label = name)
    expect_identical(layer$strides, rep(2L, dims[[name]]), label = name)
    expect_identical(layer$activation, "relu", label = name)
    expect_false(layer$use_bias, label = name)
  }
  # "activ" may be activation or activity_regularizer, in keras, too.
  expect_error(layer_conv_2d(filters = 4, kernel_size = 3, activ = "relu"), "multiple formal arguments")
})

test_that("newer arguments do not make keras's abbreviations ambiguous", {
  # `lr` has its newer name.
  renamed <- c("optimizer_adam", "optimizer_rmsprop", "optimizer_sgd")
  before_dots <- function(names) names[seq_len(match("...", names, nomatch = length(names) + 1L) - 1L)]
  meant <- function(word, names) sum(startsWith(names, word)) == 1L
  broken <- character()
  for (name in setdiff(names(signatures), renamed)) {
    keras <- before_dots(names(signatures[[name]]))
    ours <- before_dots(names(formals(args(our_function(name)))))
    # Layers that had no input shape have one, and `batch_size` has `batch_input_shape` beside it.
    excused <- if (!"input_shape" %in% keras) "batch_size"
    for (arg in setdiff(intersect(keras, ours), excused)) {
      # A single letter is no abbreviation that scripts have, and a word of R's own is no name.
      words <- substring(arg, 1, seq_len(nchar(arg)))
      words <- Filter(function(word) nchar(word) > 1 && word == make.names(word) && meant(word, keras) && !word %in% keras, words)
      bad <- Filter(function(word) !meant(word, ours), words)
      broken <- c(broken, if (length(bad)) paste0(name, "(", bad, " = )"))
    }
  }
  expect_identical(broken, character())
})

test_that("every function that takes `object` first can be piped into", {
  layers <- grep("^layer_", getNamespaceExports("convnet"), value = TRUE)
  for (name in setdiff(layers, "layer_input")) {
    expect_true(names(formals(getExportedValue("convnet", name)))[[1]] %in% c("object", "inputs"), label = name)
  }
})
