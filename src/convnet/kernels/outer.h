#pragma once
#include <cstdint>

#include "gemm.h"

namespace convnet {

// The micro-kernels of sums over positions, such as the gradient of a kernel.
// outer: out[r * ldc + n] (+)= sum over runs and i < run.count of
//   x[(run.x + i * x_next) * x_step + r] * y[(run.y + i * y_next) * y_step + n]
// for r < rows and n < columns. y is read up to n = width - 1.
// scattered: the same with terms[r].row for r in x, and terms[r].k in out.
struct OuterRun {
  int64_t x, y, count;
};

template <typename T>
struct OuterArgs {
  const T* x;
  const T* y;
  int64_t x_step, x_next, y_step, y_next;
  const OuterRun* runs;
  int64_t run_count;
  const Segment* terms;
  T* out;
  int64_t ldc;
  int columns;
  bool add;
};

struct OuterLimits {
  static constexpr int kMaxRows = 14, kMaxScattered = 9, kMaxWidth = 32;
};

template <typename T>
struct Outer {
  int rows, scattered_rows, lanes;  // rows: the most of one call
  // [rows - 1][0] for width = lanes, [rows - 1][1] for width = 2 * lanes
  void (*outer[OuterLimits::kMaxRows][2])(const OuterArgs<T>&);
  void (*scattered[OuterLimits::kMaxScattered][2])(const OuterArgs<T>&);
};

// Those of the instruction set in use; see isa.h.
template <typename T>
const Outer<T>& outer();

}  // namespace convnet
