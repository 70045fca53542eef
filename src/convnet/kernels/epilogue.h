#pragma once
#include <cstdint>

#include "../core/simd.h"

namespace convnet {

// What happens to a sum before it is stored: a bias for its channel is added, then relu
// taken. After that, as long as it is in cache, it may have to pass a gate: a result is
// kept where its gate is positive, and is 0 elsewhere, as gradients through relu are.
// The bits are those of separate operations.
template <typename T>
struct Epilogue {
  const T* bias = nullptr;  // of all output channels, or none
  bool relu = false;
  // As many as there are results, which begin at `results`; or none.
  const T* gate = nullptr;
  const T* results = nullptr;

  // Nothing to apply().
  bool empty() const { return !bias && !relu; }
  // Of the channels from `first` on.
  Epilogue from(int64_t first) const {
    return {bias ? bias + first : nullptr, relu, gate, results};
  }
  // For sums of neighbouring channels, in place.
  void apply(T* sums, int64_t count) const {
    if (bias) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] += bias[i];
    }
    if (relu) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] = sums[i] < 0 ? T(0) : sums[i];  // NaN stays
    }
  }
};

}  // namespace convnet
