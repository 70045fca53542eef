# What a convolutional network sees: its filters, the feature maps of one digit, and the images its channels ask for.
#
#   Rscript feature-maps.R [FOLDER]
#
# writes feature-maps.png into FOLDER, by default the working directory. With the environment variable
# CONVNET_EXAMPLE_QUICK it makes a tiny run that reaches no goal.

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 0.96

set.seed(1)

# Data: images of 28 x 28 pixels with one channel, grey values from 0 to 1 ---------------------------------------------

digits <- dataset_digits()
x_train <- array_reshape(digits$train$x, c(-1, 28, 28, 1)) / 255
x_test <- array_reshape(digits$test$x, c(-1, 28, 28, 1)) / 255
y_train <- to_categorical(digits$train$y, 10)
y_test <- to_categorical(digits$test$y, 10)

if (quick) {
  x_train <- x_train[1:320, , , , drop = FALSE]
  y_train <- y_train[1:320, ]
}

# Model: its layers have names, so that they can be asked for ----------------------------------------------------------

model <- keras_model_sequential(name = "classifier", input_shape = c(28, 28, 1)) %>%
  layer_conv_2d(16, kernel_size = 5, padding = "same", activation = "relu", name = "conv_1") %>%
  layer_max_pooling_2d() %>%
  layer_conv_2d(32, kernel_size = 3, padding = "same", activation = "relu", name = "conv_2") %>%
  layer_max_pooling_2d() %>%
  layer_conv_2d(32, kernel_size = 3, padding = "same", activation = "relu", name = "conv_3") %>%
  layer_flatten() %>%
  layer_dropout(0.4) %>%
  layer_dense(10, activation = "softmax")

# Shorter steps towards the end: the accuracy settles.
model %>% compile(optimizer = optimizer_adam(lr = 0.002, decay = 0.005), loss = "categorical_crossentropy",
  metrics = "accuracy")

history <- model %>% fit(
  x_train, y_train,
  batch_size = 32, epochs = if (quick) 2 else 12, verbose = 0,
  validation_data = list(x_test, y_test)
)
losses <- history$metrics$loss
accuracy <- tail(history$metrics$val_accuracy, 1)

# Feature maps: a model from the same input to the outputs of inner layers ---------------------------------------------

convolutions <- c("conv_1", "conv_2", "conv_3")
inner <- keras_model(model$input, lapply(convolutions, function(name) get_layer(model, name)$output))
digit <- x_test[match(4, digits$test$y), , , , drop = FALSE]
maps <- predict(inner, digit)

filters <- get_weights(get_layer(model, "conv_1"))[[1]]

# Gradient ascent: image i of the batch is changed until channel i of the last convolution answers strongly ------------

answers <- k_mean(get_layer(model, "conv_3")$output, axis = c(2, 3))
channels <- k_int_shape(answers)[[2]]
wanted <- k_sum(answers * diag(channels))
gradient <- k_gradients(wanted, model$input)[[1]]

# Steps of the same length for every image, whatever the size of its gradient.
gradient <- gradient / (k_sqrt(k_mean(k_square(gradient), axis = c(2, 3, 4), keepdims = TRUE)) + 1e-5)
ascend <- k_function(list(model$input), list(gradient))

images <- array(runif(channels * 28 * 28, 0.2, 0.4), c(channels, 28, 28, 1))
for (step in seq_len(if (quick) 2 else 40)) {
  images <- pmin(pmax(images + 0.05 * ascend(list(images))[[1]], 0), 1)
}

# Picture --------------------------------------------------------------------------------------------------------------

# Arrays of rows x columns x images: 16 images a row, each with a grey scale of its own.
draw_images <- function(images, title) {
  n <- dim(images)[3]
  rows <- ceiling(n / 16)
  plot.new()
  plot.window(xlim = c(0, 16), ylim = c(0, rows), asp = 1, xaxs = "i", yaxs = "i")
  for (i in seq_len(n)) {
    image <- images[, , i]
    ink <- (image - min(image)) / max(max(image) - min(image), 1e-6)
    left <- (i - 1) %% 16
    top <- rows - (i - 1) %/% 16
    rasterImage(as.raster(1 - ink), left + 0.04, top - 0.96, left + 0.96, top - 0.04, interpolate = FALSE)
  }
  title(title, adj = 0, line = 0.3, font.main = 1)
}

picture <- file.path(folder, "feature-maps.png")
png(picture, width = 1280, height = 900, res = 110)
layout(1:5, heights = c(1.45, 1.45, 2.45, 2.45, 2.45))
par(mar = c(0, 0.5, 1.5, 0.5))
draw_images(filters[, , 1, ], "Filters of conv_1")
draw_images(maps[[1]][1, , , ], "A held-out four in conv_1: 28 x 28 pixels, 16 channels")
draw_images(maps[[2]][1, , , ], "conv_2: 14 x 14 pixels, 32 channels")
draw_images(maps[[3]][1, , , ], "conv_3: 7 x 7 pixels, 32 channels")
draw_images(aperm(images[, , , 1], c(2, 3, 1)), "What the channels of conv_3 answer to most")
invisible(dev.off())

cat(sprintf("Held-out accuracy: %.3f (goal: at least %.2f)\nPicture: %s\n", accuracy, goal, picture))
if (!quick && accuracy < goal) stop("The goal was missed.")
