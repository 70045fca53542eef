# Names that `activation =` takes; the function of each is activation_<name>().
activation_names <- c(
  "relu", "elu", "selu", "hard_sigmoid", "linear", "sigmoid", "softmax", "softplus", "softsign", "tanh",
  "exponential", "gelu", "silu", "leaky_relu", "mish", "relu6", "log_softmax"
)
activation_aliases <- c(swish = "silu")

# NULL, a known name as it was written, or a function of somebody else.
get_activation <- function(x) {
  if (is.null(x)) return(NULL)
  if (is.function(x)) return(member_of(x, "activation_", activation_names) %||% x)
  name <- find_member(x, "an activation", activation_names, activation_aliases)
  if (x %in% names(activation_aliases)) x else name
}

activate <- function(activation, tensor) {
  if (is.null(activation)) return(tensor)
  if (is.function(activation)) return(activation(tensor))
  name <- find_member(activation, "an activation", activation_names, activation_aliases)
  member_function("activation_", name)(tensor)
}
