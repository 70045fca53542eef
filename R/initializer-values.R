# How the values of an initializer are made: functions of the shape and the config, by class.
initializer_draws <- list(
  Zeros = function(shape) 0,
  Ones = function(shape) 1,
  Constant = function(shape, value) {
    if (length(value) != 1L && !identical(as.integer(shape_of_array(value)), shape)) {
      refuse_initial_values("`value` of the initializer does not have the shape of the weights.", shape, value)
    }
    value
  },
  RandomNormal = function(shape, mean, stddev) stats::rnorm(prod(shape), mean, stddev),
  RandomUniform = function(shape, minval, maxval) stats::runif(prod(shape), minval, maxval),
  TruncatedNormal = function(shape, mean, stddev) mean + stddev * truncated_normal(prod(shape)),
  VarianceScaling = function(shape, ...) scaled_draws(shape, ...),
  GlorotUniform = function(shape) scaled_draws(shape, 1, "fan_avg", "uniform"),
  GlorotNormal = function(shape) scaled_draws(shape, 1, "fan_avg", "normal"),
  HeUniform = function(shape) scaled_draws(shape, 2, "fan_in", "uniform"),
  HeNormal = function(shape) scaled_draws(shape, 2, "fan_in", "normal"),
  LecunUniform = function(shape) scaled_draws(shape, 1, "fan_in", "uniform"),
  LecunNormal = function(shape) scaled_draws(shape, 1, "fan_in", "normal"),
  Orthogonal = function(shape, gain) gain * orthogonal_matrix(shape),
  Identity = function(shape, gain) {
    if (length(shape) != 2L) {
      abort_argument("The identity initializer makes matrices only.", expected = "weights with two dimensions",
                     received = format_shape(shape))
    }
    gain * diag(1, shape[1], shape[2])
  }
)

# An array of doubles with dim = shape.
initializer_values <- function(init, shape) {
  shape <- as.integer(shape)
  if (is.function(init)) return(values_of_function(init, shape))
  config <- init$config
  values <- with_seed(config$seed, {
    do.call(initializer_draws[[init$class_name]], c(list(shape), config[names(config) != "seed"]))
  })
  shaped(as.double(values), shape)
}

values_of_function <- function(init, shape) {
  takes_dtype <- "dtype" %in% names(formals(init))
  values <- if (takes_dtype) init(shape, dtype = the$floatx) else init(shape)
  if (is_tensor(values)) values <- k_get_value(values)
  if (!is.numeric(values) || !length(values) %in% c(1L, prod(shape)) || anyNA(values)) {
    refuse_initial_values("The initializer function did not return the weights.", shape, values)
  }
  shaped(as.double(values), shape)
}

shaped <- function(values, shape) if (length(shape)) array(values, shape) else values

refuse_initial_values <- function(problem, shape, values) {
  abort_argument(problem, expected = sprintf("one number, or numbers of shape %s", format_shape(shape)),
                 received = describe(values))
}

# Inputs and outputs of one unit, as Keras counts them from the last two dimensions.
fans <- function(shape) {
  n <- length(shape)
  if (n < 2L) return(list(fan_in = max(1, shape), fan_out = max(1, shape)))
  receptive <- prod(shape[seq_len(n - 2L)])
  list(fan_in = receptive * shape[n - 1L], fan_out = receptive * shape[n])
}

scaled_draws <- function(shape, scale, mode, distribution) {
  fans <- fans(shape)
  variance <- scale / max(1, if (mode == "fan_avg") (fans$fan_in + fans$fan_out) / 2 else fans[[mode]])
  n <- prod(shape)
  switch(distribution,
    uniform = stats::runif(n, -sqrt(3 * variance), sqrt(3 * variance)),
    untruncated_normal = stats::rnorm(n, 0, sqrt(variance)),
    # Cutting at two standard deviations leaves 0.8796 of one.
    sqrt(variance) / 0.87962566103423978 * truncated_normal(n)
  )
}

# Standard normal within two standard deviations, through the inverse of its distribution function.
truncated_normal <- function(n) stats::qnorm(stats::runif(n, stats::pnorm(-2), stats::pnorm(2)))

# Columns (or rows, where there are fewer) of unit length at right angles, directions evenly distributed.
orthogonal_matrix <- function(shape) {
  if (length(shape) < 2L) {
    abort_argument("The orthogonal initializer needs weights with at least two dimensions.",
                   expected = "two or more dimensions", received = format_shape(shape))
  }
  columns <- shape[length(shape)]
  rows <- prod(shape[-length(shape)])
  normal <- matrix(stats::rnorm(rows * columns), max(rows, columns), min(rows, columns))
  q <- cpp_orthonormal(normal)
  if (rows < columns) t(q) else q
}

# Runs code with R's random numbers started from `seed`, and puts them back.
with_seed <- function(seed, code) {
  if (is.null(seed)) return(code)
  before <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit({
    if (is.null(before)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", before, envir = globalenv())
  })
  set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
  code
}
