#pragma once
#include <cstdint>
#include <vector>

#include "correlation.h"

namespace convnet::detail {

// One axis of a correlation, seen from its inputs: input i adds to output
// i * step + offset through a kernel element, which is (i + shift) * step + residue.
struct ScatterTap {
  int64_t offset, shift, residue, kernel;
};

struct ScatterAxis {
  int64_t in, out, step;
  std::vector<ScatterTap> taps;  // by offset

  int64_t low() const { return taps.front().offset; }
  int64_t reach() const { return taps.back().offset - taps.front().offset; }
  // The inputs that add to outputs from first to last - 1.
  void inputs(int64_t first, int64_t last, int64_t* from, int64_t* to) const;
};

// Empty where a tap does not move along with the input one by one.
std::vector<ScatterAxis> scatter_axes(const CorrelationShape& shape);

}  // namespace convnet::detail
