#' Run a recurrent layer in both directions
#'
#' @inheritParams layer_dense
#' @param layer A recurrent layer: LSTM, GRU, simple RNN or ConvLSTM. It reads the sequence forwards; a layer of the same
#'   configuration with weights of its own reads it backwards.
#' @param merge_mode How the two outputs become one: `"concat"` along the last axis, `"sum"`, `"mul"`, `"ave"`, or `NULL`
#'   for a list of both.
#' @param backward_layer The layer that reads backwards, in the place of the copy.
#' @section Input shape: That of the layer. Initial states, as `initial_state` or in a list of inputs, are those of the
#'   layer that reads forwards, then those of the other.
#' @section Output shape: That of the layer, with twice as many features for `"concat"`. Outputs of all steps are in the
#'   order of the steps.
#' @section Errors: `convnet_error_argument` when `layer` is not recurrent, `merge_mode` is not known, or
#'   `backward_layer` does not read backwards.
#' @return A layer, model or tensor, as [layer_dense()]. The weights are those of the layer that reads forwards, then
#'   those of the other.
#' @references Schuster, M. and Paliwal, K. K. (1997), *Bidirectional recurrent neural networks*, IEEE Transactions on
#'   Signal Processing 45(11).
#' @family recurrent layers
#' @examples
#' keras_model_sequential(input_shape = c(10, 3)) %>%
#'   bidirectional(layer_lstm(units = 8), merge_mode = "sum")
#' @export
bidirectional <- function(object, layer, merge_mode = "concat", input_shape = NULL, batch_input_shape = NULL,
                          batch_size = NULL, dtype = NULL, name = NULL, trainable = NULL, weights = NULL,
                          backward_layer = NULL) {
  create_layer("Bidirectional", object, layer_args())
}

check_recurrent <- function(layer, arg) {
  check_layer(layer, arg)
  if (is.null(layer$go_backwards)) {
    abort_argument(paste0("`", arg, "` must be a recurrent layer."), expected = "layer_lstm(units = 8), for example",
                   received = describe(layer))
  }
}

# A layer like this one that reads the other way.
turned_layer <- function(layer) {
  config <- get_config(layer)
  config$go_backwards <- !config$go_backwards
  config$name <- paste0("backward_", config$name)
  from_config(config)
}

merge_directions <- function(mode, forward, backward) {
  if (is.null(mode)) return(list(forward, backward))
  switch(mode,
    concat = k_concatenate(list(forward, backward)),
    sum = forward + backward,
    mul = forward * backward,
    ave = (forward + backward) / 2
  )
}

register_layer_class(
  "Bidirectional",
  init = function(args) {
    check_recurrent(args$layer, "layer")
    if (!is.null(args$merge_mode)) check_choice(args$merge_mode, c("concat", "sum", "mul", "ave"), "merge_mode")
    if (!is.null(args$backward_layer)) {
      check_recurrent(args$backward_layer, "backward_layer")
      if (args$backward_layer$go_backwards == args$layer$go_backwards) {
        abort_argument("`backward_layer` reads in the direction of `layer`.",
                       expected = paste("go_backwards =", !args$layer$go_backwards),
                       received = paste("go_backwards =", args$layer$go_backwards))
      }
    }
    args
  },
  build = function(self, input_shape) {
    self$forward_layer <- self$layer
    self$backward_layer <- self$backward_layer %||% turned_layer(self$layer)
    for (layer in list(self$forward_layer, self$backward_layer)) build_instance(layer, input_shape)
  },
  call = function(self, inputs, mask = NULL, initial_state = NULL) {
    states <- as_list(initial_state %||% list())
    if (is.list(inputs)) {
      states <- c(inputs[-1], states)
      inputs <- inputs[[1]]
    }
    half <- seq_len(length(states) %/% 2)
    run <- function(layer, states) {
      as_list(if (length(states)) layer(inputs, mask = mask, initial_state = states) else layer(inputs, mask = mask))
    }
    forward <- run(self$forward_layer, states[half])
    backward <- run(self$backward_layer, states[setdiff(seq_along(states), half)])
    if (self$forward_layer$return_sequences) {
      reversed <- if (self$forward_layer$go_backwards) forward else backward
      reversed[[1]] <- reversed_steps(reversed[[1]])
      if (self$forward_layer$go_backwards) forward <- reversed else backward <- reversed
    }
    merged <- merge_directions(self$merge_mode, forward[[1]], backward[[1]])
    if (!self$forward_layer$return_state) return(merged)
    c(as_list(merged), forward[-1], backward[-1])
  },
  compute_mask = function(self, inputs, mask) {
    mask <- if (self$forward_layer$return_sequences) first_mask(mask)
    if (is.null(self$merge_mode)) list(mask, mask) else mask
  }
)

reversed_steps <- function(x) k_rnn(function(now, states) list(now, list()), x, list(), go_backwards = TRUE)$outputs
