#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "correlation_method.h"

namespace convnet {

// Equal where one packed kernel serves both; it says all that packing depends on.
using PackKey = std::vector<int64_t>;

// pack() puts a kernel in the form that run() reads, as often as the kernel
// changes; run() may be called any number of times with what it left, also that
// of another Correlation<T> whose pack_key() is equal, whatever the batch and the
// size of its images. Where packed_bytes() is 0 run() reads the kernel where it
// lies; elsewhere it does not look at it. packed_bytes() is a multiple of 64.
template <typename T>
class Correlation {
 public:
  explicit Correlation(CorrelationShape shape);
  size_t packed_bytes() const;
  PackKey pack_key() const;
  // packed: 64-byte aligned, as is the workspace.
  void pack(const T* kernel, void* packed) const;
  size_t workspace() const;
  void run(const T* input, const T* kernel, const void* packed, T* output, void* workspace,
           const Epilogue<T>& epilogue = {}) const;

 private:
  CorrelationShape shape_;
  std::unique_ptr<const CorrelationMethod<T>> method_;  // none without output channels
};

}  // namespace convnet
