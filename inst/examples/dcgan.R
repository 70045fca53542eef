# A generative adversarial network (DCGAN): transposed convolutions turn noise into digits, and a second network learns
# to tell them from real ones.
#
#   Rscript dcgan.R [FOLDER]
#
# writes dcgan.png into FOLDER, by default the working directory. With the environment variable CONVNET_EXAMPLE_QUICK it
# makes a tiny run that reaches no goal.
#
# Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative adversarial
# networks, https://doi.org/10.48550/arXiv.1511.06434

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- c(confident = 0.5, kinds = 8)

set.seed(1)

# Data: images of 28 x 28 pixels with one channel, grey values from -1 (paper) to 1 (ink) ------------------------------

digits <- dataset_digits()
real <- array_reshape(digits$train$x, c(-1, 28, 28, 1)) / 127.5 - 1
real_test <- array_reshape(digits$test$x, c(-1, 28, 28, 1)) / 127.5 - 1

latent_dim <- 10
batch_size <- if (quick) 16 else 50
steps <- if (quick) 12 else 2400

# Generator: noise to 7 x 7 pixels, twice doubled. The kernels are multiples of the strides: no checkerboards ----------

generator <- keras_model_sequential(name = "generator", input_shape = latent_dim) %>%
  layer_dense(7 * 7 * 64, use_bias = FALSE) %>%
  layer_batch_normalization(momentum = 0.8) %>%
  layer_activation("relu") %>%
  layer_reshape(c(7, 7, 64)) %>%
  layer_conv_2d_transpose(32, kernel_size = 4, strides = 2, padding = "same", use_bias = FALSE) %>%
  layer_batch_normalization(momentum = 0.8) %>%
  layer_activation("relu") %>%
  layer_conv_2d_transpose(1, kernel_size = 4, strides = 2, padding = "same", activation = "tanh")

# Discriminator: the probability that a digit is real ------------------------------------------------------------------

discriminator <- keras_model_sequential(name = "discriminator", input_shape = c(28, 28, 1)) %>%
  layer_conv_2d(32, kernel_size = 4, strides = 2, padding = "same") %>%
  layer_activation_leaky_relu(alpha = 0.2) %>%
  layer_conv_2d(64, kernel_size = 4, strides = 2, padding = "same") %>%
  layer_activation_leaky_relu(alpha = 0.2) %>%
  layer_flatten() %>%
  layer_dense(64) %>%
  layer_activation_leaky_relu(alpha = 0.2) %>%
  layer_dense(1, activation = "sigmoid")

discriminator %>% compile(optimizer = optimizer_adam(lr = 0.0008, beta_1 = 0.5), loss = "binary_crossentropy")

# The generator learns through a discriminator that stands still. What compile() found trainable stays so: the
# discriminator goes on learning when it is trained on its own.
freeze_weights(discriminator)
noise <- layer_input(shape = latent_dim)
gan <- keras_model(noise, noise %>% generator() %>% discriminator(), name = "gan")
gan %>% compile(optimizer = optimizer_adam(lr = 0.001, beta_1 = 0.5), loss = "binary_crossentropy")

# Training: one step for each of them in turn --------------------------------------------------------------------------

random_noise <- function(n) matrix(rnorm(n * latent_dim), n)

losses <- numeric(steps)
generator_losses <- numeric(steps)
for (step in seq_len(steps)) {
  generated <- predict_on_batch(generator, random_noise(batch_size))
  chosen <- sample(nrow(real), batch_size)
  both <- as.array(k_concatenate(list(real[chosen, , , , drop = FALSE], generated), axis = 1))
  # Real ones count as 0.9 only: a discriminator that is never quite sure goes on giving gradients.
  losses[step] <- train_on_batch(discriminator, both, rep(c(0.9, 0), each = batch_size))
  generator_losses[step] <- train_on_batch(gan, random_noise(batch_size), rep(1, batch_size))
}

# Judgement: what a classifier that has seen only real digits says of generated ones -----------------------------------

classifier <- keras_model_sequential(name = "classifier", input_shape = c(28, 28, 1)) %>%
  layer_conv_2d(16, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d(32, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
  layer_flatten() %>%
  layer_dropout(0.4) %>%
  layer_dense(10, activation = "softmax")
classifier %>% compile(optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = "accuracy")
classifier %>% fit(real, digits$train$y, batch_size = 50, epochs = if (quick) 1 else 8, verbose = 0)

# How many images are given a digit with a probability of 0.9 or more, and how many of the ten digits are among these.
judge <- function(images) {
  probabilities <- predict(classifier, images)
  sure <- apply(probabilities, 1, max) >= 0.9
  found <- max.col(probabilities)[sure]
  c(confident = mean(sure), kinds = sum(tabulate(found, 10) >= 0.01 * nrow(images)))
}

generated <- predict(generator, random_noise(if (quick) 100 else 1000))
of_real <- judge(real_test)
of_generated <- judge(generated)

# Picture --------------------------------------------------------------------------------------------------------------

# Rows of 15 images.
draw_images <- function(images, title) {
  rows <- nrow(images) / 15
  plot.new()
  plot.window(xlim = c(0, 15), ylim = c(0, rows), asp = 1, xaxs = "i", yaxs = "i")
  for (i in seq_len(nrow(images))) {
    left <- (i - 1) %% 15
    top <- rows - (i - 1) %/% 15
    rasterImage(as.raster(0.5 - images[i, , , 1] / 2), left, top - 1, left + 1, top, interpolate = FALSE)
  }
  title(title, adj = 0, line = 0.3, font.main = 1)
}

picture <- file.path(folder, "dcgan.png")
png(picture, width = 1100, height = 950, res = 120)
layout(1:3, heights = c(172, 466, 312))
par(mar = c(0, 0.5, 1.5, 0.5))
draw_images(real_test[1:30, , , , drop = FALSE], "Held-out digits")
draw_images(generated[1:90, , , , drop = FALSE], "Generated digits")
par(mar = c(4, 4, 1.5, 0.5), mgp = c(2.5, 0.7, 0))
smooth <- function(x) stats::filter(x, rep(1 / 10, 10), sides = 1)
matplot(cbind(smooth(losses), smooth(generator_losses)), type = "l", lty = 1, col = c("#0072B2", "#E69F00"), bty = "n",
  las = 1, xlab = "step", ylab = "loss")
legend("topright", c("discriminator", "generator"), col = c("#0072B2", "#E69F00"), lty = 1, bty = "n")
invisible(dev.off())

cat(sprintf("Digits that a classifier is sure of: %.1f %% of the held-out ones, %.1f %% of the generated ones\n",
  100 * of_real[["confident"]], 100 * of_generated[["confident"]]))
cat(sprintf("Held-out judgement: %.1f %% generated digits, %d kinds (goal: at least %.0f %%, %d kinds)\nPicture: %s\n",
  100 * of_generated[["confident"]], of_generated[["kinds"]], 100 * goal[["confident"]], goal[["kinds"]], picture))
if (!quick && any(of_generated < goal)) stop("The goal was missed.")
