# What every layer keeps to. layer_rows has a row for each exported layer:
#   args    arguments, more than the defaults where a layer has more to show
#   input   shape of its input without the samples; a list of shapes for several inputs
#   rank    FALSE: inputs of any rank will do
#   open    FALSE: extents other than the samples have to be known
#   random  TRUE: training is random
#   formats FALSE: with channels first the weights are in another order
#   counts  TRUE: inputs are whole numbers, along which nothing is differentiated
#   values  function(shape, i): the i-th input; default: numbers of either sign
#   mask    what Keras says becomes of a mask of steps: "dropped"; "kept", steps of several inputs counting that count in
#           each; "joined"

some_values <- function(shape, i = 1) array(sin(1.7 * seq_len(prod(shape)) + i) * 1.3, shape)

layer_row <- function(input, ..., rank = TRUE, open = TRUE, random = FALSE, formats = TRUE, counts = FALSE,
                      values = some_values, mask = "dropped") {
  list(args = list(...), input = input, rank = rank, open = open, random = random, formats = formats,
       counts = counts, values = values, mask = mask)
}

layer_rows <- list(
  layer_activation = layer_row(c(3, 4), activation = "tanh", rank = FALSE, mask = "kept"),
  layer_activation_elu = layer_row(c(3, 4), alpha = 0.7, rank = FALSE, mask = "kept"),
  layer_activation_leaky_relu = layer_row(c(3, 4), alpha = 0.2, rank = FALSE, mask = "kept"),
  layer_activation_parametric_relu = layer_row(c(3, 2, 4), shared_axes = c(1, 2), rank = FALSE, mask = "kept"),
  layer_activation_relu = layer_row(c(3, 4), max_value = 1, negative_slope = 0.1, threshold = 0.2, rank = FALSE,
                                    mask = "kept"),
  layer_activation_selu = layer_row(c(3, 4), rank = FALSE, mask = "kept"),
  layer_activation_softmax = layer_row(c(3, 4), axis = 1, rank = FALSE, mask = "kept"),
  layer_activation_thresholded_relu = layer_row(c(3, 4), theta = 0.5, rank = FALSE, mask = "kept"),
  layer_activity_regularization = layer_row(c(3, 4), l1 = 0.1, l2 = 0.2, rank = FALSE, mask = "kept"),
  layer_add = layer_row(list(c(3, 4), c(3, 4), c(3, 1)), rank = FALSE, mask = "kept"),
  layer_alpha_dropout = layer_row(c(3, 4), rate = 0.4, rank = FALSE, random = TRUE, mask = "kept"),
  layer_average = layer_row(list(c(3, 4), c(3, 4), 4), rank = FALSE, mask = "kept"),
  layer_average_pooling_1d = layer_row(c(7, 2), pool_size = 3, strides = 2, padding = "same"),
  layer_average_pooling_2d = layer_row(c(5, 6, 2), pool_size = c(2, 3), strides = c(1, 2)),
  layer_average_pooling_3d = layer_row(c(4, 3, 5, 2), pool_size = c(2, 1, 3), padding = "same"),
  layer_batch_normalization = layer_row(c(3, 4), momentum = 0.7, epsilon = 0.01, rank = FALSE, mask = "kept"),
  layer_center_crop = layer_row(c(5, 6, 2), height = 3, width = 4, open = FALSE),
  layer_concatenate = layer_row(list(c(3, 4), c(2, 4)), axis = 1, rank = FALSE, mask = "joined"),
  layer_conv_1d = layer_row(c(7, 4), filters = 6, kernel_size = 3, padding = "causal", dilation_rate = 2, groups = 2),
  layer_conv_1d_transpose = layer_row(c(4, 3), filters = 2, kernel_size = 3, strides = 2, output_padding = 0,
                                      padding = "same"),
  layer_conv_2d = layer_row(c(7, 6, 2), filters = 3, kernel_size = c(3, 2), strides = c(2, 1), activation = "sigmoid"),
  layer_conv_2d_transpose = layer_row(c(3, 4, 2), filters = 3, kernel_size = c(3, 2), strides = c(2, 1),
                                      padding = "same"),
  layer_conv_3d = layer_row(c(4, 5, 3, 2), filters = 2, kernel_size = c(1, 3, 2), strides = c(2, 1, 2),
                            padding = "same"),
  layer_conv_3d_transpose = layer_row(c(2, 3, 2, 2), filters = 2, kernel_size = 2, dilation_rate = c(1, 2, 1)),
  layer_conv_lstm_1d = layer_row(c(3, 5, 2), filters = 2, kernel_size = 3, padding = "same", dilation_rate = 2,
                                 formats = FALSE),
  layer_conv_lstm_2d = layer_row(c(3, 4, 5, 2), filters = 2, kernel_size = c(2, 3), strides = c(1, 2),
                                 padding = "same", return_sequences = TRUE, formats = FALSE, mask = "kept"),
  layer_conv_lstm_3d = layer_row(c(2, 3, 4, 3, 1), filters = 1, kernel_size = 2, go_backwards = TRUE, formats = FALSE),
  layer_cropping_1d = layer_row(c(5, 2), cropping = c(0, 2)),
  layer_cropping_2d = layer_row(c(5, 4, 2), cropping = list(c(1, 2), c(0, 3))),
  layer_cropping_3d = layer_row(c(3, 4, 5, 2), cropping = c(1, 0, 2)),
  layer_cudnn_gru = layer_row(c(4, 3), units = 2, return_sequences = TRUE, mask = "kept"),
  layer_cudnn_lstm = layer_row(c(4, 3), units = 2),
  layer_dense = layer_row(c(3, 4), units = 2, activation = "softplus", rank = FALSE, mask = "kept"),
  layer_depthwise_conv_1d = layer_row(c(7, 3), kernel_size = 3, dilation_rate = 2, depth_multiplier = 2),
  layer_depthwise_conv_2d = layer_row(c(7, 6, 3), kernel_size = 3, strides = c(1, 2), padding = "same",
                                      depth_multiplier = 2),
  layer_dot = layer_row(list(c(3, 4), c(4, 2)), axes = c(2, 1), normalize = TRUE, rank = FALSE),
  layer_dropout = layer_row(c(3, 4), rate = 0.4, rank = FALSE, random = TRUE, mask = "kept"),
  layer_embedding = layer_row(c(3), input_dim = 5, output_dim = 2, rank = FALSE, counts = TRUE,
                              values = function(shape, i) array(seq_len(prod(shape)) %% 5, shape)),
  layer_flatten = layer_row(c(2, 3, 4), rank = FALSE),
  layer_gaussian_dropout = layer_row(c(3, 4), rate = 0.4, rank = FALSE, random = TRUE, mask = "kept"),
  layer_gaussian_noise = layer_row(c(3, 4), stddev = 0.4, rank = FALSE, random = TRUE, mask = "kept"),
  layer_global_average_pooling_1d = layer_row(c(5, 3)),
  layer_global_average_pooling_2d = layer_row(c(5, 4, 3), keepdims = TRUE),
  layer_global_average_pooling_3d = layer_row(c(2, 3, 4, 3)),
  layer_global_max_pooling_1d = layer_row(c(5, 3), keepdims = TRUE),
  layer_global_max_pooling_2d = layer_row(c(5, 4, 3)),
  layer_global_max_pooling_3d = layer_row(c(2, 3, 4, 3), keepdims = TRUE),
  layer_group_normalization = layer_row(c(3, 4), groups = 2, epsilon = 0.01, rank = FALSE, mask = "kept"),
  layer_gru = layer_row(c(4, 3), units = 2, recurrent_activation = "sigmoid", go_backwards = TRUE),
  layer_lambda = layer_row(c(3, 4), f = k_pow, arguments = list(a = 3), rank = FALSE),
  layer_layer_normalization = layer_row(c(3, 4), epsilon = 0.01, rank = FALSE, mask = "kept"),
  layer_locally_connected_1d = layer_row(c(6, 2), filters = 3, kernel_size = 2, strides = 2, open = FALSE,
                                         formats = FALSE),
  layer_locally_connected_2d = layer_row(c(4, 5, 2), filters = 2, kernel_size = c(3, 2), activation = "tanh",
                                         open = FALSE,
                                         formats = FALSE),
  layer_lstm = layer_row(c(4, 3), units = 2, recurrent_activation = "sigmoid", return_sequences = TRUE, mask = "kept"),
  layer_masking = layer_row(c(3, 2), mask_value = 1, rank = FALSE, mask = "kept"),
  layer_max_pooling_1d = layer_row(c(7, 2), pool_size = 3, strides = 2, padding = "same"),
  layer_max_pooling_2d = layer_row(c(5, 6, 2), pool_size = c(2, 3), strides = 2, padding = "same"),
  layer_max_pooling_3d = layer_row(c(4, 3, 5, 2), pool_size = c(2, 1, 3)),
  layer_maximum = layer_row(list(c(3, 4), c(3, 4)), rank = FALSE, mask = "kept"),
  layer_minimum = layer_row(list(c(3, 4), c(3, 4)), rank = FALSE, mask = "kept"),
  layer_multiply = layer_row(list(c(3, 4), c(3, 4), c(1, 4)), rank = FALSE, mask = "kept"),
  layer_permute = layer_row(c(2, 3, 4), dims = c(3, 1, 2)),
  layer_random_contrast = layer_row(c(4, 5, 2), factor = 0.4, random = TRUE),
  layer_random_flip = layer_row(c(4, 5, 2), mode = "vertical", random = TRUE),
  layer_random_rotation = layer_row(c(4, 5, 2), factor = 0.2, random = TRUE),
  layer_random_translation = layer_row(c(4, 5, 2), height_factor = 0.2, width_factor = 0.3, random = TRUE),
  layer_random_zoom = layer_row(c(4, 5, 2), height_factor = 0.2, random = TRUE),
  layer_repeat_vector = layer_row(4, n = 3),
  layer_rescaling = layer_row(c(3, 4), scale = 0.1, offset = 2, rank = FALSE, mask = "kept"),
  layer_reshape = layer_row(c(3, 4), target_shape = c(2, 6), rank = FALSE, open = FALSE),
  layer_resizing = layer_row(c(4, 5, 2), height = 3, width = 7, antialias = TRUE),
  layer_separable_conv_1d = layer_row(c(7, 3), filters = 4, kernel_size = 3, padding = "causal", depth_multiplier = 2),
  layer_separable_conv_2d = layer_row(c(6, 7, 2), filters = 3, kernel_size = c(2, 3), depth_multiplier = 2),
  layer_simple_rnn = layer_row(c(4, 3), units = 2),
  layer_spatial_dropout_1d = layer_row(c(3, 4), rate = 0.4, random = TRUE, mask = "kept"),
  layer_spatial_dropout_2d = layer_row(c(3, 2, 4), rate = 0.4, random = TRUE, mask = "kept"),
  layer_spatial_dropout_3d = layer_row(c(3, 2, 2, 4), rate = 0.4, random = TRUE, mask = "kept"),
  layer_subtract = layer_row(list(c(3, 4), c(3, 4)), rank = FALSE, mask = "kept"),
  layer_unit_normalization = layer_row(c(3, 4), rank = FALSE, mask = "kept"),
  layer_upsampling_1d = layer_row(c(3, 2), size = 3),
  layer_upsampling_2d = layer_row(c(3, 4, 2), size = c(2, 3), interpolation = "bilinear"),
  layer_upsampling_3d = layer_row(c(2, 3, 2, 2), size = c(2, 1, 3)),
  layer_zero_padding_1d = layer_row(c(3, 2), padding = c(0, 2)),
  layer_zero_padding_2d = layer_row(c(3, 2, 2), padding = list(c(1, 2), c(0, 3))),
  layer_zero_padding_3d = layer_row(c(2, 3, 2, 2), padding = c(1, 0, 2))
)

arguments_of <- function(name) formals(getExportedValue("convnet", name))

row_shapes <- function(row) if (is.list(row$input)) row$input else list(row$input)

row_values <- function(row, n = 2) {
  shapes <- row_shapes(row)
  Map(function(shape, i) row$values(c(n, shape), i), shapes, seq_along(shapes))
}

one_or_list <- function(row, x) if (is.list(row$input)) x else x[[1]]

# The layer of a row with weights of all signs and sizes; arguments in `...` replace those of the row.
row_layer <- function(name, row, ..., weights = NULL) {
  layer <- do.call(getExportedValue("convnet", name), utils::modifyList(row$args, list(...)))
  layer(one_or_list(row, row_values(row)))
  set_weights(layer, weights %||% lapply(get_weights(layer), function(w) w + 0.1 * cos(seq_along(w))))
}

value_of <- function(layer, row, values = row_values(row)) as.array(layer(one_or_list(row, values)))

# The layer on symbolic inputs of these shapes: the tensor, and its values.
on_tensors <- function(layer, row, shapes) {
  inputs <- lapply(shapes, function(shape) layer_input(batch_shape = shape))
  y <- layer(one_or_list(row, inputs))
  list(shape = y$shape, value = k_function(inputs, list(y))(row_values(row))[[1]])
}

expect_layer_contract <- function(name, row) {
  local_float64()
  layer <- row_layer(name, row)
  check_shapes(layer, row, name)
  check_dtypes(layer, row, name)
  check_round_trips(layer, row, name)
  check_gradients(layer, row, name)
  check_data_formats(row, name)
  check_refusals(layer, row, name)
  check_training(row, name)
  check_masks(row, name)
}

check_shapes <- function(layer, row, name) {
  expected <- value_of(layer, row)
  shapes <- row_shapes(row)
  with_samples <- function(n, known) {
    lapply(shapes, function(s) as.integer(c(n, if (known) s else replace(s, -length(s), NA))))
  }
  for (case in list(list(2, TRUE), list(NA, TRUE), if (row$open) list(NA, FALSE))) {
    if (is.null(case)) next
    found <- on_tensors(layer, row, with_samples(case[[1]], case[[2]]))
    known <- !is.na(found$shape)
    expect_identical(found$shape[known], dim(expected)[known], label = paste(name, "inferred shape"))
    if (case[[2]]) {
      expect_identical(known, c(!is.na(case[[1]]), rep(TRUE, length(known) - 1)), label = paste(name, "known extents"))
    }
    expect_equal(found$value, expected, tolerance = 1e-12, label = paste(name, "on tensors"))
  }
  expect_identical(dim(value_of(layer, row, row_values(row, 3)))[-1], dim(expected)[-1],
                   label = paste(name, "with other samples"))
}

check_dtypes <- function(layer, row, name) {
  k_set_floatx("float32")
  on.exit(k_set_floatx("float64"))
  narrow <- row_layer(name, row, weights = get_weights(layer))
  expect_identical(narrow(one_or_list(row, row_values(row)))$dtype, "float32", label = name)
  expect_close(value_of(narrow, row), value_of(layer, row), 1e-5, label = paste(name, "in float32"))
}

check_round_trips <- function(layer, row, name) {
  expected <- value_of(layer, row)
  config <- get_config(layer)
  arguments <- setdiff(names(arguments_of(name)), c("object", "inputs", "...", convnet:::common_args))
  expect_identical(setdiff(arguments, names(config)), character(), label = paste(name, "arguments that its config lacks"))
  copy <- from_config(config)
  expect_identical(get_config(copy), config, label = paste(name, "config of the copy"))
  copy(one_or_list(row, row_values(row)))
  set_weights(copy, get_weights(layer))
  expect_identical(value_of(copy, row), expected, label = paste(name, "made from its config"))
  loaded <- readRDS(saved(layer))
  expect_identical(get_config(loaded), config, label = paste(name, "config after readRDS()"))
  expect_identical(value_of(loaded, row), expected, label = paste(name, "after readRDS()"))
}

# Derivatives along a direction for each input and trained weight, in both phases.
check_gradients <- function(layer, row, name) {
  values <- row_values(row)
  inputs <- lapply(values, function(v) layer_input(batch_shape = dim(v)))
  y <- layer(one_or_list(row, inputs))
  loss <- k_sum(y * some_values(dim(value_of(layer, row)), 5))
  weights <- layer$trainable_weights
  for (phase in if (row$random) 0 else 0:1) {
    k_set_learning_phase(phase)
    run <- k_function(inputs, c(list(loss), k_gradients(loss, c(inputs, weights))))
    gradients <- run(values)[-1]
    k_set_learning_phase(0)
    starts <- c(values, lapply(weights, k_get_value))
    for (i in if (row$counts) seq_along(weights) + length(values) else seq_along(starts)) {
      direction <- some_values(dim(starts[[i]]) %||% length(starts[[i]]), i + 10)
      ends <- vapply(c(1e-5, -1e-5), function(step) {
        moved <- starts[[i]] + step * direction
        if (i <= length(values)) return(run(replace(values, i, list(moved)))[[1]])
        k_set_value(weights[[i - length(values)]], moved)
        on.exit(k_set_value(weights[[i - length(values)]], starts[[i]]))
        run(values)[[1]]
      }, 0)
      expect_equal(sum(gradients[[i]] * direction), diff(rev(ends)) / 2e-5, tolerance = 1e-6,
                   label = paste(name, "derivative", i, "in phase", phase))
    }
  }
}

channels_to_front <- function(x) {
  rank <- length(dim(x))
  if (rank < 3) x else aperm(x, c(1, rank, seq_len(rank - 2) + 1))
}

check_data_formats <- function(row, name) {
  if (!"data_format" %in% names(arguments_of(name)) || !row$formats) return()
  last <- row_layer(name, row, data_format = "channels_last")
  turned <- row
  turned$values <- function(shape, i) channels_to_front(row$values(shape, i))
  first <- row_layer(name, turned, data_format = "channels_first", weights = get_weights(last))
  expect_equal(value_of(first, turned), channels_to_front(value_of(last, row)), tolerance = 1e-12,
               label = paste(name, "with channels first"))
}

check_refusals <- function(layer, row, name) {
  given <- row$args
  refused <- function(code, kind, ...) {
    expect_error(code, class = paste0("convnet_error_", kind), label = paste(name, ...))
  }
  required <- names(Filter(function(x) is.symbol(x) && !nzchar(as.character(x)), arguments_of(name)))
  for (arg in setdiff(required, c("object", "inputs", "..."))) {
    refused(do.call(name, given[setdiff(names(given), arg)]), "argument", "without", arg)
  }
  shapes <- row_shapes(row)
  call_with <- function(layer, shapes) layer(one_or_list(row, lapply(shapes, function(s) layer_input(s))))
  if (row$rank) {
    for (turn in c("new", "built")) {
      target <- if (turn == "built") layer else do.call(name, given)
      refused(call_with(target, lapply(shapes, c, 2)), "shape", turn, "with a dimension more")
      refused(call_with(target, lapply(shapes, `[`, -1)), "shape", turn, "with a dimension less")
    }
  }
  if (length(layer$weights) && length(shapes) == 1 && !row$counts) {
    wider <- lapply(shapes, function(s) replace(s, length(s), s[length(s)] + 1))
    refused(call_with(layer, wider), "shape", "with another channel")
  }
  refused(do.call(name, c(given, list(name = 3))), "argument", "with a number as name")
}

# As a layer of a model: named in the summary, trained, and not trained when frozen.
check_training <- function(row, name) {
  for (trainable in c(TRUE, FALSE)) {
    inputs <- lapply(row_shapes(row), function(shape) layer_input(shape))
    y <- do.call(name, c(list(one_or_list(row, inputs)), row$args, list(name = "probed", trainable = trainable)))
    model <- keras_model(inputs, y)
    layer <- get_layer(model, "probed")
    listed <- grepl(paste0("probed (", layer$class_name), format(model), fixed = TRUE)
    expect_true(any(listed), label = paste(name, "in the summary"))
    expect_length(model$trainable_weights, if (trainable) length(get_weights(layer, trainable = TRUE)) else 0)
    x <- row_values(row, 4)
    before <- get_weights(model)
    model %>% compile("sgd", "mse")
    train_on_batch(model, x, some_values(c(4, model$output_shape[-1]), 3))
    changed <- !mapply(identical, get_weights(model), before)
    expect_identical(any(changed), trainable && length(before) > 0, label = paste(name, "is trained"))
    if (trainable) expect_true(all(changed), label = paste(name, "has all of its weights trained"))
  }
}

# Masks the steps in which all is zero.
layer_marks <- Layer("Marks", call = function(inputs) inputs, compute_mask = function(inputs, mask) {
  k_any(k_reshape(inputs, list(k_shape(inputs)[[0]], k_shape(inputs)[[1]], -1)), axis = 3)
})

# What becomes of the masks of its inputs: as a tensor, and in a mean over steps.
check_masks <- function(row, name) {
  shapes <- row_shapes(row)
  has_steps <- lengths(shapes) > 1 | length(shapes) == 1
  counts <- lapply(shapes, function(shape) outer(1:3, seq_len(shape[1]), function(i, step) (i + step) %% 3 > 0))
  values <- Map(function(x, counts, has_steps) {
    if (has_steps) x[!counts] <- row$args$mask_value %||% 0
    x
  }, row_values(row, 3), counts, has_steps)
  inputs <- lapply(shapes, function(shape) layer_input(shape))
  layer <- do.call(name, row$args)
  y <- layer(one_or_list(row, Map(function(x, has_steps) if (has_steps) layer_marks(x) else x, inputs, has_steps)))
  kept <- switch(row$mask, kept = Reduce(function(a, b) a & c(b), counts[has_steps]), joined = do.call(cbind, counts))
  mask <- get_output_mask_at(layer, 1)
  found <- if (!is.null(mask)) k_function(inputs, list(mask))(values)[[1]]
  expect_identical(found, kept, label = paste(name, "mask"))
  model <- keras_model(inputs, y) %>% compile("sgd", "mse", metrics = "mse")
  predicted <- predict(model, values)
  y <- some_values(dim(predicted), 3)
  errors <- rowMeans((predicted - y)^2, dims = length(dim(y)) - 1)
  # A mask of steps weighs errors that have no other axes.
  if (!is.null(kept) && identical(dim(errors), dim(kept))) errors <- errors[kept]
  expect_equal(evaluate(model, values, y, verbose = 0)[[2]], mean(errors), label = paste(name, "mean over steps"))
}
