# The layer of a case with its weights, its output and all gradients of
# sum(y * g), through the public functions.
run_case <- function(case, read, dtype) {
  layer <- do.call(case$layer, c(golden_args(case$args), list(dtype = dtype)))
  inputs <- lapply(case$x, function(x) k_placeholder(unlist(x$shape), dtype = dtype))
  y <- layer(if (length(inputs) > 1) inputs else inputs[[1]], training = case$training)
  set_weights(layer, lapply(case$weights, read))
  g <- k_placeholder(unlist(case$g$shape), dtype = dtype)
  trained <- vapply(case$grad_weights, function(w) w$index + 1L, 1L)
  gradients <- k_gradients(k_sum(y * g), c(inputs, layer$weights[trained]))
  run <- k_function(c(inputs, list(g)), c(list(y), gradients))
  values <- run(lapply(c(case$x, list(case$g)), read))
  list(y = values[[1]], grad_x = values[1 + seq_along(inputs)],
       grad_weights = values[-seq_len(1 + length(inputs))],
       after = get_weights(layer, trainable = FALSE))
}

expect_case <- function(case, read, dtype, tolerance) {
  label <- paste0("case ", case$id, " (", case$layer, ", ", dtype, ")")
  found <- run_case(case, read, dtype)
  expect_golden(found$y, read(case$y), tolerance, paste(label, "output"))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "gradient of input", i))
  }, found$grad_x, case$grad_x, seq_along(case$grad_x))
  Map(function(value, entry, i) {
    expect_golden(value, read(entry), tolerance, paste(label, "gradient of weight", i))
  }, found$grad_weights, case$grad_weights, seq_along(case$grad_weights))
  if (length(case$weights_after)) {
    Map(function(value, entry) {
      expect_golden(value, read(entry), tolerance, paste(label, "moving statistics"))
    }, found$after, case$weights_after)
  }
}

layers_of <- function(content) unique(vapply(content$cases, function(case) case$layer, ""))

for (layer in intersect(layers_of(goldens("layers")), getNamespaceExports("convnet"))) {
  test_that(paste(layer, "has Keras's values and gradients"), {
    content <- goldens("layers")
    cases <- Filter(function(case) case$layer == layer, content$cases)
    for (case in cases) {
      expect_case(case, content$read, "float64", 1e-5)
      expect_case(case, content$read, "float32", 1e-4)
    }
  })
}
