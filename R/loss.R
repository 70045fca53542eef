#' Losses
#'
#' Give one to [compile()], by name (`loss = "mse"`), as a function (`loss = loss_huber`) or with arguments
#' (`loss = loss_huber(delta = 2)`). Called on true and predicted values a loss gives the value of each sample, so that
#' it can serve inside a loss of your own, which is any function of `(y_true, y_pred)` that returns a tensor.
#'
#' @param y_true True values: a tensor or array of the shape of `y_pred`. For `loss_sparse_categorical_crossentropy()`
#'   class labels, whole numbers from 0, without the axis of the classes or with size 1 there.
#' @param y_pred Predicted values: a tensor or array, samples first.
#' @param from_logits `FALSE` (default): `y_pred` are probabilities; `TRUE`: they are what goes into sigmoid or softmax.
#' @param label_smoothing Between 0 (default) and 1: how far true values are moved towards equal probabilities.
#' @param axis Axis of the classes or features, counted from 1; -1 (default) is the last one.
#' @param delta Error at which the Huber loss turns from a square into a line, 1 (default).
#'
#' @return With `y_true` and `y_pred` a tensor: the loss along the last axis, so one number a sample for predictions of
#'   two axes. Without them a loss object for [compile()]. Training minimises the mean.
#'
#' @section Losses:
#' With t true and p predicted values, means and sums along the last axis:
#'
#' | function | other names | value |
#' |---|---|---|
#' | `loss_mean_squared_error()` | `"mse"` | mean((p - t)^2) |
#' | `loss_mean_absolute_error()` | `"mae"` | mean(abs(p - t)) |
#' | `loss_mean_absolute_percentage_error()` | `"mape"` | 100 mean(abs((t - p) / t)) |
#' | `loss_mean_squared_logarithmic_error()` | `"msle"` | mean((log(1 + p) - log(1 + t))^2) |
#' | `loss_huber()` | | mean of e^2 / 2 for errors e up to `delta`, of `delta` (e - `delta` / 2) beyond |
#' | `loss_logcosh()`, `loss_log_cosh()` | | mean(log(cosh(p - t))) |
#' | `loss_poisson()` | | mean(p - t log(p)) |
#' | `loss_binary_crossentropy()` | `"bce"` | -mean(t log(p) + (1 - t) log(1 - p)) |
#' | `loss_categorical_crossentropy()` | | -sum(t log(p)), p divided by its sum |
#' | `loss_sparse_categorical_crossentropy()` | | -log(p of the true class) |
#' | `loss_kullback_leibler_divergence()` | `"kld"` | sum(t log(t / p)) |
#' | `loss_hinge()` | | mean(max(1 - t p, 0)), t being -1 and 1 (0 and 1 are translated) |
#' | `loss_squared_hinge()` | | mean(max(1 - t p, 0)^2) |
#' | `loss_categorical_hinge()` | | max(largest p of a wrong class - p of the true one + 1, 0) |
#' | `loss_cosine_similarity()`, `loss_cosine_proximity()` | `"cosine"` | minus the cosine of the angle between t and p
#' |
#'
#' Probabilities are kept between [k_epsilon()] and 1 - [k_epsilon()], divisors and arguments of logarithms above
#' [k_epsilon()].
#'
#' @section Errors:
#' `convnet_error_shape` where true and predicted values differ in shape, `convnet_error_argument` where an argument is
#' out of range.
#' @references
#' Huber (1964), Robust Estimation of a Location Parameter, \doi{10.1214/aoms/1177703732}. Szegedy, Vanhoucke, Ioffe,
#' Shlens and Wojna (2016), \doi{10.48550/arXiv.1512.00567} (label smoothing).
#' @family losses
#' @name loss_mean_squared_error
#' @export
#' @examples
#' y_true <- rbind(c(0, 1), c(1, 0))
#' y_pred <- rbind(c(0.2, 0.8), c(0.4, 0.6))
#' loss_mean_squared_error(y_true, y_pred)
#' loss_binary_crossentropy(y_true, y_pred, label_smoothing = 0.1)
#' loss_sparse_categorical_crossentropy(c(1, 0), y_pred)
#'
#' model <- keras_model_sequential(input_shape = 4) %>% layer_dense(1)
#' model %>% compile(optimizer = "sgd", loss = loss_huber(delta = 2))
#'
#' # A loss of your own:
#' weighted <- function(y_true, y_pred) {
#'   loss_mean_squared_error(y_true, y_pred) + 0.1 * k_mean(k_abs(y_pred), axis = -1)
#' }
#' model %>% compile(optimizer = "sgd", loss = weighted)
loss_mean_squared_error <- function(y_true, y_pred) loss("mean_squared_error", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_error <- function(y_true, y_pred) loss("mean_absolute_error", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_percentage_error <- function(y_true, y_pred) {
  loss("mean_absolute_percentage_error", y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_squared_logarithmic_error <- function(y_true, y_pred) {
  loss("mean_squared_logarithmic_error", y_true, y_pred)
}

#' @rdname loss_mean_squared_error
#' @export
loss_huber <- function(y_true, y_pred, delta = 1) loss("huber", y_true, y_pred, delta = delta)

#' @rdname loss_mean_squared_error
#' @export
loss_logcosh <- function(y_true, y_pred) loss("logcosh", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_log_cosh <- loss_logcosh

#' @rdname loss_mean_squared_error
#' @export
loss_poisson <- function(y_true, y_pred) loss("poisson", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1) {
  loss("binary_crossentropy", y_true, y_pred, from_logits = from_logits, label_smoothing = label_smoothing, axis = axis)
}

#' @rdname loss_mean_squared_error
#' @export
loss_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1) {
  loss("categorical_crossentropy", y_true, y_pred, from_logits = from_logits, label_smoothing = label_smoothing,
       axis = axis)
}

#' @rdname loss_mean_squared_error
#' @export
loss_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, axis = -1) {
  loss("sparse_categorical_crossentropy", y_true, y_pred, from_logits = from_logits, axis = axis)
}

#' @rdname loss_mean_squared_error
#' @export
loss_kullback_leibler_divergence <- function(y_true, y_pred) loss("kullback_leibler_divergence", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_hinge <- function(y_true, y_pred) loss("hinge", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_squared_hinge <- function(y_true, y_pred) loss("squared_hinge", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_categorical_hinge <- function(y_true, y_pred) loss("categorical_hinge", y_true, y_pred)

#' @rdname loss_mean_squared_error
#' @export
loss_cosine_similarity <- function(y_true, y_pred, axis = -1) loss("cosine_similarity", y_true, y_pred, axis = axis)

#' @rdname loss_mean_squared_error
#' @export
loss_cosine_proximity <- loss_cosine_similarity

# A loss object is plain data: the name of a formula and arguments for it, or a user's own function. Called with both
# tensors a loss_*() function applies it at once.
loss <- function(name, y_true, y_pred, ...) {
  loss <- new_loss(name, check_loss_config(list(...)))
  if (missing(y_true) && missing(y_pred)) return(loss)
  loss_per_sample(loss, y_true, y_pred)
}

new_loss <- function(name, config = list(), fn = NULL) {
  structure(list(name = name, config = config, fn = fn), class = c("convnet_loss", "convnet_member"))
}

check_loss_config <- function(config) {
  given <- names(config)
  if ("from_logits" %in% given) check_flag(config$from_logits, "from_logits")
  if ("label_smoothing" %in% given) check_number(config$label_smoothing, "label_smoothing", 0, 1)
  if ("delta" %in% given) check_number(config$delta, "delta", lower = 0)
  config
}

get_loss <- function(x) {
  if (inherits(x, "convnet_loss")) return(x)
  if (!is.function(x)) return(new_loss(find_member(x, "a loss", names(loss_formulas), loss_aliases)))
  name <- member_of(x, "loss_", names(loss_formulas))
  if (is.null(name)) new_loss("custom", fn = x) else new_loss(name)
}

loss_name <- function(loss) loss$name

is_builtin_loss <- function(loss) is.null(loss$fn)

# The value of each sample; a user's own function may return a tensor of any shape.
loss_per_sample <- function(loss, y_true, y_pred) {
  if (!is_builtin_loss(loss)) return(check_result(loss$fn(y_true, y_pred), "The loss function"))
  apply_formula(loss_formulas[[loss$name]], loss$name, loss$config, y_true, y_pred)
}

check_result <- function(value, what) {
  if (is_tensor(value) || is.numeric(value)) return(as_tensor(value))
  abort_argument(paste(what, "did not return a tensor."), expected = "a tensor or a number", received = describe(value),
                 remedy = "Compute with operators and k_ functions, and return the result.")
}

# Losses and metrics alike: labels as they are, other values in the dtype and shape of the predictions.
apply_formula <- function(formula, name, config, y_true, y_pred) {
  y_pred <- float_tensor(y_pred)
  if (!startsWith(name, "sparse_")) y_true <- matched(like(y_true, y_pred), y_pred, name)
  do.call(formula, c(list(y_true, y_pred), config))
}

# y of shape (n) fits predictions of shape (n, 1), and the other way round. Nothing else is stretched: what NumPy would
# do with (n) and (n, m) is never what was meant. A single number fits everything.
matched <- function(y_true, y_pred, name) {
  t <- y_true$shape
  p <- y_pred$shape
  if (length(t) == 0L || length(p) == 0L) return(y_true)
  if (length(t) == length(p) - 1L && p[length(p)] %in% 1L) {
    y_true <- k_expand_dims(y_true)
  } else if (length(t) == length(p) + 1L && t[length(t)] %in% 1L) {
    y_true <- k_squeeze(y_true, -1)
  }
  t <- y_true$shape
  if (length(t) != length(p) || any(t != p, na.rm = TRUE)) {
    labels <- startsWith(name, "categorical_") && prod(t[-1]) %in% 1
    abort_shape("True and predicted values have different shapes.",
                expected = sprintf("`y_true` of shape %s, as `y_pred`", format_shape(p)), received = format_shape(t),
                remedy = if (labels) sprintf("For class labels use to_categorical(), or \"sparse_%s\".", name))
  }
  y_true
}

#' @export
format.convnet_loss <- function(x, ...) {
  if (is_builtin_loss(x)) format_member(paste0("loss_", x$name), x$config) else "loss of your own"
}
