# The program of one training or evaluation step: from x, y and weights to the
# loss, the metrics and, in training, the gradients of the trained variables.

# A program of the model from its cache; `key` says everything it depends on.
cached_program <- function(model, key, make) {
  session <- session_of(environment(model))
  key <- paste(c(key, facts_of(model)$phase_flags), collapse = " ")
  if (!is_live(session$programs[[key]])) {
    made <- make()
    session$programs[[key]] <- made
  }
  session$programs[[key]]
}

forget_programs <- function(data) assign("programs", NULL, session_of(data))

# Frozen layers may compute something else.
phase_flags <- function(model) {
  flags <- function(layer) {
    all <- environment(layer)$trainable
    for (inner in layers_inside(layer)) all <- c(all, flags(inner))
    all
  }
  paste(as.integer(flags(model)), collapse = "")
}

predict_program <- function(model) {
  cached_program(model, "predict", function() {
    made <- trace_outputs(wiring_of(model)$inputs, wiring_of(model)$outputs, FALSE)
    program_from(made$trace, made$outputs)
  })
}

# targets: what target_types() returns; weighted: for which outputs sample weights are
# fed.
step_program <- function(model, targets, weighted, training) {
  key <- c(if (training) "train" else "test", weighted, unlist(targets))
  cached_program(model, key, function() make_step_program(model, targets, weighted, training))
}

make_step_program <- function(model, targets, weighted, training) {
  wiring <- wiring_of(model)
  made <- trace_outputs(wiring$inputs, wiring$outputs, training)
  trace <- made$trace
  ys <- lapply(targets, function(t) if (!is.null(t)) input_row(trace, t$shape, t$dtype))
  weights <- Map(function(weighted, output) if (weighted) input_row(trace, NA_integer_, output$dtype),
                 weighted, wiring$outputs)
  scalars <- with_trace(trace, training, step_scalars(model, made$outputs, ys, weights, trace))
  trained <- if (training) environment(model)$compiled$trainable else list()
  # The loss is the first scalar; its gradients follow the scalars.
  gradients <- lapply(trained, function(v) gradient_row(scalars$values[[1]], v, trace))
  program <- program_from(trace, c(scalars$values, gradients))
  program$names <- scalars$names
  program$weighted_by <- scalars$weighted_by
  program$shown <- which(nzchar(scalars$names))
  program$shown_names <- make.unique(scalars$names[program$shown], "_")
  program$trained <- vapply(trained, function(v) position(v, program$variables), 1L)
  if (training) program$constraints <- constraint_program(trained)
  program
}

# values: tensors without dimensions; names: their names in the history ("" for
# helpers); weighted_by: the scalar each is divided by at the end, or 0. Outputs
# without targets have no part in it.
step_scalars <- function(model, outputs, ys, weights, trace) {
  compiled <- compiled_of(model)
  several <- length(outputs) > 1
  names <- output_names(model)
  trained <- which(!vapply(ys, is.null, NA))
  losses <- Map(function(loss, y, output, weight) {
    with_where(loss_label(loss),
               weighted_mean(with_user_code("The function", loss_values(loss, y, output)), weight, output$mask))
  }, compiled$losses[trained], ys[trained], outputs[trained], weights[trained])
  total <- sum_of_losses(c(
    Map(function(loss, factor) if (factor == 1) loss else loss * factor, losses, compiled$loss_weights[trained]),
    regularization_losses(model), trace$losses))
  made <- list(values = list(total), names = "loss", weighted_by = 0L)
  add <- function(value, name, weighted_by = 0L) {
    made$values <<- c(made$values, list(value))
    made$names <<- c(made$names, name)
    made$weighted_by <<- c(made$weighted_by, weighted_by)
  }
  prefix <- function(i, name) if (several) paste0(names[[i]], "_", name) else name
  if (several) for (i in seq_along(trained)) add(losses[[i]], prefix(trained[[i]], "loss"))
  for (i in trained) {
    for (metric in named_metrics(compiled$metrics[[i]], outputs[[i]], compiled$losses[[i]])) {
      add(weighted_mean(metric_values(metric, ys[[i]], outputs[[i]]), mask = outputs[[i]]$mask), prefix(i, metric$name))
    }
  }
  for (i in trained[lengths(compiled$weighted_metrics[trained]) > 0]) {
    add(if (is.null(weights[[i]])) as_tensor(1, outputs[[i]]$dtype) else k_mean(weights[[i]]), "")
    divisor <- length(made$values)
    for (metric in named_metrics(compiled$weighted_metrics[[i]], outputs[[i]], compiled$losses[[i]])) {
      add(weighted_mean(metric_values(metric, ys[[i]], outputs[[i]]), weights[[i]], outputs[[i]]$mask),
          prefix(i, metric$name), divisor)
    }
  }
  made
}

# Layers of one model may compute in different dtypes; the loss has the widest.
sum_of_losses <- function(losses) {
  dtypes <- vapply(losses, function(loss) loss$dtype, "")
  dtype <- if ("float64" %in% dtypes) "float64" else dtypes[[1]]
  Reduce(`+`, lapply(losses, function(loss) if (loss$dtype == dtype) loss else k_cast(loss, dtype)))
}

named_metrics <- function(metrics, output, loss) {
  Map(function(metric, name) {
    metric <- with_where("Metric", get_metric(metric, output$shape, loss))
    if (nzchar(name)) metric$name <- name
    metric
  }, metrics, names(metrics) %||% rep("", length(metrics)))
}

loss_label <- function(loss) if (is_builtin_loss(loss)) paste0("Loss \"", loss_name(loss), "\"") else "Loss"

loss_values <- function(loss, y, output) {
  values <- loss_per_sample(loss, y, output)
  if (!values$dtype %in% c("float32", "float64")) {
    abort_dtype("The loss cannot be minimised: it has no gradient.", expected = "a tensor of numbers",
                received = paste("a tensor of dtype", values$dtype),
                remedy = "Comparisons and whole numbers have none: use differences or k_cast().")
  }
  values
}

metric_values <- function(metric, y, output) {
  with_where(paste0("Metric \"", metric$name, "\""),
             with_user_code("The function", metric_per_sample(metric, y, output)))
}

# The mean over everything of values whose rows have weights, over the steps that
# count where they have a mask.
weighted_mean <- function(values, weight = NULL, mask = NULL) {
  values <- as_tensor(values)
  if (!is.null(mask) && length(values$shape) == length(mask$shape)) {
    counts <- k_cast(mask, values$dtype)
    values <- values * (counts / k_maximum(k_mean(counts), the$epsilon))
  }
  if (!is.null(weight) && length(values$shape) > 0) {
    values <- values * k_reshape(weight, c(-1, rep(1, length(values$shape) - 1)))
  }
  k_mean(values)
}

regularization_losses <- function(model) {
  regularized <- Filter(function(w) !is.null(w$regularizer), model$trainable_weights)
  lapply(regularized, function(w) {
    with_where(paste("Weight", w$name),
               with_user_code("The regularizer", regularization(w$regularizer, w)))
  })
}

# Puts every constrained variable back where its constraint allows it; NULL when
# there is none.
constraint_program <- function(variables) {
  constrained <- Filter(function(v) !is.null(v$constraint), variables)
  if (length(constrained) == 0) return(NULL)
  trace <- new_record()
  with_trace(trace, TRUE, {
    for (variable in constrained) {
      with_where(paste("Weight", variable$name), with_user_code("The constraint", {
        k_update(variable, constrain(variable$constraint, variable))
      }))
    }
  })
  program_from(trace, list())
}

# What the core needs to make a step: see training_from_r() in bind-program.cpp.
training_arguments <- function(model, program) {
  optimizer <- environment(model)$compiled$optimizer
  slots <- optimizer_slots(optimizer, program$variables[program$trained])
  list(optimizer = optimizer$config, iteration = optimizer$iterations,
       variables = as.integer(program$trained), slots = slots,
       constraints = program$constraints$handle,
       constraint_storage = storage_of(program$constraints$variables))
}
