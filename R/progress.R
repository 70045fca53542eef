# What fit() and evaluate() show while they work. verbose: 0 nothing, 1 a bar where the terminal can redraw a line and
# then a line an epoch, 2 a line an epoch. The bar goes to the terminal by way of cli; the lines go to stdout, where
# knitr, sink() and logs find them. `epochs` is NULL for evaluate(). A step is a batch where `steps` says how many.

new_progress <- function(verbose, epochs, samples, steps = samples) {
  if (verbose == 0) return(silent_progress())
  bar <- if (verbose == 1 && can_redraw()) new_bar(samples) else silent_progress()
  label <- function(epoch) {
    if (is.null(epochs)) sprintf("%.0f/%.0f", samples, samples) else sprintf("Epoch %.0f/%.0f", epoch, epochs)
  }
  list(
    epoch_begin = function(epoch) bar$epoch_begin(label(epoch)),
    update = bar$update,
    epoch_end = function(epoch, logs, seconds) {
      bar$end()
      cat(label(epoch), " - ", format_seconds(seconds), " ", format_step(seconds / max(steps, 1)), "/step",
        sprintf(" - %s", format_logs(logs)), "\n", sep = "")
      utils::flush.console()
    },
    end = bar$end
  )
}

# Seconds; proc.time() counts in milliseconds, which a short epoch does not fill.
clock <- function() as.numeric(Sys.time())

silent_progress <- function() {
  nothing <- function(...) invisible()
  list(epoch_begin = nothing, update = nothing, epoch_end = nothing, end = nothing)
}

# A notebook or a report keeps every state of a line that is drawn again.
can_redraw <- function() !isTRUE(getOption("knitr.in.progress")) && cli::is_dynamic_tty()

# Drawn five times a second at most, and not at all in short epochs: a bar that flashes up says nothing.
new_bar <- function(total) {
  id <- NULL
  due <- 0
  # The bar belongs to this frame, not to the one that happens to open it.
  frame <- environment()
  end <- function() {
    if (!is.null(id)) cli::cli_progress_done(id, .envir = frame)
    id <<- NULL
  }
  list(
    epoch_begin = function(label) {
      end()
      due <<- clock() + getOption("cli.progress_show_after", 1)
      id <<- cli::cli_progress_bar(label, total = total, clear = TRUE, extra = list(logs = ""), .envir = frame,
        format = "{cli::pb_name}{cli::pb_bar} {cli::pb_percent} ETA {cli::pb_eta}{cli::pb_extra$logs}",
        auto_terminate = FALSE, .auto_close = FALSE)
    },
    update = function(done, logs) {
      if (is.null(id) || clock() < due) return(invisible())
      due <<- clock() + 0.2
      cli::cli_progress_update(set = done, id = id, force = TRUE, .envir = frame,
        extra = list(logs = sprintf(" - %s", format_logs(logs))))
    },
    end = end
  )
}

# "loss: 0.4980 - acc: 0.8238", in Keras's form; character() when there is nothing to say.
format_logs <- function(logs) {
  logs <- logs[lengths(logs) == 1L]
  if (!length(logs)) return(character())
  small <- vapply(logs, function(value) isTRUE(value != 0 && abs(value) <= 1e-3), NA)
  paste0(names(logs), ": ", sprintf(ifelse(small, "%.4e", "%.4f"), as.numeric(logs)), collapse = " - ")
}

format_seconds <- function(seconds) sprintf("%.0fs", seconds)

format_step <- function(seconds) {
  if (seconds >= 1) sprintf("%.0fs", seconds)
  else if (seconds >= 1e-3) sprintf("%.0fms", seconds * 1e3)
  else sprintf("%.0fus", seconds * 1e6)
}
