#' Initial weights
#'
#' Say how the weights of a layer begin: `kernel_initializer = initializer_he_normal()`, or by name,
#' `kernel_initializer = "he_normal"`. A function of the shape that returns an array is an initializer, too.
#'
#' @param value Value of all weights, or an array of the shape of the weights.
#' @param mean,stddev Mean and standard deviation.
#' @param minval,maxval Range.
#' @param scale,mode,distribution Variance scaling: the variance is `scale / n`, with n the number of inputs of a unit
#'   (`"fan_in"`), of its outputs (`"fan_out"`) or the mean of both (`"fan_avg"`). Draws come from a normal distribution
#'   cut at two standard deviations (`"normal"`, the same as `"truncated_normal"`), from one that is not cut
#'   (`"untruncated_normal"`), or from a uniform one (`"uniform"`).
#' @param gain Factor of the matrix.
#' @param seed `NULL` (default) draws from R's random numbers, so that [set.seed()] repeats a run. A whole number makes
#'   this initializer give the same values each time, and leaves R's random numbers as they were.
#'
#' @return An initializer: plain data, which prints as the call that makes it.
#'
#' @section Which is which:
#' | name | weights |
#' |---|---|
#' | `"zeros"`, `"ones"`, `"constant"` | one value |
#' | `"random_normal"` (`"normal"`) | normal |
#' | `"random_uniform"` (`"uniform"`) | uniform |
#' | `"truncated_normal"` | normal, drawn again beyond two standard deviations |
#' | `"glorot_uniform"`, `"glorot_normal"` | variance scaling, `scale` 1, `"fan_avg"` |
#' | `"he_uniform"`, `"he_normal"` | variance scaling, `scale` 2, `"fan_in"`: for relu |
#' | `"lecun_uniform"`, `"lecun_normal"` | variance scaling, `scale` 1, `"fan_in"`: for selu |
#' | `"orthogonal"` | a matrix with orthonormal columns or rows, of random direction |
#' | `"identity"` | the identity matrix; for two dimensions only |
#'
#' Inputs and outputs of a unit are counted as Keras counts them: the last two dimensions of the kernel, times the
#' number of positions of the kernel. A transposed convolution, whose kernel ends in (filters, channels), counts its
#' filters as inputs.
#'
#' @section Errors:
#' `convnet_error_argument` where an argument is out of range, and, when weights are made, where `"identity"` meets
#' another number of dimensions than two, `"orthogonal"` fewer than two, or an array does not have the shape of the
#' weights.
#' @references
#' Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks. He, Zhang, Ren
#' and Sun (2015), \doi{10.48550/arXiv.1502.01852}. Saxe, McClelland and Ganguli (2014),
#' \doi{10.48550/arXiv.1312.6120} (orthogonal).
#' @family initializers
#' @name initializer_glorot_uniform
#' @export
#' @examples
#' initializer_he_normal(seed = 1)
#' layer_dense(units = 4, kernel_initializer = initializer_orthogonal(gain = 2))
#' layer_dense(units = 4, bias_initializer = "ones")
#' layer_dense(units = 4, bias_initializer = function(shape) array(seq_len(shape)))
initializer_glorot_uniform <- function(seed = NULL) initializer("glorot_uniform", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_glorot_normal <- function(seed = NULL) initializer("glorot_normal", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_he_uniform <- function(seed = NULL) initializer("he_uniform", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_he_normal <- function(seed = NULL) initializer("he_normal", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_uniform <- function(seed = NULL) initializer("lecun_uniform", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_normal <- function(seed = NULL) initializer("lecun_normal", seed = seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_variance_scaling <- function(scale = 1, mode = c("fan_in", "fan_out", "fan_avg"),
                                         distribution = c("normal", "uniform", "truncated_normal",
                                                          "untruncated_normal"),
                                         seed = NULL) {
  check_number(scale, "scale", lower = 0)
  first_of <- function(x, arg) check_choice(first_choice(x), eval(formals(initializer_variance_scaling)[[arg]]), arg)
  initializer("variance_scaling", scale = scale, mode = first_of(mode, "mode"),
              distribution = first_of(distribution, "distribution"), seed = seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_zeros <- function() initializer("zeros")

#' @rdname initializer_glorot_uniform
#' @export
initializer_ones <- function() initializer("ones")

#' @rdname initializer_glorot_uniform
#' @export
initializer_constant <- function(value = 0) {
  if (!is.numeric(value) || !length(value) || anyNA(value)) {
    abort_argument("`value` must be numbers without NA.", expected = "a number or an array", received = describe(value))
  }
  initializer("constant", value = value)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_random_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  initializer("random_normal", mean = check_number(mean, "mean"),
              stddev = check_number(stddev, "stddev", lower = 0), seed = seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_truncated_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  initializer("truncated_normal", mean = check_number(mean, "mean"),
              stddev = check_number(stddev, "stddev", lower = 0), seed = seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_random_uniform <- function(minval = -0.05, maxval = 0.05, seed = NULL) {
  check_number(minval, "minval")
  initializer("random_uniform", minval = minval, maxval = check_number(maxval, "maxval", lower = minval),
              seed = seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_orthogonal <- function(gain = 1, seed = NULL) {
  initializer("orthogonal", gain = check_number(gain, "gain"), seed = seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_identity <- function(gain = 1) initializer("identity", gain = check_number(gain, "gain"))

initializer <- function(name, ...) {
  config <- list(...)
  if (!is.null(config$seed) && !is_whole(config$seed)) {
    abort_argument("`seed` must be one whole number or NULL.", received = describe(config$seed))
  }
  structure(list(class_name = initializer_classes[[name]], config = config),
            class = c("convnet_initializer", "convnet_member"))
}

# Keras's class of each initializer, by the name of its function.
initializer_classes <- c(
  zeros = "Zeros", ones = "Ones", constant = "Constant", random_normal = "RandomNormal",
  random_uniform = "RandomUniform", truncated_normal = "TruncatedNormal", variance_scaling = "VarianceScaling",
  orthogonal = "Orthogonal", identity = "Identity", lecun_normal = "LecunNormal", glorot_normal = "GlorotNormal",
  glorot_uniform = "GlorotUniform", he_normal = "HeNormal", he_uniform = "HeUniform", lecun_uniform = "LecunUniform"
)

initializer_aliases <- c(
  zero = "zeros", one = "ones", normal = "random_normal", uniform = "random_uniform",
  identity_initializer = "identity"
)

# An initializer object, or a function of somebody else.
get_initializer <- function(x) {
  if (inherits(x, "convnet_initializer")) return(x)
  name <- if (is.function(x)) {
    member_of(x, "initializer_", names(initializer_classes))
  } else {
    find_member(x, "an initializer", names(initializer_classes), initializer_aliases)
  }
  if (is.null(name)) x else member_function("initializer_", name)()
}

#' @export
format.convnet_initializer <- function(x, ...) {
  name <- names(initializer_classes)[initializer_classes == x$class_name]
  format_member(paste0("initializer_", name), x$config)
}
