#' Functions of Keras for R that have nothing to do here
#'
#' Scripts written for Keras for R install Python packages, choose a Python implementation and ask whether it is there.
#' The network runs in R and C++ here, so these functions return at once and say why nothing is needed. Their
#' arguments are those of Keras for R; none has an effect.
#'
#' @param method,conda,version,tensorflow,extra_packages,... Not used.
#' @param implementation,backend Not used.
#'
#' @return `is_keras_available()` is `TRUE`. The others return `NULL`, invisibly, and give a message.
#' @seealso [use_session_with_seed()]
#' @family compatibility
#' @name install_keras
#' @export
#' @examples
#' install_keras()
#' is_keras_available()
#' use_backend("tensorflow")
install_keras <- function(method = c("auto", "virtualenv", "conda"), conda = "auto", version = "default",
                          tensorflow = "default", extra_packages = c("tensorflow-hub"), ...) {
  say_not_needed("Nothing to install: convnet is complete in itself and needs neither Python nor TensorFlow.")
}

#' @rdname install_keras
#' @export
is_keras_available <- function(version = NULL) TRUE

#' @rdname install_keras
#' @export
use_implementation <- function(implementation = c("keras", "tensorflow")) {
  say_not_needed("No implementation to choose: convnet has one, its own, in R and C++.")
}

#' @rdname install_keras
#' @export
use_backend <- function(backend = c("tensorflow", "cntk", "theano", "plaidml")) {
  say_not_needed("No backend to choose: convnet computes in its own C++ code.")
}

#' Fix the random numbers
#'
#' Calls [set.seed()], which is all that is needed: initial weights, the order of the samples and dropout follow from it,
#' and results are the same for any number of threads. Nothing has to be switched off for that.
#'
#' @param seed Seed: one whole number.
#' @param disable_gpu,disable_parallel_cpu Not used: kept from Keras for R.
#' @param quiet `TRUE` for no message.
#'
#' @return `NULL`, invisibly.
#' @section Errors: `convnet_error_argument` for a `seed` that is not one whole number.
#' @seealso [set.seed()]
#' @family compatibility
#' @export
#' @examples
#' use_session_with_seed(42)
#' runif(1)
#' set.seed(42)
#' runif(1)
use_session_with_seed <- function(seed, disable_gpu = TRUE, disable_parallel_cpu = TRUE, quiet = FALSE) {
  set.seed(check_counts(seed, "seed", lower = -.Machine$integer.max))
  if (!check_flag(quiet, "quiet")) {
    say_not_needed("Called `set.seed()`, which is enough: results repeat with any number of threads.")
  }
  invisible()
}

#' A model as raw bytes
#'
#' Scripts kept models in data bases or R objects in this form, because `saveRDS()` lost them. Here [saveRDS()] and
#' [serialize()] keep a model as they keep other objects, and these functions are the same with Keras's arguments.
#'
#' @param model A model; for `unserialize_model()` what `serialize_model()` returned.
#' @param include_optimizer,compile Keep what [compile()] set, and the state of the optimizer.
#' @param custom_objects Not used: layers and functions of your own are in the bytes.
#' @return `serialize_model()` a raw vector, `unserialize_model()` a model.
#' @section Errors: `convnet_error_argument` for what is not a model, or not such bytes.
#' @family compatibility
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2) %>% layer_dense(1)
#' bytes <- serialize_model(model)
#' same <- unserialize_model(bytes)
#' identical(predict(same, matrix(1, 1, 2)), predict(model, matrix(1, 1, 2)))
serialize_model <- function(model, include_optimizer = TRUE) {
  check_model(model, "model")
  bytes <- serialize(model, NULL)
  if (check_flag(include_optimizer, "include_optimizer")) bytes else serialize(uncompiled(unserialize(bytes)), NULL)
}

#' @rdname serialize_model
#' @export
unserialize_model <- function(model, custom_objects = NULL, compile = TRUE) {
  if (!is.raw(model)) {
    abort_argument("`model` must be raw bytes.", expected = "what serialize_model() returns", received = describe(model))
  }
  made <- unserialize(model)
  check_model(made, "model")
  if (check_flag(compile, "compile")) made else uncompiled(made)
}

uncompiled <- function(model) {
  assign("compiled", NULL, environment(model))
  model
}

say_not_needed <- function(message) cli::cli_inform(c(i = "{message}"))

#' A tuple
#'
#' Keras for R has `tuple()` for Python's lists that do not change. Here it is a list: wherever sizes or several values
#' are expected, `tuple(28, 28)`, `list(28, 28)` and, for numbers, `c(28, 28)` mean the same.
#'
#' @param ... Values. A single list stands for its elements.
#' @return A list of class `convnet_tuple`.
#' @family compatibility
#' @export
#' @examples
#' tuple(3, 3)
#' c(rows, columns) %<-% tuple(28, 28)
#' rows
tuple <- function(...) {
  values <- list(...)
  if (length(values) == 1L && is.list(values[[1L]])) values <- values[[1L]]
  structure(as.list(values), class = c("convnet_tuple", "list"))
}

format_element <- function(x) if (inherits(x, "convnet_tuple")) format(x) else paste(deparse(x), collapse = " ")

#' @export
format.convnet_tuple <- function(x, ...) {
  sprintf("tuple(%s)", paste(vapply(unclass(x), format_element, ""), collapse = ", "))
}

# What `%<-%` takes apart.
#' @importFrom zeallot destructure
#' @export
destructure.convnet_tuple <- function(x) unclass(x)

#' @export
print.convnet_tuple <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}
