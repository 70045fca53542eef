#include "bind-array.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "convnet/core/memory.h"
#include "convnet/core/threads.h"

namespace bind {

using namespace convnet;

namespace {

constexpr Dim kRows = 16;  // of the outermost dimension: the block that stays in cache
constexpr Dim kElements = 1 << 15;  // that one task converts

// Calls visit(column_major, row_major, rows) for runs of `rows` elements that are
// neighbours in column-major order and `stride` apart in row-major order, where
// stride is the number of elements of one outermost index.
template <typename F>
void for_each_run(const Shape& shape, F&& visit) {
  if (shape.rank() == 0) return visit(Dim(0), Dim(0), Dim(1));
  const Dim n = shape[0], stride = shape.product(1, shape.rank());
  if (n == 0 || stride == 0) return;
  auto block = [&](Dim first, Dim last) {
    Dim index[kMaxRank] = {0}, step[kMaxRank], at = first;
    Dim size = n;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      step[axis] = size;
      size *= shape[axis];
    }
    for (Dim row = 0; row < stride; ++row) {
      visit(at, first * stride + row, last - first);
      for (int axis = shape.rank() - 1; axis > 0; --axis) {
        at += step[axis];
        if (++index[axis] < shape[axis]) break;
        at -= step[axis] * shape[axis];
        index[axis] = 0;
      }
    }
  };
  // A team of threads pays from some ten thousand elements on.
  const Dim grain = std::max<Dim>(1, kElements / (stride * kRows)) * kRows;
  parallel_ranges(n, grain, [&](Dim begin, Dim end) {
    for (Dim first = begin; first < end; first += kRows) block(first, std::min(first + kRows, end));
  });
}

bool is_na(double v) { return R_IsNA(v); }
bool is_na(int v) { return v == NA_INTEGER; }
bool is_na(Rbyte) { return false; }

template <typename From, typename To>
void convert(const From* from, const Shape& shape, To* to, ArrayCheck& check) {
  const Dim stride = shape.rank() ? shape.product(1, shape.rank()) : 1;
  std::atomic<bool> na{false}, nonfinite{false};
  for_each_run(shape, [&](Dim in, Dim out, Dim rows) {
    for (Dim r = 0; r < rows; ++r) {
      const From value = from[in + r];
      if constexpr (std::is_same_v<From, double>) {
        if (!std::isfinite(value)) (is_na(value) ? na : nonfinite) = true;
      } else if (is_na(value)) {
        na = true;
      }
      if constexpr (std::is_same_v<To, uint8_t>)
        to[out + r * stride] = value != 0;
      else if constexpr (std::is_same_v<To, int32_t> && std::is_same_v<From, double>)
        to[out + r * stride] = std::fabs(value) < 2147483648.0 ? static_cast<To>(value) : 0;
      else
        to[out + r * stride] = static_cast<To>(value);
    }
  });
  check.has_na = check.has_na || na;
  check.has_nonfinite = check.has_nonfinite || nonfinite;
}

template <typename From, typename To>
void convert_back(const From* from, const Shape& shape, To* to) {
  const Dim stride = shape.rank() ? shape.product(1, shape.rank()) : 1;
  for_each_run(shape, [&](Dim out, Dim in, Dim rows) {
    for (Dim r = 0; r < rows; ++r) to[out + r] = static_cast<To>(from[in + r * stride]);
  });
}

}  // namespace

Shape dims_of(SEXP x) {
  const SEXP dim = Rf_getAttrib(x, R_DimSymbol);
  if (Rf_isNull(dim)) return {static_cast<Dim>(Rf_xlength(x))};
  return shape_from_r(Rcpp::IntegerVector(dim));
}

void fill_from_r(SEXP x, const TensorType& type, void* out, ArrayCheck& check) {
  if (Rf_xlength(x) != type.shape.size())
    throw Error("shape", "An array does not have as many values as its shape says.",
                {{"expected", type.shape.to_string()},
                 {"received", std::to_string(Rf_xlength(x)) + " values"}});
  dispatch_any(type.dtype, [&](auto tag) {
    auto* to = static_cast<decltype(tag)*>(out);
    switch (TYPEOF(x)) {
      case REALSXP: return convert(REAL(x), type.shape, to, check);
      case INTSXP: return convert(INTEGER(x), type.shape, to, check);
      case LGLSXP: return convert(LOGICAL(x), type.shape, to, check);
      case RAWSXP: return convert(RAW(x), type.shape, to, check);
      default:
        throw Error("argument", "These values are not numbers.",
                    {{"expected", "a numeric, logical or raw array"},
                     {"received", Rf_type2char(TYPEOF(x))}});
    }
  });
}

Tensor tensor_from_r(SEXP x, TensorType type, ArrayCheck& check) {
  Tensor tensor(type);
  fill_from_r(x, type, tensor.data(), check);
  return tensor;
}

TensorView dataset_from_r(const Rcpp::List& dataset) {
  return {type_from_r(dataset["shape"], dataset["dtype"]), RAW(dataset["values"])};
}

SEXP array_to_r(const void* values, const TensorType& type) {
  const SEXPTYPE kind = is_float(type.dtype) ? REALSXP : type.dtype == DType::i32 ? INTSXP : LGLSXP;
  Rcpp::Shield<SEXP> out(Rf_allocVector(kind, type.shape.size()));
  dispatch_any(type.dtype, [&](auto tag) {
    const auto* from = static_cast<const decltype(tag)*>(values);
    if (kind == REALSXP) convert_back(from, type.shape, REAL(out));
    else convert_back(from, type.shape, INTEGER(out));
  });
  if (type.shape.rank() > 1) Rf_setAttrib(out, R_DimSymbol, shape_to_r(type.shape));
  return out;
}

}  // namespace bind

using namespace convnet;

// A row-major copy of an R array, made once for all batches. R owns it, so that its
// garbage collector knows how large it is.
// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_dataset(SEXP x, Rcpp::IntegerVector dims, std::string dtype) {
  return bind::guarded([&] {
    const TensorType type = bind::type_from_r(dims, dtype);
    require_memory(type.bytes());
    Rcpp::Shield<SEXP> values(Rf_allocVector(RAWSXP, type.bytes()));
    bind::ArrayCheck check;
    bind::fill_from_r(x, type, RAW(values), check);
    return Rcpp::List::create(Rcpp::Named("values") = values, Rcpp::Named("shape") = dims,
                              Rcpp::Named("dtype") = dtype, Rcpp::Named("has_na") = check.has_na,
                              Rcpp::Named("has_nonfinite") = check.has_nonfinite);
  });
}
