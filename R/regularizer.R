#' Penalties on weights and outputs
#'
#' Give one to `kernel_regularizer`, `bias_regularizer` or `activity_regularizer` of a layer, by name (`"l2"`) or as an
#' object. Its value is added to the loss that training minimises; for the output of a layer it is divided by the number
#' of samples. A function of a tensor that returns a tensor is a regularizer, too.
#'
#' @param l,l1,l2 Factors: `l1` of the sum of absolute values, `l2` of the sum of squares. `l` is the one factor of
#'   `regularizer_l1()` and `regularizer_l2()`.
#'
#' @return A regularizer: plain data, which prints as the call that makes it.
#' @section Errors:
#' `convnet_error_argument` where a factor is negative or no number.
#' @family regularizers
#' @export
#' @examples
#' regularizer_l2(0.001)
#' layer_dense(units = 4, kernel_regularizer = regularizer_l1_l2(l1 = 0.01, l2 = 0.1))
#' layer_dense(units = 4, kernel_regularizer = function(w) 0.1 * k_sum(k_square(w - 1)))
regularizer_l1 <- function(l = 0.01, l1 = l) regularizer("L1", l1 = l1)

#' @rdname regularizer_l1
#' @export
regularizer_l2 <- function(l = 0.01, l2 = l) regularizer("L2", l2 = l2)

#' @rdname regularizer_l1
#' @export
regularizer_l1_l2 <- function(l1 = 0.01, l2 = 0.01) regularizer("L1L2", l1 = l1, l2 = l2)

regularizer <- function(class_name, ...) {
  config <- list(...)
  for (arg in names(config)) check_number(config[[arg]], arg, lower = 0)
  structure(list(class_name = class_name, config = config), class = c("convnet_regularizer", "convnet_member"))
}

regularizer_names <- c("l1", "l2", "l1_l2")

# NULL, a regularizer object, or a function of somebody else.
get_regularizer <- function(x) {
  if (is.null(x) || inherits(x, "convnet_regularizer")) return(x)
  name <- if (is.function(x)) {
    member_of(x, "regularizer_", regularizer_names)
  } else {
    find_member(x, "a regularizer", regularizer_names)
  }
  if (is.null(name)) x else member_function("regularizer_", name)()
}

# The penalty as a tensor without dimensions.
regularization <- function(regularizer, tensor) {
  if (is.function(regularizer)) return(k_sum(regularizer(tensor)))
  factors <- regularizer$config
  terms <- c(
    if (isTRUE(factors$l1 > 0)) list(factors$l1 * k_sum(k_abs(tensor))),
    if (isTRUE(factors$l2 > 0)) list(factors$l2 * k_sum(k_square(tensor)))
  )
  if (length(terms)) Reduce(`+`, terms) else as_tensor(0, tensor$dtype)
}

#' @export
format.convnet_regularizer <- function(x, ...) {
  name <- switch(x$class_name, L1 = "l1", L2 = "l2", L1L2 = "l1_l2")
  format_member(paste0("regularizer_", name), x$config)
}
