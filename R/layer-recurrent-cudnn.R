#' LSTM and GRU as cuDNN computes them
#'
#' The arithmetic of [layer_lstm()] and of [layer_gru()] with `reset_after = TRUE`, with the activations tanh and sigmoid
#' and two biases, one of the input and one of the state, in one vector. They run wherever the package does.
#'
#' @inheritParams layer_lstm
#' @inheritSection layer_lstm Input shape
#' @inheritSection layer_lstm Output shape
#' @inheritSection layer_lstm Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor otherwise. The kernels are
#'   those of [layer_lstm()] and [layer_gru()]; the bias has `8 * units` or `6 * units` numbers.
#' @family recurrent layers
#' @examples
#' keras_model_sequential(input_shape = c(10, 3)) %>% layer_cudnn_lstm(8)
#' @export
layer_cudnn_lstm <- function(object, units, kernel_initializer = "glorot_uniform",
                             recurrent_initializer = "orthogonal", bias_initializer = "zeros", unit_forget_bias = TRUE,
                             kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
                             activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
                             bias_constraint = NULL, return_sequences = FALSE, return_state = FALSE, stateful = FALSE,
                             input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                             name = NULL, trainable = NULL, weights = NULL) {
  create_layer("CuDNNLSTM", object, layer_args())
}

#' @rdname layer_cudnn_lstm
#' @export
layer_cudnn_gru <- function(object, units, kernel_initializer = "glorot_uniform",
                            recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                            kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
                            activity_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
                            bias_constraint = NULL, return_sequences = FALSE, return_state = FALSE, stateful = FALSE,
                            input_shape = NULL, batch_input_shape = NULL, batch_size = NULL, dtype = NULL,
                            name = NULL, trainable = NULL, weights = NULL) {
  create_layer("CuDNNGRU", object, layer_args())
}

cudnn_settings <- list(activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE, reset_after = TRUE,
                       go_backwards = FALSE, dropout = 0, recurrent_dropout = 0)

init_cudnn <- function(args) init_recurrent(utils::modifyList(args, cudnn_settings))

cudnn_lstm_cell <- utils::modifyList(lstm_cell, list(
  project = function(self, x, parts) {
    biases <- parts_of(self$bias, 2)
    matmul(x, self$kernel) + (biases[[1]] + biases[[2]])
  }
))

register_layer_class(
  "CuDNNLSTM",
  init = init_cudnn,
  build = build_recurrent(cudnn_lstm_cell, function(self, features) {
    add_recurrent_weights(self, cudnn_lstm_cell, features, self$units, bias = 8L * self$units)
    open_forget_gate(self, 5 * self$units + seq_len(self$units))
  }),
  call = recurrent_call(cudnn_lstm_cell),
  compute_mask = recurrent_mask
)

register_layer_class(
  "CuDNNGRU",
  init = init_cudnn,
  build = build_recurrent(gru_cell, function(self, features) {
    add_recurrent_weights(self, gru_cell, features, self$units, bias = 6L * self$units)
  }),
  call = recurrent_call(gru_cell),
  compute_mask = recurrent_mask
)
