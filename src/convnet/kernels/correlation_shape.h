#pragma once
#include <cstdint>
#include <vector>

namespace convnet {

// One spatial axis of a correlation: position q = 0..count-1 writes output
// out_start + q * out_step and reads, for j = 0..taps-1, kernel element
// tap_first + j * tap_next against input q * step + base + j * tap_step, where
// that lies in [0, in).
struct CorrelationAxis {
  int64_t count, out_start, out_step;
  int64_t step, base;
  int64_t taps, tap_step;
  int64_t tap_first, tap_next;
};

struct CorrelationPhase {
  CorrelationAxis axis[3];

  int64_t positions() const { return axis[0].count * axis[1].count * axis[2].count; }
  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
};

// Channels-last correlation in phases that partition its output, and its taps:
// output[n, q, g, c] = sum over taps and k of input[n, q + tap, g, k] * kernel[tap, g, k, c].
// A convolution has one phase; its adjoint one for each residue of the output
// position modulo the stride. Both are dense: nothing is multiplied by zeros.
struct CorrelationShape {
  int64_t batch, groups;
  int64_t in_channels, out_channels;  // of one group
  int64_t in[3], out[3], kernel[3];
  // Where kernel[tap, g, k, c] lies: the sum of each index times its stride.
  int64_t tap_stride, group_stride, in_stride, out_stride;
  std::vector<CorrelationPhase> phases;
  // Neighbours along the last axis that a position writes, as parts of out_channels in their order:
  // number r takes kernel elements r further on, and nothing where there is none.
  int64_t together = 1;

  // The number of a kernel element.
  int64_t tap(int64_t a, int64_t b, int64_t c) const { return (a * kernel[1] + b) * kernel[2] + c; }
  int64_t in_pixels() const { return batch * in[0] * in[1] * in[2]; }
  int64_t out_pixels() const { return batch * out[0] * out[1] * out[2]; }
};

}  // namespace convnet
