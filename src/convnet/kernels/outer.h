#pragma once
#include <cstdint>

namespace convnet {

// The micro-kernels of sums over positions, such as the gradient of a kernel.
// outer: out[r * ldc + n] (+)= sum over p of points[p][first + r] * b[p][n]
// for all gemm.rows rows, of which those from skip to row_count are stored:
// points[p] must be readable at first + gemm.rows - 1. b is [count][width].
template <typename T>
struct OuterArgs {
  const T* const* points;
  int64_t first, count;
  const T* b;
  T* out;
  int64_t ldc;
  int skip, row_count, column_count;
  bool add;
};

template <typename T>
struct Outer {
  int rows, lanes;
  // [0] for width = lanes, [1] for width = 2 * lanes
  void (*outer[2])(const OuterArgs<T>&);
};

// Those of the instruction set in use; see isa.h.
template <typename T>
const Outer<T>& outer();

}  // namespace convnet
