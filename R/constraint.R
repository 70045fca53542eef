#' Constraints on weights
#'
#' Give one to `kernel_constraint` or `bias_constraint` of a layer, by name (`"nonneg"`) or as an object. After each
#' step of training the weights are moved to the nearest ones that fulfil it. A function of a tensor that returns the
#' tensor as it should be is a constraint, too.
#'
#' @param max_value,min_value Largest and smallest norm of the weights of one unit.
#' @param rate How far the norm is moved into its range at each step: 1 (default) all the way, 0 not at all.
#' @param axis Axes of the kernel along which norms are taken, counted from 0 as in Keras for R: 0 (default) for
#'   [layer_dense()], whose kernel is (inputs, units); `c(0, 1, 2)` for [layer_conv_2d()], whose kernel is (rows,
#'   columns, inputs, filters).
#'
#' @return A constraint: plain data, which prints as the call that makes it.
#' @section Errors:
#' `convnet_error_argument` where an argument is out of range; when the layer is trained, where the kernel lacks an
#' axis.
#' @references
#' Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout: A Simple Way to Prevent Neural Networks
#' from Overfitting, Journal of Machine Learning Research 15, 1929-1958 (maximal norm).
#' @family constraints
#' @export
#' @examples
#' constraint_maxnorm(2)
#' layer_conv_2d(filters = 4, kernel_size = 3,
#'               kernel_constraint = constraint_unitnorm(axis = c(0, 1, 2)))
#' layer_dense(units = 4, bias_constraint = "nonneg")
#' layer_dense(units = 4, kernel_constraint = function(w) k_clip(w, -1, 1))
constraint_maxnorm <- function(max_value = 2, axis = 0) {
  constraint("MaxNorm", max_value = check_number(max_value, "max_value", lower = 0), axis = axis)
}

#' @rdname constraint_maxnorm
#' @export
constraint_nonneg <- function() constraint("NonNeg")

#' @rdname constraint_maxnorm
#' @export
constraint_unitnorm <- function(axis = 0) constraint("UnitNorm", axis = axis)

#' @rdname constraint_maxnorm
#' @export
constraint_minmaxnorm <- function(min_value = 0, max_value = 1, rate = 1, axis = 0) {
  check_number(min_value, "min_value", lower = 0)
  constraint("MinMaxNorm", min_value = min_value, max_value = check_number(max_value, "max_value", lower = min_value),
             rate = check_number(rate, "rate", 0, 1), axis = axis)
}

constraint <- function(class_name, ...) {
  config <- list(...)
  axis <- unlist(config$axis)
  if (!is.null(config$axis)) {
    if (!is.numeric(axis) || anyNA(axis) || any(axis != round(axis)) || anyDuplicated(axis)) {
      abort_argument("`axis` must be different whole numbers.", expected = "axes of the kernel, counted from 0",
                     received = describe(config$axis))
    }
    config$axis <- axis
  }
  structure(list(class_name = class_name, config = config), class = c("convnet_constraint", "convnet_member"))
}

constraint_names <- c("maxnorm", "nonneg", "unitnorm", "minmaxnorm")

# NULL, a constraint object, or a function of somebody else.
get_constraint <- function(x) {
  if (is.null(x) || inherits(x, "convnet_constraint")) return(x)
  if (inherits(x, "KerasConstraint")) return(without_source(x$call))
  name <- if (is.function(x)) {
    member_of(x, "constraint_", constraint_names)
  } else {
    find_member(x, "a constraint", constraint_names)
  }
  if (is.null(name)) x else member_function("constraint_", name)()
}

constrain <- function(constraint, tensor) {
  if (is.function(constraint)) return(constraint(tensor))
  config <- constraint$config
  norm <- if (!is.null(config$axis)) {
    k_sqrt(k_sum(k_square(tensor), axis_from_zero(config$axis, tensor), keepdims = TRUE))
  }
  rescaled <- function(wanted) tensor * (wanted / (norm + the$epsilon))
  switch(constraint$class_name,
    NonNeg = k_relu(tensor),
    UnitNorm = rescaled(1),
    MaxNorm = rescaled(k_minimum(norm, config$max_value)),
    MinMaxNorm = rescaled(config$rate * k_clip(norm, config$min_value, config$max_value) + (1 - config$rate) * norm)
  )
}

#' @export
format.convnet_constraint <- function(x, ...) {
  format_member(paste0("constraint_", tolower(x$class_name)), x$config)
}
