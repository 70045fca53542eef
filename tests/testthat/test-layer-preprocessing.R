# Images (1, rows, columns, 1) as matrices.
image <- function(m) array(m, c(1, dim(m), 1))
seen <- function(layer, m) as.array(layer(image(m), training = TRUE))[1, , , 1]
m <- matrix(c(1, 5, 2, 8, 3, 7, 4, 6, 9), 3)

test_that("turns, shifts and zooms by known amounts put pixels where they belong", {
  local_float64()
  quarter <- layer_random_rotation(factor = c(0.25, 0.25))
  expect_equal(seen(quarter, m), t(m)[3:1, ], tolerance = 1e-12)
  half <- layer_random_rotation(factor = c(0.5, 0.5), interpolation = "nearest", fill_mode = "constant")
  expect_equal(seen(half, m), m[3:1, 3:1], tolerance = 1e-12)
  wide <- matrix(1:12, 3)
  expect_equal(seen(half, wide), wide[3:1, 4:1], tolerance = 1e-12)

  down <- function(fill_mode) {
    layer_random_translation(height_factor = c(1 / 3, 1 / 3), width_factor = 0, fill_mode = fill_mode, fill_value = -1)
  }
  expect_equal(seen(down("constant"), m), rbind(-1, m[1:2, ]), tolerance = 1e-12)
  expect_equal(seen(down("nearest"), m), m[c(1, 1, 2), ], tolerance = 1e-12)
  expect_equal(seen(down("reflect"), m), m[c(1, 1, 2), ], tolerance = 1e-12)
  expect_equal(seen(down("wrap"), m), m[c(3, 1, 2), ], tolerance = 1e-12)
  left <- layer_random_translation(height_factor = 0, width_factor = c(-1 / 2, -1 / 2), fill_mode = "reflect")
  expect_equal(seen(left, wide), wide[, c(3, 4, 4, 3)], tolerance = 1e-12)
  between <- layer_random_translation(height_factor = 0, width_factor = c(-1 / 6, -1 / 6), fill_mode = "nearest")
  expect_equal(seen(between, m), (m + m[, c(2, 3, 3)]) / 2, tolerance = 1e-12)

  out <- layer_random_zoom(height_factor = c(2, 2), width_factor = 0, fill_mode = "constant")
  expect_equal(seen(out, m), rbind(0, m[2, ], 0), tolerance = 1e-12)
  closer <- layer_random_zoom(height_factor = c(-0.5, -0.5))
  expect_equal(seen(closer, m)[2, ], c((m[2, 1] + m[2, 2]) / 2, m[2, 2], (m[2, 2] + m[2, 3]) / 2), tolerance = 1e-12)
})

test_that("contrast is the distance to the mean of image and channel", {
  local_float64()
  x <- array(rnorm(2 * 3 * 4 * 2, 100, 20), c(2, 3, 4, 2))
  means <- apply(x, c(1, 4), mean)
  y <- as.array(layer_random_contrast(factor = c(0.5, 0.5))(x, training = TRUE))
  expected <- x
  for (n in 1:2) for (k in 1:2) expected[n, , , k] <- 1.5 * (x[n, , , k] - means[n, k]) + means[n, k]
  expect_equal(y, expected, tolerance = 1e-12)
  clipped <- layer_random_contrast(factor = c(0.9, 0.9), value_range = c(90, 110))(x, training = TRUE)
  expect_equal(range(as.array(clipped)), c(90, 110))
})

test_that("each image has a draw of its own, set.seed() and `seed` decide, and nothing happens in inference", {
  x <- array(rnorm(60 * 4 * 5), c(60, 4, 5, 1))
  layers <- list(layer_random_flip(mode = "horizontal"), layer_random_rotation(factor = 0.3), layer_random_contrast(factor = 0.5),
                 layer_random_translation(height_factor = 0.3, width_factor = 0.3), layer_random_zoom(height_factor = 0.4))
  for (layer in layers) {
    expect_close(as.array(layer(x)), x, 1e-6)
    drawn <- function(seed) {
      set.seed(seed)
      as.array(layer(x, training = TRUE))
    }
    first <- drawn(1)
    expect_identical(drawn(1), first)
    expect_false(identical(drawn(2), first))
  }
  flipped <- as.array(layer_random_flip(mode = "horizontal", seed = 3)(x, training = TRUE))
  expect_identical(as.array(layer_random_flip(mode = "horizontal", seed = 3)(x, training = TRUE)), flipped)
  mirrored <- apply(abs(flipped - x[, , 5:1, , drop = FALSE]) < 1e-6, 1, all)
  same <- apply(abs(flipped - x) < 1e-6, 1, all)
  expect_true(all(mirrored | same))
  expect_gt(sum(mirrored), 15)
  expect_gt(sum(same), 15)
})

test_that("images are resized, cropped and padded with their ratio kept", {
  local_float64()
  x <- image(matrix(1:24, 4))
  cut <- layer_resizing(height = 2, width = 2, crop_to_aspect_ratio = TRUE)
  expect_equal(as.array(cut(x)), as.array(layer_resizing(height = 2, width = 2)(x[, , 2:5, , drop = FALSE])), tolerance = 1e-12)
  padded <- layer_resizing(height = 6, width = 6, pad_to_aspect_ratio = TRUE, fill_value = 7)
  expect_equal(as.array(padded(x))[1, , , 1], rbind(7, matrix(1:24, 4), 7), tolerance = 1e-12)
  expect_equal(as.array(layer_center_crop(height = 2, width = 3)(x))[1, , , 1], matrix(1:24, 4)[2:3, 2:4], tolerance = 1e-12)
  larger <- layer_center_crop(height = 8, width = 8)
  expect_equal(as.array(larger(x)), as.array(layer_resizing(height = 8, width = 8)(x[, , 2:5, , drop = FALSE])), tolerance = 1e-12)
})

test_that("with antialias the filter is as wide as the image becomes smaller", {
  local_float64()
  # The matrix of one axis: triangles, or Keys's cubic function.
  filters <- list(
    bilinear = function(d) pmax(1 - d, 0),
    bicubic = function(d) ifelse(d <= 1, (1.5 * d - 2.5) * d^2 + 1, ifelse(d < 2, ((-0.5 * d + 2.5) * d - 4) * d + 2, 0)))
  along <- function(n, m, filter) {
    weights <- outer(seq_len(m), seq_len(n), function(o, i) filter(abs((o - 0.5) * n / m - (i - 0.5)) / max(n / m, 1)))
    weights / rowSums(weights)
  }
  x <- image(matrix(sin(1:77), 11))
  for (method in names(filters)) {
    shrunk <- as.array(layer_resizing(height = 3, width = 9, interpolation = method, antialias = TRUE)(x))[1, , , 1]
    expected <- along(11, 3, filters[[method]]) %*% x[1, , , 1] %*% t(along(7, 9, filters[[method]]))
    expect_equal(shrunk, expected, tolerance = 1e-12)
  }
  expect_error(layer_resizing(height = 2, width = 2, antialias = "yes"), class = "convnet_error_argument")
})

test_that("images are augmented inside a model while it is trained, not when it predicts", {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(6, 6, 1)) %>%
    layer_rescaling(1 / 255) %>%
    layer_random_rotation(0.1) %>%
    layer_random_flip() %>%
    layer_flatten() %>%
    layer_dense(1)
  model %>% compile("sgd", "mse")
  x <- array(runif(16 * 36, 0, 255), c(16, 6, 6, 1))
  history <- model %>% fit(x, rowMeans(x) / 255, epochs = 3, verbose = 0)
  expect_true(all(is.finite(history$metrics$loss)))
  expect_identical(predict(model, x), predict(model, x))
})

test_that("wrong arguments are told", {
  expect_error(layer_random_rotation(factor = c(0.2, -0.2)), class = "convnet_error_argument")
  expect_error(layer_random_rotation(factor = "much"), class = "convnet_error_argument")
  expect_error(layer_random_flip(mode = "diagonal"), class = "convnet_error_argument")
  expect_error(layer_rescaling(scale = "a"), class = "convnet_error_argument")
  expect_error(layer_resizing(height = 0, width = 2), class = "convnet_error_argument")
  expect_error(layer_resizing(height = 2, width = 2, crop_to_aspect_ratio = TRUE, pad_to_aspect_ratio = TRUE), class = "convnet_error_argument")
  expect_error(layer_center_crop(height = 2, width = 2)(layer_input(shape = c(NA, NA, 1))), class = "convnet_error_shape")
})
