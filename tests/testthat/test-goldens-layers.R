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
