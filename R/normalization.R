# What the normalization layers share.

init_normalization <- function(args) {
  args$epsilon <- check_number(args$epsilon, "epsilon", 0)
  args$center <- check_flag(args$center, "center")
  args$scale <- check_flag(args$scale, "scale")
  init_weights(args)
}

check_whole_axes <- function(axis) {
  values <- unlist(axis)
  if (!is.numeric(values) || length(values) == 0) {
    abort_argument("`axis` must be whole numbers.", expected = "a whole number, or several", received = describe(axis))
  }
  vapply(values, check_whole, 1L, "axis")
}

# Axes counted from 0; the samples, 0, are none of them.
normalization_axes <- function(axis, rank) {
  axes <- ifelse(axis < 0, axis + rank, axis)
  if (any(axes < 1 | axes >= rank) || anyDuplicated(axes)) {
    abort_argument("`axis` is not a dimension of the input.",
                   expected = paste("a number from 1 to", rank - 1, "(counted from 0), or -1"),
                   received = format_sizes(axis))
  }
  sort(axes)
}

known_extents <- function(shape, axes) {
  extents <- shape[axes + 1]
  if (anyNA(extents)) {
    abort_shape("The dimension that is normalised must be known.",
                expected = paste("a known dimension", format_sizes(axes), "(counted from 0)"),
                received = paste("shape", format_shape(shape)))
  }
  extents
}

add_scale_and_offset <- function(self, shape) {
  if (self$scale) {
    self$gamma <- self$add_weight("gamma", shape, self$gamma_initializer, self$gamma_regularizer, self$gamma_constraint)
  }
  if (self$center) {
    self$beta <- self$add_weight("beta", shape, self$beta_initializer, self$beta_regularizer, self$beta_constraint)
  }
}

# (x - mean) / sqrt(variance + epsilon), both over these axes, counted from 0.
standardized <- function(x, axes, epsilon) {
  over <- list(axes = axes, keepdims = 1)
  centred <- x - emit("mean", list(x), over)
  centred * unary("rsqrt", emit("mean", list(k_square(centred)), over) + epsilon)
}

# Times gamma plus beta, which have the extents of these axes.
scale_and_offset <- function(self, x, axes) {
  along <- function(weight) k_reshape(weight, replace(rep(1, length(x$shape)), axes + 1, weight$shape))
  if (self$scale) x <- x * along(self$gamma)
  if (self$center) x <- x + along(self$beta)
  x
}
