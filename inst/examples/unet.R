# Segmentation: a U-Net finds the pixels of a digit among scraps of other digits and noise.
#
#   Rscript unet.R [FOLDER]
#
# writes unet.png into FOLDER, by default the working directory. With the environment variable CONVNET_EXAMPLE_QUICK
# it makes a tiny run that reaches no goal.
#
# Ronneberger, O., Fischer, P. and Brox, T. (2015). U-Net: Convolutional Networks for Biomedical Image Segmentation.
# https://arxiv.org/abs/1505.04597

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 0.8

set.seed(1)

# Data: a digit in a cluttered image of 40 x 40 pixels, and the mask of the pixels that are its ink --------------------

size <- 40
digits <- dataset_digits()

# Brightness does not tell the digit from the scraps, and noise hides both: the shape has to.
scenes <- function(part, n) {
  images <- masks <- array(0, c(n, size, size, 1))
  for (i in seq_len(n)) {
    scene <- matrix(0, size, size)
    for (scrap in 1:6) {
      piece <- part$x[sample(nrow(part$x), 1), sample(4:17, 1) + 0:7, sample(4:17, 1) + 0:7]
      rows <- sample(size - 7, 1) + 0:7
      columns <- sample(size - 7, 1) + 0:7
      scene[rows, columns] <- pmax(scene[rows, columns], piece / 255)
    }
    rows <- sample(size - 27, 1) + 0:27
    columns <- sample(size - 27, 1) + 0:27
    digit <- part$x[i, , ] / 255
    scene[rows, columns] <- pmax(scene[rows, columns], digit)
    masks[i, rows, columns, 1] <- digit > 0.5
    images[i, , , 1] <- scene * runif(1, 0.6, 1) + rnorm(size^2, sd = 0.15)
  }
  list(x = images, y = masks)
}
train <- scenes(digits$train, if (quick) 32 else 2000)
test <- scenes(digits$test, if (quick) 16 else 300)

# Model: down to 10 x 10 pixels and up again ---------------------------------------------------------------------------

# On the way up, what was seen at the same size on the way down is at hand.

convolve_twice <- function(x, filters) {
  x %>%
    layer_conv_2d(filters, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_activation("relu") %>%
    layer_conv_2d(filters, kernel_size = 3, padding = "same", use_bias = FALSE) %>%
    layer_batch_normalization() %>%
    layer_activation("relu")
}

enlarge <- function(x, filters) {
  layer_conv_2d_transpose(x, filters, kernel_size = 2, strides = 2, padding = "same", activation = "relu")
}

image <- layer_input(shape = c(size, size, 1), name = "image")
at_40 <- image %>% convolve_twice(12)
at_20 <- at_40 %>% layer_max_pooling_2d() %>% convolve_twice(24)
at_10 <- at_20 %>% layer_max_pooling_2d() %>% convolve_twice(48)
up_20 <- layer_concatenate(list(enlarge(at_10, 24), at_20)) %>% convolve_twice(24)
up_40 <- layer_concatenate(list(enlarge(up_20, 12), at_40)) %>% convolve_twice(12)
mask <- up_40 %>% layer_conv_2d(1, kernel_size = 1, activation = "sigmoid", name = "mask")
model <- keras_model(image, mask, name = "unet")

# Twice what both masks share, over the sum of their sizes. Few pixels are ink: the share of right pixels says little.
dice <- custom_metric("dice", function(y_true, y_pred) {
  found <- k_round(y_pred)
  2 * k_sum(y_true * found) / (k_sum(y_true) + k_sum(found) + k_epsilon())
})

model %>% compile(optimizer = optimizer_adam(lr = 0.005, decay = 0.005), loss = "binary_crossentropy", metrics = dice)

# Training -------------------------------------------------------------------------------------------------------------

history <- model %>% fit(
  train$x, train$y,
  batch_size = if (quick) 8 else 20, epochs = if (quick) 2 else 10, verbose = 0,
  validation_data = list(test$x, test$y)
)
losses <- history$metrics$loss

predicted <- predict(model, test$x)
dice_of <- function(found) 2 * sum(found & test$y) / (sum(found) + sum(test$y))
right <- dice_of(predicted > 0.5)
right_of_bright <- dice_of(test$x > 0.5)

# Picture --------------------------------------------------------------------------------------------------------------

# One row for each element of `images`: of ten scenes, each with another digit.
draw_scenes <- function(images) {
  chosen <- match(0:9, digits$test$y)
  chosen <- chosen[chosen <= nrow(images[[1]])]
  plot.new()
  plot.window(xlim = c(0, 10), ylim = c(0, length(images)), asp = 1, xaxs = "i", yaxs = "i")
  for (row in seq_along(images)) {
    bottom <- length(images) - row
    for (column in seq_along(chosen)) {
      ink <- pmin(pmax(images[[row]][chosen[column], , , 1], 0), 1)
      rasterImage(as.raster(1 - ink), column - 0.97, bottom + 0.03, column - 0.03, bottom + 0.97, interpolate = FALSE)
    }
    mtext(names(images)[row], side = 2, at = bottom + 0.5, las = 1, line = 0.7)
  }
}

picture <- file.path(folder, "unet.png")
png(picture, width = 1200, height = 380, res = 120)
par(mar = c(0.4, 5.5, 0.4, 0.6), cex = 1)
draw_scenes(list(scene = test$x, digit = test$y, "U-Net" = predicted))
invisible(dev.off())

cat(sprintf(
  "Held-out Dice coefficient: %.3f (goal: at least %.2f), by brightness alone: %.3f\nPicture: %s\n",
  right, goal, right_of_bright, picture
))
if (!quick && right < goal) stop("The goal was missed.")
