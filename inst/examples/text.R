# Text: an embedding and convolutions along the words tell what a passage of R's own help pages is about.
#
#   Rscript text.R [FOLDER]
#
# writes text.png into FOLDER, by default the working directory. With the environment variable CONVNET_EXAMPLE_QUICK it
# makes a tiny run that reaches no goal.
#
# Kim, Y. (2014). Convolutional Neural Networks for Sentence Classification. doi:10.3115/v1/D14-1181

library(convnet)

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
quick <- nzchar(Sys.getenv("CONVNET_EXAMPLE_QUICK"))
goal <- 0.8 # the pages are not the same in every version of R

set.seed(1)

# Data: passages of 50 words from the help pages that are installed with R ---------------------------------------------

passage_length <- 50
vocabulary_size <- 3000

# The words of the prose of a page; code in it is one word among others.
words_of_page <- function(page) {
  sections <- vapply(page, attr, "", "Rd_tag")
  prose <- unlist(page[sections %in% c("\\description", "\\details", "\\value", "\\note")])
  prose <- tolower(paste(prose, collapse = ""))
  regmatches(prose, gregexpr("[a-z]+", prose))[[1]]
}

# A list of pages of several packages, each a matrix with a passage a row.
passages_of <- function(packages) {
  pages <- unlist(lapply(packages, tools::Rd_db), recursive = FALSE)
  lapply(unname(pages), function(page) {
    words <- words_of_page(page)
    n <- length(words) %/% passage_length
    matrix(words[seq_len(n * passage_length)], ncol = passage_length, byrow = TRUE)
  })
}
topics <- list(
  statistics = passages_of(c("stats", "splines")),
  graphics = passages_of(c("graphics", "grDevices", "grid")),
  programming = passages_of(c("utils", "tools"))
)

# Pages are held out as a whole: two passages of one page have too much in common. All topics are equally frequent.
split_pages <- function(pages) {
  held_out <- sample(length(pages), length(pages) %/% 5)
  list(train = do.call(rbind, pages[-held_out]), test = do.call(rbind, pages[held_out]))
}
parts <- lapply(topics, split_pages)

balanced <- function(part, limit) {
  passages <- lapply(parts, `[[`, part)
  n <- min(limit, vapply(passages, nrow, 0L))
  list(
    words = do.call(rbind, lapply(passages, function(x) x[sample(nrow(x), n), ])),
    topic = rep(seq_along(passages) - 1L, each = n)
  )
}
train <- balanced("train", if (quick) 60 else Inf)
test <- balanced("test", if (quick) 20 else Inf)

# Words are numbers: 1 is the most frequent one of the training passages, 0 any that is not among the frequent ones.
vocabulary <- head(names(sort(table(train$words), decreasing = TRUE)), vocabulary_size - 1)
numbered <- function(words) array(match(words, vocabulary, nomatch = 0L), dim(words))
x_train <- numbered(train$words)
x_test <- numbered(test$words)

# Model: a channel of a convolution finds one kind of phrase, the maximum tells that it occurs somewhere ---------------

model <- keras_model_sequential(name = "topics") %>%
  layer_embedding(vocabulary_size, output_dim = 32, input_length = passage_length) %>%
  layer_dropout(0.4) %>%
  layer_conv_1d(64, kernel_size = 3, padding = "same", activation = "relu") %>%
  layer_global_max_pooling_1d() %>%
  layer_dropout(0.5) %>%
  layer_dense(length(topics), activation = "softmax")

model %>% compile(optimizer = optimizer_adam(lr = 0.002), loss = "sparse_categorical_crossentropy",
  metrics = "accuracy")

history <- model %>% fit(
  x_train, train$topic,
  batch_size = if (quick) 8 else 32, epochs = if (quick) 3 else 7, verbose = 0,
  validation_data = list(x_test, test$topic)
)
losses <- history$metrics$loss
accuracy <- tail(history$metrics$val_accuracy, 1)

# Picture --------------------------------------------------------------------------------------------------------------

draw_accuracy <- function(history) {
  accuracy <- cbind(history$metrics$accuracy, history$metrics$val_accuracy)
  colours <- c("#0072B2", "#E69F00")
  matplot(accuracy, type = "o", pch = 19, lty = 1, lwd = 2, col = colours, bty = "n", las = 1, xaxt = "n",
    xlab = "epoch", ylab = "share of passages told right", ylim = c(1 / length(topics), 1))
  axis(1, seq_len(nrow(accuracy)))
  legend("bottomright", c("training", "held-out pages"), col = colours, pch = 19, lty = 1, lwd = 2, bty = "n")
}

# The words that speak most for each topic: passages of one word among unknown ones.
draw_words <- function(n = 12) {
  alone <- matrix(0L, length(vocabulary), passage_length)
  alone[, passage_length / 2] <- seq_along(vocabulary)
  share <- predict(model, alone)
  plot.new()
  plot.window(xlim = c(0.5, length(topics) + 0.5), ylim = c(n + 0.5, -0.5))
  text(seq_along(topics), 0, names(topics), font = 2)
  for (topic in seq_along(topics)) {
    words <- vocabulary[head(order(share[, topic], decreasing = TRUE), n)]
    text(topic, seq_len(n), words)
  }
}

picture <- file.path(folder, "text.png")
png(picture, width = 1280, height = 560, res = 120)
layout(matrix(1:2, 1))
par(mar = c(4, 4.5, 1, 1), mgp = c(3, 0.7, 0))
draw_accuracy(history)
par(mar = c(1, 1, 1, 1))
draw_words()
invisible(dev.off())

cat(sprintf(
  "Held-out accuracy: %.3f of %d passages (goal: at least %.2f)\nPicture: %s\n",
  accuracy, nrow(x_test), goal, picture
))
if (!quick && accuracy < goal) stop("The goal was missed.")
