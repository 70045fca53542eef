# Models and data that several tests use.

# Every layer of the package but layer_input(); images of 8 x 8 x 1 to 16 numbers.
mixed_model <- function(optimizer = "adam", filters = 4, size = 8, dtype = k_floatx()) {
  before <- k_floatx()
  k_set_floatx(dtype)
  on.exit(k_set_floatx(before))
  model <- keras_model_sequential(input_shape = c(size, size, 1)) %>%
    layer_conv_2d(filters, 3, padding = "same", activation = "relu") %>%
    layer_batch_normalization() %>%
    layer_max_pooling_2d(2) %>%
    layer_dropout(0.3) %>%
    layer_conv_2d_transpose(filters, 3, strides = 2, padding = "same",
                            kernel_regularizer = regularizer_l2(0.01)) %>%
    layer_activation("tanh") %>%
    layer_flatten() %>%
    layer_dense(16, kernel_constraint = constraint_maxnorm(2)) %>%
    layer_reshape(c(4, 4))
  model %>% compile(optimizer = optimizer, loss = "mse", metrics = "mae")
  model
}

some_images <- function(n, size = 8) array(sin(seq_len(n * size * size)), c(n, size, size, 1))

some_targets <- function(n) array(cos(seq_len(n * 16)), c(n, 4, 4))

# Runs a function of the package's user in a new R process; `func` sees its arguments and nothing else.
in_new_process <- function(func, ..., timeout = 120, env = character()) {
  testthat::skip_if_not_installed("callr")
  callr::r(func, list(...), timeout = timeout, env = c(callr::rcmd_safe_env(), env))
}

# The path of x, saved.
saved <- function(x, ...) {
  file <- tempfile(fileext = ".rds")
  saveRDS(x, file, ...)
  file
}

# Bytes of x as saveRDS(compress = FALSE) writes it.
saved_size <- function(x) length(serialize(x, NULL, xdr = FALSE))
