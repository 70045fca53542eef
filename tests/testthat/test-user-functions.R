test_that("functions of the user's that fail keep their own message", {
  model <- small_line(loss = "mse")
  x <- matrix(1:4, 2)
  y <- 1:2
  try_loss <- function(loss, metrics = NULL, ...) {
    copy <- small_line(loss = loss, metrics = metrics)
    expect_error(fit(copy, x, y, verbose = 0, ...), class = "convnet_error")
    expect_identical(get_weights(copy), get_weights(model))
    fit(copy, x, y, verbose = 0, ...)
  }
  expect_refused(model, {
    try_loss(function(y_true, y_pred) stop("the dog ate it"))
    try_loss(function(y_true) 1)
    try_loss(function(y_true, y_pred) "a lot")
    try_loss(function(y_true, y_pred) NULL)
    try_loss(function(y_true, y_pred) y_true > y_pred)
    try_loss(function(y_true, y_pred) k_dot(y_true, y_pred))
    try_loss("mse", list(own = function(y_true, y_pred) stop("metric trouble")))
    try_loss("mse", list(own = function(y_true, y_pred) "fine"))
    try_loss("mse", callbacks = list(callback_lambda(on_train_begin = function(logs) stop("callback trouble"))))
  })
  # R's own words differ between versions.
  expect_error(try_loss(function(y_true, y_pred) k_sum(y_true - y_pred + undefined_name)), "undefined_name",
               class = "convnet_error_function")
  own <- function(...) list(class_name = "Mine", ...)
  k_reset_uids()
  expect_refused(model, {
    model %>% create_layer(own(call = function(self, inputs) stop("call trouble")), ., list(name = "mine"))
    model %>% create_layer(own(call = function(self, inputs) "text"), ., list(name = "mine"))
    model %>% create_layer(own(call = function(self, inputs) inputs, build = function(self, input_shape) stop("build trouble")), ., list(name = "mine"))
    create_layer(own(call = function(self, inputs) inputs, init = function(args) stop("init trouble")), args = list(name = "mine"))
    model %>% layer_dense(2, kernel_regularizer = 3)
  })
})

test_that("regularizers and constraints of the user's that fail name the weight", {
  x <- matrix(1:4, 2)
  with_dense <- function(...) {
    model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1, name = "out", ...)
    model %>% compile(loss = "mse", optimizer = "sgd")
    before <- get_weights(model)
    error <- tryCatch(fit(model, x, 1:2, verbose = 0), error = identity)
    expect_s3_class(error, "convnet_error")
    expect_identical(get_weights(model), before)
    stop(error)
  }
  expect_snapshot_errors({
    with_dense(kernel_regularizer = function(w) stop("penalty trouble"))
    with_dense(kernel_constraint = function(w) stop("bounds trouble"))
    with_dense(bias_constraint = function(w) "bounded")
  })
})
