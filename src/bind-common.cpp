#include <unordered_map>

#include "bind.h"

namespace bind {

using namespace convnet;

void raise(const Error& error) {
  Rcpp::List fields;
  for (const auto& [name, value] : error.fields()) fields[name] = value;
  Rcpp::Function raise_r = Rcpp::Environment::namespace_env("convnet")["abort_from_core"];
  raise_r(error.kind(), fields);
  Rcpp::stop("unreachable");
}

void raise_out_of_memory() {
  raise(Error("memory", "There is not enough memory for this.",
              {{"remedy", "Use a smaller batch_size, fewer filters or smaller inputs."}}));
}

Shape shape_from_r(const Rcpp::IntegerVector& dims) {
  Shape shape;
  for (int d : dims) shape.push_back(d == NA_INTEGER ? kUnknown : d);
  return shape;
}

Rcpp::IntegerVector shape_to_r(const Shape& shape) {
  Rcpp::IntegerVector dims(shape.rank());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] > INT_MAX)
      throw Error("memory", "A dimension is larger than R arrays allow.",
                  {{"received", shape.to_string()}});
    dims[axis] = shape[axis] == kUnknown ? NA_INTEGER : static_cast<int>(shape[axis]);
  }
  return dims;
}

TensorType type_from_r(const Rcpp::IntegerVector& dims, const std::string& dtype) {
  return {dtype_from_name(dtype), shape_from_r(dims)};
}

Attrs attrs_from_r(const Rcpp::List& attrs) {
  Attrs result;
  if (attrs.size() == 0) return result;
  const Rcpp::CharacterVector names = attrs.names();
  for (R_xlen_t i = 0; i < attrs.size(); ++i) {
    const std::string name(names[i]);
    const SEXP value = attrs[i];
    if (Rf_isNull(value)) continue;
    if (TYPEOF(value) == STRSXP) {
      result.set(name, Attrs::Value(Rcpp::as<std::string>(value)));
      continue;
    }
    std::vector<double> numbers;
    for (double number : Rcpp::as<Rcpp::NumericVector>(value))
      numbers.push_back(R_IsNA(number) ? static_cast<double>(kUnknown) : number);
    result.set(name, Attrs::Value(std::move(numbers)));
  }
  return result;
}

SEXPTYPE storage_kind(DType dtype) {
  return dtype == DType::f64 ? REALSXP : dtype == DType::i32 ? INTSXP : RAWSXP;
}

void* storage_pointer(SEXP storage, const TensorType& type) {
  const SEXPTYPE kind = storage_kind(type.dtype);
  const size_t length = kind == RAWSXP ? type.bytes() : type.shape.size();
  if (TYPEOF(storage) != kind || static_cast<size_t>(Rf_xlength(storage)) != length)
    throw Error("weights", "The values of a variable are damaged.",
                {{"expected", "memory for shape " + type.shape.to_string()},
                 {"remedy", "Make the model anew, or read it from another file."}});
  return const_cast<void*>(DATAPTR_RO(storage));
}

Variable variable_from_r(SEXP storage, const TensorType& type) {
  static std::unordered_map<const void*, uint64_t> stamps;
  void* values = storage_pointer(storage, type);
  return {values, &stamps[values]};
}

std::vector<Variable> variables_from_r(const Rcpp::List& storage, const Program& program) {
  std::vector<Variable> variables;
  for (R_xlen_t i = 0; i < storage.size(); ++i) {
    const TensorType* type = program.variable_type(i);
    variables.push_back(type ? variable_from_r(storage[i], *type) : Variable(nullptr));
  }
  return variables;
}

uint64_t key_from_r(const Rcpp::NumericVector& key) {
  return (static_cast<uint64_t>(key[0]) << 32) | static_cast<uint64_t>(key[1]);
}

}  // namespace bind
