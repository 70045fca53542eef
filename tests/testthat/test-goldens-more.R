test_that("stateful layers go on where the batch before ended", {
  content <- goldens("ops")
  for (case in content$stateful) {
    model <- keras_model_sequential()
    do.call(case$layer, c(list(model), golden_args(case$args), list(batch_input_shape = unlist(case$x[[1]]$shape))))
    set_weights(model, lapply(case$weights, content$read))
    for (i in seq_along(case$x)) {
      if ((i - 1) %in% unlist(case$reset_before)) reset_states(model)
      expect_golden(predict(model, content$read(case$x[[i]])), content$read(case$y[[i]]), 1e-4, paste("call", i))
    }
  }
})

# penalty: mean over samples of (||d sum(D(x)) / dx|| - 1)^2 of a network D.
test_that("gradient penalties have Keras's values and gradients", {
  local_float64()
  content <- goldens("more")
  expect_length(content$penalties, 4)
  for (case in content$penalties) {
    model <- keras_model_sequential(input_shape = unlist(case$input_shape))
    for (layer in case$layers) do.call(layer$layer, c(list(model), golden_args(layer$args)))
    set_weights(model, lapply(case$weights, content$read))
    x <- k_placeholder(unlist(case$x$shape))
    slope <- k_gradients(k_sum(model(x)), x)[[1]]
    norm <- k_sqrt(k_sum(k_square(slope), axis = seq_along(case$x$shape)[-1]))
    penalty <- k_mean(k_square(norm - 1))
    run <- k_function(list(x), c(list(penalty), k_gradients(penalty, model$trainable_weights)))
    values <- run(list(content$read(case$x)))
    expect_golden(values[[1]], case$penalty, 1e-5, case$name)
    Map(function(value, entry, i) {
      expect_golden(value, content$read(entry), 1e-5, paste(case$name, "gradient of weight", i))
    }, values[-1], case$grad_weights, seq_along(case$grad_weights))
  }
})
