# y, sample weights and class weights: checked and brought into the form that the
# losses expect.

# One array for each output, as list(value, shape, dtype).
model_targets <- function(model, y, n) {
  data <- environment(model)
  ys <- if (is.list(y) && !is.data.frame(y)) y else list(y)
  if (is.null(y) || length(ys) != length(data$outputs)) {
    abort_argument("`y` must have one array for each output.",
                   expected = paste(length(data$outputs), "arrays"),
                   received = if (is.null(y)) "NULL" else paste(length(ys), "arrays"),
                   where = label_of(model))
  }
  Map(function(y, output, loss) {
    target <- as_target(y, output, loss)
    if (rows_of(target$value) != n) {
      abort_argument("`x` and `y` have different numbers of rows.",
                     expected = paste(n, "rows in `y`, as in `x`"),
                     received = paste(rows_of(target$value), "rows"), where = label_of(model))
    }
    target
  }, ys, data$outputs, data$compiled$losses)
}

as_target <- function(y, output, loss) {
  name <- loss_name(loss)
  sparse <- identical(name, "sparse_categorical_crossentropy")
  if (is.data.frame(y)) y <- data_frame_matrix(y, "y")
  if (is.factor(y) || is.character(y)) y <- labels_to_target(factor(y), output, sparse)
  if (!(is.numeric(y) || is.logical(y) || is.raw(y))) {
    abort_argument("`y` must be numbers or a factor.", expected = "an array, a vector or a factor",
                   received = describe(y))
  }
  shape <- as.integer(dim(y) %||% length(y))
  if (sparse) {
    check_labels(y, output)
    if (length(shape) == length(output$shape) - 1) shape <- c(shape, 1L)
  } else {
    if (length(shape) == 1 && length(output$shape) == 2) shape <- c(shape, 1L)
    if (is_builtin_loss(loss)) check_target_shape(shape, output, name)
  }
  list(value = y, shape = shape, dtype = output$dtype)
}

labels_to_target <- function(y, output, sparse) {
  classes <- output$shape[length(output$shape)]
  codes <- as.integer(y) - 1L
  if (sparse || identical(classes, 1L)) codes else to_categorical(codes, classes)
}

check_labels <- function(y, output) {
  classes <- output$shape[length(output$shape)]
  range <- if (is.raw(y)) range(as.integer(y)) else range(y, na.rm = TRUE)
  if (range[1] < 0 || range[2] >= classes) {
    abort_argument("`y` has labels that the output does not have.",
                   expected = paste0("labels from 0 to ", classes - 1, ", for ", classes, " classes"),
                   received = paste("labels from", range[1], "to", range[2]),
                   remedy = if (range[1] == 1 && range[2] == classes) {
                     "Labels count from 0: use y - 1, or a factor."
                   })
  }
}

check_target_shape <- function(shape, output, loss) {
  expected <- output$shape
  fits <- length(shape) == length(expected) && all(is.na(expected[-1]) | expected[-1] == shape[-1])
  if (fits) return(invisible())
  labels <- identical(loss, "categorical_crossentropy") && prod(shape[-1]) == 1
  abort_shape("`y` does not have the shape of the model's output.",
              expected = paste("shape", format_shape(expected)),
              received = paste("shape", format_shape(shape)),
              remedy = if (labels) {
                "Use to_categorical(y), or the loss \"sparse_categorical_crossentropy\"."
              } else {
                shape_remedy(shape, expected, "y")
              })
}

target_types <- function(targets) {
  lapply(targets, function(t) list(shape = c(NA, t$shape[-1]), dtype = t$dtype))
}

# One weight a row from sample_weight and class_weight, or NULL.
row_weights <- function(sample_weight, class_weight, targets, n) {
  weights <- NULL
  if (!is.null(sample_weight)) {
    if (!is.numeric(sample_weight) || length(sample_weight) != n || anyNA(sample_weight)) {
      abort_argument("`sample_weight` must have one number for each row.",
                     expected = paste(n, "numbers without NA"), received = describe(sample_weight))
    }
    weights <- as.double(sample_weight)
  }
  if (is.null(class_weight)) return(weights)
  (weights %||% rep(1, n)) * class_weights_of(targets[[1]]$value, class_weight)
}

class_weights_of <- function(y, class_weight) {
  classes <- if (length(dim(y)) == 2 && ncol(y) > 1) max.col(y, "first") - 1 else as.vector(y)
  given <- unlist(class_weight)
  labels <- names(given) %||% as.character(seq_along(given) - 1)
  missing <- setdiff(as.character(unique(classes)), labels)
  if (length(missing)) {
    abort_argument("`class_weight` lacks a class.",
                   expected = "a weight for each class, named \"0\", \"1\", ...",
                   received = paste0("no weight for class ", paste(sort(missing), collapse = ", ")))
  }
  as.double(given[match(as.character(classes), labels)])
}
