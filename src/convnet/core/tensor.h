#pragma once
#include <memory>

#include "dtype.h"
#include "memory.h"
#include "shape.h"

namespace convnet {

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;

  size_t bytes() const {
    size_t n;
    if (__builtin_mul_overflow(static_cast<size_t>(shape.size()), size_of(dtype), &n))
      throw Error("memory", "A tensor of this shape does not fit in memory.",
                  {{"received", shape.to_string()}});
    return n;
  }
  bool operator==(const TensorType& other) const {
    return dtype == other.dtype && shape == other.shape;
  }
};

// Owned memory; see allocate().
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) : data_(bytes > 0 ? allocate(bytes) : nullptr, Release{bytes}) {}
  void* data() const { return data_.get(); }
  template <typename T>
  T* as() const { return static_cast<T*>(data_.get()); }
  size_t bytes() const { return data_ ? data_.get_deleter().bytes : 0; }

 private:
  std::unique_ptr<void, Release> data_;
};

// A tensor that owns its values: row-major, contiguous.
struct Tensor {
  TensorType type;
  Buffer buffer;

  Tensor() = default;
  explicit Tensor(TensorType t) : type(t), buffer(t.bytes()) {}
  template <typename T>
  T* as() const { return buffer.as<T>(); }
  void* data() const { return buffer.data(); }
};

// Values that somebody else owns.
struct TensorView {
  TensorType type;
  const void* data;
};

}  // namespace convnet
