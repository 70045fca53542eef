#' Gated recurrent unit
#'
#' With the gates \eqn{z, r} and the candidate \eqn{g},
#' \deqn{z, r = \sigma(x_t W + h_{t-1} U + b), \quad h_t = z h_{t-1} + (1 - z) g,}{
#'   z, r = sigma(x[t] W + h[t-1] U + b), h[t] = z h[t-1] + (1 - z) g,}
#' where \eqn{g = a(x_t W + (r h_{t-1}) U + b)}{g = a(x[t] W + (r h[t-1]) U + b)}, or with `reset_after`
#' \eqn{g = a(x_t W + b + r (h_{t-1} U + b'))}{g = a(x[t] W + b + r (h[t-1] U + b'))}.
#'
#' @inheritParams layer_lstm
#' @param reset_after Whether the reset gate applies after the product with the recurrent kernel, as in cuDNN. The bias
#'   is then `(2, 3 * units)`: that of the input, and that of the state.
#' @inheritSection layer_lstm Input shape
#' @inheritSection layer_lstm Output shape
#' @inheritSection layer_lstm Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor otherwise. The kernels are
#'   `(features, 3 * units)` and `(units, 3 * units)`, in the order update gate, reset gate, candidate.
#' @references Cho, K. et al. (2014), *Learning phrase representations using RNN encoder-decoder for statistical machine
#'   translation*, \doi{10.48550/arXiv.1406.1078}.
#' @family recurrent layers
#' @examples
#' keras_model_sequential(input_shape = list(NULL, 3)) %>% layer_gru(8)
#' @export
layer_gru <- function(object, units, activation = "tanh", recurrent_activation = "hard_sigmoid", use_bias = TRUE,
                      return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE,
                      unroll = FALSE, reset_after = FALSE, kernel_initializer = "glorot_uniform",
                      recurrent_initializer = "orthogonal", bias_initializer = "zeros", kernel_regularizer = NULL,
                      recurrent_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                      kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0,
                      recurrent_dropout = 0, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                      dtype = NULL, name = NULL, trainable = NULL, weights = NULL, ..., seed = NULL) {
  create_layer("GRU", object, layer_args())
}

# The bias of the input (1) or of the state (2): rows of a matrix, also where the
# weight is a vector of both.
gru_bias <- function(self, which) {
  if (!self$reset_after) return(self$bias)
  size <- 3 * self$units
  emit("slice", list(k_flatten(self$bias)), list(begin = (which - 1) * size, size = size))
}

gru_cell <- list(
  gates = 3, n_states = 1, spatial = 0,
  project = function(self, x, parts) {
    z <- gated(matmul, x, self$kernel, parts)
    if (self$use_bias) z + gru_bias(self, 1) else z
  },
  step = function(self, z, states, masks) {
    h <- states[[1]]
    hs <- masked(h, masks)
    made <- if (self$reset_after) gru_reset_after(self, z, h, hs) else gru_reset_before(self, z, hs %||% list(h, h, h))
    h <- made$update * h + (1 - made$update) * made$candidate
    list(h, list(h))
  }
)

gru_reset_after <- function(self, z, h, hs) {
  inner <- gated(matmul, h, self$recurrent_kernel, hs)
  if (self$use_bias) inner <- inner + gru_bias(self, 2)
  z <- parts_of(z, 3)
  inner <- parts_of(inner, 3)
  gate <- function(g) activate(self$recurrent_activation, z[[g]] + inner[[g]])
  list(update = gate(1), candidate = activate(self$activation, z[[3]] + gate(2) * inner[[3]]))
}

gru_reset_before <- function(self, z, hs) {
  z <- parts_of(z, 3)
  kernels <- parts_of(self$recurrent_kernel, 3)
  gate <- function(g) activate(self$recurrent_activation, z[[g]] + matmul(hs[[g]], kernels[[g]]))
  list(update = gate(1), candidate = activate(self$activation, z[[3]] + matmul(gate(2) * hs[[3]], kernels[[3]])))
}

register_layer_class(
  "GRU",
  init = init_recurrent,
  build = build_recurrent(gru_cell, function(self, features) {
    size <- 3L * self$units
    add_recurrent_weights(self, gru_cell, features, self$units, bias = if (self$reset_after) c(2L, size) else size)
  }),
  call = recurrent_call(gru_cell),
  compute_mask = recurrent_mask
)
