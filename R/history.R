#' The history of a training run
#'
#' [fit()] returns the values that loss and metrics had after each epoch. `print()` says how long training took and
#' where it ended, `plot()` draws the curves, `as.data.frame()` returns one row for each value.
#'
#' @details
#' The object is a list of two:
#' - `params`: `batch_size`, `epochs`, `samples`, `validation_samples`, `do_validation`, `metrics` (the names of the
#'   curves), `initial_epoch` and `interrupted`, which is `TRUE` where the user did not let it run to its end;
#' - `metrics`: a list of numeric vectors, one value an epoch: `history$metrics$loss`, `history$metrics$val_loss`.
#'
#' Where training ended early, by a callback or because the user interrupted it, the vectors are shorter than
#' `params$epochs`; the data frame has `NA` for the epochs that are missing.
#'
#' @param x History, as returned by [fit()].
#' @param y Not used.
#' @param row.names,optional Not used: arguments of the generic function.
#' @param metrics Names of the metrics to draw, without the prefix `val_`; `NULL` for all.
#' @param method `"ggplot2"` for a ggplot object, `"base"` for R's own graphics, `"auto"` for ggplot2 where it is
#'   installed.
#' @param smooth Draw a smooth curve ([stats::loess()]) through the points? It needs ten epochs;
#'   otherwise the points are joined.
#' @param theme_bw Use the theme [ggplot2::theme_bw()] instead of the current one (ggplot2 only)?
#' @param ... Not used by `print()` and `as.data.frame()`; arguments of [graphics::par()] for the base plot.
#'
#' @return `as.data.frame()`: a data frame with the columns `epoch` (integer), `value`, `metric` (factor) and `data`
#'   (factor with the levels `training` and `validation`). `plot()`: a ggplot object, or `NULL`, invisibly, when base
#'   graphics drew it. `print()`: `x`, invisibly.
#' @section Errors: `plot()`: `convnet_error_argument` for `metrics` that the history does not hold, and for a history
#'   without epochs.
#' @name history
#' @aliases keras_training_history
#' @family training
#' @examples
#' model <- keras_model_sequential(input_shape = 3) %>%
#'   layer_dense(8, activation = "relu") %>%
#'   layer_dense(1)
#' model %>% compile(loss = "mse", optimizer = "adam", metrics = "mae")
#'
#' x <- matrix(rnorm(300), 100)
#' y <- x[, 1] - x[, 2]
#' history <- model %>% fit(x, y, epochs = 12, validation_split = 0.2, verbose = 0)
#' history
#'
#' plot(history, method = "base")
#' plot(history, metrics = "loss", smooth = FALSE, method = "base")
#' tail(as.data.frame(history))
NULL

new_history <- function(params, metrics) {
  structure(list(params = params, metrics = metrics), class = "keras_training_history")
}

#' @rdname history
#' @export
print.keras_training_history <- function(x, ...) {
  count <- function(n) format(n, big.mark = ",", scientific = FALSE, trim = TRUE)
  params <- x$params
  cat("Trained on ", count(params$samples), " samples",
    if (isTRUE(params$do_validation)) {
      if (is.null(params$validation_samples)) ", validated" else
        c(", validated on ", count(params$validation_samples), " samples")
    },
    " (", if (!is.null(params$batch_size)) c("batch_size=", params$batch_size, ", "), "epochs=", params$epochs, ")\n",
    sep = "")

  done <- first_epoch(x) - 1L + max(lengths(x$metrics), 0L)
  if (done < params$epochs || isTRUE(params$interrupted)) {
    cat(if (isTRUE(params$interrupted)) "Interrupted" else "Stopped",
      if (done < first_epoch(x)) " before the end of the first epoch" else
        sprintf(" after epoch %d of %d", as.integer(done), as.integer(params$epochs)), "\n", sep = "")
  }
  final <- vapply(x$metrics, function(values) if (length(values)) values[[length(values)]] else NA_real_, numeric(1))
  if (length(final) && done >= first_epoch(x)) {
    cat("Final epoch (plot to see history):\n")
    numbers <- vapply(final, format, character(1), digits = 4L, big.mark = ",")
    cat(paste0(formatC(names(final), width = max(nchar(names(final)))), ": ", numbers, "\n"), sep = "")
  }
  invisible(x)
}

# A resumed fit numbers its epochs from where the last one ended.
first_epoch <- function(history) (history$params$initial_epoch %||% 0) + 1

#' @rdname history
#' @export
as.data.frame.keras_training_history <- function(x, row.names = NULL, optional = FALSE, ...) {
  # Callbacks keep other values here, the learning rate for instance: they are no curves.
  values <- x$metrics[names(x$metrics) %in% (x$params$metrics %||% names(x$metrics))]
  epochs <- max(x$params$epochs, first_epoch(x) - 1L + lengths(values))
  padded <- lapply(values, function(v) c(rep(NA, first_epoch(x) - 1L), v)[seq_len(epochs)])
  name <- as.character(names(values))
  metric <- sub("^val_", "", name)
  data.frame(
    epoch = rep(seq_len(epochs), length(values)),
    value = as.numeric(unlist(padded)),
    metric = factor(rep(metric, each = epochs), unique(metric)),
    data = factor(rep(startsWith(name, "val_"), each = epochs), c(FALSE, TRUE), c("training", "validation"))
  )
}

#' @rdname history
#' @export
plot.keras_training_history <- function(x, y, metrics = NULL, method = c("auto", "ggplot2", "base"),
                                        smooth = getOption("keras.plot.history.smooth", TRUE),
                                        theme_bw = getOption("keras.plot.history.theme_bw", FALSE), ...) {
  method <- check_choice(first_choice(method), c("auto", "ggplot2", "base"), "method")
  if (method == "auto") method <- if (requireNamespace("ggplot2", quietly = TRUE)) "ggplot2" else "base"

  curves <- as.data.frame(x)
  curves <- curves[is.finite(curves$value), ]
  if (!is.null(metrics)) {
    metrics <- sub("^val_", "", metrics)
    known <- levels(curves$metric)
    unknown <- setdiff(metrics, known)
    if (length(unknown)) {
      abort_argument("`metrics` names a curve that the history does not hold.",
        expected = paste("one of", quoted(known)), received = quoted(unknown[1]), remedy = suggest(unknown[1], known))
    }
    curves <- curves[curves$metric %in% metrics, ]
  }
  if (!nrow(curves)) {
    abort_argument("The history holds no epoch: there is nothing to draw.",
      remedy = "Train for at least one epoch.")
  }
  curves$metric <- droplevels(curves$metric)
  smooth <- check_flag(smooth, "smooth") && length(unique(curves$epoch)) >= 10L
  if (method == "ggplot2") {
    rlang::check_installed("ggplot2", "to plot with `method = \"ggplot2\"`.")
    history_ggplot(curves, smooth, theme_bw)
  } else {
    history_base_plot(curves, smooth, ...)
  }
}

# Told apart by readers who do not see red and green alike, and by their lightness in print.
history_colours <- c(training = "#0072B2", validation = "#E69F00")

#' @importFrom rlang .data
history_ggplot <- function(curves, smooth, theme_bw) {
  plot <- ggplot2::ggplot(curves, ggplot2::aes(.data$epoch, .data$value, colour = .data$data)) +
    (if (smooth) ggplot2::geom_smooth(se = FALSE, method = "loess", formula = y ~ x, linewidth = 0.8)
     else if (length(unique(curves$epoch)) > 1L) ggplot2::geom_line(linewidth = 0.7)) +
    ggplot2::geom_point(size = 1.6) +
    ggplot2::facet_wrap(ggplot2::vars(.data$metric), ncol = 1L, scales = "free_y", strip.position = "left") +
    ggplot2::scale_colour_manual(values = history_colours, name = NULL) +
    ggplot2::scale_x_continuous(breaks = whole_breaks) +
    ggplot2::labs(x = "epoch", y = NULL)
  if (theme_bw) plot <- plot + ggplot2::theme_bw()
  plot + ggplot2::theme(
    strip.placement = "outside", strip.background = ggplot2::element_blank(),
    legend.position = if (nlevels(droplevels(curves$data)) > 1L) "top" else "none",
    strip.text = ggplot2::element_text(size = ggplot2::rel(1.1)), panel.grid.minor = ggplot2::element_blank(),
    legend.justification = "left", legend.key = ggplot2::element_blank(),
    legend.margin = ggplot2::margin(), legend.box.spacing = ggplot2::unit(4, "pt")
  )
}

whole_breaks <- function(limits) {
  at <- pretty(limits, n = 8L)
  at[at == round(at) & at >= max(1, limits[1]) & at <= limits[2]]
}

history_base_plot <- function(curves, smooth, ...) {
  panels <- split(curves, curves$metric)
  kinds <- levels(droplevels(curves$data))
  old <- graphics::par(mfrow = c(length(panels), 1L), mar = c(0.6, 4.2, 0.6, 1), oma = c(3.4, 0, 2, 0),
    mgp = c(2.8, 0.5, 0), tcl = -0.2, las = 1, bty = "n", cex = 0.9, ...)
  on.exit(graphics::par(old))

  for (panel in panels) {
    graphics::plot(range(curves$epoch), padded_range(panel$value), type = "n", axes = FALSE, xlab = "",
      ylab = as.character(panel$metric[1]))
    frame <- graphics::par("usr")
    graphics::abline(v = whole_breaks(frame[1:2]), h = graphics::axTicks(2), col = "grey92")
    graphics::axis(2, col = NA, col.ticks = "grey60", col.axis = "grey30")
    for (kind in kinds) {
      line <- panel[panel$data == kind & is.finite(panel$value), ]
      curve <- if (smooth) smooth_curve(line) else line[c("epoch", "value")]
      graphics::lines(curve, col = history_colours[kind], lwd = 2)
      graphics::points(line$epoch, line$value, pch = 21, cex = 0.9, bg = history_colours[kind], col = "white")
    }
  }
  graphics::axis(1, whole_breaks(frame[1:2]), col = NA, col.ticks = "grey60", col.axis = "grey30")
  graphics::mtext("epoch", 1, line = 1.9, cex = 0.9)

  if (length(kinds) > 1L) {
    graphics::par(fig = c(0, 1, 0, 1), oma = c(0, 0, 0, 0), mar = c(0, 4.2, 0.4, 1), new = TRUE)
    graphics::plot.new()
    graphics::legend("topleft", kinds, pch = 21, lty = 1, lwd = 2, col = history_colours[kinds],
      pt.bg = history_colours[kinds], bty = "n", horiz = TRUE, inset = c(-0.02, 0), text.col = "grey20")
  }
  invisible()
}

padded_range <- function(values) {
  range(values, finite = TRUE) + c(-1, 1) * (if (diff(range(values, finite = TRUE)) == 0) 0.5 else 0)
}

smooth_curve <- function(line) {
  if (nrow(line) < 10L) return(line[c("epoch", "value")])
  at <- seq(min(line$epoch), max(line$epoch), length.out = 200L)
  list(x = at, y = stats::predict(stats::loess(value ~ epoch, line), data.frame(epoch = at)))
}
