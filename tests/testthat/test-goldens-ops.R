# Each function of ops.json on tensors and on arrays, and the gradients of sum(y * g), in both float types.

# Arguments of a case; what is written in another form there.
op_arguments <- function(case, read, dtype) {
  x <- lapply(case$x, read)
  if (case$fn == "k_gather") x[[2]] <- x[[2]] + 1
  args <- golden_args(case$args[setdiff(names(case$args), c("list", "note", "greater_than"))])
  call <- function(x) {
    if (!is.null(case$args$greater_than)) x <- list(x[[1]] > case$args$greater_than)
    do.call(getExportedValue("convnet", case$fn), c(if (isTRUE(case$args$list)) list(x) else x, args))
  }
  # Indices, labels and numbers of times stay arrays.
  indices <- switch(case$fn, k_gather = 2, k_one_hot = 1, k_in_top_k = 2, k_sparse_categorical_crossentropy = 1, 0)
  list(x = x, call = call, differentiable = setdiff(seq_along(x), indices))
}

expect_op <- function(case, read, dtype, tolerance) {
  before <- k_set_floatx(dtype)
  on.exit(k_set_floatx(before))
  label <- paste(c("case", case$id, case$fn, dtype, deparse(golden_args(case$args))), collapse = " ")
  op <- op_arguments(case, read, dtype)
  y <- op$call(op$x)
  expect_golden(k_get_value(y), read(case$y), tolerance, label)
  type <- c(double = dtype, integer = "int32", logical = "bool")[[case$y_type]]
  expect_identical(k_dtype(y), type, label = paste("type of", label))
  if (is.null(case$g)) return(invisible())
  fed <- op$x
  fed[op$differentiable] <- lapply(op$x[op$differentiable], function(x) k_placeholder(dim(x)))
  symbolic <- fed[op$differentiable]
  value <- op$call(fed)
  gradients <- k_gradients(k_sum(value * as_golden(read(case$g), value)), symbolic)
  found <- k_function(symbolic, c(list(value), gradients))(op$x[op$differentiable])
  expect_golden(found[[1]], read(case$y), tolerance, paste(label, "of tensors"))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "gradient", i))
  }, found[-1], case$grad_x, seq_along(case$grad_x))
}

as_golden <- function(x, tensor) if (length(tensor$shape)) x else as.vector(x)

functions_of <- function(content) unique(vapply(content$ops, function(case) case$fn, ""))

for (fn in functions_of(goldens("ops"))) {
  test_that(paste0(fn, "() has Keras's values and gradients"), {
    content <- goldens("ops")
    for (case in Filter(function(case) case$fn == fn, content$ops)) {
      expect_op(case, content$read, "float64", 1e-5)
      expect_op(case, content$read, "float32", 1e-4)
    }
  })
}
