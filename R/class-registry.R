# Built-in layer classes by Keras's name; see layer.R for what a class is. (This file
# comes before those that register: R reads them in alphabetical order.)

layer_classes <- new.env(parent = emptyenv())

register_layer_class <- function(class_name, init = identity, build = NULL, call, compute_mask = NULL,
                                 supports_masking = FALSE) {
  layer_classes[[class_name]] <- list(class_name = class_name, init = init, build = build, call = call,
                                      compute_mask = compute_mask, supports_masking = supports_masking)
}
