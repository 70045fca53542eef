# The instruction set of the kernels is an option, and so is Winograd's algorithm; results under two of them differ by
# rounding alone.

with_isa <- function(isa, code) withr::with_options(list(convnet.isa = isa), code)

isas <- convnet_info()$isas

test_that("the option is applied, and reported", {
  expect_identical(with_isa("auto", convnet_info()$isa), isas[[1]])
  for (isa in isas) expect_identical(with_isa(isa, convnet_info()$isa), isa)
  expect_identical(with_isa(NULL, convnet_info()$isa), isas[[1]])
})

test_that("an instruction set that this machine lacks is refused, and nothing changes", {
  model <- mixed_model()
  used <- convnet_info()$isa
  for (wrong in list("mmx", 2, c("auto", "auto"), NA_character_, character())) {
    expect_error(with_isa(wrong, convnet_info()), class = "convnet_error_argument")
    expect_error(with_isa(wrong, predict(model, some_images(2))), class = "convnet_error_argument")
  }
  error <- tryCatch(with_isa("mmx", convnet_info()), error = identity)
  for (isa in c("auto", isas)) expect_match(conditionMessage(error), isa, fixed = TRUE)
  expect_identical(convnet_info()$isa, used)
})

test_that("each instruction set gives the same results but for rounding, and always its own", {
  x <- some_images(6)
  set.seed(5)
  model <- mixed_model()
  use <- function(isa) {
    with_isa(isa, {
      copy <- clone_model(model)
      set_weights(copy, get_weights(model))
      copy %>% compile(optimizer_sgd(0.1), "mse")
      set.seed(6)
      history <- copy %>% fit(x, some_targets(6), epochs = 2, batch_size = 4, verbose = 0)
      list(get_weights(copy), history$metrics, predict(copy, x))
    })
  }
  first <- lapply(isas, use)
  expect_identical(lapply(isas, use), first)
  for (other in first) expect_equal(other, first[[1]], tolerance = 1e-4)
})

test_that("a model that has run already follows the option", {
  model <- mixed_model()
  x <- some_images(4)
  predicted <- lapply(c(isas, rev(isas)), function(isa) with_isa(isa, predict(model, x)))
  expect_identical(predicted, rev(predicted))
  fresh <- lapply(isas, function(isa) with_isa(isa, predict(readRDS(saved(model)), x)))
  expect_identical(predicted[seq_along(isas)], fresh)
})

with_winograd <- function(allowed, code) withr::with_options(list(convnet.winograd = allowed), code)

test_that("Winograd's algorithm is used unless the option says otherwise, and anything else is refused", {
  expect_identical(lapply(list(NULL, TRUE, FALSE), function(allowed) with_winograd(allowed, convnet_info()$winograd)),
    list(TRUE, TRUE, FALSE))
  for (wrong in list("no", NA, 2, c(TRUE, FALSE)))
    expect_error(with_winograd(wrong, convnet_info()), class = "convnet_error_argument")
})

test_that("with Winograd's algorithm and without a model trains and predicts the same but for rounding", {
  wide <- function() {
    keras_model_sequential(input_shape = c(16, 12, 32)) %>%
      layer_conv_2d(64, 3, padding = "same", activation = "relu") %>%
      layer_conv_2d(64, 4, strides = 2, padding = "same", activation = "tanh") %>%
      layer_conv_2d_transpose(32, 4, strides = 2, padding = "same")
  }
  set.seed(3)
  x <- array(runif(4 * 16 * 12 * 32, -1, 1), c(4, 16, 12, 32))
  use <- function(allowed) {
    with_winograd(allowed, {
      set.seed(4)
      model <- wide() %>% compile(optimizer_sgd(0.5), "mse")
      history <- fit(model, x, x, epochs = 3, batch_size = 2, verbose = 0)
      list(history$metrics, get_weights(model), predict(model, x))
    })
  }
  results <- lapply(c(TRUE, FALSE, TRUE), use)
  expect_identical(results[[1]], results[[3]])
  expect_false(identical(results[[1]], results[[2]]))
  expect_equal(results[[1]], results[[2]], tolerance = 1e-5)

  model <- wide()
  predicted <- lapply(c(TRUE, FALSE, FALSE, TRUE), function(allowed) with_winograd(allowed, predict(model, x)))
  expect_identical(predicted, rev(predicted))
  expect_false(identical(predicted[[1]], predicted[[2]]))
  # A row is the same in any company, and one with NaN spoils no other.
  expect_identical(predict(model, x[3, , , , drop = FALSE]), predicted[[1]][3, , , , drop = FALSE])
  x[2, 5, 5, 1] <- NaN
  spoilt <- lapply(c(TRUE, FALSE), function(allowed) suppressWarnings(with_winograd(allowed, predict(model, x))))
  expect_identical(spoilt[[1]][-2, , , ], predicted[[1]][-2, , , ])
  expect_identical(is.nan(spoilt[[1]]), is.nan(spoilt[[2]]))
})
