#pragma once
// What every bind-*.cpp shares: errors to R conditions, attributes and types from R.
#include <Rcpp/Lightest>

#include "convnet/graph/program.h"

namespace bind {

// Raises the classed R condition for what a call into the core threw.
[[noreturn]] void raise(const convnet::Error& error);
[[noreturn]] void raise_out_of_memory();

template <typename F>
auto guarded(F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const convnet::Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) {
    raise_out_of_memory();
  }
}

// NA stands for an unknown extent.
convnet::Shape shape_from_r(const Rcpp::IntegerVector& dims);
Rcpp::IntegerVector shape_to_r(const convnet::Shape& shape);
convnet::TensorType type_from_r(const Rcpp::IntegerVector& dims, const std::string& dtype);
convnet::Attrs attrs_from_r(const Rcpp::List& attrs);

// What cpp_variable_storage() made for this type; throws where it is something else, as in a damaged file.
void* storage_pointer(SEXP storage, const convnet::TensorType& type);
SEXPTYPE storage_kind(convnet::DType dtype);
// Its stamp belongs to where the values lie: a program keeps its variables alive, so that it
// never meets others there.
convnet::Variable variable_from_r(SEXP storage, const convnet::TensorType& type);
// In the order of the program's slots.
std::vector<convnet::Variable> variables_from_r(const Rcpp::List& storage, const convnet::Program& program);
// Two numbers below 2^32 drawn by R make one key.
uint64_t key_from_r(const Rcpp::NumericVector& key);

using ProgramPointer = Rcpp::XPtr<convnet::Program>;

}  // namespace bind
