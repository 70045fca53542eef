#pragma once
// What shape rules ask of their inputs, and the messages when it is not so.
#include <string>
#include <vector>

#include "../core/tensor.h"

namespace convnet {

[[noreturn]] inline void dtype_error(std::string problem, std::string expected,
                                     const std::string& received) {
  throw Error("dtype", std::move(problem),
              {{"expected", std::move(expected)},
               {"received", received},
               {"remedy", "Convert with k_cast()."}});
}

inline void require_float(const TensorType& type) {
  if (!is_float(type.dtype))
    dtype_error("This operation needs floating-point tensors.", "float32 or float64",
                name_of(type.dtype));
}

inline void require_number(const TensorType& type) {
  if (type.dtype == DType::boolean)
    dtype_error("This operation needs numbers.", "float32, float64 or int32", name_of(type.dtype));
}

inline void require_dtype(const TensorType& type, DType dtype) {
  if (type.dtype != dtype)
    dtype_error("A tensor has the wrong dtype.", name_of(dtype), name_of(type.dtype));
}

inline void require_same_dtype(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype)
    dtype_error("Two tensors have different dtypes.", "the same dtype",
                std::string(name_of(a.dtype)) + " and " + name_of(b.dtype));
}

// One value of an attribute for each axis of the input, or each of its spatial axes.
inline void require_per_axis(const std::vector<Dim>& values, const char* name, int rank) {
  if (static_cast<int>(values.size()) != rank)
    argument_error(std::string("`") + name + "` needs a value for each axis.",
                   std::to_string(rank) + " values", std::to_string(values.size()));
}

// Two extents that must agree as soon as both are known.
inline bool may_equal(Dim a, Dim b) { return a == b || a == kUnknown || b == kUnknown; }

inline bool may_equal(const Shape& a, const Shape& b) {
  bool equal = a.rank() == b.rank();
  for (int axis = 0; equal && axis < a.rank(); ++axis) equal = may_equal(a[axis], b[axis]);
  return equal;
}

}  // namespace convnet
