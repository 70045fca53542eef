constrained <- function(constraint, w) k_get_value(constrain(get_constraint(constraint), k_constant(w)))
norms <- function(w) sqrt(colSums(w^2))

test_that("constraints move norms into their range", {
  w <- cbind(c(3, 4), c(0.3, 0.4), c(-6, 8))
  expect_equal(norms(constrained(constraint_maxnorm(2), w)), c(2, 0.5, 2), tolerance = 1e-5)
  expect_equal(constrained(constraint_maxnorm(2), w)[, 1], c(1.2, 1.6), tolerance = 1e-5)
  expect_equal(norms(constrained("unitnorm", w)), c(1, 1, 1), tolerance = 1e-5)
  expect_equal(norms(constrained(constraint_minmaxnorm(1, 2), w)), c(2, 1, 2), tolerance = 1e-5)
  expect_equal(norms(constrained(constraint_minmaxnorm(1, 2, rate = 0.5), w)), c(3.5, 0.75, 6), tolerance = 1e-5)
  expect_equal(constrained("nonneg", w)[, 3], c(0, 8))
  expect_equal(constrained(function(w) k_clip(w, -1, 1), w)[, 3], c(-1, 1))
  expect_equal(constrained("unitnorm", matrix(0, 2, 2)), matrix(0, 2, 2))
})

test_that("axes count from 0 and may be several", {
  w <- array(rnorm(2 * 3 * 4 * 5), 2:5)
  unit <- constrained(constraint_unitnorm(axis = c(0, 1, 2)), w)
  expect_equal(apply(unit^2, 4, sum), rep(1, 5), tolerance = 1e-5)
  unit <- constrained(constraint_unitnorm(axis = -1), w)
  expect_equal(apply(unit^2, 1:3, sum), array(1, 2:4), tolerance = 1e-5)
})

test_that("constraints are found by name, function and object", {
  expect_identical(get_constraint("max_norm"), constraint_maxnorm())
  expect_identical(get_constraint("UnitNorm"), constraint_unitnorm())
  expect_identical(get_constraint(constraint_nonneg), constraint_nonneg())
  expect_null(get_constraint(NULL))
  expect_identical(constraint_maxnorm(0.5)$config$max_value, 0.5)
  expect_snapshot(constraint_minmaxnorm(axis = c(0, 1)))
})

test_that("constraints refuse what makes no sense", {
  expect_snapshot_errors({
    constraint_maxnorm(-1)
    constraint_minmaxnorm(2, 1)
    constraint_minmaxnorm(rate = 2)
    constraint_unitnorm(axis = "rows")
    get_constraint("maxnrom")
    constrained(constraint_unitnorm(axis = 2), matrix(1, 2, 2))
  })
})
