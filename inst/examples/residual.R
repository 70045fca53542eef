# Residual networks: shortcuts around convolutions, plain ones and separable ones.
#
#   Rscript residual.R [FOLDER]
#
# writes residual.png (the loss of both networks, and what the better one gets wrong) into FOLDER, by default the
# working directory. With the environment variable CONVNET_EXAMPLE_QUICK it makes a tiny run that reaches no goal.
#
# He, K. et al. (2016). Deep Residual Learning for Image Recognition. https://arxiv.org/abs/1512.03385
# Chollet, F. (2017). Xception: Deep Learning with Depthwise Separable Convolutions. https://arxiv.org/abs/1610.02357

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 0.96

set.seed(1)

# Data: images of 28 x 28 pixels with one channel, grey values from 0 to 1 ---------------------------------------------

digits <- dataset_digits()
x_train <- array_reshape(digits$train$x, c(-1, 28, 28, 1)) / 255
x_test <- array_reshape(digits$test$x, c(-1, 28, 28, 1)) / 255
y_train <- digits$train$y
y_test <- digits$test$y

if (quick) {
  x_train <- x_train[1:128, , , , drop = FALSE]
  y_train <- y_train[1:128]
}

# Blocks: what is added to the shortcut is learnt ----------------------------------------------------------------------

# Where a block changes the size, a convolution of single pixels brings its input to the shape of its output.
residual_block <- function(input, filters, strides = 1) {
  shortcut <- input
  if (strides > 1) {
    shortcut <- input %>%
      layer_conv_2d(filters, kernel_size = 1, strides = strides, use_bias = FALSE) %>%
      layer_batch_normalization()
  }
  residual <- input %>%
    layer_conv_2d(filters, kernel_size = 3, strides = strides, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_activation("relu") %>%
    layer_conv_2d(filters, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization()
  layer_add(list(shortcut, residual)) %>%
    layer_activation("relu")
}

# A separable convolution filters each channel for itself and then mixes the channels: a fraction of the products.
xception_block <- function(input, filters) {
  shortcut <- input %>%
    layer_conv_2d(filters, kernel_size = 1, strides = 2, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization()
  residual <- input %>%
    layer_activation("relu") %>%
    layer_separable_conv_2d(filters, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_activation("relu") %>%
    layer_separable_conv_2d(filters, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_max_pooling_2d(pool_size = 3, strides = 2, padding = "same")
  layer_add(list(shortcut, residual))
}

# Networks: the same stem and the same end -----------------------------------------------------------------------------

network <- function(name, blocks) {
  image <- layer_input(shape = c(28, 28, 1), name = "image")
  digit <- image %>%
    layer_conv_2d(16, kernel_size = 5, strides = 2, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_activation("relu") %>%
    blocks() %>%
    layer_global_average_pooling_2d() %>%
    layer_dropout(0.3) %>%
    layer_dense(10, activation = "softmax", name = "digit")
  model <- keras_model(image, digit, name = name)
  model %>% compile(optimizer = optimizer_adam(lr = 0.003, decay = 0.006), loss = "sparse_categorical_crossentropy",
    metrics = "accuracy")
  model
}

models <- list(
  residual = network("residual", function(x) {
    x %>%
      residual_block(16) %>%
      residual_block(32, strides = 2) %>%
      residual_block(64, strides = 2)
  }),
  xception = network("xception", function(x) {
    x %>%
      xception_block(32) %>%
      xception_block(64) %>%
      layer_activation("relu") %>%
      layer_separable_conv_2d(128, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
      layer_batch_normalization() %>%
      layer_activation("relu")
  })
)

# Training -------------------------------------------------------------------------------------------------------------

histories <- lapply(models, function(model) {
  fit(model, x_train, y_train, batch_size = if (quick) 16 else 32, epochs = if (quick) 2 else 10, verbose = 0)
})
losses <- histories$residual$metrics$loss

accuracy <- vapply(models, function(model) {
  unlist(evaluate(model, x_test, y_test, verbose = 0))[["accuracy"]]
}, 0)
cat(sprintf("%s: %d weights\n", names(models), vapply(models, count_params, 0)), sep = "")

# Picture --------------------------------------------------------------------------------------------------------------

draw_losses <- function(histories) {
  loss <- vapply(histories, function(history) history$metrics$loss, losses)
  colours <- c("#0072B2", "#E69F00")
  matplot(loss, type = "o", pch = 19, lty = 1, lwd = 2, col = colours, log = "y", bty = "n", las = 1, xlab = "epoch",
    ylab = "training loss")
  legend("topright", sprintf("%s: %.1f %% right", names(models), 100 * accuracy), col = colours, pch = 19, lty = 1,
    lwd = 2, bty = "n")
}

# The held-out digits that the better network is most wrong about, with what it takes them for.
draw_errors <- function(model) {
  share <- predict(model, x_test)
  taken_for <- max.col(share, ties.method = "first") - 1
  wrong <- which(taken_for != y_test)
  wrong <- wrong[order(share[cbind(wrong, y_test[wrong] + 1)])]
  wrong <- wrong[seq_len(min(20, length(wrong)))]
  plot.new()
  plot.window(xlim = c(0, 5), ylim = c(0, 4), asp = 1, xaxs = "i", yaxs = "i")
  for (i in seq_along(wrong)) {
    left <- (i - 1) %% 5
    bottom <- 3 - (i - 1) %/% 5
    rasterImage(as.raster(1 - x_test[wrong[i], , , 1]), left + 0.12, bottom + 0.22, left + 0.88, bottom + 0.98,
      interpolate = FALSE)
    text(left + 0.5, bottom + 0.11, sprintf("%d, not %d", y_test[wrong[i]], taken_for[wrong[i]]), cex = 0.75)
  }
}

picture <- file.path(folder, "residual.png")
png(picture, width = 1280, height = 620, res = 120)
layout(matrix(1:2, 1), widths = c(1.1, 1))
par(mar = c(4, 4.5, 1, 1), mgp = c(3, 0.7, 0))
draw_losses(histories)
par(mar = c(0.5, 0.5, 1, 0.5))
draw_errors(models[[which.max(accuracy)]])
invisible(dev.off())

cat(sprintf(
  "Held-out accuracy of the %s network: %.3f (goal: at least %.2f)\n", names(models), accuracy, goal
), sep = "")
cat("Picture: ", picture, "\n", sep = "")
if (!quick && any(accuracy < goal)) stop("The goal was missed.")
