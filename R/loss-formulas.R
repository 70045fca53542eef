# What each loss computes from two tensors of one dtype and shape: a value for each sample, the last axis reduced.
# The table is also the list of the known losses.
loss_formulas <- list(
  mean_squared_error = function(y_true, y_pred) k_mean(k_square(y_pred - y_true), -1),
  mean_absolute_error = function(y_true, y_pred) k_mean(k_abs(y_pred - y_true), -1),
  mean_absolute_percentage_error = function(y_true, y_pred) {
    100 * k_mean(k_abs((y_true - y_pred) / k_maximum(k_abs(y_true), the$epsilon)), -1)
  },
  mean_squared_logarithmic_error = function(y_true, y_pred) {
    logarithm <- function(y) log(k_maximum(y, the$epsilon) + 1)
    k_mean(k_square(logarithm(y_pred) - logarithm(y_true)), -1)
  },
  squared_hinge = function(y_true, y_pred) {
    k_mean(k_square(k_relu(1 - plus_or_minus_one(y_true) * y_pred)), -1)
  },
  hinge = function(y_true, y_pred) k_mean(k_relu(1 - plus_or_minus_one(y_true) * y_pred), -1),
  categorical_hinge = function(y_true, y_pred) {
    k_relu(k_max((1 - y_true) * y_pred, -1) - k_sum(y_true * y_pred, -1) + 1)
  },
  # log(cosh(e)) = e + softplus(-2 e) - log(2), without overflow.
  logcosh = function(y_true, y_pred) {
    error <- y_pred - y_true
    k_mean(error + k_softplus(-2 * error) - log(2), -1)
  },
  # Quadratic up to delta, linear beyond, joined smoothly.
  huber = function(y_true, y_pred, delta = 1) {
    size <- k_abs(y_pred - y_true)
    quadratic <- k_minimum(size, delta)
    k_mean(0.5 * k_square(quadratic) + delta * (size - quadratic), -1)
  },
  categorical_crossentropy = function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1) {
    if (label_smoothing > 0) {
      classes <- y_pred$shape[[as_axis(axis, k_ndim(y_pred), single = TRUE) + 1L]]
      y_true <- y_true * (1 - label_smoothing) + label_smoothing / classes
    }
    k_categorical_crossentropy(y_true, y_pred, from_logits, axis)
  },
  sparse_categorical_crossentropy = function(y_true, y_pred, from_logits = FALSE, axis = -1) {
    k_sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
  },
  binary_crossentropy = function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1) {
    if (label_smoothing > 0) y_true <- y_true * (1 - label_smoothing) + label_smoothing / 2
    k_mean(k_binary_crossentropy(y_true, y_pred, from_logits), axis)
  },
  kullback_leibler_divergence = function(y_true, y_pred) {
    y_true <- k_clip(y_true, the$epsilon, 1)
    k_sum(y_true * log(y_true / k_clip(y_pred, the$epsilon, 1)), -1)
  },
  poisson = function(y_true, y_pred) k_mean(y_pred - y_true * log(y_pred + the$epsilon), -1),
  cosine_similarity = function(y_true, y_pred, axis = -1) -cosine(y_true, y_pred, axis)
)

loss_aliases <- c(
  mse = "mean_squared_error", mae = "mean_absolute_error", mape = "mean_absolute_percentage_error",
  msle = "mean_squared_logarithmic_error", kld = "kullback_leibler_divergence",
  kl_divergence = "kullback_leibler_divergence", bce = "binary_crossentropy", log_cosh = "logcosh",
  cosine = "cosine_similarity", cosine_proximity = "cosine_similarity", huber_loss = "huber"
)

# Of the cosine of the angle between two vectors.
cosine <- function(y_true, y_pred, axis = -1) {
  k_sum(k_l2_normalize(y_true, axis) * k_l2_normalize(y_pred, axis), axis)
}

# Labels 0 and 1 become -1 and 1; any other labels stay, as in Keras.
plus_or_minus_one <- function(y_true) {
  is_binary <- k_min(k_cast((y_true == 0) | (y_true == 1), y_true$dtype)) > 0
  select(is_binary, 2 * y_true - 1, y_true)
}
