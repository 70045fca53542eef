# A trace handed to the core, with the variables it reads and writes. The handle
# is a cache: after readRDS() it is dead and the program is made again.

new_program <- function(trace, outputs) {
  force(outputs)  # may append rows itself
  list(handle = cpp_program(trace$rows, as.integer(outputs)),
       variables = trace$variables,
       n_outputs = length(outputs))
}

program_from <- function(trace, outputs) {
  new_program(trace, vapply(outputs, row_in, 1L, record = trace))
}

is_live <- function(program) !is.null(program) && cpp_is_live(program$handle)

storage_of <- function(variables) lapply(variables, .subset2, "storage")

# One 64-bit key from R's generator: set.seed() is all that a user needs.
draw_key <- function() floor(stats::runif(2) * 2^32)

# R's generator is drawn from only when the program has random operations.
key_for <- function(program) if (cpp_is_random(program$handle)) draw_key() else c(0, 0)

# feeds: datasets (see as_dataset()).
run_program <- function(program, feeds = list()) {
  apply_session_options()
  cpp_run(program$handle, feeds, storage_of(program$variables), key_for(program), program$n_outputs)
}
