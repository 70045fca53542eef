# Next frames: convolutional LSTMs watch a moving digit and say what comes next.
#
#   Rscript next-frame.R [FOLDER]
#
# writes next-frame.png into FOLDER, by default the working directory. With the environment variable
# CONVNET_EXAMPLE_QUICK it makes a tiny run that reaches no goal.
#
# Shi, X. et al. (2015). Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting.
# https://arxiv.org/abs/1506.04214

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 5 # times smaller an error than that of repeating the last frame

set.seed(1)

# Data: films of a digit that glides over 16 x 16 pixels and bounces off -----------------------------------------------

# Arrays [sample, frame, row, column, channel].

frames <- 8
further <- 4 # frames after those, which the model is never shown
size <- 16

digits <- dataset_digits()

# Digits of 12 x 12 pixels, each the mean of four; the margin is left out.
halved <- function(x) {
  odd <- seq(3, 25, 2)
  (x[, odd, odd] + x[, odd + 1, odd] + x[, odd, odd + 1] + x[, odd + 1, odd + 1]) / (4 * 255)
}

# Positions 0, 1, ... of a point that moves by `speed` and turns round at 0 and at `end`.
bounce <- function(start, speed, end) end - abs((start + speed * (seq_len(frames + further) - 1)) %% (2 * end) - end)

films <- function(part, n) {
  small <- halved(part$x[seq_len(n), , , drop = FALSE])
  film <- array(0, c(n, frames + further, size, size, 1))
  end <- size - 12
  for (i in seq_len(n)) {
    top <- bounce(sample(0:(2 * end - 1), 1), sample(-2:2, 1), end)
    left <- bounce(sample(0:(2 * end - 1), 1), sample(c(-2, -1, 1, 2), 1), end)
    for (t in seq_len(frames + further)) film[i, t, top[t] + 1:12, left[t] + 1:12, 1] <- small[i, , ]
  }
  film
}
train <- films(digits$train, if (quick) 32 else 1000)
test <- films(digits$test, if (quick) 8 else 200)

# What has been seen, and one frame later.
seen <- function(film) film[, 1:frames, , , , drop = FALSE]
later <- function(film) film[, 1:frames + 1, , , , drop = FALSE]

# Model ----------------------------------------------------------------------------------------------------------------

# The number of frames is left open: a longer film will do. Moving statistics with a short memory suit few steps.
model <- keras_model_sequential(name = "next_frame") %>%
  layer_conv_lstm_2d(16, kernel_size = 5, padding = "same", return_sequences = TRUE,
    input_shape = list(NULL, size, size, 1)) %>%
  layer_batch_normalization(momentum = 0.9) %>%
  layer_conv_lstm_2d(16, kernel_size = 3, padding = "same", return_sequences = TRUE) %>%
  layer_batch_normalization(momentum = 0.9) %>%
  layer_conv_3d(1, kernel_size = c(1, 3, 3), padding = "same", activation = "sigmoid")

model %>% compile(optimizer = optimizer_adam(lr = 0.005, decay = 0.002), loss = "binary_crossentropy")

history <- model %>% fit(
  seen(train), later(train),
  batch_size = if (quick) 4 else 16, epochs = if (quick) 2 else 8, verbose = 0
)
losses <- history$metrics$loss

# Held-out films -------------------------------------------------------------------------------------------------------

# Of the last frame: the frames before have shown where the digit is heading.
predicted <- predict(model, seen(test))
error_of <- function(frame) mean((frame - test[, frames + 1, , , ])^2)
gain <- error_of(test[, frames, , , ]) / error_of(predicted[, frames, , , ])

# Then without being shown any more: each prediction is taken for the next frame.
chosen <- test[1:3, , , , , drop = FALSE]
imagined <- chosen
for (step in seq_len(further) + frames) {
  said <- predict(model, imagined[, seq_len(step - 1), , , , drop = FALSE])
  imagined[, step, , , ] <- said[, step - 1, , , ]
}

# Picture --------------------------------------------------------------------------------------------------------------

draw_film <- function(film, from, bottom) {
  for (t in from:(frames + further)) {
    rasterImage(as.raster(1 - film[t, , ]), t - 0.97, bottom + 0.03, t - 0.03, bottom + 0.97, interpolate = FALSE)
  }
}

# Each film, and below its end what the model made of its beginning.
draw_films <- function() {
  n <- nrow(chosen)
  plot.new()
  plot.window(xlim = c(0, frames + further), ylim = c(0, 2 * n), asp = 1, xaxs = "i", yaxs = "i")
  for (i in seq_len(n)) {
    draw_film(chosen[i, , , , 1], 1, bottom = 2 * (n - i) + 1)
    draw_film(imagined[i, , , , 1], frames + 1, bottom = 2 * (n - i))
    text(frames - 0.1, 2 * (n - i) + 0.5, "imagined", adj = 1)
  }
  mtext(c("shown to the model", "what came next"), at = c(frames / 2, frames + further / 2), line = 0.3)
  abline(v = frames, col = "#E69F00", lwd = 3)
}

picture <- file.path(folder, "next-frame.png")
png(picture, width = 1200, height = 660, res = 120)
par(mar = c(0.4, 0.4, 1.8, 0.4), cex = 1)
draw_films()
invisible(dev.off())

cat(sprintf(
  "Held-out error %.1f times smaller than that of repeating the last frame (goal: at least %g times)\nPicture: %s\n",
  gain, goal, picture
))
if (!quick && gain < goal) stop("The goal was missed.")
