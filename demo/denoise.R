# A denoising autoencoder: strided convolutions squeeze a noisy digit, transposed convolutions rebuild it clean.
#
#   Rscript demo/denoise.R [FOLDER]
#
# writes denoise.png (clean, noisy and restored digits, and the loss curve) and denoise.rds (the model) into FOLDER, by
# default the working directory. The environment variable CONVNET_DEMO_EPOCHS sets the number of epochs.

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
epochs <- as.integer(Sys.getenv("CONVNET_DEMO_EPOCHS", "12"))

# The same numbers in every run, whatever the number of threads.
set.seed(1)

# Data: images of 28 x 28 pixels with one channel, grey values from 0 to 1 ---------------------------------------------

digits <- dataset_digits()
clean_train <- array_reshape(digits$train$x, c(-1, 28, 28, 1)) / 255
clean_test <- array_reshape(digits$test$x, c(-1, 28, 28, 1)) / 255

add_noise <- function(x) {
  x[] <- pmin(pmax(x + rnorm(length(x), sd = 0.5), 0), 1)
  x
}
noisy_train <- add_noise(clean_train)
noisy_test <- add_noise(clean_test)

# Model: 28 x 28 pixels down to 7 x 7 with 32 channels, and up again ---------------------------------------------------

# Transposed kernels whose size is a multiple of their strides cover all pixels alike: no checkerboards.
model <- keras_model_sequential(name = "denoiser", input_shape = c(28, 28, 1)) %>%
  layer_conv_2d(16, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d(32, kernel_size = 5, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d_transpose(32, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d_transpose(16, kernel_size = 4, strides = 2, padding = "same", activation = "relu") %>%
  layer_conv_2d(1, kernel_size = 3, padding = "same", activation = "sigmoid")

model %>% compile(optimizer = optimizer_adam(lr = 0.003), loss = "binary_crossentropy", metrics = "mse")
summary(model)

# Training -------------------------------------------------------------------------------------------------------------

history <- model %>% fit(
  noisy_train, clean_train,
  batch_size = 32, epochs = epochs,
  validation_data = list(noisy_test, clean_test)
)

# A model is an ordinary R object: save it and read it back.
model_file <- file.path(folder, "denoise.rds")
saveRDS(model, model_file)
model <- readRDS(model_file)

restored <- predict(model, noisy_test)
error_before <- mean((noisy_test - clean_test)^2)
error_after <- mean((restored - clean_test)^2)
cat(sprintf(
  "\nMean squared error on %d test digits: %.4f noisy, %.4f restored (%.1f times smaller)\n",
  nrow(clean_test), error_before, error_after, error_before / error_after
))

# Picture --------------------------------------------------------------------------------------------------------------

# One row for each element of `images`, in it the first test digit of each kind.
draw_digits <- function(images) {
  chosen <- match(0:9, digits$test$y)
  plot.new()
  plot.window(xlim = c(0, 10), ylim = c(0, length(images)), asp = 1, xaxs = "i", yaxs = "i")
  for (row in seq_along(images)) {
    bottom <- length(images) - row
    for (column in 1:10) {
      ink <- images[[row]][chosen[column], , , 1]
      rasterImage(as.raster(1 - ink), column - 0.97, bottom + 0.03, column - 0.03, bottom + 0.97, interpolate = FALSE)
    }
    mtext(names(images)[row], side = 2, at = bottom + 0.5, las = 1, line = 0.7, font = 2)
  }
}

draw_loss <- function(history) {
  loss <- cbind(history$metrics$loss, history$metrics$val_loss)
  colours <- c("#0072B2", "#E69F00")
  matplot(loss, type = "o", pch = 19, lty = 1, lwd = 2, col = colours, bty = "n", las = 1, xaxt = "n", xlab = "epoch",
    ylab = "loss")
  axis(1, seq_len(nrow(loss)))
  legend("topright", c("training", "test"), col = colours, pch = 19, lty = 1, lwd = 2, bty = "n")
}

picture <- file.path(folder, "denoise.png")
png(picture, width = 1200, height = 740, res = 144)
layout(1:2, heights = c(0.9, 1))
par(mar = c(0, 5, 0.4, 0.6), cex = 1)
draw_digits(list(clean = clean_test, noisy = noisy_test, restored = restored))
par(mar = c(4, 5, 1.2, 0.6), mgp = c(2.7, 0.7, 0))
draw_loss(history)
invisible(dev.off())

cat(sprintf("Picture: %s\nModel:   %s\n", picture, model_file))
