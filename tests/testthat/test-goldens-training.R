# Training runs of Keras, repeated step by step: history, evaluation and weights.

covered_optimizers <- paste0("optimizer_", c("sgd", "rmsprop", "adam", "adagrad", "adadelta", "adamax", "nadam"))

golden_layer <- function(spec, dtype) {
  made <- function(arg) {
    is_call <- is.list(arg) && length(names(arg)) == 1 && grepl("^(regularizer|constraint)_", names(arg))
    if (is_call) do.call(names(arg), arg[[1]]) else arg
  }
  do.call(spec$layer, c(golden_args(lapply(spec$args, made)), list(dtype = dtype)))
}

expect_run <- function(run, read, dtype, tolerance) {
  label <- paste(run$name, dtype)
  layers <- lapply(run$layers, golden_layer, dtype = dtype)
  model <- keras_model_sequential(layers, batch_input_shape = c(NA, unlist(run$input_shape)), dtype = dtype)
  set_weights(model, lapply(run$weights, read))
  x <- read(run$x)
  y <- read(run$y)
  expect_golden(predict(model, x), read(run$predict_before), tolerance, paste(label, "prediction before"))
  # The schedule of Keras 3, which is not that of Keras for R 2.2.5.
  if (run$optimizer$fn == "optimizer_nadam") run$optimizer$args$schedule_decay <- 1
  model %>% compile(optimizer = do.call(run$optimizer$fn, run$optimizer$args), loss = run$loss,
                    metrics = unlist(run$metrics))
  options <- lapply(run$fit_args, function(a) if (is.list(a) && !is.null(a$offset)) read(a) else a)
  history <- do.call(fit, c(list(model, x, y, batch_size = run$batch_size, epochs = run$epochs,
                                 shuffle = FALSE, verbose = 0), options))
  for (name in names(run$history)) {
    expect_golden(history$metrics[[name]], unlist(run$history[[name]]), tolerance, paste(label, name))
  }
  found <- evaluate(model, x, y, batch_size = run$batch_size, verbose = 0)
  expect_golden(unlist(found[names(run$evaluate)]), unlist(run$evaluate), tolerance, paste(label, "evaluation"))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "weight", i))
  }, get_weights(model), run$weights_after, seq_along(run$weights_after))
  expect_golden(predict(model, x), read(run$predict_after), tolerance, paste(label, "prediction after"))
}

test_that("training follows Keras step by step", {
  content <- goldens("training")
  runs <- Filter(function(run) run$optimizer$fn %in% covered_optimizers, content$runs)
  expect_gt(length(runs), 0)
  for (run in runs) {
    expect_run(run, content$read, "float64", 1e-5)
    expect_run(run, content$read, "float32", 1e-4)
  }
})
