#' A model from a function
#'
#' A model that computes what a function of the user's says: `model_fn(self)` makes layers, keeps them in `self`, and
#' returns a function of the inputs. Such a model is compiled, trained, saved and used as a layer as every other one is;
#' it is built when it first sees data.
#'
#' @param model_fn Function of `self` that returns the function `call(inputs, mask, training)`, of which `mask` and
#'   `training` are optional. Layers that it assigns to `self`, also in lists, are the layers of the model; variables
#'   ([k_variable()]) are weights of its own.
#' @param name Name of the model; made up when `NULL`.
#' @param classname Name of the class.
#' @param initialize,call,... Methods as for [Layer()]; `initialize()` makes the layers.
#' @param public,private,inherit,parent_env See [Layer()].
#' @return `keras_model_custom()` a model; `new_model_class()` a function of the arguments of `initialize()`, and `name`,
#'   that returns one.
#' @section Errors: `convnet_error_function` when a function of yours fails: its error is the `parent` of the condition.
#' @family models
#' @examples
#' model <- keras_model_custom(name = "mlp", function(self) {
#'   self$hidden <- layer_dense(units = 8, activation = "relu")
#'   self$drop <- layer_dropout(rate = 0.2)
#'   self$out <- layer_dense(units = 1)
#'   function(inputs, mask = NULL) inputs %>% self$hidden() %>% self$drop() %>% self$out()
#' })
#' model %>% compile("adam", "mse")
#' model %>% fit(matrix(rnorm(40), 20), rnorm(20), epochs = 1, verbose = 0)
#' count_params(model)
#' @export
keras_model_custom <- function(model_fn, name = NULL) {
  check_function(model_fn, "model_fn", "a function of `self` that returns a function")
  model <- new_custom_model("Model", name)
  data <- environment(model)
  data$definition <- list(model_fn = without_source(model_fn))
  call <- with_where(label_of(model), with_user_code("`model_fn`", data$definition$model_fn(model)))
  if (!is.function(call)) {
    abort_argument("`model_fn` did not return a function.", where = label_of(model),
                   expected = "a function of the inputs", received = describe(call))
  }
  data$methods <- list(call = without_source(call))
  model
}

#' @rdname keras_model_custom
#' @export
new_model_class <- function(classname, initialize = NULL, call = NULL, ..., public = list(), private = list(),
                            inherit = KerasLayer, parent_env = parent.frame()) {
  public <- c(Filter(Negate(is.null), list(initialize = initialize, call = call)), list(...), public)
  definition <- class_definition(new_class(classname, public, private, inherit, parent_env))
  function(..., name = NULL) model_of_class(definition, list(...), name)
}

model_of_class <- function(definition, arguments, name) {
  model <- new_custom_model(definition$class_name, name)
  data <- environment(model)
  data$definition <- definition
  data$config <- packed(arguments)
  with_where(label_of(model), bind_class(model, definition, arguments))
  model
}

new_custom_model <- function(class_name, name) {
  if (!is.null(name)) check_string(name, "name")
  new_model(class_name, name %||% auto_name(snake_case(class_name)), class = "keras_model_custom")
}

custom_model_from_config <- function(config) {
  definition <- attr(config, "definition")
  model <- if (is.null(definition$levels)) keras_model_custom(definition$model_fn, config$name)
           else model_of_class(definition, config$arguments, config$name)
  environment(model)$trainable <- config$trainable
  model
}
