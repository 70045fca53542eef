running_sum <- function(x, states) {
  total <- x + states[[1]]
  list(total, list(total))
}

test_that("k_rnn() is its loop, in either direction", {
  x <- array(c(1, 2, 3, 4, 5, 6), c(2, 3, 1))
  made <- k_rnn(running_sum, x, list(matrix(10, 2, 1)))
  expect_equal(as.array(made$outputs)[, , 1], rbind(c(11, 14, 19), c(12, 16, 22)))
  expect_equal(as.array(made$last_output), cbind(c(19, 22)))
  expect_equal(as.array(made$new_states[[1]]), cbind(c(19, 22)))
  made <- k_rnn(running_sum, x, list(matrix(0, 2, 1)), go_backwards = TRUE)
  expect_equal(as.array(made$outputs)[, , 1], rbind(c(5, 8, 9), c(6, 10, 12)))
})

test_that("masked steps keep states, and the output before them", {
  x <- array(c(1, 2, 3, 4, 5, 6), c(2, 3, 1))
  mask <- rbind(c(FALSE, TRUE, FALSE), c(TRUE, FALSE, TRUE))
  made <- k_rnn(running_sum, x, list(matrix(10, 2, 1)), mask = mask)
  expect_equal(as.array(made$outputs)[, , 1], rbind(c(0, 13, 13), c(12, 12, 18)))
  expect_equal(as.array(made$new_states[[1]]), cbind(c(13, 18)))
})

test_that("several sequences, constants and two states work with an unknown number of steps", {
  local_float64()
  x <- k_placeholder(list(NULL, NULL, 2))
  u <- k_placeholder(list(NULL, NULL, 1))
  w <- k_variable(diag(2) / 2)
  made <- k_rnn(function(now, states) {
    a <- k_tanh(k_dot(now[[1]], w) + states[[1]])
    list(a * states[[3]], list(a, states[[2]] + now[[2]]))
  }, list(x, u), list(k_sum(x, 2) * 0, k_sum(u, 2) * 0), constants = list(k_constant(2)))
  expect_equal(made$outputs$shape, c(NA, NA, 2L))
  f <- k_function(list(x, u), list(made$outputs, made$new_states[[2]]))
  for (steps in c(1, 4)) {
    xs <- array(sin(seq_len(3 * steps * 2)), c(3, steps, 2))
    us <- array(cos(seq_len(3 * steps)), c(3, steps, 1))
    a <- matrix(0, 3, 2)
    for (t in seq_len(steps)) a <- tanh(matrix(xs[, t, ], 3) / 2 + a)
    found <- f(list(xs, us))
    expect_equal(matrix(found[[1]][, steps, ], 3), 2 * a, tolerance = 1e-12)
    expect_equal(c(found[[2]]), rowSums(matrix(us, 3)), tolerance = 1e-12)
  }
})

test_that("gradients of first and second order are those of differences", {
  local_float64()
  w <- k_variable(matrix(c(0.3, -0.5, 0.2, 0.4), 2))
  x <- k_placeholder(list(NULL, NULL, 2))
  y <- k_rnn(function(now, h) {
    h <- k_tanh(k_dot(now + h[[1]], w))
    list(h, list(h))
  }, x, list(k_sum(x, 2) * 0))$outputs
  slope <- k_gradients(k_sum(k_square(y)), x)[[1]]
  curved <- k_sum(k_square(slope))
  f <- k_function(x, c(list(k_sum(k_square(y)), curved), k_gradients(k_sum(k_square(y)), w), k_gradients(curved, w)))
  values <- array(cos(1:12), c(2, 3, 2))
  found <- f(list(values))
  start <- k_get_value(w)
  for (i in seq_along(start)) {
    at <- lapply(c(1e-5, -1e-5), function(h) {
      k_set_value(w, replace(start, i, start[i] + h))
      f(list(values))[1:2]
    })
    k_set_value(w, start)
    expect_close(found[[3]][i], (at[[1]][[1]] - at[[2]][[1]]) / 2e-5, 1e-8)
    expect_close(found[[4]][i], (at[[1]][[2]] - at[[2]][[2]]) / 2e-5, 1e-7)
  }
})

test_that("a scan between layers belongs to the function, and one may stand inside another", {
  local_float64()
  x <- k_placeholder(list(NULL, 2, 3, 1))
  nested <- k_rnn(function(rows, total) {
    sums <- k_rnn(running_sum, rows, total)
    list(sums$last_output, list(sums$last_output))
  }, x, list(k_sum(x, c(2, 3)) * 0))
  f <- k_function(x, nested$outputs)
  file <- withr::local_tempfile(fileext = ".rds")
  saveRDS(f, file)
  values <- array(1:12, c(2, 2, 3, 1))
  expected <- array(cbind(rowSums(values[, 1, , 1]), rowSums(values[, , , 1])), c(2, 2, 1))
  expect_equal(f(list(values))[[1]], expected)
  expect_equal(readRDS(file)(list(values))[[1]], expected)
})

test_that("a scan between layers is part of the model", {
  x <- layer_input(list(NULL, 2), name = "steps")
  h <- layer_dense(x, 3, name = "before")
  sums <- k_rnn(running_sum, h, list(k_sum(h, 2) * 0))
  expect_identical(format(sums$outputs), "<tensor (None, None, 3) float32>")
  model <- keras_model(x, list(layer_dense(sums$last_output, 1), sums$outputs))
  values <- array(sin(1:16), c(2, 4, 2))
  found <- predict(model, values)
  between <- predict(keras_model(x, h), values)
  expect_equal(found[[2]][, 4, ], apply(between, c(1, 3), sum), tolerance = 1e-6)
  expect_identical(predict(readRDS(saved(model)), values), found)
})

test_that("dropout inside a step draws anew at each step", {
  x <- k_placeholder(list(NULL, NULL, 50))
  dropped <- layer_dropout(rate = 0.5)
  y <- k_rnn(function(now, states) list(dropped(now, training = TRUE), states), x, list(k_sum(x, 2)))$outputs
  values <- k_function(x, y)(list(array(1, c(4, 2, 50))))[[1]]
  expect_setequal(unique(c(values)), c(0, 2))
  expect_gt(sum(values[, 1, ] != values[, 2, ]), 50)
})

test_that("bad steps are refused", {
  x <- array(0, c(2, 3, 1))
  zero <- list(matrix(0, 2, 1))
  v <- k_variable(0)
  expect_snapshot_errors({
    k_rnn(running_sum, 1:3, zero)
    k_rnn(running_sum, array(0, c(2, 0, 1)), zero)
    k_rnn(function(x, states) x, x, zero)
    k_rnn(function(x, states) list(x, list()), x, zero)
    k_rnn(function(x, states) list(x, list(k_concatenate(list(x, x)))), x, zero)
    k_rnn(function(x, states) list(x, list(k_sum(x, 2))), x, zero)
    k_rnn(function(x, states) list(k_update_add(v, k_sum(x)), states), x, zero)
    k_rnn(function(x, states) list(x[[1]] + x[[2]], states), list(x, array(0, c(2, 4, 1))), zero)
  })
})
