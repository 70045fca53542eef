# A variational autoencoder: convolutions describe a digit by two numbers, transposed convolutions draw it from them.
#
#   Rscript vae.R [FOLDER]
#
# writes vae.png into FOLDER, by default the working directory. With the environment variable CONVNET_EXAMPLE_QUICK it
# makes a tiny run that reaches no goal.
#
# Kingma and Welling (2014), Auto-encoding variational Bayes, https://doi.org/10.48550/arXiv.1312.6114

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- -165

set.seed(1)

# Data: images of 28 x 28 pixels with one channel, grey values from 0 to 1 ---------------------------------------------

digits <- dataset_digits()
x_train <- array_reshape(digits$train$x, c(-1, 28, 28, 1)) / 255
x_test <- array_reshape(digits$test$x, c(-1, 28, 28, 1)) / 255

if (quick) x_train <- x_train[1:320, , , , drop = FALSE]

latent_dim <- 2L

# Encoder: mean and variance of a normal distribution for each digit ---------------------------------------------------

x <- layer_input(shape = c(28, 28, 1))
hidden <- x %>%
  layer_conv_2d(32, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d(64, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
  layer_flatten() %>%
  layer_dense(64, activation = "relu")
z_mean <- layer_dense(hidden, latent_dim, name = "z_mean")
z_log_var <- layer_dense(hidden, latent_dim, name = "z_log_var")

# A point drawn from the distribution, such that gradients reach mean and variance.
sampling <- function(arg) {
  z_mean <- arg[, 1:latent_dim]
  z_log_var <- arg[, (latent_dim + 1):(2 * latent_dim)]
  epsilon <- k_random_normal(shape = k_shape(z_mean))
  z_mean + k_exp(z_log_var / 2) * epsilon
}
z <- layer_concatenate(list(z_mean, z_log_var)) %>% layer_lambda(sampling, name = "z")

# Decoder: its layers are used twice, after the encoder and on their own -----------------------------------------------

decoder_layers <- list(
  layer_dense(units = 64, activation = "relu"),
  layer_dense(units = 7 * 7 * 64, activation = "relu"),
  layer_reshape(target_shape = c(7, 7, 64)),
  layer_conv_2d_transpose(filters = 32, kernel_size = 4, strides = 2, padding = "same", activation = "relu"),
  layer_conv_2d_transpose(filters = 1, kernel_size = 4, strides = 2, padding = "same", activation = "sigmoid")
)
decode <- function(z) Reduce(function(tensor, layer) layer(tensor), decoder_layers, z)

vae <- keras_model(x, decode(z), name = "vae")
encoder <- keras_model(x, z_mean, name = "encoder")
latent <- layer_input(shape = latent_dim)
generator <- keras_model(latent, decode(latent), name = "generator")

# Loss: minus the evidence lower bound (ELBO) in nats per digit --------------------------------------------------------

vae_loss <- function(x, x_decoded) {
  reconstruction <- k_sum(k_binary_crossentropy(x, x_decoded), axis = c(2, 3, 4))
  divergence <- -0.5 * k_sum(1 + z_log_var - k_square(z_mean) - k_exp(z_log_var), axis = -1)
  reconstruction + divergence
}

vae %>% compile(optimizer = optimizer_adam(lr = 0.002), loss = vae_loss)
summary(vae)

history <- vae %>% fit(
  x_train, x_train,
  batch_size = 50, epochs = if (quick) 2 else 25, verbose = 0,
  validation_data = list(x_test, x_test)
)
losses <- history$metrics$loss
elbo <- -tail(history$metrics$val_loss, 1)

# Picture: the plane of the two numbers, digits that the generator draws over it, and where test digits lie ------------

# Quantiles of the normal distribution: points that are drawn equally often.
side <- if (quick) 5 else 20
quantiles <- qnorm((seq_len(side) - 0.5) / side)
grid <- as.matrix(expand.grid(quantiles, quantiles))
drawn <- predict(generator, grid)
places <- predict(encoder, x_test)

draw_grid <- function() {
  plot.new()
  plot.window(c(0, side), c(0, side), asp = 1, xaxs = "i", yaxs = "i")
  for (i in seq_len(side^2)) {
    left <- (i - 1) %% side
    bottom <- (i - 1) %/% side
    rasterImage(as.raster(1 - drawn[i, , , 1]), left, bottom, left + 1, bottom + 1, interpolate = FALSE)
  }
  title("Digits drawn from the plane", line = 0.5, font.main = 1)
}

draw_places <- function() {
  colours <- hcl.colors(10, "Dark 3")[digits$test$y + 1]
  plot(places, type = "n", xlim = c(-3.5, 3.5), ylim = c(-3.5, 3.5), asp = 1, bty = "n", las = 1, xlab = "", ylab = "")
  text(places, labels = digits$test$y, col = colours, cex = 0.7)
  title("Where held-out digits lie in it", line = 0.5, font.main = 1)
}

picture <- file.path(folder, "vae.png")
png(picture, width = 1600, height = 820, res = 120)
layout(t(1:2))
par(mar = c(2, 1, 2, 1))
draw_grid()
par(mar = c(2, 2.5, 2, 0.5), mgp = c(2, 0.6, 0))
draw_places()
invisible(dev.off())

cat(sprintf("Held-out ELBO: %.1f nats per digit (goal: at least %.0f)\nPicture: %s\n", elbo, goal, picture))
if (!quick && elbo < goal) stop("The goal was missed.")
