library(testthat)
library(convnet)

test_check("convnet")
