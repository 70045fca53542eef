#pragma once
#include <cstdint>

#include "../core/simd.h"

namespace convnet {

// Whether no value is an Inf or a NaN: only for those x - x is not 0.
template <typename T>
bool all_finite(const T* values, int64_t count) {
  T sum = 0;
  CONVNET_SIMD_SUM(sum)
  for (int64_t i = 0; i < count; ++i) sum += values[i] - values[i];
  return sum == 0;
}

}  // namespace convnet
