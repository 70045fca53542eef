# A child process after a fork has none of its parent's threads: it must not wait for them.

test_that("models are trained in forked children after the parent used threads", {
  skip_on_os("windows") # has no fork
  result <- in_new_process(function(build, x, y) {
    library(convnet)
    Sys.unsetenv("OMP_THREAD_LIMIT")
    options(convnet.threads = 2)
    environment(build) <- globalenv()
    fit_one <- function(seed) {
      set.seed(seed)
      model <- build(filters = 16, size = 24)
      history <- fit(model, x, y, epochs = 2, batch_size = 20, verbose = 0)
      list(weights = get_weights(model), metrics = history$metrics, predicted = predict(model, x))
    }
    convnet_info()
    alone <- lapply(1:4, fit_one)
    in_parent <- convnet_info()$threads_used
    # A model of the parent is used and trained in children, too; the parent's own stays as it is.
    set.seed(5)
    model <- build(filters = 16, size = 24)
    before <- predict(model, x)
    children <- parallel::mclapply(1:4, fit_one, mc.cores = 2)
    threads <- unlist(parallel::mclapply(1:2, function(i) {
      convnet_info() # from here on
      predict(model, x)
      info <- convnet_info()
      c(info$threads, info$threads_used)
    }, mc.cores = 2))
    trained <- parallel::mclapply(1:2, function(i) {
      set.seed(i)
      fit(model, x, y, epochs = 1, verbose = 0)
      predict(model, x)
    }, mc.cores = 2)
    list(alone = alone, children = children, threads = threads, in_parent = in_parent,
         same_prediction = identical(predict(model, x), before), trained = trained,
         afterwards = convnet_info()$threads, again = fit_one(1))
  }, mixed_model, some_images(48, 24), some_targets(48), timeout = 120)
  expect_identical(result$in_parent, 2L)
  expect_identical(result$children, result$alone)
  expect_false(identical(result$alone[[1]]$weights, result$alone[[2]]$weights))
  expect_identical(result$threads, rep(1L, 4))
  expect_true(result$same_prediction)
  expect_identical(lapply(result$trained, dim), rep(list(c(48L, 4L, 4L)), 2))
  # The parent goes on with its threads.
  expect_identical(result$afterwards, 2L)
  expect_identical(result$again, result$alone[[1]])
})

test_that("models go to the workers of a cluster and come back", {
  skip_on_cran() # where connections between processes are not welcome
  result <- in_new_process(function(build, x, y) {
    library(convnet)
    cluster <- parallel::makePSOCKcluster(2)
    on.exit(parallel::stopCluster(cluster))
    environment(build) <- globalenv()
    set.seed(1)
    models <- list(build("sgd"), build("adam"))
    train <- function(model, x, y) {
      library(convnet)
      set.seed(2)
      fit(model, x, y, epochs = 1, verbose = 0)
      model
    }
    environment(train) <- globalenv()
    back <- parallel::clusterApply(cluster, models, train, x, y)
    there <- lapply(back, function(model) list(get_weights(model), predict(model, x)))
    here <- lapply(models, function(model) {
      train(model, x, y)
      list(get_weights(model), predict(model, x))
    })
    list(there = there, here = here)
  }, mixed_model, some_images(40), some_targets(40), timeout = 120)
  expect_identical(result$there, result$here)
})
