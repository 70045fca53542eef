test_that("activations have their values", {
  local_float64()
  x <- c(-3, -0.5, 0, 0.5, 2, 8)
  values <- list(
    relu = pmax(x, 0), relu6 = pmin(pmax(x, 0), 6), leaky_relu = ifelse(x > 0, x, 0.2 * x),
    elu = ifelse(x > 0, x, exp(x) - 1), linear = x, sigmoid = plogis(x), silu = x * plogis(x), swish = x * plogis(x),
    selu = 1.0507009873554805 * ifelse(x > 0, x, 1.6732632423543772 * (exp(x) - 1)),
    hard_sigmoid = pmin(pmax(0.2 * x + 0.5, 0), 1), softplus = log1p(exp(x)), softsign = x / (1 + abs(x)),
    tanh = tanh(x), exponential = exp(x), gelu = x * pnorm(x), mish = x * tanh(log1p(exp(x))),
    softmax = exp(x) / sum(exp(x)), log_softmax = x - log(sum(exp(x)))
  )
  expect_setequal(names(values), c(activation_names, names(activation_aliases)))
  for (name in names(values)) {
    expect_close(activate(name, k_constant(x)), values[[name]], 1e-12, label = name)
  }
})

test_that("arguments of activations count", {
  local_float64()
  x <- c(-2, -0.5, 0.5, 1.5, 8)
  expect_equal(as.vector(k_get_value(activation_relu(x, alpha = 0.1, max_value = 6))), c(-0.2, -0.05, 0.5, 1.5, 6))
  expect_equal(as.vector(k_get_value(activation_relu(x, threshold = 1))), c(0, 0, 0, 1.5, 8))
  expect_equal(as.vector(k_get_value(activation_relu(x, alpha = 0.5, threshold = 1))), c(-1.5, -0.75, -0.25, 1.5, 8))
  expect_equal(as.vector(k_get_value(activation_elu(x, 2)))[1], 2 * (exp(-2) - 1))
  m <- matrix(rnorm(6), 2)
  expect_equal(k_get_value(activation_softmax(m, axis = 0)), sweep(exp(m), 2, colSums(exp(m)), "/"))
  expect_equal(k_get_value(activation_softmax(m)), exp(m) / rowSums(exp(m)))
  expect_close(activation_gelu(x, approximate = TRUE), x * pnorm(x), 1e-3)
})

test_that("gradients are finite for large numbers", {
  for (name in setdiff(activation_names, "exponential")) {
    g <- gradient_of(function(x) activate(name, x), matrix(c(-1e4, -100, 100, 1e4), 1))
    expect_true(all(is.finite(g)), label = name)
  }
  expect_equal(as.vector(gradient_of(activation_elu, c(-1e4, 0, 1e4))), c(0, 1, 1))
})

test_that("an activation is given by name, function or not at all", {
  expect_null(get_activation(NULL))
  expect_identical(get_activation("relu"), "relu")
  expect_identical(get_activation("swish"), "swish")
  expect_identical(get_activation("ReLU"), "relu")
  expect_identical(get_activation(activation_tanh), "tanh")
  own <- function(x) x * 2
  expect_identical(get_activation(own), own)
  expect_equal(k_get_value(activate(own, k_constant(3))), 6)
  expect_equal(k_get_value(activate(NULL, k_constant(3))), 3)
  expect_snapshot_errors({
    get_activation("rellu")
    get_activation("xyzzyq")
    get_activation(3)
    get_activation(c("relu", "tanh"))
  })
})

test_that("activations and their gradients are Keras's", {
  golden <- goldens("layers")
  local_float64()
  cases <- Filter(function(case) case$layer == "layer_activation", golden$cases)
  expect_gt(length(cases), 10)
  for (case in cases) {
    name <- case$args$activation
    x <- k_variable(golden$read(case$x[[1]]))
    y <- activate(get_activation(name), x)
    expect_close(y, golden$read(case$y), label = name)
    g <- k_gradients(k_sum(y * golden$read(case$g)), x)[[1]]
    expect_close(g, golden$read(case$grad_x[[1]]), label = name)
  }
})
