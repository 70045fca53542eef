#pragma once
#include <cstdint>

namespace convnet {

// Windows of max pooling that follow each other: tap (i, j, k) of window p reads
// x[p * step + i * tap_step[0] + j * tap_step[1] + k * tap_step[2] + c] for each
// channel c, one tap at least. The winner is the first of the largest, or the first
// NaN. Pooled values of window p begin at p * pooled_step.
template <typename T>
struct MaxPoolArgs {
  const T* x;
  int64_t taps[3], tap_step[3];
  int64_t step, windows, channels, pooled_step;

  bool has_taps() const { return taps[0] > 0 && taps[1] > 0 && taps[2] > 0; }
};

template <typename T>
struct MaxPooling {
  // pooled = the winner.
  void (*largest)(const MaxPoolArgs<T>&, T* pooled);
  // pooled = what `values`, laid out like x, holds at the winner's place.
  void (*gather)(const MaxPoolArgs<T>&, const T* values, T* pooled);
  // to, laid out like x, becomes `pooled` at the winner's place and 0 at the other
  // taps; or that is added.
  void (*scatter)(const MaxPoolArgs<T>&, const T* pooled, T* to, bool add);
};

// The functions for detail::isa(). Instances: float, double.
template <typename T>
const MaxPooling<T>& max_pooling();

}  // namespace convnet
