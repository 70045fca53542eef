# State of the session, none of it part of a model.
the <- new.env(parent = emptyenv())
the$floatx <- "float32"
the$epsilon <- 1e-7
the$image_data_format <- "channels_last"
the$learning_phase <- NULL
the$isa <- "auto"      # the instruction set asked for last
the$uids <- list()     # counters behind automatic names
the$trace <- NULL      # the record that operations go to while a layer's call() runs
the$training <- FALSE  # its phase
the$where <- NULL      # the layer that errors name
the$era <- new.env(parent = emptyenv())  # another one after each change of a layer or a model; see facts_of()

# What a layer or model knows for as long as the session lasts: it is kept alive with the instance, whose environment
# `data` is, and is not saved with it.
session_of <- function(data) {
  known <- if (!is.null(data$.session)) cpp_weak_value(data$.session)
  if (is.null(known)) {
    known <- new.env(hash = FALSE, parent = emptyenv())
    data$.session <- cpp_weak_reference(data, known)
  }
  known
}
