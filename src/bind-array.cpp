#include "bind-array.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "convnet/core/divide.h"
#include "convnet/core/memory.h"
#include "convnet/core/threads.h"

namespace bind {

using namespace convnet;

namespace {

constexpr double kConvertTime = 1;  // of an element
constexpr Dim kRows = 64, kColumns = 16;  // of a block that is in cache both ways

// Up to kRows neighbours of column-major order for each of up to kColumns of row-major
// order: element (r, c) is at column_major[c] + r, and at row_major + r * stride + c.
struct Tile {
  Dim column_major[kColumns], row_major, stride;
  Dim rows, columns;
};

// Axes of extent 1 change no order; one row is then as good as many.
Shape without_ones(const Shape& shape) {
  Shape rest;
  for (Dim extent : shape)
    if (extent != 1) rest.push_back(extent);
  if (rest.rank() == 0) rest.push_back(1);
  return rest;
}

// Calls visit(tile) for all elements, in parallel.
template <typename F>
void for_each_tile(const Shape& full, F&& visit) {
  const Shape shape = without_ones(full);
  const Dim n = shape[0], stride = shape.product(1, shape.rank());
  if (n == 0 || stride == 0) return;
  Dim step[kMaxRank];
  for (int axis = 1; axis < shape.rank(); ++axis) step[axis] = shape.product(0, axis);
  const Dim across = divide_up(stride, kColumns), tiles = divide_up(n, kRows) * across;
  const auto visit_tile = [&](Dim i) {
    const Dim first = i / across * kRows, column = i % across * kColumns;
    Tile tile;
    tile.stride = stride;
    tile.row_major = first * stride + column;
    tile.rows = std::min(kRows, n - first);
    tile.columns = std::min(kColumns, stride - column);
    Dim index[kMaxRank], at = first;
    for (Dim axis = shape.rank() - 1, rest = column; axis > 0; rest /= shape[axis--]) {
      index[axis] = rest % shape[axis];
      at += index[axis] * step[axis];
    }
    for (Dim c = 0; c < tile.columns; ++c) {
      tile.column_major[c] = at;
      for (int axis = shape.rank() - 1; axis > 0; --axis) {
        at += step[axis];
        if (++index[axis] < shape[axis]) break;
        at -= step[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    visit(tile);
  };
  parallel_ranges(tiles, kConvertTime * static_cast<double>(n * stride) / tiles, [&](Dim begin, Dim end) {
    for (Dim i = begin; i < end; ++i) visit_tile(i);
  });
}

bool is_na(double v) { return R_IsNA(v); }
bool is_na(int v) { return v == NA_INTEGER; }
bool is_na(Rbyte) { return false; }
// Not NA and no infinity, whose differences with themselves are not 0.
bool is_usual(double v) { return v - v == 0; }
bool is_usual(int v) { return !is_na(v); }
bool is_usual(Rbyte) { return true; }

template <typename To, typename From>
To converted(From value) {
  if constexpr (std::is_same_v<To, uint8_t>)
    return value != 0;
  else if constexpr (std::is_same_v<To, int32_t> && std::is_same_v<From, double>)
    return std::fabs(value) < 2147483648.0 ? static_cast<To>(value) : 0;
  else
    return static_cast<To>(value);
}

template <typename From, typename To>
void convert(const From* from, const Shape& shape, To* to, ArrayCheck& check) {
  std::atomic<bool> na{false}, nonfinite{false};
  for_each_tile(shape, [&](const Tile& tile) {
    To values[kColumns][kRows];
    bool usual = true;
    for (Dim c = 0; c < tile.columns; ++c) {
      const From* column = from + tile.column_major[c];
      for (Dim r = 0; r < tile.rows; ++r) {
        usual &= is_usual(column[r]);
        values[c][r] = converted<To>(column[r]);
      }
    }
    for (Dim r = 0; r < tile.rows; ++r) {
      To* row = to + tile.row_major + r * tile.stride;
      for (Dim c = 0; c < tile.columns; ++c) row[c] = values[c][r];
    }
    for (Dim c = 0; !usual && c < tile.columns; ++c)
      for (Dim r = 0; r < tile.rows; ++r) {
        const From value = from[tile.column_major[c] + r];
        if (!is_usual(value)) (is_na(value) ? na : nonfinite) = true;
      }
  });
  check.has_na = check.has_na || na;
  check.has_nonfinite = check.has_nonfinite || nonfinite;
}

template <typename From, typename To>
void convert_back(const From* from, const Shape& shape, To* to) {
  for_each_tile(shape, [&](const Tile& tile) {
    To values[kColumns][kRows];
    for (Dim r = 0; r < tile.rows; ++r) {
      const From* row = from + tile.row_major + r * tile.stride;
      for (Dim c = 0; c < tile.columns; ++c) values[c][r] = static_cast<To>(row[c]);
    }
    for (Dim c = 0; c < tile.columns; ++c)
      std::copy_n(values[c], tile.rows, to + tile.column_major[c]);
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
