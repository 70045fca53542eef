# The instruction set of the kernels is an option; results under two of them differ by rounding alone.

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
