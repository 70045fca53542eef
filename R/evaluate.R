#' Evaluate a model
#'
#' @inheritParams fit
#' @param verbose 0: silent, 1: progress.
#' @param steps Batches to use; all when `NULL`.
#' @return A named list: the loss, then the metrics. The order of the rows does
#'   not matter; nothing is drawn from R's random numbers unless the model, its
#'   loss or a metric draws some: it draws anew in each call.
#' @section Errors: As those of [fit()] for data that do not fit.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(loss = "mse", metrics = "mae")
#' model %>% evaluate(matrix(0, 4, 2), rep(1, 4), verbose = 0)
#' @name evaluate
#' @rawNamespace S3method(generics::evaluate, keras_model)
evaluate.keras_model <- function(object, x = NULL, y = NULL, batch_size = NULL, verbose = 1,
                                 sample_weight = NULL, steps = NULL, callbacks = NULL, ...) {
  check_dots(list(...), names(formals()))
  if (!is.null(batch_size)) batch_size <- check_counts(batch_size, "batch_size")
  verbose <- check_verbose(verbose)
  job <- training_job(object, x, y, sample_weight)
  batch_size <- batch_size %||% default_batch_size(object)
  rows <- first_batches(seq_len(job$n), batch_size, steps)
  check_batches(object, length(rows), batch_size)
  steps <- ceiling(length(rows) / batch_size)
  params <- callback_params(list(batch_size = batch_size, verbose = verbose), steps, length(rows))
  callbacks <- new_callback_list(callbacks, object, params)
  progress <- new_progress(verbose, NULL, length(rows), steps)
  progress$epoch_begin(1)
  started <- clock()
  result <- evaluate_rows(object, job, rows, batch_size, progress, callbacks)
  progress$epoch_end(1, result, clock() - started)
  progress$end()
  result
}

#' Predict with a model
#'
#' @inheritParams fit
#' @param verbose For Keras's signature; prediction is silent.
#' @param steps Batches to use; all when `NULL`.
#' @return An array whose first dimension counts the rows of `x`; a list of
#'   arrays for a model with several outputs, with names where [keras_model()] was
#'   given some. Nothing is drawn from R's random
#'   numbers unless the model draws some.
#' @section Errors: `convnet_error_shape` when `x` does not have the shape of the
#'   model's input, `convnet_error_argument` for NA or empty data.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = c(4, 4, 1)) %>%
#'   layer_conv_2d_transpose(2, kernel_size = 2, strides = 2)
#' dim(predict(model, array(1, c(3, 4, 4, 1))))
#' @name predict
#' @importFrom stats predict
#' @method predict keras_model
#' @export
predict.keras_model <- function(object, x = NULL, batch_size = NULL, verbose = 0, steps = NULL,
                                callbacks = NULL, ...) {
  check_dots(list(...), names(formals()))
  apply_session_options()
  if (!is.null(batch_size)) batch_size <- check_counts(batch_size, "batch_size")
  xs <- preparing(object, model_data(object, x))
  batch_size <- batch_size %||% default_batch_size(object)
  program <- predict_program(object)
  rows <- length(first_batches(seq_len(xs$n), batch_size, steps))
  check_batches(object, rows, batch_size)
  params <- callback_params(list(batch_size = batch_size, verbose = verbose), ceiling(rows / batch_size), rows)
  callbacks <- new_callback_list(callbacks, object, params)
  values <- predict_rows(program, xs$datasets, rows, batch_size, callbacks)
  names(values) <- environment(object)$given_output_names
  single_tensor(values)
}

# Batch by batch only for callbacks that want to see each.
predict_rows <- function(program, datasets, rows, batch_size, callbacks) {
  key <- key_for(program)
  run <- function(first, last, batch = 0) {
    cpp_predict(program$handle, datasets, first, last, storage_of(program$variables), batch_size, key, batch,
                program$n_outputs)
  }
  callbacks$on_begin("predict")
  values <- if (!callbacks$wants_predict_batches) run(1, rows) else {
    parts <- lapply(seq_len(ceiling(rows / batch_size)), function(batch) {
      callbacks$on_batch_begin("predict", batch)
      part <- run((batch - 1) * batch_size + 1, min(rows, batch * batch_size), batch - 1)
      callbacks$on_batch_end("predict", batch, list())
      part
    })
    do.call(Map, c(list(bind_samples), parts))
  }
  callbacks$on_end("predict")
  values
}

# Arrays one behind the other along their first dimension.
bind_samples <- function(...) {
  parts <- list(...)
  rows <- do.call(rbind, lapply(parts, function(part) matrix(part, NROW(part))))
  inner <- dim(parts[[1]])[-1]
  if (is.null(dim(parts[[1]]))) c(rows) else array(rows, c(nrow(rows), inner))
}

#' One batch at a time
#'
#' For training loops of your own.
#'
#' @inheritParams fit
#' @param x,y One batch of inputs and targets.
#' @return `train_on_batch()` and `test_on_batch()` a numeric vector with names: the
#'   loss, then the metrics, for `train_on_batch()` before the step it makes. It
#'   counts as the numbers that it holds, `a + b`, `losses[i] <- a`, and each of them is
#'   found by position or name: `a[1]`, `a[["loss"]]`, `a$loss`. `predict_on_batch()`
#'   an array.
#' @section Errors: As those of [fit()] for data that do not fit.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(optimizer = "sgd", loss = "mse")
#' loss <- train_on_batch(model, matrix(1, 4, 2), rep(1, 4))
#' loss + train_on_batch(model, matrix(0, 4, 2), rep(0, 4))
#' loss$loss
#' test_on_batch(model, matrix(1, 4, 2), rep(1, 4))
#' predict_on_batch(model, matrix(1, 1, 2))
#' @export
train_on_batch <- function(object, x = NULL, y = NULL, class_weight = NULL, sample_weight = NULL) {
  job <- training_job(object, x, y, sample_weight, class_weight)
  program <- step_program(object, job$targets, job$weighted, training = TRUE)
  batch_values(run_epoch(object, program, job, seq_len(job$n), job$n))
}

#' @rdname train_on_batch
#' @export
test_on_batch <- function(object, x = NULL, y = NULL, sample_weight = NULL) {
  job <- training_job(object, x, y, sample_weight)
  batch_values(evaluate_rows(object, job, seq_len(job$n), job$n))
}

# Keras for R gave numbers at first, and a list with names later.
batch_values <- function(logs) structure(unlist(logs), class = c("keras_batch_values", "numeric"))

#' @export
`$.keras_batch_values` <- function(x, name) if (name %in% names(x)) x[[name]]

#' @export
print.keras_batch_values <- function(x, ...) {
  print(unclass(x), ...)
  invisible(x)
}

#' @rdname train_on_batch
#' @export
predict_on_batch <- function(object, x = NULL) {
  check_model(object)
  predict(object, x, batch_size = .Machine$integer.max)
}
