#pragma once
#include <cstdint>

namespace convnet {

// The micro-kernels of PixelPlanes, whose lanes run along pixels.
struct PlaneLimits {
  static constexpr int64_t kSlots = 64;       // pixels multiplied at a time
  static constexpr int64_t kMostColumns = 6;  // with them
  static constexpr int64_t kLanes = 16;       // the most that a vector has
};

// to[k * PlaneLimits::kSlots + s] = from[s][offset + k] for k < length, s < count or some more.
template <typename T>
struct PlaneTransposeArgs {
  const T* const* from;
  int64_t offset, count, length;
  T* to;
};

// to[c * to_step + s] += sum over k of w[k][c] * x[k * PlaneLimits::kSlots + s] where keep[s] has all
// bits and not none; for s < count and up to the end of a vector. For each k so many lines
// of memory are fetched, from `ahead` on.
template <typename T>
struct PlaneProductArgs {
  const T *x, *w;
  int64_t length, count;
  const T* keep;
  T* to;
  int64_t to_step;
  const char* ahead;
  int64_t lines;
};

// Row q of `rows`: to[q * to_step + i] = sum of from[offset + i] over its offsets, which are
// those after the ones of the rows before, up to ends[q]; for i < count and up to the end
// of a vector. Then as in Epilogue, where row q has channel q % channels.
template <typename T>
struct PlaneSumArgs {
  const T* from;
  const int64_t *offsets, *ends;
  int64_t rows, channels, count;
  T* to;
  int64_t to_step;
  const T* bias;
  bool relu;
};

// to[i * rows + q] = from[q * from_step + i] for i < count, q < rows.
template <typename T>
struct PlaneWeaveArgs {
  const T* from;
  int64_t from_step, rows, count;
  T* to;
};

template <typename T>
struct PlaneKernels {
  void (*transpose)(const PlaneTransposeArgs<T>&);
  void (*products[PlaneLimits::kMostColumns])(const PlaneProductArgs<T>&);  // for 1, 2, .. columns
  void (*sum)(const PlaneSumArgs<T>&);
  void (*weave)(const PlaneWeaveArgs<T>&);
};

// Those of the instruction set in use; see isa.h.
template <typename T>
const PlaneKernels<T>& plane_kernels();

}  // namespace convnet
