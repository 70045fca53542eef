# What the random image layers share: where each pixel of the output lies in the input, and what is read there.

fill_modes <- c("reflect", "wrap", "constant", "nearest")

init_random_warp <- function(args, factors) {
  for (arg in factors) args[arg] <- list(check_factor(args[[arg]], arg))
  args$fill_mode <- check_choice(args$fill_mode, fill_modes, "fill_mode")
  args$interpolation <- check_choice(args$interpolation, c("bilinear", "nearest"), "interpolation")
  args$fill_value <- check_number(args$fill_value, "fill_value")
  init_random_images(args)
}

init_random_images <- function(args) {
  args["seed"] <- list(check_seed(args$seed))
  args$data_format <- check_data_format(args$data_format)
  args
}

# Bounds of a random factor: one number f stands for -f and f.
check_factor <- function(x, arg) {
  bounds <- unlist(x)
  if (!is.numeric(bounds) || !length(bounds) %in% 1:2 || anyNA(bounds)) {
    abort_argument(paste0("`", arg, "` must be one or two numbers."), expected = "a number, or a lower and an upper bound",
                   received = describe(x))
  }
  if (length(bounds) == 1) bounds <- c(-abs(bounds), abs(bounds))
  if (bounds[1] > bounds[2]) {
    abort_argument(paste0("The bounds of `", arg, "` are not in order."), expected = "the lower bound first",
                   received = format_sizes(bounds))
  }
  bounds
}

# One number for each sample, (samples, 1, 1), between the bounds. `part` tells numbers with one seed apart.
draw_factor <- function(images, bounds, seed, part = 0) {
  k_random_uniform(list(k_shape(images)[[0]], 1, 1), bounds[1], bounds[2], dtype = images$dtype,
                   seed = if (!is.null(seed)) seed + part)
}

# In training, f of the images with channels last; otherwise the images as they are.
in_training <- function(self, inputs, training, f) {
  check_images(inputs$shape, 2, self$data_format)
  if (!isTRUE(training)) return(inputs)
  on_image_batch(self, inputs, f)
}

# Rows and columns of the pixels of an image, counted from 0: (1, rows, 1) and (1, 1, columns).
pixel_rows <- function(images) {
  rows <- known_size(images)[1]
  as_tensor(array(seq_len(rows) - 1, c(1, rows, 1)), images$dtype)
}

pixel_columns <- function(images) {
  columns <- known_size(images)[2]
  as_tensor(array(seq_len(columns) - 1, c(1, 1, columns)), images$dtype)
}

# The images as seen at the rows and columns (samples, rows, columns), which need not be whole numbers.
read_at <- function(images, rows, columns, self) {
  size <- known_size(images)
  if (self$fill_mode != "constant") {
    rows <- mapped_inside(rows, size[1], self$fill_mode)
    columns <- mapped_inside(columns, size[2], self$fill_mode)
  }
  if (self$interpolation == "nearest") return(read_pixels(images, floor(rows + 0.5), floor(columns + 0.5), self))
  top <- floor(rows)
  left <- floor(columns)
  down <- k_expand_dims(rows - top)
  right <- k_expand_dims(columns - left)
  read <- function(i, j) read_pixels(images, top + i, left + j, self)
  (1 - down) * ((1 - right) * read(0, 0) + right * read(0, 1)) + down * ((1 - right) * read(1, 0) + right * read(1, 1))
}

# Coordinates that lie in an image of n pixels: "reflect" mirrors at the outer edges of the first and last pixel.
mapped_inside <- function(at, n, fill_mode) {
  at <- switch(fill_mode,
    reflect = {
      folded <- (at + 0.5) %% (2 * n)
      k_minimum(folded, 2 * n - folded) - 0.5
    },
    wrap = at %% n,
    at
  )
  k_clip(at, 0, n - 1)
}

# The pixels at whole rows and columns; `fill_value` where there is none.
read_pixels <- function(images, rows, columns, self) {
  size <- known_size(images)
  whole <- function(x, n) k_cast(k_clip(x, 0, n - 1), "int32")
  first <- k_cumsum(k_ones_like(k_sum(images, 2:4, keepdims = TRUE), dtype = "float64"), axis = 1) - 1
  first <- k_cast(k_squeeze(first, 4), "int32") * prod(size)
  index <- first + whole(rows, size[1]) * size[2] + whole(columns, size[2])
  pixels <- emit("gather", list(k_reshape(images, c(-1, images$shape[4])), index), list(axis = 0))
  if (self$fill_mode != "constant") return(pixels)
  inside <- rows >= 0 & rows <= size[1] - 1 & columns >= 0 & columns <= size[2] - 1
  k_switch(k_expand_dims(inside), pixels, k_zeros_like(pixels) + self$fill_value)
}
