#pragma once
#include <cstdint>

#include "../core/divide.h"
#include "gemm.h"

namespace convnet {

// The micro-kernels of sums over positions, such as the gradient of a kernel.
// outer: out[r * ldc + n] (+)= sum over runs and i < run.count of
//   x[run.x + i * x_next + r] * y[run.y + i * y_next + n]
// for r < rows and n < columns. y is read up to n = width - 1.
// scattered: the same with terms[r].row for r in x, and terms[r].k in out.
// groups: the same for a vector of groups with N channels in and out each, whose columns follow each
//   other: with n / N * N + r for r in x, for r < N.
// shared_groups: groups for kSharedTaps taps that read the same x, with y + tap * y_tap to out + tap * out_tap.
struct OuterRun {
  int64_t x, y, count;
};

template <typename T>
struct OuterArgs {
  const T* x;
  const T* y;
  int64_t x_next, y_next;
  const OuterRun* runs;
  int64_t run_count;
  const Segment* terms;
  T* out;
  int64_t ldc;
  int64_t y_tap, out_tap;
  int columns;
  bool add;
  bool y_is_new;  // and unlikely to be in a cache nearby
};

struct OuterLimits {
  static constexpr int kMaxRows = 14, kMaxScattered = 9, kMaxWidth = 32, kMaxGrains = 4;
  static constexpr int kSharedTaps = 3;
};

template <typename T>
struct Outer {
  int rows, scattered_rows;  // the most of one call
  int width, grain;          // of a panel at most, and what others are multiples of
  // [rows - 1][width / grain - 1]
  void (*outer[OuterLimits::kMaxRows][OuterLimits::kMaxGrains])(const OuterArgs<T>&);
  void (*scattered[OuterLimits::kMaxScattered][OuterLimits::kMaxGrains])(const OuterArgs<T>&);
  // For 2, 4 and 8 channels, where they fill no vector; null elsewhere.
  void (*groups[3])(const OuterArgs<T>&);
  void (*shared_groups[3])(const OuterArgs<T>&);  // null as well where registers are too few

  // Any number of rows, in calls of nearly as many each.
  void all_rows(OuterArgs<T> args, int64_t count, int grains) const {
    const int64_t calls = divide_up(count, rows);
    const T* const x = args.x;
    T* const out = args.out;
    for (int64_t call = 0; call < calls; ++call) {
      const int64_t first = count * call / calls;
      args.x = x + first;
      args.out = out + first * args.ldc;
      outer[count * (call + 1) / calls - first - 1][grains - 1](args);
      args.y_is_new = false;
    }
  }
};

// Those of the instruction set in use; see isa.h.
template <typename T>
const Outer<T>& outer();

// Columns 0..n-1 cut into panels of a width, the last one narrower where that is enough.
struct Panels {
  int64_t columns;
  int width, grain;

  int64_t count() const { return divide_up(columns, width); }
  int64_t first(int64_t panel) const { return panel * width; }
  int used(int64_t panel) const {
    const int64_t left = columns - first(panel);
    return static_cast<int>(left < width ? left : width);
  }
  int grains(int64_t panel) const { return static_cast<int>(divide_up(used(panel), grain)); }
  int padded(int64_t panel) const { return grains(panel) * grain; }
  int64_t padded_columns() const {
    return count() == 0 ? 0 : first(count() - 1) + padded(count() - 1);
  }
};

}  // namespace convnet
