#' Long short-term memory
#'
#' With the gates \eqn{i, f, o} and the candidate \eqn{g}, each of its own part of the kernels,
#' \deqn{i, f, o = \sigma(x_t W + h_{t-1} U + b), \quad g = a(x_t W + h_{t-1} U + b),}{
#'   i, f, o = sigma(x[t] W + h[t-1] U + b), g = a(x[t] W + h[t-1] U + b),}
#' \deqn{c_t = f c_{t-1} + i g, \quad h_t = o\, a(c_t).}{c[t] = f c[t-1] + i g, h[t] = o a(c[t]).}
#'
#' @inheritParams layer_dense
#' @param units Integer, the size of the states and of the output.
#' @param activation The activation \eqn{a} of the equations: a name, a function, or `NULL` for none.
#' @param recurrent_activation The activation \eqn{\sigma}{sigma} of the gates, likewise.
#' @param return_sequences Whether to return the output of every step, `(samples, steps, units)`, or of the last one.
#' @param return_state Whether to return the last states, too: the layer then gives a list of the output and the states.
#' @param go_backwards Whether to begin with the last step. Outputs come in the order in which they are computed.
#' @param stateful Whether a batch begins with the states that the batch before left, sample by sample. Needs a fixed
#'   number of samples (`batch_input_shape`); see [reset_states()].
#' @param unroll For Keras's signature: steps are always unrolled when their number is known.
#' @param recurrent_initializer,recurrent_regularizer,recurrent_constraint As those of the kernel, for the recurrent
#'   kernel, which multiplies the state.
#' @param unit_forget_bias Whether the bias of the forget gate begins at 1.
#' @param dropout,recurrent_dropout Share of the input and of the state to drop in training, in `[0, 1]`. Each gate has
#'   a mask of its own, which stays the same over all steps.
#' @param ... Empty: arguments behind it have to be written out.
#' @param seed A whole number that decides the dropout masks; `NULL` lets `set.seed()` decide.
#'
#' @section Input shape: `(samples, steps, features)`; the number of steps may be unknown. Called on a list, the layer
#'   takes the tensors behind the first as initial states.
#' @section Output shape: `(samples, units)`, or `(samples, steps, units)` with `return_sequences`.
#' @section Errors: `convnet_error_argument` for sizes below 1, dropout outside `[0, 1]`, another number of initial
#'   states, or `stateful` without a fixed number of samples; `convnet_error_shape` for inputs of other dimensions.
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor otherwise. The kernels are
#'   `(features, gates * units)` and `(units, gates * units)`, the gates in the order input, forget, candidate, output.
#' @references Hochreiter, S. and Schmidhuber, J. (1997), *Long short-term memory*, Neural Computation 9(8).
#' @family recurrent layers
#' @examples
#' model <- keras_model_sequential(input_shape = c(10, 3)) %>%
#'   layer_lstm(8, return_sequences = TRUE) %>%
#'   layer_lstm(4)
#' model$output_shape
#' @export
layer_lstm <- function(object, units, activation = "tanh", recurrent_activation = "hard_sigmoid", use_bias = TRUE,
                       return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE,
                       unroll = FALSE, kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                       bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL,
                       recurrent_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                       kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0,
                       recurrent_dropout = 0, input_shape = NULL, batch_input_shape = NULL, batch_size = NULL,
                       dtype = NULL, name = NULL, trainable = NULL, weights = NULL, ..., seed = NULL) {
  create_layer("LSTM", object, layer_args())
}

# c and h from the four gates, side by side.
lstm_states <- function(self, z, c) {
  gates <- parts_of(z, 4)
  gate <- function(g) activate(self$recurrent_activation, gates[[g]])
  c <- gate(2) * c + gate(1) * activate(self$activation, gates[[3]])
  h <- gate(4) * activate(self$activation, c)
  list(h, list(h, c))
}

lstm_cell <- list(
  gates = 4, n_states = 2, spatial = 0,
  project = function(self, x, parts) {
    z <- gated(matmul, x, self$kernel, parts)
    if (self$use_bias) z + self$bias else z
  },
  step = function(self, z, states, masks) {
    h <- states[[1]]
    lstm_states(self, z + gated(matmul, h, self$recurrent_kernel, masked(h, masks)), states[[2]])
  }
)

register_layer_class(
  "LSTM",
  init = init_recurrent,
  build = build_recurrent(lstm_cell, function(self, features) {
    add_recurrent_weights(self, lstm_cell, features, self$units)
    open_forget_gate(self, self$units + seq_len(self$units))
  }),
  call = recurrent_call(lstm_cell),
  compute_mask = recurrent_mask
)
