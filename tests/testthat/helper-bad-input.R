# Everything that a failed call must leave as it was.
state_of <- function(model) {
  data <- environment(model)
  built <- isTRUE(data$built)
  list(
    fields = sort(setdiff(ls(data, all.names = TRUE), c("programs", "facts"))), built = built, summary = format(model),
    weights = get_weights(model), names = vapply(model$weights, function(w) w$name, ""),
    trainable = vapply(model$layers, function(l) l$trainable, NA), layers_built = vapply(model$layers, function(l) l$built, NA),
    steps = model$optimizer$iterations, losses = vapply(data$compiled$losses, loss_name, ""),
    predictions = if (built) predict(model, lapply(model$inputs, function(t) array(0.5, c(2, t$shape[-1]))))
  )
}

# Freezes the error of each expression in `code`, and checks that it is one of ours and that the model is as it was
# before and works.
expect_refused <- function(model, code) {
  calls <- substitute(code)
  if (!identical(calls[[1L]], quote(`{`))) calls <- call("{", calls)
  env <- parent.frame()
  before <- state_of(model)
  for (call in as.list(calls)[-1L]) {
    label <- deparse(call, 500L)[1L]
    error <- tryCatch({
      eval(call, env)
      NULL
    }, error = identity)
    testthat::expect_s3_class(error, "convnet_error")
    testthat::expect_identical(state_of(model), before, label = paste("the model after", label))
  }
  eval(bquote(expect_snapshot_errors(.(calls))), env)
}

ramp <- function(...) {
  dim <- c(...)
  array(seq_len(prod(dim)) / prod(dim), dim)
}

# conv -> flatten -> softmax over three classes, all weights known.
small_classifier <- function(loss = "sparse_categorical_crossentropy") {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = c(6, 6, 1), name = "m") %>%
    layer_conv_2d(2, 3, kernel_initializer = initializer_constant(0.1), name = "conv") %>%
    layer_flatten(name = "flat") %>%
    layer_dense(3, activation = "softmax", kernel_initializer = initializer_random_uniform(-0.1, 0.1, seed = 1),
                name = "head")
  if (!is.null(loss)) model %>% compile(optimizer = "sgd", loss = loss)
  model
}

small_line <- function(...) {
  k_reset_uids()
  model <- keras_model_sequential(input_shape = 2, name = "line") %>%
    layer_dense(1, kernel_initializer = initializer_constant(0.5), name = "out")
  model %>% compile(...)
  model
}

capture_warnings_of <- function(code) {
  warnings <- list()
  withCallingHandlers(code, warning = function(w) {
    warnings[[length(warnings) + 1L]] <<- w
    invokeRestart("muffleWarning")
  })
  warnings
}

# What no argument is meant to be, or few.
odd_values <- function() {
  list(0, 2.5, NA, Inf, "a", character(), NULL, list(1, "a"), c(1, 2, 3), 2^31, sum, new.env(), iris, factor("a"), 1i, ~a,
       layer_dense(units = 1), k_constant(1), layer_input(2), as.POSIXlt("2020-02-02", tz = "UTC"),
       structure(c(1, 2), class = "integer64"), optimizer_sgd(), matrix(0, 3, 0))
}
