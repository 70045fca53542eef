#pragma once
#include <cstdint>

#include "winograd.h"

namespace convnet {

// The sums that Winograd's algorithm takes before and after its products, of tiles (winograd.h) with
// n1 x n2 inputs, r1 x r2 weights and m1 x m2 results, channel by channel; component (i, j) of any is number
// i * n2 + j. Channels are multiples of `lanes`.
template <typename T>
struct WinogradSums {
  const T* const* from;  // of each input, weight or gradient, row by row, its first channel
  T* to;                 // and here that of component 0
  int64_t step, channels;
};

template <typename T>
struct WinogradResults {
  const T* products;  // of component 0
  int64_t step, channels;
  T* const* out;      // of each result or weight, row by row, its channel 0
  int64_t column;     // the first one that is written
  const T* bias;      // of that one, or none
  bool relu;
  T* doubt;  // kMostLanes values, which become NaN where a sum, without its bias, is not finite
};

template <typename T>
struct WinogradTransform {
  static constexpr int kMostLanes = 16;
  using Sum = void (*)(const WinogradSums<T>&);
  using Spread = void (*)(const WinogradResults<T>&);
  int lanes;
  // By the forms of both axes; for inputs, which results make no difference to, by n == 4.
  Sum inputs[2][2], weights[3][3];
  Spread results[3][3];
  // The adjoints of the last two.
  Sum result_gradients[3][3];
  Spread weight_gradients[3][3];
};

// That of the instruction set in use; see isa.h.
template <typename T>
const WinogradTransform<T>& winograd_transform();

namespace detail {

// Some tiles, parts and channels of an input, whose first channel `input` begins with.
template <typename T>
struct WinogradInputs {
  const CorrelationShape& shape;
  const WinogradPhase& phase;
  int64_t first_tile, tiles, first_part, last_part;
  const T* input;
  const T* zeros;  // of a pixel that is none
  int64_t channels;
};

// What is added up of them, to[component * step] and on: [tile][part][channel].
template <typename T>
void sum_winograd_inputs(const WinogradInputs<T>& of, T* to, int64_t step);

}  // namespace detail

}  // namespace convnet
