#' Train a model
#'
#' Minimises the loss over batches of rows. The steps run in C++; R looks at
#' interrupts and progress every 100 milliseconds. Interrupting (Esc, Ctrl-C)
#' keeps what has been learnt and returns the history so far. `set.seed()` before
#' `fit()` repeats a run exactly, whatever the number of threads.
#'
#' @param object A compiled model.
#' @param x Array, matrix or data frame of inputs, one sample for each index of
#'   the first dimension; for several inputs a list of arrays, in order or with
#'   the inputs' names.
#' @param y Targets: an array, vector, or factor; for several outputs a list, in
#'   order or with the outputs' names.
#' @param batch_size Samples in a step; when `NULL` 32, or the number that the model was built for.
#' @param epochs How often to go through the data. With `initial_epoch` the
#'   number of the last epoch.
#' @param verbose 0: silent, 1: a progress bar in a terminal, a line an epoch
#'   elsewhere, 2: a line an epoch.
#' @param callbacks A list of callbacks; see [callback_lambda()] and [KerasCallback].
#' @param view_metrics For Keras's signature; not used.
#' @param validation_split Share of the rows, the last ones, to hold out.
#' @param validation_data `list(x, y)` or `list(x, y, sample_weight)` to
#'   evaluate after each epoch.
#' @param shuffle `TRUE`: another order of the rows each epoch; `"batch"`:
#'   another order of the batches.
#' @param class_weight Weights of the classes: a list named `"0"`, `"1"`, ..., or
#'   a vector from class 0 on. For several outputs a list of those, by the
#'   outputs' names.
#' @param sample_weight One weight for each row; for several outputs also a list
#'   of those, in order or by the outputs' names.
#' @param initial_epoch Epochs done before, for resumed training.
#' @param steps_per_epoch Batches in an epoch; all when `NULL`.
#' @param validation_steps Batches of the validation data to use; all when `NULL`.
#' @param ... Arguments of Keras that change speed, not results, such as `workers` and
#'   `run_eagerly`: they have no effect. Others are an error.
#' @return A history (see [plot.keras_training_history()]), invisibly.
#' @section Errors: `convnet_error_argument` and `convnet_error_shape` for data
#'   that do not fit: rank, channels, NA, rows of `y`, labels out of range; the
#'   model is as it was then. `convnet_error_memory` when a batch does not fit in
#'   memory. `convnet_error_function` when a loss, metric or callback of your own
#'   fails: its error is the `parent` of the condition.
#' @family training
#' @examples
#' x <- matrix(rnorm(200), 100)
#' y <- x %*% c(1, -2)
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(optimizer = optimizer_adam(0.05), loss = "mse")
#' history <- model %>% fit(x, y, epochs = 3, verbose = 0)
#' history
#' @name fit
#' @method fit keras_model
#' @export
fit.keras_model <- function(object, x = NULL, y = NULL, batch_size = NULL, epochs = 10,
                            verbose = getOption("keras.fit_verbose", default = 1),
                            callbacks = NULL, view_metrics = "auto", validation_split = 0,
                            validation_data = NULL, shuffle = TRUE, class_weight = NULL,
                            sample_weight = NULL, initial_epoch = 0, steps_per_epoch = NULL,
                            validation_steps = NULL, ...) {
  check_dots(list(...), names(formals()))
  require_compiled(object)
  if (!is.null(batch_size)) batch_size <- check_counts(batch_size, "batch_size")
  epochs <- check_counts(epochs, "epochs")
  initial_epoch <- check_counts(initial_epoch, "initial_epoch", lower = 0)
  verbose <- check_verbose(verbose)
  shuffle <- if (identical(shuffle, "batch")) shuffle else check_flag(shuffle, "shuffle")
  check_number(validation_split, "validation_split", 0, 1)
  job <- training_job(object, x, y, sample_weight, class_weight)
  batch_size <- batch_size %||% default_batch_size(object)
  held_out <- split_rows(job$n, validation_split)
  validation <- if (!is.null(validation_data)) {
    if (!is.list(validation_data) || !length(validation_data) %in% 2:3) {
      abort_argument("`validation_data` must be a list.",
                     expected = "list(x, y) or list(x, y, sample_weight)",
                     received = describe(validation_data))
    }
    training_job(object, validation_data[[1]], validation_data[[2]],
                 if (length(validation_data) == 3) validation_data[[3]],
                 args = paste0("validation_data[[", 1:3, "]]"))
  } else if (length(held_out$validation)) {
    c(job[c("datasets", "targets", "weighted")], list(n = length(held_out$validation)))
  }
  validation_rows <- if (is.null(validation_data)) held_out$validation else seq_len(validation$n %||% 0)
  validation_rows <- first_batches(validation_rows, batch_size, validation_steps, "validation_steps")
  train_rows <- first_batches(held_out$train, batch_size, steps_per_epoch, "steps_per_epoch")
  check_batches(object, length(train_rows), batch_size)
  if (length(validation_rows)) check_batches(object, length(validation_rows), batch_size, "validation rows")
  run_epochs(object, job, held_out$train, length(train_rows), validation, validation_rows,
             list(batch_size = batch_size, epochs = epochs, initial_epoch = initial_epoch,
                  verbose = verbose, shuffle = shuffle, callbacks = callbacks))
}

split_rows <- function(n, share) {
  kept <- if (share > 0) floor(n * (1 - share)) else n
  if (kept < 1) {
    abort_argument("`validation_split` leaves no rows to train on.", expected = paste("a share that leaves 1 of", count_of(n, "row")),
                   received = describe(share))
  }
  list(train = seq_len(kept), validation = seq_len(n)[-seq_len(kept)])
}

first_batches <- function(rows, batch_size, steps, arg = "steps") {
  if (is.null(steps)) return(rows)
  rows[seq_len(min(length(rows), as.double(check_counts(steps, arg)) * batch_size))]
}

check_verbose <- function(verbose) {
  if (identical(verbose, "auto")) return(1)
  check_number(if (is.logical(verbose)) as.numeric(verbose) else verbose, "verbose", 0, 2)
}

# Runs code that gets data ready for a model, which may be built on the way.
preparing <- function(model, code) with_where(label_of(model), restoring(model, code))

# Data of a model as datasets, in the order of a step program's inputs.
# args: what x, y and sample_weight are called where the user gave them.
training_job <- function(model, x, y, sample_weight = NULL, class_weight = NULL,
                         args = c("x", "y", "sample_weight")) {
  check_model(model)
  require_compiled(model)
  preparing(model, {
    xs <- model_data(model, x, args[1])
    targets <- model_targets(model, y, xs$n, args[1:2])
    outputs <- wiring_of(model)$outputs
    names <- output_names(model)
    weights <- row_weights(sample_weight, class_weight, targets, xs$n, names, args[3])
    weighted <- lengths(weights) > 0
    y_args <- element_args(args[2], names)
    ys <- lapply(which(lengths(targets) > 0), function(i) {
      as_dataset(targets[[i]]$value, targets[[i]]$dtype, y_args[[i]], targets[[i]]$shape)
    })
    ws <- lapply(which(weighted), function(i) as_dataset(weights[[i]], outputs[[i]]$dtype, args[3]))
    list(datasets = c(xs$datasets, ys, ws), n = xs$n,
         targets = target_types(targets), weighted = weighted)
  })
}

epoch_order <- function(rows, used, batch_size, shuffle) {
  if (identical(shuffle, "batch")) {
    batches <- split(rows, (seq_along(rows) - 1) %/% batch_size)
    rows <- unlist(batches[sample.int(length(batches))], use.names = FALSE)
  } else if (shuffle) {
    rows <- rows[sample.int(length(rows))]
  }
  rows[seq_len(used)]
}

run_epochs <- function(model, job, rows, used, validation, validation_rows, options) {
  data <- environment(model)
  program <- step_program(model, job$targets, job$weighted, training = TRUE)
  steps <- ceiling(used / options$batch_size)
  names <- c(program$shown_names, if (length(validation_rows)) paste0("val_", program$shown_names))
  callbacks <- new_callback_list(options$callbacks, model,
                                 callback_params(options, steps, used, names, length(validation_rows) > 0))
  progress <- new_progress(options$verbose, options$epochs, used, steps)
  on.exit(progress$end())
  logs <- list()
  interrupted <- FALSE
  epoch <- options$initial_epoch
  data$stop_training <- FALSE
  callbacks$on_begin("train")
  tryCatch(
    while (epoch < options$epochs) {
      epoch <- epoch + 1
      progress$epoch_begin(epoch)
      callbacks$on_epoch_begin(epoch)
      started <- clock()
      order <- epoch_order(rows, used, options$batch_size, options$shuffle)
      key <- draw_key()
      values <- run_epoch(model, program, job, order, options$batch_size, progress, callbacks, key)
      if (length(validation_rows)) {
        # Random numbers of its own, which take nothing from those of training.
        held_out <- evaluate_rows(model, validation, validation_rows, options$batch_size, callbacks = callbacks,
                                  key = rev(key))
        values <- c(values, stats::setNames(held_out, paste0("val_", names(held_out))))
      }
      logs <- c(logs, list(values))
      progress$epoch_end(epoch, values, clock() - started)
      callbacks$on_epoch_end(epoch, values)
      if (isTRUE(data$stop_training)) break
    },
    interrupt = function(i) interrupted <<- TRUE
  )
  callbacks$on_end("train")
  invisible(history_of(logs, used, length(validation_rows), interrupted, options))
}

# What a callback knows of the run.
callback_params <- function(options, steps, samples, metrics = character(), do_validation = FALSE) {
  list(batch_size = options$batch_size, epochs = options$epochs %||% 1, steps = steps, samples = samples,
       verbose = options$verbose, do_validation = do_validation, metrics = metrics)
}

# logs: the values of each epoch that was finished; none at all when the first was
# interrupted.
history_of <- function(logs, samples, validation_samples, interrupted, options) {
  names <- if (length(logs)) names(logs[[1]])
  metrics <- lapply(stats::setNames(names, names), function(name) {
    vapply(logs, function(values) values[[name]], 0)
  })
  if (any(is.nan(metrics$loss))) {
    rlang::warn(c("The loss became NaN.",
                  i = "Try a smaller learning rate, or look for extreme values in the data."),
                class = "convnet_warning_nan", call = NULL)
  }
  new_history(
    list(batch_size = options$batch_size, epochs = options$epochs, samples = samples,
         validation_samples = validation_samples, do_validation = validation_samples > 0,
         metrics = as.character(names), initial_epoch = options$initial_epoch,
         interrupted = interrupted),
    metrics)
}

# Runs about 100 milliseconds of batches at a time, so that R can answer.
run_epoch <- function(model, program, job, order, batch_size, progress = silent_progress(), callbacks = no_callbacks,
                      key = draw_key()) {
  apply_session_options()
  optimizer <- environment(model)$compiled$optimizer
  budget <- if (callbacks$wants_batches) 0 else 100
  sums <- numeric(length(program$names))
  batch <- done <- 0
  batches <- ceiling(length(order) / batch_size)
  while (batch < batches) {
    callbacks$on_batch_begin("train", batch + 1)
    result <- cpp_run_batches(program$handle, job$datasets, order, storage_of(program$variables),
                              batch_size, batch, length(sums), budget, key,
                              training_arguments(model, program))
    optimizer$iterations <- optimizer$iterations + result$batches
    batch <- batch + result$batches
    done <- done + result$rows
    sums <- sums + result$sums
    logs <- step_logs(program, sums, done)
    callbacks$on_batch_end("train", batch, logs)
    progress$update(done, logs)
    if (isTRUE(environment(model)$stop_training)) break
  }
  logs
}

# Sums over rows to the named values of the history.
step_logs <- function(program, sums, rows) {
  means <- sums / rows
  divided <- program$weighted_by > 0
  means[divided] <- means[divided] / means[program$weighted_by[divided]]
  logs <- as.list(means[program$shown])
  names(logs) <- program$shown_names
  logs
}

# key: of random operations; NULL draws one where there are any.
evaluate_rows <- function(model, job, rows, batch_size, progress = silent_progress(), callbacks = no_callbacks,
                          key = NULL) {
  apply_session_options()
  program <- step_program(model, job$targets, job$weighted, training = FALSE)
  key <- key %||% key_for(program)
  budget <- if (callbacks$wants_test_batches) 0 else 100
  sums <- numeric(length(program$names))
  batch <- done <- 0
  callbacks$on_begin("test")
  while (batch < ceiling(length(rows) / batch_size)) {
    callbacks$on_batch_begin("test", batch + 1)
    result <- cpp_run_batches(program$handle, job$datasets, rows, storage_of(program$variables),
                              batch_size, batch, length(sums), budget, key, NULL)
    batch <- batch + result$batches
    done <- done + result$rows
    sums <- sums + result$sums
    logs <- step_logs(program, sums, done)
    callbacks$on_batch_end("test", batch, logs)
    progress$update(done, logs)
  }
  logs <- step_logs(program, sums, done)
  callbacks$on_end("test", logs)
  logs
}
