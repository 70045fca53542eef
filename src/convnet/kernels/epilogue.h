#pragma once
#include <cstdint>

#include "../core/simd.h"

namespace convnet {

enum class Activation { none, relu };

// What happens to a sum before it is stored: a bias for its channel is added,
// then an activation taken, with the bits that separate operations would give.
template <typename T>
struct Epilogue {
  const T* bias = nullptr;  // of all output channels, or none
  Activation activation = Activation::none;

  bool empty() const { return !bias && activation == Activation::none; }
  bool relu() const { return activation == Activation::relu; }
  // Of the channels from `first` on.
  Epilogue from(int64_t first) const { return {bias ? bias + first : nullptr, activation}; }
  // For sums of neighbouring channels, in place.
  void apply(T* sums, int64_t count) const {
    if (bias) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] += bias[i];
    }
    if (relu()) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] = sums[i] < 0 ? T(0) : sums[i];  // NaN stays
    }
  }
};

}  // namespace convnet
