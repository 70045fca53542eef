#' Fully connected recurrent layer
#'
#' The output is the state: \eqn{h_t = a(x_t W + h_{t-1} U + b)}{h[t] = a(x[t] W + h[t-1] U + b)}.
#'
#' @inheritParams layer_lstm
#' @param activation The activation \eqn{a}: a name, a function, or `NULL` for none.
#' @inheritSection layer_lstm Input shape
#' @inheritSection layer_lstm Output shape
#' @inheritSection layer_lstm Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor otherwise. The kernels are
#'   `(features, units)` and `(units, units)`.
#' @family recurrent layers
#' @examples
#' keras_model_sequential(input_shape = c(10, 3)) %>% layer_simple_rnn(8)
#' @export
layer_simple_rnn <- function(object, units, activation = "tanh", use_bias = TRUE, return_sequences = FALSE,
                             return_state = FALSE, go_backwards = FALSE, stateful = FALSE, unroll = FALSE,
                             kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                             bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                             bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                             recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                             input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                             name = NULL, trainable = NULL, weights = NULL, ..., seed = NULL) {
  create_layer("SimpleRNN", object, layer_args())
}

simple_rnn_cell <- list(
  gates = 1, n_states = 1, spatial = 0,
  project = lstm_cell$project,
  step = function(self, z, states, masks) {
    h <- states[[1]]
    h <- activate(self$activation, z + gated(matmul, h, self$recurrent_kernel, masked(h, masks)))
    list(h, list(h))
  }
)

register_layer_class(
  "SimpleRNN",
  init = init_recurrent,
  build = build_recurrent(simple_rnn_cell, function(self, features) {
    add_recurrent_weights(self, simple_rnn_cell, features, self$units)
  }),
  call = recurrent_call(simple_rnn_cell),
  compute_mask = recurrent_mask
)
