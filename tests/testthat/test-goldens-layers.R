layers_of <- function(content) unique(vapply(content$cases, function(case) case$layer, ""))

for (stem in c("layers", "ops", "more")) {
  for (layer in intersect(layers_of(goldens(stem)), getNamespaceExports("convnet"))) {
    test_that(paste0(layer, " has Keras's values and gradients (", stem, ".json)"), {
      content <- goldens(stem)
      for (case in Filter(function(case) case$layer == layer, content$cases)) {
        expect_case(case, content$read, "float64", 1e-5)
        expect_case(case, content$read, "float32", 1e-4)
      }
    })
  }
}
