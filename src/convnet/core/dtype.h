#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "error.h"

namespace convnet {

// boolean is one byte, 0 or 1.
enum class DType : uint8_t { f32, f64, i32, boolean };

inline size_t size_of(DType type) {
  switch (type) {
    case DType::f64: return 8;
    case DType::boolean: return 1;
    default: return 4;
  }
}

inline bool is_float(DType type) { return type == DType::f32 || type == DType::f64; }

// Keras's names.
inline const char* name_of(DType type) {
  switch (type) {
    case DType::f32: return "float32";
    case DType::f64: return "float64";
    case DType::i32: return "int32";
    default: return "bool";
  }
}

inline DType dtype_from_name(const std::string& name) {
  for (DType type : {DType::f32, DType::f64, DType::i32, DType::boolean})
    if (name == name_of(type)) return type;
  throw Error("dtype", "Unknown dtype.",
              {{"expected", "float32, float64, int32 or bool"}, {"received", name}});
}

// Calls f with a value of the C++ type that stores `type`.
template <typename F>
auto dispatch_float(DType type, F&& f) {
  if (type == DType::f32) return f(float{});
  if (type == DType::f64) return f(double{});
  throw Error("dtype", "This operation needs floating-point tensors.",
              {{"expected", "float32 or float64"},
               {"received", name_of(type)},
               {"remedy", "Convert with k_cast_to_floatx()."}});
}

template <typename F>
auto dispatch_number(DType type, F&& f) {
  if (type == DType::i32) return f(int32_t{});
  return dispatch_float(type, f);
}

template <typename F>
auto dispatch_any(DType type, F&& f) {
  if (type == DType::boolean) return f(uint8_t{});
  return dispatch_number(type, f);
}

}  // namespace convnet
