#' Draw a model
#'
#' A picture of the layers, in the order of the data: each block is the output of a layer. Its height and depth follow the
#' rows and columns of the image, its thickness the number of channels; vectors are bars as high as they are long. Sizes
#' are compressed, so that small and large outputs can be seen side by side. The colour tells the kind of layer.
#'
#' The blocks are laid out in as many rows as suit the device: a wide device shows more layers in a row.
#'
#' @param x A model.
#' @param y Not used.
#' @param main Title; the name of the model and its number of parameters when `NULL`.
#' @param labels Write name, class, output shape and number of parameters below the blocks?
#' @param legend Explain the colours?
#' @param cex Size of the text; chosen to fit when `NULL`.
#' @param ... Not used.
#'
#' @return `x`, invisibly.
#' @section Errors: `convnet_error_argument` for a model without layers.
#' @seealso [summary.keras_model()] for the same as text
#' @family models
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(28, 28, 1)) %>%
#'   layer_conv_2d(16, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
#'   layer_conv_2d(32, kernel_size = 3, strides = 2, padding = "same", activation = "relu") %>%
#'   layer_conv_2d_transpose(16, kernel_size = 3, strides = 2, padding = "same") %>%
#'   layer_conv_2d_transpose(1, kernel_size = 3, strides = 2, padding = "same")
#' plot(model)
plot.keras_model <- function(x, y, main = NULL, labels = TRUE, legend = TRUE, cex = NULL, ...) {
  blocks <- model_blocks(x)
  if (!length(blocks)) {
    abort_argument("The model has no layers: there is nothing to draw.", where = label_of(x),
      remedy = "Add layers with %>% first.")
  }
  old <- graphics::par(mar = c(0, 0, 0, 0), xpd = NA, lend = "butt")
  on.exit(graphics::par(old))
  graphics::plot.new()
  # One unit is one inch: blocks keep their proportions on every device.
  page <- graphics::par("pin")
  graphics::plot.window(c(0, page[1]), c(0, page[2]), xaxs = "i", yaxs = "i")

  blocks <- scale_blocks(blocks)
  head <- if (identical(main, "")) 0.1 else 0.45
  foot <- if (legend) 0.4 else 0.1
  room <- c(page[1] - 0.3, page[2] - head - foot)
  plan <- plan_rows(blocks, room, labels, cex)
  draw_title(x, main, page)
  links <- model_links(x)
  at <- list()
  for (i in seq_along(blocks)) {
    row <- (i - 1L) %/% plan$per_row
    column <- (i - 1L) %% plan$per_row
    centre <- c(page[1] / 2 + (column + 0.5 - plan$per_row / 2) * plan$slot,
      page[2] - head - row * plan$height - plan$area / 2 - plan$gap)
    edges <- draw_block(blocks[[i]], centre, plan$unit)
    if (labels) draw_label(blocks[[i]], centre[1], centre[2] - plan$area / 2 - 0.04, plan$cex)
    at[[i]] <- list(left = edges[1], right = edges[2], y = centre[2], borders = centre[1] + c(-0.5, 0.5) * plan$slot)
    if (is.null(links)) {
      if (i > 1L) draw_arrow(centre[1] - plan$slot / 2, edges[1], centre[2])
      if (i < length(blocks)) draw_line(edges[2], centre[1] + plan$slot / 2, centre[2])
    }
  }
  for (link in links) draw_link(at[[link[1]]], at[[link[2]]], diff(link) == 1L, plan$area / 2)
  if (legend) draw_legend(blocks, page)
  invisible(x)
}

# Okabe and Ito's colours: told apart with any colour vision.
kind_colours <- c(
  input = "#E8E8E8", convolution = "#56B4E9", "transposed convolution" = "#E69F00", pooling = "#009E73",
  dense = "#CC79A7", normalization = "#F0E442", other = "#A8A8A8"
)

layer_kind <- function(class_name) {
  if (grepl("Conv.*Transpose", class_name)) "transposed convolution"
  else if (grepl("Conv", class_name)) "convolution"
  else if (grepl("Pooling", class_name)) "pooling"
  else if (grepl("Dense", class_name)) "dense"
  else if (grepl("Normalization", class_name)) "normalization"
  else if (class_name == "InputLayer") "input"
  else "other"
}

# Which block gives to which, as pairs of positions; NULL for a chain, list() where the
# model does not say.
model_links <- function(model) {
  if (inherits(model, "keras_model_sequential")) return(NULL)
  if (!is_graph(model)) return(list())
  parts <- model_parts(model)
  if (is_chain(parts)) return(NULL)
  unlist(lapply(seq_along(parts), function(i) {
    lapply(unique(match(sub("\\[.*$", "", parts[[i]]$from), names(parts))), function(from) c(from, i))
  }), recursive = FALSE)
}

model_blocks <- function(model) {
  block <- function(name, class_name, shape, parameters, channels_first = FALSE) {
    shape <- if (is.list(shape)) shape[[1L]] else shape
    list(kind = layer_kind(class_name), title = name, size = block_size(shape[-1L], channels_first),
      lines = c(if (class_name == "InputLayer") "" else class_name, shape_product(shape[-1L]), parameters))
  }
  of_layer <- function(layer) {
    n <- if (layer$built) count_params(layer) else 0
    unit <- if (!layer$trainable) "(frozen)" else if (n == 1) "parameter" else "parameters"
    block(layer$name, layer$class_name, layer$output_shape, if (n > 0) paste(big_count(n), unit) else "",
      identical(layer$data_format, "channels_first"))
  }
  if (inherits(model, "keras_model_functional")) {
    nodes <- model_nodes(model)
    nodes <- nodes[!duplicated(vapply(nodes, function(node) node$name, ""))]
    return(lapply(nodes, function(node) {
      if (!is.null(node$layer)) of_layer(node$layer) else block(node$name, "operation", node$shapes[[1L]], "")
    }))
  }
  blocks <- lapply(model$layers, of_layer)
  given <- model$input_shape
  first <- if (length(model$layers)) model$layers[[1L]]
  if (is.null(given) || is.list(given) || identical(first$class_name, "InputLayer")) return(blocks)
  c(list(block("input", "InputLayer", given, "", identical(first$data_format, "channels_first"))), blocks)
}

shape_product <- function(shape) {
  if (!length(shape)) return("")
  times <- if (l10n_info()[["UTF-8"]]) " \u00d7 " else " x "
  paste(ifelse(is.na(shape), "None", shape), collapse = times)
}

# Rows, columns, channels; a vector has only a length. A third spatial dimension adds to the depth.
block_size <- function(shape, channels_first) {
  rank <- length(shape)
  if (rank <= 1L) return(list(rows = NA, columns = NA, channels = NA, length = if (rank) shape else NA))
  spatial <- if (channels_first) shape[-1L] else shape[-rank]
  channels <- if (channels_first) shape[1L] else shape[rank]
  list(rows = spatial[length(spatial) - (length(spatial) > 1L)], channels = channels, length = NA,
    columns = if (length(spatial) == 1L) 1 else prod(spatial[-(length(spatial) - 1L)])^(1 / (length(spatial) - 1L)))
}

# Sizes to height, depth and thickness between 0 and 1; unknown ones are in the middle.
scale_blocks <- function(blocks) {
  field <- function(name) vapply(blocks, function(b) as.numeric(b$size[[name]]), 0)
  rows <- field("rows")
  columns <- field("columns")
  channels <- field("channels")
  lengths <- field("length")
  largest <- max(rows, columns, 1, na.rm = TRUE)
  spatial <- function(n) pmax((n / largest)^0.6, 0.06)
  logarithmic <- function(n, low, high) low + (high - low) * log2(n) / log2(max(n, 2, na.rm = TRUE))

  vector <- is.na(rows) & is.na(columns) & is.na(channels)
  height <- ifelse(vector, logarithmic(lengths, 0.15, 0.85), spatial(rows))
  depth <- ifelse(vector, 0.06, spatial(columns))
  thick <- ifelse(vector, 0.06, logarithmic(channels, 0.05, 0.45))
  known <- function(x) ifelse(is.na(x), 0.5, x)
  Map(function(block, h, d, t) c(block, list(height = known(h), depth = known(d), thick = if (is.na(t)) 0.2 else t,
    open = anyNA(c(h, d, t)))), blocks, height, depth, thick)
}

# Depth is drawn upwards and to the right, shortened.
slant <- c(0.36, 0.30)

extent <- function(block) c(block$thick + slant[1] * block$depth, block$height + slant[2] * block$depth)

# The rows of blocks that make them largest, with text as large as still fits.
plan_rows <- function(blocks, room, labels, cex) {
  n <- length(blocks)
  largest <- apply(vapply(blocks, extent, numeric(2)), 1L, max)
  best <- NULL
  for (size in cex %||% c(0.85, 0.75, 0.65, 0.55, 0.48, 0.42)) {
    text <- if (labels) c(max(vapply(blocks, label_width, 0, cex = size)) + 0.12, 4.4 * line_height(size)) else c(0, 0)
    for (rows in seq_len(n)) {
      per_row <- ceiling(n / rows)
      slot <- room[1] / per_row
      height <- room[2] / rows
      gap <- 0.08 * height
      area <- height - text[2] - gap
      unit <- min((slot - 0.35) / largest[1], area / largest[2], 2.2)
      plan <- list(per_row = per_row, slot = slot, height = height, area = area, gap = gap / 2, unit = unit, cex = size)
      if (slot >= text[1] && (is.null(best) || unit > best$unit + 0.02)) best <- plan
    }
    if (!is.null(best) && best$unit >= 0.7) break
  }
  best <- best %||% plan
  best$unit <- max(best$unit, 0.05)
  # Few layers on a wide page stay together, in its middle.
  best$slot <- min(best$slot, max(text[1], largest[1] * best$unit + 1))
  best
}

line_height <- function(cex) 1.25 * cex * graphics::par("cin")[2] * graphics::par("cex") * 0.85

label_width <- function(block, cex) {
  max(graphics::strwidth(block$title, "inches", cex, font = 2L), graphics::strwidth(block$lines, "inches", cex))
}

# Returns the left and right edge, where arrows end.
draw_block <- function(block, centre, unit) {
  base <- kind_colours[[block$kind]]
  t <- block$thick * unit
  h <- block$height * unit
  shift <- slant * block$depth * unit
  x <- centre[1] - (t + shift[1]) / 2
  y <- centre[2] - (h + shift[2]) / 2
  face <- function(px, py, colour) {
    graphics::polygon(px, py, col = colour, border = mix(base, "black", 0.45), lwd = 0.8, lty = if (block$open) 2L else 1L)
  }
  face(x + c(0, t, t + shift[1], shift[1]), y + h + c(0, 0, shift[2], shift[2]), mix(base, "white", 0.45))
  face(x + t + c(0, shift[1], shift[1], 0), y + c(0, shift[2], h + shift[2], h), mix(base, "black", 0.18))
  face(x + c(0, t, t, 0), y + c(0, 0, h, h), base)
  # An arrow at half height meets the front on the left and the slanted side on the right.
  c(x, x + t + shift[1])
}

draw_label <- function(block, x, top, cex) {
  step <- line_height(cex)
  write <- function(text, line, ...) graphics::text(x, top - step * line, text, adj = c(0.5, 0), cex = cex, ...)
  write(block$title, 1, font = 2L, col = "grey10")
  lines <- block$lines[nzchar(block$lines)]
  if (length(lines)) write(lines, 1 + seq_along(lines), col = "grey35")
}

arrow_colour <- "grey50"

draw_line <- function(from, to, y) graphics::segments(from + 0.05, y, to, y, col = arrow_colour, lwd = 1.3)

draw_arrow <- function(from, to, y) {
  tip <- to - 0.03
  graphics::segments(from, y, tip - 0.06, y, col = arrow_colour, lwd = 1.3)
  graphics::polygon(tip - c(0, 0.09, 0.09), y + c(0, 0.04, -0.04), col = arrow_colour, border = NA)
}

# From block to block: straight to the next one of a row, in an arc above the blocks between, or along the borders of
# the columns and above the row of the other block.
draw_link <- function(from, to, adjacent, height) {
  tip <- to$left - 0.12
  if (from$y != to$y) {
    x <- c(from$right + 0.05, from$borders[2], from$borders[2], to$borders[1], to$borders[1], tip)
    y <- c(from$y, from$y, to$y + height, to$y + height, to$y, to$y)
  } else {
    t <- seq(0, 1, length.out = 60L)
    x <- from$right + 0.05 + t * (tip - from$right - 0.05)
    y <- from$y + if (adjacent) 0 * t else 0.9 * height * sin(pi * t)
  }
  graphics::lines(x, y, col = arrow_colour, lwd = 1.3)
  draw_arrow(tip, to$left, to$y)
}

draw_title <- function(model, main, page) {
  if (identical(main, "")) return(invisible())
  graphics::text(0.2, page[2] - 0.22, main %||% model$name, adj = c(0, 0.5), font = 2L, cex = 1.05, col = "grey10")
  if (is.null(main) && model$built) {
    graphics::text(page[1] - 0.2, page[2] - 0.22, paste(big_count(count_params(model)), "parameters"), adj = c(1, 0.5),
      cex = 0.8, col = "grey35")
  }
}

draw_legend <- function(blocks, page) {
  kinds <- intersect(names(kind_colours)[-1L], vapply(blocks, function(b) b$kind, ""))
  if (!length(kinds)) return(invisible())
  widths <- 0.36 + graphics::strwidth(kinds, "inches", 1)
  cex <- min(0.75, (page[1] - 0.2) / sum(widths))
  at <- page[1] / 2 + cex * (cumsum(c(0, widths))[seq_along(widths)] - sum(widths) / 2)
  side <- 0.14 * cex
  graphics::rect(at, 0.2 - side / 2, at + side, 0.2 + side / 2, col = kind_colours[kinds],
    border = mix(kind_colours[kinds], "black", 0.45), lwd = 0.8)
  graphics::text(at + 1.4 * side, 0.2, kinds, adj = c(0, 0.4), cex = cex, col = "grey20")
}

mix <- function(colour, other, share) {
  rgb <- (1 - share) * grDevices::col2rgb(colour) + share * as.vector(grDevices::col2rgb(other))
  grDevices::rgb(rgb[1L, ], rgb[2L, ], rgb[3L, ], maxColorValue = 255)
}
