#pragma once
// The only place where R's column-major order meets row-major order.
#include "bind.h"

namespace bind {

struct ArrayCheck {
  bool has_na = false;         // NA of any type
  bool has_nonfinite = false;  // NaN or Inf
};

// x: double, integer, logical or raw values whose dimensions are dims. The
// element x[i, j, ...] becomes element (i, j, ...) of the tensor.
convnet::Tensor tensor_from_r(SEXP x, convnet::TensorType type, ArrayCheck& check);
// What cpp_dataset() returned, without a copy.
convnet::TensorView dataset_from_r(const Rcpp::List& dataset);
// As tensor_from_r(), into memory that is there already.
void fill_from_r(SEXP x, const convnet::TensorType& type, void* out, ArrayCheck& check);
// A double, integer or logical array; a plain vector when the rank is 1 and a
// number without dim when it is 0.
SEXP array_to_r(const void* values, const convnet::TensorType& type);
// Dimensions of an R array, its length when it has none.
convnet::Shape dims_of(SEXP x);

}  // namespace bind
