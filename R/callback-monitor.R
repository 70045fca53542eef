# Callbacks that look at a value of each epoch: stopping, saving, smaller steps. They are classes as users write them.

Monitoring <- R6::R6Class("Monitoring", inherit = KerasCallback, public = list(
  monitor = NULL,
  sign = NULL,  # 1 where small values are good, -1 where large ones are
  best = NULL,
  initialize = function(monitor, mode) {
    mode <- check_choice(mode[[1]], c("auto", "min", "max"), "mode")
    self$monitor <- check_string(monitor, "monitor")
    self$sign <- if (mode == "max" || mode == "auto" && grepl("acc|auc", monitor)) -1 else 1
    self$best <- self$sign * Inf
  },
  # The value of this epoch, or NULL, and a warning, where there is none.
  value = function(logs) {
    value <- logs[[self$monitor]]
    if (is.null(value)) {
      rlang::warn(c(paste0("A callback watches \"", self$monitor, "\", which this training does not have."),
                    "*" = paste0("There are: ", paste(quoted_each(names(logs)), collapse = ", "), "."),
                    i = if (startsWith(self$monitor, "val_")) "Give fit() a validation_split or validation_data."),
                  class = "convnet_warning_monitor", call = NULL)
    }
    value
  },
  improves = function(value, on = self$best, min_delta = 0) {
    !is.nan(value) && self$sign * value < self$sign * on - min_delta
  }
))

say_epoch <- function(verbose, epoch, ...) {
  if (verbose > 0) cat(sprintf("Epoch %05d: ", as.integer(epoch + 1)), ..., "\n", sep = "")
}

#' Callbacks that watch a value
#'
#' At the end of each epoch they look at the loss or a metric. `callback_early_stopping()` ends training when it no longer
#' gets better, `callback_reduce_lr_on_plateau()` makes the learning rate smaller then, and `callback_model_checkpoint()`
#' saves the model.
#'
#' Files of `callback_model_checkpoint()` are those of [saveRDS()], whatever their names end with: `readRDS()` returns the
#' model, or with `save_weights_only` the list that [set_weights()] takes. In `filepath` `{epoch}` and names of values in
#' braces are filled in, with a format behind a colon: `"model-{epoch:02d}-{val_loss:.2f}.rds"`; epochs count from 1.
#'
#' @param monitor Name of the value, as the history has it.
#' @param min_delta What counts as better has to be better by more than this.
#' @param patience Epochs in a row that may pass without getting better.
#' @param verbose 1 to print a line when something is done.
#' @param mode `"min"` when small values are good, `"max"` when large ones are; `"auto"` takes `"max"` for names with `acc`
#'   or `auc` in them.
#' @param baseline A value to get better than: epochs that do not count as without improvement.
#' @param restore_best_weights Give the model the weights of its best epoch when training ends.
#' @param start_from_epoch Epochs at the beginning that are not looked at.
#' @return A callback for the argument `callbacks` of [fit()].
#' @section Errors: `convnet_error_argument` for arguments out of range. A value that there is not, `val_loss` without
#'   validation for instance, gives a warning of class `convnet_warning_monitor`.
#' @family training
#' @examples
#' x <- matrix(rnorm(200), 100)
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' model %>% compile(optimizer = optimizer_adam(0.1), loss = "mse")
#' best <- tempfile(fileext = ".rds")
#' model %>% fit(x, x %*% c(1, -2), epochs = 50, verbose = 0, validation_split = 0.2, callbacks = list(
#'   callback_early_stopping(patience = 4, min_delta = 1e-4),
#'   callback_reduce_lr_on_plateau(patience = 2, verbose = 1),
#'   callback_model_checkpoint(best, save_best_only = TRUE)
#' ))
#' readRDS(best)
#' @export
callback_early_stopping <- function(monitor = "val_loss", min_delta = 0, patience = 0, verbose = 0,
                                    mode = c("auto", "min", "max"), baseline = NULL, restore_best_weights = FALSE,
                                    start_from_epoch = 0) {
  if (!is.null(baseline)) check_number(baseline, "baseline")
  EarlyStopping$new(monitor, mode, list(
    min_delta = abs(check_number(min_delta, "min_delta")), patience = check_number(patience, "patience", 0),
    verbose = check_verbose(verbose), baseline = baseline, start = check_number(start_from_epoch, "start_from_epoch", 0),
    restore = check_flag(restore_best_weights, "restore_best_weights")))
}

EarlyStopping <- R6::R6Class("EarlyStopping", inherit = Monitoring, public = list(
  options = NULL,
  wait = 0,
  weights = NULL,
  initialize = function(monitor, mode, options) {
    super$initialize(monitor, mode)
    self$options <- options
  },
  on_train_begin = function(logs = NULL) {
    self$best <- self$sign * Inf
    self$wait <- 0
    self$weights <- NULL
  },
  on_epoch_end = function(epoch, logs = NULL) {
    value <- self$value(logs)
    options <- self$options
    if (is.null(value) || epoch < options$start) return()
    self$wait <- self$wait + 1
    if (self$improves(value, min_delta = options$min_delta)) {
      self$best <- value
      if (options$restore) self$weights <- get_weights(self$model)
      if (is.null(options$baseline) || self$improves(value, options$baseline, options$min_delta)) self$wait <- 0
    } else if (self$wait >= options$patience && epoch > 0) {
      self$model$stop_training <- TRUE
      say_epoch(options$verbose, epoch, "early stopping")
    }
  },
  on_train_end = function(logs = NULL) if (!is.null(self$weights)) set_weights(self$model, self$weights)
))

#' @rdname callback_early_stopping
#' @param factor What the learning rate is multiplied with.
#' @param cooldown Epochs to wait after that.
#' @param min_lr The learning rate does not get smaller than this.
#' @export
callback_reduce_lr_on_plateau <- function(monitor = "val_loss", factor = 0.1, patience = 10, verbose = 0,
                                          mode = c("auto", "min", "max"), min_delta = 1e-04, cooldown = 0, min_lr = 0) {
  if (check_number(factor, "factor", 0, 1) == 1) {
    abort_argument("`factor` must be below 1.", expected = "a number in [0, 1)", received = "1")
  }
  ReduceLROnPlateau$new(monitor, mode, list(
    factor = factor, patience = check_number(patience, "patience", 0), verbose = check_verbose(verbose),
    min_delta = abs(check_number(min_delta, "min_delta")), cooldown = check_number(cooldown, "cooldown", 0),
    min_lr = check_number(min_lr, "min_lr", 0)))
}

ReduceLROnPlateau <- R6::R6Class("ReduceLROnPlateau", inherit = Monitoring, public = list(
  options = NULL,
  wait = 0,
  resting = 0,
  initialize = function(monitor, mode, options) {
    super$initialize(monitor, mode)
    self$options <- options
  },
  on_train_begin = function(logs = NULL) {
    self$best <- self$sign * Inf
    self$wait <- self$resting <- 0
  },
  on_epoch_end = function(epoch, logs = NULL) {
    value <- self$value(logs)
    options <- self$options
    if (is.null(value)) return()
    if (self$resting > 0) {
      self$resting <- self$resting - 1
      self$wait <- 0
    }
    if (self$improves(value, min_delta = options$min_delta)) {
      self$best <- value
      self$wait <- 0
    } else if (self$resting == 0) {
      self$wait <- self$wait + 1
      if (self$wait >= options$patience) self$reduce(epoch)
    }
  },
  reduce = function(epoch) {
    optimizer <- self$model$optimizer
    options <- self$options
    if (optimizer$learning_rate <= options$min_lr) return()
    optimizer$learning_rate <- max(optimizer$learning_rate * options$factor, options$min_lr)
    say_epoch(options$verbose, epoch, "reducing learning rate to ", format(optimizer$learning_rate), ".")
    self$resting <- options$cooldown
    self$wait <- 0
  }
))

#' @rdname callback_early_stopping
#' @param filepath Where to save.
#' @param save_best_only Save only when the value is the best so far.
#' @param save_weights_only Save the weights instead of the model.
#' @param period Epochs between two looks.
#' @param save_freq `"epoch"`, which is all there is.
#' @export
callback_model_checkpoint <- function(filepath, monitor = "val_loss", verbose = 0, save_best_only = FALSE,
                                      save_weights_only = FALSE, mode = c("auto", "min", "max"), period = NULL,
                                      save_freq = "epoch") {
  check_choice(save_freq, "epoch", "save_freq")
  ModelCheckpoint$new(monitor, mode, list(
    filepath = check_string(filepath, "filepath"), verbose = check_verbose(verbose),
    best_only = check_flag(save_best_only, "save_best_only"), period = check_counts(period %||% 1, "period"),
    weights_only = check_flag(save_weights_only, "save_weights_only")))
}

ModelCheckpoint <- R6::R6Class("ModelCheckpoint", inherit = Monitoring, public = list(
  options = NULL,
  since = 0,
  initialize = function(monitor, mode, options) {
    super$initialize(monitor, mode)
    self$options <- options
  },
  on_epoch_end = function(epoch, logs = NULL) {
    options <- self$options
    self$since <- self$since + 1
    if (self$since < options$period) return()
    self$since <- 0
    value <- if (options$best_only) self$value(logs)
    if (options$best_only && (is.null(value) || !self$improves(value))) return()
    self$best <- value
    file <- fill_in(options$filepath, c(list(epoch = epoch + 1), logs))
    saveRDS(if (options$weights_only) get_weights(self$model) else self$model, file)
    say_epoch(options$verbose, epoch, "saving to ", file)
  }
))

# "{epoch:02d}-{loss:.2f}" with values: "07-0.12".
fill_in <- function(text, values) {
  places <- regmatches(text, gregexpr("\\{[^{}]*\\}", text))[[1]]
  for (place in places) {
    parts <- strsplit(substr(place, 2, nchar(place) - 1), ":", fixed = TRUE)[[1]]
    value <- values[[check_choice(parts[1], names(values), "filepath")]]
    format <- if (length(parts) > 1) paste0("%", parts[2]) else "%s"
    value <- tryCatch(sprintf(format, value), error = function(e) {
      abort_argument("`filepath` has a format that does not fit.", expected = "for example {epoch:02d} or {loss:.2f}",
                     received = place)
    })
    text <- sub(place, value, text, fixed = TRUE)
  }
  text
}
