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
