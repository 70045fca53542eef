#' Optimizers
#'
#' How [compile()] and [fit()] change weights \eqn{w} along gradients \eqn{g}.
#' Stochastic gradient descent: \eqn{v \leftarrow \mu v - \eta g}{v <- mu v - eta g},
#' \eqn{w \leftarrow w + v}{w <- w + v}, with Nesterov's look-ahead
#' \eqn{w \leftarrow w + \mu v - \eta g}{w <- w + mu v - eta g}. RMSprop divides by a moving root mean
#' square of the gradient; Adam uses moving first and second moments with bias
#' correction. Adagrad divides by the root of the sum of all squared gradients,
#' Adadelta by a moving one and multiplies by the same of its steps, Adamax divides
#' by a moving maximum, Nadam is Adam with Nesterov's look-ahead.
#'
#' @param lr,learning_rate Step size \eqn{\eta}{eta}; two names of one argument.
#' @param momentum Weight \eqn{\mu}{mu} of the previous step, in `[0, 1]`.
#' @param decay The learning rate of step \eqn{t} (from 0) is
#'   \eqn{\eta / (1 + decay \cdot t)}{eta / (1 + decay * t)}.
#' @param nesterov Use Nesterov momentum.
#' @param clipnorm Gradients of a weight with a larger Euclidean norm are scaled
#'   down to it.
#' @param clipvalue Gradients are clipped to `[-clipvalue, clipvalue]`.
#' @param global_clipnorm As `clipnorm`, for the norm over all weights together.
#' @param weight_decay Before each step weights are multiplied by
#'   \eqn{1 - \eta \cdot}{1 - eta *} `weight_decay`.
#' @return An optimizer for [compile()], which works on its own copy.
#' @section Errors: `convnet_error_argument` for values out of range.
#' @references Tieleman, T. and Hinton, G. (2012), *Lecture 6.5: RMSprop*,
#'   COURSERA. Kingma, D. and Ba, J. (2015), *Adam: a method for stochastic
#'   optimization*, ICLR. Reddi, S., Kale, S. and Kumar, S. (2018), *On the
#'   convergence of Adam and beyond*, ICLR (`amsgrad`). Duchi, J., Hazan, E. and
#'   Singer, Y. (2011), *Adaptive subgradient methods*, JMLR 12. Zeiler, M. (2012),
#'   *ADADELTA: an adaptive learning rate method*, arXiv 1212.5701. Dozat, T. (2016),
#'   *Incorporating Nesterov momentum into Adam*, ICLR workshop.
#' @family optimizers
#' @examples
#' optimizer_sgd(lr = 0.1, momentum = 0.9, nesterov = TRUE)
#' optimizer_adam(learning_rate = 1e-3, clipnorm = 1)
#' @name optimizers
NULL

#' @rdname optimizers
#' @export
optimizer_sgd <- function(lr = 0.01, momentum = 0, decay = 0, nesterov = FALSE, clipnorm = NULL,
                          clipvalue = NULL, learning_rate = lr, weight_decay = NULL,
                          global_clipnorm = NULL) {
  new_optimizer("SGD", learning_rate, decay, clipnorm, clipvalue, weight_decay, global_clipnorm,
                momentum = check_number(momentum, "momentum", 0, 1),
                nesterov = check_flag(nesterov, "nesterov"))
}

#' @rdname optimizers
#' @param rho Weight of the old mean square.
#' @param epsilon Small number that keeps divisions safe; [k_epsilon()] when `NULL`.
#' @param centered Subtract the squared moving mean of the gradient.
#' @export
optimizer_rmsprop <- function(lr = 0.001, rho = 0.9, epsilon = NULL, decay = 0, clipnorm = NULL,
                              clipvalue = NULL, learning_rate = lr, momentum = 0,
                              centered = FALSE, weight_decay = NULL, global_clipnorm = NULL) {
  new_optimizer("RMSprop", learning_rate, decay, clipnorm, clipvalue, weight_decay,
                global_clipnorm, rho = check_number(rho, "rho", 0, 1),
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0),
                momentum = check_number(momentum, "momentum", 0, 1),
                centered = check_flag(centered, "centered"))
}

#' @rdname optimizers
#' @param beta_1,beta_2 Weights of the old first and second moment.
#' @param amsgrad Divide by the largest second moment so far.
#' @export
optimizer_adam <- function(lr = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = NULL, decay = 0,
                           amsgrad = FALSE, clipnorm = NULL, clipvalue = NULL,
                           learning_rate = lr, weight_decay = NULL, global_clipnorm = NULL) {
  new_optimizer("Adam", learning_rate, decay, clipnorm, clipvalue, weight_decay, global_clipnorm,
                beta_1 = check_number(beta_1, "beta_1", 0, 1),
                beta_2 = check_number(beta_2, "beta_2", 0, 1),
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0),
                amsgrad = check_flag(amsgrad, "amsgrad"))
}

#' @rdname optimizers
#' @param initial_accumulator_value What the sum of squares begins with.
#' @export
optimizer_adagrad <- function(lr = 0.01, epsilon = NULL, decay = 0, clipnorm = NULL, clipvalue = NULL,
                              learning_rate = lr, initial_accumulator_value = 0.1,
                              weight_decay = NULL, global_clipnorm = NULL) {
  new_optimizer("Adagrad", learning_rate, decay, clipnorm, clipvalue, weight_decay, global_clipnorm,
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0),
                initial_accumulator_value = check_number(initial_accumulator_value, "initial_accumulator_value", 0))
}

#' @rdname optimizers
#' @export
optimizer_adadelta <- function(lr = 1, rho = 0.95, epsilon = NULL, decay = 0, clipnorm = NULL, clipvalue = NULL,
                               learning_rate = lr, weight_decay = NULL, global_clipnorm = NULL) {
  new_optimizer("Adadelta", learning_rate, decay, clipnorm, clipvalue, weight_decay, global_clipnorm,
                rho = check_number(rho, "rho", 0, 1),
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0))
}

#' @rdname optimizers
#' @export
optimizer_adamax <- function(lr = 0.002, beta_1 = 0.9, beta_2 = 0.999, epsilon = NULL, decay = 0, clipnorm = NULL,
                             clipvalue = NULL, learning_rate = lr, weight_decay = NULL, global_clipnorm = NULL) {
  new_optimizer("Adamax", learning_rate, decay, clipnorm, clipvalue, weight_decay, global_clipnorm,
                beta_1 = check_number(beta_1, "beta_1", 0, 1),
                beta_2 = check_number(beta_2, "beta_2", 0, 1),
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0))
}

#' @rdname optimizers
#' @param schedule_decay Nadam's momentum of step \eqn{t} (from 1) is
#'   \eqn{\beta_1 (1 - 0.96^{t \cdot schedule\_decay} / 2)}; newer versions of Keras have 1.
#' @export
optimizer_nadam <- function(lr = 0.002, beta_1 = 0.9, beta_2 = 0.999, epsilon = NULL, schedule_decay = 0.004,
                            clipnorm = NULL, clipvalue = NULL, learning_rate = lr, weight_decay = NULL,
                            global_clipnorm = NULL) {
  new_optimizer("Nadam", learning_rate, 0, clipnorm, clipvalue, weight_decay, global_clipnorm,
                beta_1 = check_number(beta_1, "beta_1", 0, 1),
                beta_2 = check_number(beta_2, "beta_2", 0, 1),
                epsilon = check_number(epsilon %||% the$epsilon, "epsilon", 0),
                schedule_decay = check_number(schedule_decay, "schedule_decay", 0))
}

# An environment: `model$optimizer$learning_rate <- 1e-4` changes the model's.
new_optimizer <- function(class_name, learning_rate, decay, clipnorm, clipvalue, weight_decay,
                          global_clipnorm, ...) {
  optional <- function(x, arg) if (is.null(x)) 0 else check_number(x, arg, 0)
  optimizer <- new.env(parent = emptyenv())
  optimizer$config <- list(
    class_name = class_name, learning_rate = check_number(learning_rate, "learning_rate", 0),
    decay = check_number(decay, "decay", 0), clipnorm = optional(clipnorm, "clipnorm"),
    clipvalue = optional(clipvalue, "clipvalue"),
    weight_decay = optional(weight_decay, "weight_decay"),
    global_clipnorm = optional(global_clipnorm, "global_clipnorm"), ...)
  optimizer$iterations <- 0
  optimizer$slots <- NULL  # a list of storages for each trained variable
  class(optimizer) <- "keras_optimizer"
  optimizer
}

get_optimizer <- function(x) {
  known <- list(sgd = optimizer_sgd, rmsprop = optimizer_rmsprop, adam = optimizer_adam, adagrad = optimizer_adagrad,
                adadelta = optimizer_adadelta, adamax = optimizer_adamax, nadam = optimizer_nadam)
  if (inherits(x, "keras_optimizer")) return(copy_optimizer(x))
  if (!is_string(x)) {
    abort_argument("This is not an optimizer.",
                   expected = "an optimizer such as optimizer_adam(), or its name", received = describe(x),
                   remedy = if (is.function(x)) "Call the function: optimizer_adam().")
  }
  known[[check_choice(tolower(x), names(known), "optimizer")]]()
}

copy_optimizer <- function(optimizer) {
  copy <- new.env(parent = emptyenv())
  copy$config <- optimizer$config
  copy$iterations <- 0
  copy$slots <- NULL
  class(copy) <- "keras_optimizer"
  copy
}

# State of the optimizer for these variables, at first zero, or where Adagrad begins.
optimizer_slots <- function(optimizer, variables) {
  count <- cpp_optimizer_slots(optimizer$config)
  slots <- optimizer$slots
  if (length(slots) == length(variables) && all(lengths(slots) == count)) return(slots)
  start <- optimizer$initial_accumulator_value %||% 0
  optimizer$slots <- lapply(variables, function(v) {
    lapply(seq_len(count), function(i) {
      cpp_variable_storage(rep(start, prod(v$shape)), v$shape, v$dtype)
    })
  })
}

#' @export
`$.keras_optimizer` <- function(x, name) {
  field <- .subset2(x, name)
  if (is.null(field)) .subset2(x, "config")[[if (identical(name, "lr")) "learning_rate" else name]] else field
}

#' @export
`$<-.keras_optimizer` <- function(x, name, value) {
  config <- get("config", x)
  if (identical(name, "lr")) name <- "learning_rate"
  if (name %in% names(config)) {
    config[[name]] <- if (is.logical(config[[name]])) check_flag(value, name) else check_number(value, name, 0)
    assign("config", config, x)
  } else {
    if (!name %in% c("iterations", "slots")) {
      abort_argument("There is no such setting of the optimizer.", where = x$config$class_name,
                     expected = paste("one of", quoted(names(config)[-1])), received = quoted(name),
                     remedy = suggest(name, names(config)))
    }
    assign(name, if (name == "iterations") check_number(value, name, 0) else value, x)
  }
  x
}

#' @export
print.keras_optimizer <- function(x, ...) {
  config <- Filter(function(v) !identical(v, 0), x$config[-1])
  cat("<optimizer ", x$config$class_name, ": ",
      paste0(names(config), " = ", vapply(config, format, "", digits = 4), collapse = ", "),
      "; ", format(x$iterations, big.mark = ","), " steps>\n", sep = "")
  invisible(x)
}
