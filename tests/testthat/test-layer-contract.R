test_that("every layer has a row", {
  layers <- grep("^layer_", getNamespaceExports("convnet"), value = TRUE)
  expect_setequal(names(layer_rows), setdiff(layers, "layer_input"))
})

for (name in names(layer_rows)) {
  test_that(paste0(name, "() is a layer"), {
    expect_layer_contract(name, layer_rows[[name]])
  })
}
