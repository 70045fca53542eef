# Super-resolution: a small FSRCNN makes digits of 9 x 9 pixels three times as large.
#
#   Rscript super-resolution.R [FOLDER]
#
# writes super-resolution.png into FOLDER, by default the working directory. With the environment variable
# CONVNET_EXAMPLE_QUICK it makes a tiny run that reaches no goal.
#
# Dong, C., Loy, C. C. and Tang, X. (2016). Accelerating the Super-Resolution Convolutional Neural Network.
# doi:10.1007/978-3-319-46475-6_25

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 6 # decibels above bicubic interpolation

set.seed(1)

# Data: digits of 27 x 27 pixels, and the same with a ninth of the pixels ----------------------------------------------

digits <- dataset_digits()
sharp_images <- function(part, n) array_reshape(part$x[seq_len(n), 1:27, 1:27], c(n, 27, 27, 1)) / 255
sharp_train <- sharp_images(digits$train, if (quick) 128 else 4000)
sharp_test <- sharp_images(digits$test, if (quick) 32 else 1000)

# Bicubic interpolation along one axis is a product with a matrix [to, from]. Making an image smaller, the kernel is
# as many times wider, so that every pixel counts.
bicubic_matrix <- function(from, to) {
  widening <- max(from / to, 1)
  centres <- (seq_len(to) - 0.5) * from / to + 0.5
  d <- abs(outer(centres, seq_len(from), "-")) / widening
  weights <- ifelse(d <= 1, 1.5 * d^3 - 2.5 * d^2 + 1, ifelse(d < 2, -0.5 * d^3 + 2.5 * d^2 - 4 * d + 2, 0))
  weights / rowSums(weights)
}

resize <- function(images, to) {
  n <- nrow(images)
  from <- ncol(images)
  along <- t(bicubic_matrix(from, to))
  # The last axis of a product is the one resized; swapped, it is the turn of the other.
  wide <- array(matrix(images, n * from) %*% along, c(n, from, to))
  both <- array(matrix(aperm(wide, c(1, 3, 2)), n * to) %*% along, c(n, to, to))
  array(pmin(pmax(aperm(both, c(1, 3, 2)), 0), 1), c(n, to, to, 1))
}
small_train <- resize(sharp_train, 9)
small_test <- resize(sharp_test, 9)

# Model: everything is computed on 9 x 9 pixels, the last layer alone enlarges -----------------------------------------

# Below 0 a channel keeps a share of its own, which is learnt: one number for all pixels.
convolve <- function(object, filters, kernel_size) {
  object %>%
    layer_conv_2d(filters, kernel_size, padding = "same") %>%
    layer_activation_parametric_relu(shared_axes = c(1, 2))
}

model <- keras_model_sequential(name = "fsrcnn", input_shape = c(9, 9, 1)) %>%
  # Features of patches, squeezed to few channels ...
  convolve(32, kernel_size = 5) %>%
  convolve(8, kernel_size = 1) %>%
  # ... what the sharp image has there ...
  convolve(8, kernel_size = 3) %>%
  convolve(8, kernel_size = 3) %>%
  convolve(8, kernel_size = 3) %>%
  convolve(32, kernel_size = 1) %>%
  # ... and each pixel's features painted as a patch of 9 x 9 pixels, 3 pixels from the next one.
  layer_conv_2d_transpose(1, kernel_size = 9, strides = 3, padding = "same")

model %>% compile(optimizer = optimizer_adam(lr = 0.002), loss = "mse")

# Training -------------------------------------------------------------------------------------------------------------

history <- model %>% fit(small_train, sharp_train, batch_size = 32, epochs = if (quick) 2 else 20, verbose = 0)
losses <- history$metrics$loss

# Peak signal-to-noise ratio in decibels, the mean over images: 10 dB are a tenth of the squared error.
psnr <- function(images) mean(-10 * log10(rowMeans((images - sharp_test)^2)))

bicubic <- resize(small_test, 27)
restored <- predict(model, small_test)
restored[] <- pmin(pmax(restored, 0), 1)
gain <- psnr(restored) - psnr(bicubic)

# Picture --------------------------------------------------------------------------------------------------------------

# One row for each element of `images`, in it the first test digit of each kind.
draw_digits <- function(images) {
  chosen <- match(0:9, digits$test$y)
  chosen <- chosen[chosen <= nrow(images[[1]])]
  plot.new()
  plot.window(xlim = c(0, 10), ylim = c(0, length(images)), asp = 1, xaxs = "i", yaxs = "i")
  for (row in seq_along(images)) {
    bottom <- length(images) - row
    for (column in seq_along(chosen)) {
      ink <- images[[row]][chosen[column], , , 1]
      rasterImage(as.raster(1 - ink), column - 0.97, bottom + 0.03, column - 0.03, bottom + 0.97, interpolate = FALSE)
    }
    mtext(names(images)[row], side = 2, at = bottom + 0.5, las = 1, line = 0.7)
  }
}

picture <- file.path(folder, "super-resolution.png")
png(picture, width = 1200, height = 480, res = 120)
par(mar = c(0.4, 6, 0.4, 0.6), cex = 1)
draw_digits(list("9 x 9" = small_test, bicubic = bicubic, FSRCNN = restored, "27 x 27" = sharp_test))
invisible(dev.off())
cat(sprintf(
  "Held-out gain over bicubic interpolation (%.1f dB): %.1f dB (goal: at least %g dB)\nPicture: %s\n",
  psnr(bicubic), gain, goal, picture
))
if (!quick && gain < goal) stop("The goal was missed.")
