# Errors: a headline that names the layer, what was expected, what was received,
# the remedy. Classes: convnet_error_<kind> below convnet_error.

abort_convnet <- function(kind, problem, expected = NULL, received = NULL, remedy = NULL,
                          where = the$where, parent = NULL) {
  headline <- problem[[1]]
  if (!is.null(where)) headline <- paste0(where, ": ", headline)
  bullets <- c(
    headline,
    problem[-1],
    if (!is.null(expected)) c("*" = paste0("Expected: ", expected, ".")),
    if (!is.null(received)) c(x = paste0("Received: ", received, ".")),
    if (!is.null(remedy)) c(i = remedy)
  )
  rlang::abort(bullets, class = c(paste0("convnet_error_", kind), "convnet_error"),
               expected = expected, received = received, remedy = remedy, where = where,
               parent = parent, call = user_frame())
}

abort_argument <- function(problem, ...) abort_convnet("argument", problem, ...)
abort_shape <- function(problem, ...) abort_convnet("shape", problem, ...)
abort_dtype <- function(problem, ...) abort_convnet("dtype", problem, ...)
abort_weights <- function(problem, ...) abort_convnet("weights", problem, ...)
abort_file <- function(problem, ...) abort_convnet("file", problem, ...)

# Called by the core with what it threw.
abort_from_core <- function(kind, fields) {
  abort_convnet(kind, fields$problem, fields$expected, fields$received, fields$remedy,
                where = the$where %||% fields$where)
}

# The outermost frame of a function of this package: the one that the user called.
user_frame <- function() {
  ours <- environment(user_frame)
  for (i in seq_len(sys.nframe())) {
    if (identical(topenv(environment(sys.function(i)) %||% globalenv()), ours)) {
      return(sys.frame(i))
    }
  }
  NULL
}

`%||%` <- function(x, y) if (is.null(x)) y else x

# Runs code with `where` naming the layer in every error that it raises.
with_where <- function(where, code) {
  before <- the$where
  on.exit(the$where <- before)
  the$where <- where
  code
}

# Runs code of the user's: what fails there becomes the parent of an error that
# says whose function it was. `what`: "call()".
with_user_code <- function(what, code) {
  withCallingHandlers(code, error = function(e) {
    if (inherits(e, "convnet_error")) return()
    # Our name for the user's function, `callback[[event]]()`, says nothing to the user.
    if (is.call(e$call) && !is.symbol(e$call[[1]])) e$call <- NULL
    abort_convnet("function", paste(what, "failed."), parent = e)
  })
}

# The known word closest to what was written, for "did you mean".
suggest <- function(word, known) {
  distance <- utils::adist(word, known, ignore.case = TRUE)[1, ]
  best <- which.min(distance)
  if (length(best) && distance[best] <= max(2, nchar(word) / 3) && distance[best] < nchar(word)) {
    paste0("Did you mean \"", known[best], "\"?")
  }
}
