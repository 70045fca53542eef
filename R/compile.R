#' Configure a model for training
#'
#' @param object A model.
#' @param optimizer An optimizer such as [optimizer_adam()], or its name:
#'   `"sgd"`, `"rmsprop"`, `"adam"`. The model keeps its own copy, with fresh state.
#' @param loss Name of a loss (`"mse"`, `"binary_crossentropy"`, ...), a
#'   `loss_*()` function, or your own function of two tensors `(y_true, y_pred)`
#'   that returns a tensor; its mean is minimised. Of several outputs one loss for
#'   all, or a list with a loss for each, in order or by the outputs' names; an
#'   output whose loss is `NULL`, or left out of a list with names, is not trained.
#'   `NULL` alone is for models whose layers add what is minimised, by
#'   `self$add_loss()`: see [KerasLayer]. They need no targets either.
#' @param metrics Names of metrics (`"accuracy"`, `"mae"`, ...), `metric_*()`
#'   functions or your own; a vector or list, names being used in the history. Of
#'   several outputs the same metrics for all, or a list by the outputs' names, or
#'   a list of lists.
#' @param loss_weights Factors of the losses of several outputs, in order or by
#'   the outputs' names; 1 where left out of those.
#' @param sample_weight_mode,target_tensors For Keras's signature; must be `NULL`.
#' @param weighted_metrics Metrics that `sample_weight` and `class_weight` weigh.
#' @param ... Arguments of Keras that change speed, not results, such as `workers` and
#'   `run_eagerly`: they have no effect. Others are an error.
#' @return The model, changed in place, invisibly. The weights that are trainable
#'   now are the ones that [fit()] trains, until `compile()` is called again.
#' @section Errors: `convnet_error_argument` for an unknown optimizer, loss or
#'   metric, with a suggestion.
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 4) %>%
#'   layer_dense(3, activation = "softmax")
#' model %>% compile(optimizer = optimizer_adam(), loss = "categorical_crossentropy",
#'                   metrics = "accuracy")
#' @name compile
#' @method compile keras_model
#' @export
compile.keras_model <- function(object, optimizer = "rmsprop", loss = NULL, metrics = NULL,
                                loss_weights = NULL, sample_weight_mode = NULL,
                                weighted_metrics = NULL, target_tensors = NULL, ...) {
  check_dots(list(...), names(formals()))
  for (arg in c("sample_weight_mode", "target_tensors")) {
    if (!is.null(get(arg))) {
      abort_argument(paste0("`", arg, "` is not supported."), expected = "NULL",
                     received = describe(get(arg)))
    }
  }
  if (is.null(loss) && !adds_losses(object)) {
    abort_argument("A model needs a loss to be trained.", where = label_of(object),
                   expected = "`loss`, for example \"mse\" or \"categorical_crossentropy\"",
                   received = "NULL")
  }
  data <- environment(object)
  compiled <- list(
    optimizer = get_optimizer(optimizer),
    given = without_source(list(loss = loss, loss_weights = loss_weights, metrics = rejoin_metrics(metrics),
                                weighted_metrics = rejoin_metrics(weighted_metrics)))
  )
  data$compiled <- settle(compiled, object)
  forget_programs(data)
  invisible(object)
}

# c("mae", metric_binary_accuracy(threshold = 0.3)) takes the metric apart: what was one is made one again.
rejoin_metrics <- function(metrics) {
  if (!is.list(metrics) || is.object(metrics)) return(metrics)
  parts <- names(new_metric("", NULL))
  for (i in rev(which(names(metrics) == parts[1]))) {
    at <- i + seq_along(parts) - 1
    if (!identical(names(metrics)[at], parts)) next
    metrics[[i]] <- do.call(new_metric, unname(metrics[at]))
    names(metrics)[i] <- ""
    metrics <- metrics[-at[-1]]
  }
  lapply(metrics, rejoin_metrics)
}

# Whether layers of the model add what training minimises.
adds_losses <- function(model) {
  if (!is_model(model) || !is_wired(model)) return(FALSE)
  wiring <- wiring_of(model)
  length(trace_outputs(wiring$inputs, wiring$outputs, TRUE)$trace$losses) > 0
}

# What each output is trained with. A stack that is not built yet has one output; a
# model settles again when it is.
settle <- function(compiled, model) {
  given <- compiled$given
  names <- if (is_wired(model)) output_names(model)
  if (is.null(names) && !is_graph(model)) return(compiled)
  compiled$losses <- losses_by_output(given$loss, names, label_of(model))
  compiled$loss_weights <- loss_weights_by_output(given$loss_weights, names, label_of(model))
  compiled$metrics <- metrics_by_output(given$metrics, names, "metrics")
  compiled$weighted_metrics <- metrics_by_output(given$weighted_metrics, names, "weighted_metrics")
  compiled["trainable"] <- list(if (is_wired(model)) trainable_weights_of(model))
  compiled
}

compiled_of <- function(model) {
  compiled <- environment(model)$compiled
  if (!is.null(compiled$given)) return(compiled)
  # Saved by version 0.1.0, whose models have one output.
  compiled$given <- list(loss = compiled$losses, loss_weights = compiled$loss_weights, metrics = compiled$metrics,
                         weighted_metrics = compiled$weighted_metrics)
  utils::modifyList(settle(compiled, model), list(trainable = compiled$trainable), keep.null = TRUE)
}

# names: of the outputs, NULL where they are not known. An output without loss is
# not trained.
losses_by_output <- function(loss, names, where) {
  n <- max(1, length(names))
  several <- is.list(loss) && !inherits(loss, "convnet_loss") || is.character(loss) && length(loss) > 1
  losses <- if (!several) rep(list(loss), n)
            else if (is.null(names(loss)) || is.null(names)) as.list(loss)
            else by_name(as.list(loss), names, "loss")
  if (length(losses) != n) {
    abort_argument("`loss` must have one loss for each output.", where = where,
                   expected = count_of(n, "loss", "losses"), received = count_of(length(losses), "loss", "losses"))
  }
  losses <- unname(lapply(losses, function(loss) if (!is.null(loss)) get_loss(loss)))
  if (!is.null(loss) && all(vapply(losses, is.null, NA))) {
    abort_argument("A model needs a loss to be trained.", where = where, expected = "a loss for at least one output",
                   received = "NULL only")
  }
  losses
}

loss_weights_by_output <- function(weights, names, where) {
  n <- max(1, length(names))
  if (is.null(weights)) return(rep(1, n))
  if (is.vector(weights) && !is.null(names(weights)) && !is.null(names)) {
    weights <- lapply(by_name(as.list(weights), names, "loss_weights"), function(w) w %||% 1)
  }
  numbers <- unlist(weights)
  if (!is.numeric(numbers) || length(numbers) != n || anyNA(numbers)) {
    abort_argument("`loss_weights` must have one number for each output.", where = where,
                   expected = count_of(n, "number"), received = describe(weights))
  }
  unname(numbers)
}

# A list of metrics for each output. With one output, names that are not its name
# are names for the metrics.
metrics_by_output <- function(metrics, names, arg) {
  n <- max(1, length(names))
  listed <- as_metric_list(metrics)
  given <- names(listed)
  by_output <- if (length(listed) == 0) rep(list(list()), n)
               else if (n == 1 && !any(given %in% names)) list(listed)
               else if (!is.null(given)) by_name(listed, names, arg)
               else if (length(listed) == n && any(vapply(listed, is_plain_list, NA))) listed
               else rep(list(listed), n)
  lapply(unname(by_output), function(metrics) {
    metrics <- as_metric_list(metrics)
    for (metric in metrics) check_metric(metric)
    metrics
  })
}

is_plain_list <- function(x) is.list(x) && !is.object(x) || is.null(x)

# A list with an element for each of `names`, NULL where there is none.
by_name <- function(xs, names, arg, of = "output") {
  check_names(xs, names, arg, of)
  lapply(stats::setNames(names, names), function(name) xs[[name]])
}

as_metric_list <- function(metrics) {
  if (is.null(metrics)) list()
  else if (inherits(metrics, "convnet_metric") || !is.list(metrics) && !is.character(metrics)) list(metrics)
  else as.list(unclass(metrics))
}

# Known names only; "accuracy" waits for the output's shape.
check_metric <- function(metric) {
  get_metric(metric, c(NA, 1L), NULL)
}

require_compiled <- function(model) {
  if (is.null(environment(model)$compiled)) {
    abort_argument("The model has not been compiled.", where = label_of(model),
                   remedy = "Call compile() with an optimizer and a loss first.")
  }
}
