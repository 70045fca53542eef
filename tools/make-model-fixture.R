# Saves a trained model of the installed version, with what it computes, to
# tests/testthat/fixtures/models/denoiser-VERSION.rds:
#   Rscript tools/make-model-fixture.R
# Run once before each release; test-save-rds.R loads the files of all versions.

library(convnet)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
folder <- file.path(here, "..", "tests", "testthat", "fixtures", "models")

set.seed(1)
model <- keras_model_sequential(input_shape = c(28, 28, 1), name = "denoiser") %>%
  layer_conv_2d(4, 3, strides = 2, padding = "same", activation = "relu") %>%
  layer_batch_normalization(momentum = 0.9) %>%
  layer_conv_2d(4, 3, strides = 2, padding = "same", activation = function(x) k_relu(x, alpha = 0.1)) %>%
  layer_max_pooling_2d(2, strides = 1) %>%
  layer_flatten() %>%
  layer_dense(6, activation = "tanh", kernel_regularizer = regularizer_l2(1e-4)) %>%
  layer_dropout(0) %>% # without masks, which another version may draw in another way
  layer_dense(7 * 7 * 4, activation = "elu", kernel_constraint = constraint_maxnorm(3)) %>%
  layer_reshape(c(7, 7, 4)) %>%
  layer_conv_2d_transpose(4, 3, strides = 2, padding = "same") %>%
  layer_activation("relu") %>%
  layer_conv_2d_transpose(1, 3, strides = 2, padding = "same", activation = "sigmoid",
                          kernel_initializer = initializer_he_normal(seed = 3))
model %>% compile(optimizer_adam(0.01, decay = 0.001), "binary_crossentropy",
                  metrics = list("mae", worst = function(y_true, y_pred) k_max(k_abs(y_true - y_pred))))

images <- function(x) array(as.integer(x) / 255, c(dim(x), 1))
digits <- dataset_digits()
clean <- images(digits$train$x[1:500, , ])
noisy <- pmin(pmax(clean + rnorm(length(clean), sd = 0.3), 0), 1)
model %>% fit(noisy, clean, epochs = 2, batch_size = 50, verbose = 0)

# What the test is told: a few digits as they are stored, what the model makes of them, and what one more batch does.
x <- digits$test$x[1:4, , ]
content <- list(version = as.character(packageVersion("convnet")), model = unserialize(serialize(model, NULL)), x = x,
  predicted = predict(model, images(x)),
  evaluated = evaluate(model, images(x), images(x), verbose = 0),
  iterations = model$optimizer$iterations)
content$batch <- train_on_batch(model, images(x), images(x))
content$afterwards <- evaluate(model, images(x), images(x), verbose = 0)

file <- file.path(folder, paste0("denoiser-", content$version, ".rds"))
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
saveRDS(content, file, compress = "xz")
cat(sprintf("%s: %d bytes, loss %.4f\n", basename(file), file.size(file), content$evaluated$loss))
