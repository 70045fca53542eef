# y, sample weights and class weights: checked and brought into the form that the
# losses expect.

# One array for each output, as list(value, shape, dtype); NULL for an output that
# is not trained. args: what x and y are called where the user gave them.
model_targets <- function(model, y, n, args = c("x", "y")) {
  arg <- args[2]
  losses <- compiled_of(model)$losses
  trained <- !vapply(losses, is.null, NA)
  if (!any(trained)) return(vector("list", length(losses)))
  if (is_plain_array(y) && length(losses) == 1) {
    return(list(output_target(y, wiring_of(model)$outputs[[1]], losses[[1]], arg, n, args[1])))
  }
  names <- output_names(model)
  ys <- if (is.list(y) && !is.data.frame(y)) y else list(y)
  if (is.null(y)) {
    abort_argument(paste0("`", arg, "` must have one array for each output."),
                   expected = count_of(sum(trained), "array"), received = "NULL")
  }
  # Outputs without loss may have an array or not.
  ys <- if (length(ys) == length(trained)) in_order(ys, names, arg, of = "output")[trained]
        else in_order(ys, names[trained], arg, of = "output")
  targets <- vector("list", length(trained))
  targets[trained] <- .mapply(output_target, list(ys, wiring_of(model)$outputs[trained], losses[trained],
                                                  element_args(arg, names[trained])), list(n = n, x_arg = args[1]))
  targets
}

# n: how many rows x has, which is called x_arg.
output_target <- function(y, output, loss, arg, n, x_arg) {
  target <- as_target(y, output, loss, arg)
  if (rows_of(target$value) != n) {
    abort_argument(paste0("`", x_arg, "` and `", arg, "` have different numbers of rows."),
                   expected = paste0(n, " rows in `", arg, "`, as in `", x_arg, "`"),
                   received = paste(rows_of(target$value), "rows"),
                   remedy = if (identical(utils::tail(dim(y), 1L), as.integer(n))) {
                     shape_remedy(dim(y), c(NA, dim(y)[-length(dim(y))]), arg)
                   })
  }
  check_target(target, output, loss, arg)
  target
}

# What the arrays of a list are called in messages: `x`, or `x$left`.
element_args <- function(arg, names) if (length(names) == 1) arg else paste0(arg, "$", names)

as_target <- function(y, output, loss, arg) {
  if (is_tensor(y)) y <- k_get_value(y)
  if (is.data.frame(y)) y <- if (length(y) == 1 && is.factor(y[[1]])) y[[1]] else data_frame_matrix(y, arg)
  sparse <- is_sparse(loss)
  if (is.factor(y)) y <- factor_target(y, output, sparse, arg)
  if (!is_numbers(y)) {
    abort_argument(paste0("`", arg, "` must be numbers or a factor."),
                   expected = "an array, a vector or a factor", received = describe(y),
                   remedy = if (is.character(y)) paste0("Use factor(", arg, ", levels = ...): the levels say which class is which.")
                            else numbers_remedy(y))
  }
  shape <- as.integer(dim(y) %||% length(y))
  one_short <- length(shape) == length(output$shape) - 1
  if (one_short && (sparse || length(shape) == 1)) shape <- c(shape, 1L)
  list(value = y, shape = shape, dtype = output$dtype)
}

is_sparse <- function(loss) identical(loss_name(loss), "sparse_categorical_crossentropy")

classes_of <- function(output) output$shape[length(output$shape)]

# Level k of a factor is class k - 1: a label, or a row with a 1 in column k.
factor_target <- function(y, output, sparse, arg) {
  classes <- classes_of(output)
  fits <- if (classes == 1 && !sparse) nlevels(y) <= 2 else nlevels(y) <= classes
  if (!fits) {
    abort_argument(paste0("`", arg, "` has more levels than the output has classes."),
                   expected = paste("a factor with at most", max(2, classes), "levels"),
                   received = paste(nlevels(y), "levels"), remedy = "Give the last layer one unit for each level.")
  }
  if (anyNA(y)) abort_na(y, arg)
  codes <- as.integer(y) - 1L
  if (sparse || classes == 1) codes else to_categorical(codes, classes)
}

check_target <- function(target, output, loss, arg) {
  if (is_sparse(loss)) {
    check_labels(target, output, arg)
  } else if (is_builtin_loss(loss)) {
    check_target_shape(target$shape, output, loss_name(loss), arg)
  }
}

check_labels <- function(target, output, arg) {
  classes <- classes_of(output)
  shape <- target$shape
  if (length(shape) != length(output$shape) || shape[length(shape)] != 1) {
    one_hot <- identical(shape[length(shape)], classes)
    abort_shape(paste0("`", arg, "` must have one label for each prediction."),
                expected = paste("shape", format_shape(c(output$shape[-length(output$shape)], 1L))),
                received = paste("shape", format_shape(shape)),
                remedy = if (one_hot) "For rows with one 1 use the loss \"categorical_crossentropy\".")
  }
  labels <- as.double(target$value)
  labels <- labels[!is.na(labels)]  # as_dataset() refuses them
  wrong <- labels[labels < 0 | labels >= classes | labels != floor(labels)]
  if (length(wrong)) {
    range <- range(labels)
    abort_argument(paste0("`", arg, "` has labels that the output does not have."),
                   expected = paste0("whole numbers from 0 to ", classes - 1, ", for ", classes, " classes"),
                   received = some_of(sort(unique(wrong))),
                   remedy = if (range[1] >= 1 && range[2] == classes) {
                     paste0("Labels count from 0: use ", arg, " - 1, or a factor.")
                   })
  }
}

check_target_shape <- function(shape, output, loss, arg) {
  expected <- output$shape
  fits <- length(shape) == length(expected) && all(is.na(expected[-1]) | expected[-1] == shape[-1])
  if (fits) return(invisible())
  labels <- prod(shape[-1]) == 1 && length(expected) == 2
  abort_shape(paste0("`", arg, "` does not have the shape of the model's output."),
              expected = paste("shape", format_shape(expected)),
              received = paste("shape", format_shape(shape)),
              remedy = if (labels) {
                paste0("For class labels use to_categorical(", arg, "), or the loss \"sparse_categorical_crossentropy\".")
              } else {
                shape_remedy(shape, expected, arg)
              })
}

target_types <- function(targets) {
  lapply(targets, function(t) if (!is.null(t)) list(shape = c(NA, t$shape[-1]), dtype = t$dtype))
}

# For each output one weight a row from sample_weight and class_weight, or NULL.
row_weights <- function(sample_weight, class_weight, targets, n, names, arg = "sample_weight") {
  if (is.null(sample_weight) && is.null(class_weight)) return(vector("list", length(targets)))
  sample_weights <- if (is.list(sample_weight)) weights_by_output(sample_weight, names, arg)
                    else rep(list(sample_weight), length(names))
  class_weights <- if (length(names) > 1 && !is.null(class_weight)) weights_by_output(class_weight, names, "class_weight")
                   else list(class_weight)
  .mapply(function(target, sample_weight, class_weight) {
    if (is.null(target)) return(NULL)
    weights <- if (!is.null(sample_weight)) check_sample_weight(sample_weight, n, arg)
    if (is.null(class_weight)) return(weights)
    (weights %||% rep(1, n)) * class_weights_of(target, class_weight, n)
  }, list(targets, sample_weights, class_weights), NULL)
}

weights_by_output <- function(weights, names, arg) {
  if (is.null(names(weights))) return(in_order(as.list(weights), names, arg, of = "output"))
  unname(by_name(as.list(weights), names, arg))
}

check_sample_weight <- function(sample_weight, n, arg) {
  if (!is.numeric(sample_weight) || length(sample_weight) != n || anyNA(sample_weight)) {
    abort_argument(paste0("`", arg, "` must have one number for each row."),
                   expected = paste(n, "numbers without NA"), received = describe(sample_weight))
  }
  as.double(sample_weight)
}

class_weights_of <- function(target, class_weight, n) {
  given <- unlist(class_weight)
  if (!is.numeric(given) || anyNA(given)) {
    abort_argument("`class_weight` must be numbers.",
                   expected = "a list or vector with a number for each class",
                   received = if (is.numeric(given)) "NA" else describe(class_weight))
  }
  y <- target$value
  one_hot <- length(target$shape) == 2 && target$shape[2] > 1
  classes <- if (one_hot) max.col(y, "first") - 1 else as.double(y)
  if (length(classes) != n) {
    abort_argument("`class_weight` needs one class for each row.",
                   expected = "labels or one row of `to_categorical()` for each row of `x`",
                   received = paste("targets of shape", format_shape(target$shape)))
  }
  labels <- names(given) %||% as.character(seq_along(given) - 1)
  missing <- setdiff(unique(classes), suppressWarnings(as.double(labels)))
  if (length(missing)) {
    abort_argument("`class_weight` lacks a class.",
                   expected = "a weight for each class, named \"0\", \"1\", and so on",
                   received = paste("no weight for class", some_of(sort(missing))))
  }
  as.double(given[match(classes, as.double(labels))])
}
