# Masks tell which steps of a sequence count: a tensor of truth values (samples, steps)
# in the field `mask` of the tensor that it belongs to. A class of layers takes part by
#   supports_masking = TRUE               the output has the mask of the (first) input
#   compute_mask(self, inputs, mask)      the mask of the output, or NULL
# and by a `mask` argument of call(). Other layers, and bare operations, drop masks. Of a
# symbolic tensor the mask is a row of its record, "mask".

mask_of <- function(x) {
  if (is_tensor(x)) return(x$mask)
  masks <- lapply(x, mask_of)
  if (!all(vapply(masks, is.null, NA))) masks
}

# The tensor with this mask, which may be NULL; another object, unless it has it already.
with_mask <- function(tensor, mask) {
  if (identical(tensor$mask, mask)) return(tensor)
  copy <- list2env(as.list.environment(tensor, all.names = TRUE), parent = emptyenv())
  class(copy) <- class(tensor)
  copy$mask <- mask
  copy
}

# The outputs of a layer with the masks that the layer computes from those of its inputs: one for the first output, or a
# list of them.
with_computed_mask <- function(self, inputs, mask, outputs) {
  compute_mask <- method_of(self, "compute_mask")
  computed <- if (!is.null(compute_mask)) compute_mask(inputs, mask)
              else if (isTRUE(layer_class_of(self)$supports_masking %||% self$supports_masking)) first_mask(mask)
  if (!is.list(outputs)) return(with_mask(outputs, computed))
  masks <- if (is.list(computed)) computed else list(computed)
  Map(with_mask, outputs, c(masks, vector("list", length(outputs) - length(masks))))
}

first_mask <- function(mask) if (is.list(mask)) Find(Negate(is.null), mask) else mask
