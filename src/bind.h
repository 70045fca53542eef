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

// What cpp_variable_storage() made.
void* storage_pointer(SEXP storage);
// The variable with these values. Its stamp is an attribute, an external pointer: files
// do not contain it, and what was read from one gets its own.
convnet::Variable variable_from_r(SEXP storage);
// In the order of the program's slots.
std::vector<convnet::Variable> variables_from_r(const Rcpp::List& storage);
// Two numbers below 2^32 drawn by R make one key.
uint64_t key_from_r(const Rcpp::NumericVector& key);

using ProgramPointer = Rcpp::XPtr<convnet::Program>;

}  // namespace bind
