# Arguments that work, of the functions that have more than one.
backend_calls <- function() {
  x <- matrix(c(0.2, 0.5, 0.1, 0.9, 0.4, 0.3), 2)
  image <- array(0.5, c(1, 4, 4, 1))
  kernel <- array(1, c(2, 2, 1, 1))
  list(
    activation_gelu = list(x), activation_relu = list(x, 0.1, 1, 0.2), array_reshape = list(1:6, c(2, 3)),
    conv_output_size = list(5, 3), conv_output_padding = list(3, 7, 3, 2), get_weights = list(layer_dense(units = 1)),
    image_array_resize = list(image, 2, 2), image_to_array = list(matrix(1, 2, 2)),
    initializer_variance_scaling = list(), k_arange = list(0, 5), k_batch_dot = list(x, x, c(2, 2)),
    k_batch_set_value = list(list(list(k_variable(1), 2))), k_binary_crossentropy = list(x, x),
    k_categorical_crossentropy = list(x, x), k_clip = list(x, 0, 1), k_concatenate = list(list(x, x), 1),
    k_constant = list(1:6, "float32", c(2, 3)), k_conv2d = list(image, kernel),
    k_conv2d_transpose = list(image, kernel, c(1, 5, 5, 1)), k_cumsum = list(x), k_dot = list(x, t(x)), k_elu = list(x),
    k_expand_dims = list(x), k_eye = list(2), k_foldl = list(function(a, b) a + b, x), k_gather = list(x, c(1, 2)),
    k_get_uid = list("a"), k_in_top_k = list(x, c(0, 1), 1), k_logsumexp = list(x), k_map_fn = list(function(x) x * 2, x),
    k_moving_average_update = list(k_variable(1), 2, 0.9), k_normalize_batch_in_training = list(x, 1:3, 1:3, 1),
    k_one_hot = list(0:1, 3), k_ones = list(c(2, 3)), k_permute_dimensions = list(x, 2:1), k_placeholder = list(c(2, 3)),
    k_pool2d = list(image, c(2, 2)), k_random_binomial = list(3, 0.5), k_random_normal = list(3, 0, 1),
    k_random_uniform = list(3, 0, 1), k_repeat_elements = list(x, 2, 1), k_reshape = list(x, c(3, 2)),
    k_resize_images = list(image, 2, 2, "channels_last"), k_reverse = list(x, 1),
    k_rnn = list(function(x, states) list(x, list(x)), array(1, c(2, 3, 2)), list(x[, 1:2])), k_softmax = list(x),
    k_sparse_categorical_crossentropy = list(0:1, x), k_squeeze = list(image, 4), k_stack = list(list(x, x), 1),
    k_switch = list(TRUE, 1, 2), loss_binary_crossentropy = list(x, x), metric_top_k_categorical_accuracy = list(x, x), k_tile = list(x, 2), k_variable = list(1), normalize = list(x), to_categorical = list(0:2)
  )
}

test_that("no argument of a function of the backend ends in anything but a convnet_error", {
  strays <- character()
  turn <- 0
  odd <- odd_values()
  calls <- backend_calls()
  for (name in names(calls)) {
    f <- getExportedValue("convnet", name)
    given <- calls[[name]]
    expect_no_error(do.call(f, given))
    for (arg in setdiff(names(formals(f)), "...")) {
      # A fifth of the values each, another one for the next argument.
      turn <- turn + 1
      for (i in which((seq_along(odd) + turn) %% 5 == 0)) {
        args <- stats::setNames(given, names(formals(f))[seq_along(given)])
        args[arg] <- odd[i]
        error <- tryCatch({
          suppressWarnings(do.call(f, args))
          NULL
        }, error = identity)
        if (is.null(error) || inherits(error, "convnet_error")) next
        strays <- c(strays, paste0(name, " ", arg, " ", i, ": ", conditionMessage(error)))
      }
    }
  }
  expect_identical(strays, character())
})

test_that("functions of the user's that fail in a function of the backend are its cause", {
  boom <- function(...) stop("boom")
  fails <- function(code) expect_error(code, "boom", class = "convnet_error_function")
  fails(k_map_fn(boom, 1:3))
  fails(k_foldl(boom, 1:3))
  fails(k_rnn(boom, array(1, c(1, 2, 3)), list()))
  fails(k_switch(TRUE, boom, 1))
  fails(k_in_train_phase(1, boom))
})

test_that("64-bit integers are not read as the doubles that hold them", {
  large <- structure(c(1, 2), class = "integer64")
  model <- small_line(loss = "mse")
  table <- data.frame(a = 1:2)
  table$b <- large
  expect_refused(model, {
    predict(model, table)
    fit(model, matrix(1, 2, 2), large)
    set_weights(model, list(large, 0))
    k_constant(large)
    to_categorical(large)
    array_reshape(large, 2)
  })
})

test_that("arrays without elements have values without elements, or are refused", {
  for (name in names(layer_rows)) {
    row <- layer_rows[[name]]
    shapes <- row_shapes(row)
    for (axis in seq_len(length(shapes[[1]]) + 1)) {
      empty <- lapply(shapes, function(shape) array(0, replace(c(2, shape), min(axis, length(shape) + 1), 0)))
      layer <- do.call(getExportedValue("convnet", name), row$args)
      result <- tryCatch(layer(one_or_list(row, empty)), convnet_error = identity)
      if (inherits(result, "convnet_error")) next
      expect_identical(dim(as.array(result)), result$shape, label = paste(name, "without extent along axis", axis))
    }
  }
  none <- k_constant(array(0, c(2, 0)))
  expect_identical(dim(none - array(0, c(1, 0))), c(2L, 0L))
  expect_identical(k_get_value(k_sum(none - array(0, c(1, 0)))), 0)
})

test_that("sequences and shapes beyond memory are told before they are made", {
  refused <- function(code) expect_error(code, class = "convnet_error_memory")
  refused(k_arange(0, Inf))
  refused(k_arange(0, 1e18))
  refused(k_constant(0, shape = c(1e6, 1e6)))
  refused(k_ones(c(1e6, 1e6)))
  refused(k_eye(1e6))
  expect_identical(dim(k_constant(1, shape = list())), NULL)
})

test_that("bytes that are no text are told", {
  skip_if_not(l10n_info()[["UTF-8"]], "outside of UTF-8 all bytes are text")
  bytes <- "caf\xff"
  expect_snapshot_errors({
    layer_dense(units = 1, name = bytes)
    layer_dense(units = 1, activation = bytes)
    compile(small_line(loss = "mse"), "sgd", bytes)
  })
})
