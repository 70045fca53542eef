#' Group normalization
#'
#' Splits the channels into groups and normalises each group of each sample, over its
#' channels and all other dimensions but the samples:
#' \deqn{y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta.}{
#'   y = gamma (x - mu) / sqrt(sigma^2 + epsilon) + beta.}
#' One group is like [layer_layer_normalization()] over all dimensions, as many groups as
#' channels is instance normalization. Unlike [layer_batch_normalization()] it does not
#' depend on the other samples.
#'
#' @inheritParams layer_dense
#' @param groups Number of groups; it divides the number of channels. -1: as many groups
#'   as channels.
#' @param axis The channel dimension, counted from 0 as in Keras; -1 is the last.
#' @param epsilon Small number added to the variance.
#' @param center,scale Whether to learn \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @param beta_initializer,gamma_initializer How the weights begin.
#' @param beta_regularizer,gamma_regularizer,beta_constraint,gamma_constraint
#'   Penalties and constraints of \eqn{\beta}{beta} and \eqn{\gamma}{gamma}.
#' @section Input shape: Any, the channel dimension known.
#' @section Output shape: That of the input.
#' @section Errors: `convnet_error_argument` for groups that do not divide the channels and
#'   an `axis` that the input does not have, `convnet_error_shape` when the channels are
#'   unknown.
#' @return A layer, model or tensor, as [layer_dense()]. The weights gamma and beta have one
#'   value a channel.
#' @references Wu, Y. and He, K. (2018), *Group normalization*, \doi{10.48550/arXiv.1803.08494}.
#' @family normalization layers
#' @examples
#' keras_model_sequential(input_shape = c(8, 8, 16)) %>% layer_group_normalization(groups = 4)
#' @export
layer_group_normalization <- function(object, groups = 32L, axis = -1L, epsilon = 0.001, center = TRUE,
                                      scale = TRUE, beta_initializer = "zeros", gamma_initializer = "ones",
                                      beta_regularizer = NULL, gamma_regularizer = NULL,
                                      beta_constraint = NULL, gamma_constraint = NULL, input_shape = NULL,
                                      batch_input_shape = NULL, batch_size = NULL, dtype = NULL, name = NULL,
                                      trainable = NULL, weights = NULL) {
  create_layer("GroupNormalization", object, layer_args())
}

register_layer_class(
  "GroupNormalization",
  supports_masking = TRUE,
  init = function(args) {
    args$axis <- check_whole(unlist(args$axis), "axis")
    if (!identical(as.double(unlist(args$groups)), -1)) args$groups <- check_counts(args$groups, "groups")
    init_normalization(args)
  },
  build = function(self, input_shape) {
    axis <- normalization_axes(self$axis, length(input_shape))
    channels <- known_extents(input_shape, axis)
    if (self$groups > 0 && channels %% self$groups != 0) {
      abort_argument("`groups` must divide the channels of the input.",
                     expected = paste("channels that are a multiple of", self$groups),
                     received = paste(channels, "channels"))
    }
    add_scale_and_offset(self, channels)
  },
  call = function(self, inputs) {
    rank <- length(inputs$shape)
    axis <- normalization_axes(self$axis, rank)
    channels <- known_extents(inputs$shape, axis)
    groups <- if (self$groups > 0) self$groups else channels
    # Channels last, split in two dimensions: (..., groups, channels of a group). 0 keeps an extent.
    others <- setdiff(seq_len(rank) - 1, axis)
    x <- if (axis == rank - 1) inputs else transpose(inputs, c(others, axis))
    split <- reshape(x, c(rep(0, rank - 1), groups, channels / groups))
    y <- reshape(standardized(split, c(seq_len(rank - 2), rank), self$epsilon), c(rep(0, rank - 1), channels))
    if (axis != rank - 1) y <- transpose(y, order(c(others, axis)) - 1)
    scale_and_offset(self, y, axis)
  })
