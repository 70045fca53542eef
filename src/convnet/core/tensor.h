#pragma once
#include <cstdlib>
#include <memory>
#include <new>

#include "dtype.h"
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

// Owned memory, aligned for the widest vector unit.
class Buffer {
 public:
  static constexpr size_t kAlignment = 64;

  Buffer() = default;
  explicit Buffer(size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    data_.reset(rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded));
    if (!data_) throw std::bad_alloc();
  }
  void* data() const { return data_.get(); }
  template <typename T>
  T* as() const { return static_cast<T*>(data_.get()); }
  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> data_;
  size_t bytes_ = 0;
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
