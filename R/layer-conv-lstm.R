#' Convolutional LSTM
#'
#' An LSTM whose states are images: the products of [layer_lstm()] are convolutions. The input is convolved with the
#' kernel for all frames at once, the state with the recurrent kernel, frame by frame, with stride 1 and `"same"`
#' padding.
#'
#' @inheritParams layer_conv_2d
#' @inheritParams layer_lstm
#' @param filters Integer, the number of channels of the states and of the output.
#' @param return_sequences Whether to return the output of every frame, or of the last one.
#' @section Input shape: `(samples, frames, rows, columns, channels)`, or `(samples, frames, channels, rows, columns)`
#'   with `data_format = "channels_first"`; 1D has no columns, 3D has planes before the rows. The number of frames may
#'   be unknown. Called on a list, the layer takes the tensors behind the first as initial states.
#' @section Output shape: The images that [layer_conv_2d()] would make of one frame; with `return_sequences` one for
#'   each frame.
#' @inheritSection layer_lstm Errors
#' @return With `object` missing a layer, callable on tensors and arrays; a model or tensor otherwise. The kernels are
#'   `(rows, columns, channels, 4 * filters)` and `(rows, columns, filters, 4 * filters)`, the gates in the order input,
#'   forget, candidate, output.
#' @references Shi, X. et al. (2015), *Convolutional LSTM network: a machine learning approach for precipitation
#'   nowcasting*, \doi{10.48550/arXiv.1506.04214}.
#' @family convolutional layers
#' @examples
#' model <- keras_model_sequential(input_shape = list(NULL, 20, 20, 1)) %>%
#'   layer_conv_lstm_2d(filters = 4, kernel_size = c(3, 3), padding = "same", return_sequences = TRUE)
#' model$output_shape
#' @export
layer_conv_lstm_2d <- function(object, filters, kernel_size, strides = c(1L, 1L), padding = "valid", data_format = NULL,
                               dilation_rate = c(1L, 1L), activation = "tanh", recurrent_activation = "hard_sigmoid",
                               use_bias = TRUE, kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, return_sequences = FALSE,
                               go_backwards = FALSE, stateful = FALSE, dropout = 0, recurrent_dropout = 0,
                               batch_size = NULL, name = NULL, trainable = NULL, weights = NULL, input_shape = NULL,
                               ..., return_state = FALSE, batch_input_shape = NULL, dtype = NULL, seed = NULL) {
  create_layer("ConvLSTM2D", object, layer_args())
}

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                               dilation_rate = 1L, activation = "tanh", recurrent_activation = "hard_sigmoid",
                               use_bias = TRUE, kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, return_sequences = FALSE,
                               return_state = FALSE, go_backwards = FALSE, stateful = FALSE, dropout = 0,
                               recurrent_dropout = 0, input_shape = NULL, batch_input_shape = NULL,
                               batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL,
                               seed = NULL) {
  create_layer("ConvLSTM1D", object, layer_args())
}

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_3d <- function(object, filters, kernel_size, strides = c(1L, 1L, 1L), padding = "valid",
                               data_format = NULL, dilation_rate = c(1L, 1L, 1L), activation = "tanh",
                               recurrent_activation = "hard_sigmoid", use_bias = TRUE,
                               kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, return_sequences = FALSE,
                               return_state = FALSE, go_backwards = FALSE, stateful = FALSE, dropout = 0,
                               recurrent_dropout = 0, input_shape = NULL, batch_input_shape = NULL,
                               batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL,
                               seed = NULL) {
  create_layer("ConvLSTM3D", object, layer_args())
}

conv_lstm_cell <- function(n) {
  convolve <- function(attrs) function(x, kernel) emit("conv", list(x, kernel), attrs)
  recurrent <- convolve(list(strides = rep(1, n), padding = "same", dilation = rep(1, n), groups = 1))
  list(
    gates = 4, n_states = 2, spatial = n,
    project = function(self, x, parts) {
      z <- gated(convolve(window_attrs(self, groups = 1)), x, self$kernel, parts)
      if (self$use_bias) z + self$bias else z
    },
    step = function(self, z, states, masks) {
      h <- states[[1]]
      lstm_states(self, z + gated(recurrent, h, self$recurrent_kernel, masked(h, masks)), states[[2]])
    }
  )
}

register_conv_lstm <- function(n) {
  cell <- conv_lstm_cell(n)
  register_layer_class(
    paste0("ConvLSTM", n, "D"),
    init = function(args) {
      args$filters <- check_counts(args$filters, "filters")
      init_recurrent(check_conv_args(args, n))
    },
    build = build_recurrent(cell, function(self, channels) {
      add_recurrent_weights(self, cell, channels, self$filters, self$kernel_size)
      open_forget_gate(self, self$filters + seq_len(self$filters))
    }),
    call = recurrent_call(cell),
    compute_mask = recurrent_mask
  )
}

for (n in 1:3) register_conv_lstm(n)
rm(n)
