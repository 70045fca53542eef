#include <cstdint>
#include <cstring>

#include "bind-array.h"
#include "convnet/core/memory.h"

using namespace convnet;

// Throws when a variable of this shape, with the doubles that R draws for it,
// cannot be held.
// [[Rcpp::export(rng = false)]]
void cpp_check_size(Rcpp::IntegerVector dims, std::string dtype) {
  bind::guarded([&] {
    const TensorType type = bind::type_from_r(dims, dtype);
    require_memory(type.bytes());
    // Drawing takes up to four vectors of doubles at a time.
    const size_t doubles = TensorType{DType::f64, type.shape}.bytes();
    require_memory(doubles > SIZE_MAX / 4 ? SIZE_MAX : 4 * doubles);
    return 0;
  });
}

// Storage that serialize() knows: raw for float32, double for float64, integer
// for int32.
// [[Rcpp::export(rng = false)]]
SEXP cpp_variable_storage(SEXP values, Rcpp::IntegerVector dims, std::string dtype) {
  return bind::guarded([&] {
    const TensorType type = bind::type_from_r(dims, dtype);
    const SEXPTYPE kind = bind::storage_kind(type.dtype);
    const R_xlen_t length = kind == RAWSXP ? type.bytes() : type.shape.size();
    Rcpp::Shield<SEXP> storage(Rf_allocVector(kind, length));
    bind::ArrayCheck check;
    bind::fill_from_r(values, type, bind::storage_pointer(storage, type), check);
    return static_cast<SEXP>(storage);
  });
}

// [[Rcpp::export(rng = false)]]
SEXP cpp_variable_get(SEXP storage, Rcpp::IntegerVector dims, std::string dtype) {
  return bind::guarded([&] {
    const TensorType type = bind::type_from_r(dims, dtype);
    return bind::array_to_r(bind::storage_pointer(storage, type), type);
  });
}

// Writes into the storage itself, so that every owner of the variable sees it.
// [[Rcpp::export(rng = false)]]
void cpp_variable_set(SEXP storage, SEXP values, Rcpp::IntegerVector dims, std::string dtype) {
  bind::guarded([&] {
    bind::ArrayCheck check;
    const TensorType type = bind::type_from_r(dims, dtype);
    const Variable variable = bind::variable_from_r(storage, type);
    variable.changed();
    bind::fill_from_r(values, type, variable.values, check);
    return 0;
  });
}
