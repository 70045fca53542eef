#pragma once
// Asks for a vectorised loop, which -O2 alone may not give.
#define CONVNET_PRAGMA(text) _Pragma(#text)
#ifdef _OPENMP
#define CONVNET_SIMD CONVNET_PRAGMA(omp simd)
#define CONVNET_SIMD_SUM(sum) CONVNET_PRAGMA(omp simd reduction(+ : sum))
#else
#define CONVNET_SIMD
#define CONVNET_SIMD_SUM(sum)
#endif

#include <cstdint>

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
