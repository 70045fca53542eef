#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "correlation_shape.h"
#include "gemm.h"

namespace convnet::detail {

// Positions of a phase that have the same taps inside the input, along each axis a
// stretch of them; no tap of theirs lies outside. Padding is multiplied by nothing.
struct CorrelationBox {
  CorrelationPhase part;  // these positions and these taps
  int phase;
  int64_t first_tap[3];  // of those that it is packed with
};

std::vector<CorrelationBox> cut_boxes(const CorrelationShape& shape);

// The number of tap (a, b, c) among those of a phase that it is packed with.
inline int64_t packed_tap(const CorrelationBox& box, const CorrelationPhase& whole, int64_t a,
                          int64_t b, int64_t c) {
  return ((box.first_tap[0] + a) * whole.axis[1].taps + box.first_tap[1] + b) * whole.axis[2].taps +
         box.first_tap[2] + c;
}

// Output channels that a tap of the last axis has products for.
struct TapColumns {
  int64_t first, count;
};

inline TapColumns tap_columns(const CorrelationShape& shape, const CorrelationAxis& axis, int64_t c) {
  const int64_t element = axis.tap_first + c * axis.tap_next, channels = shape.out_channels / shape.together;
  const int64_t first = std::max<int64_t>(0, -element);
  return {first * channels, (std::min(shape.together, shape.kernel[2] - element) - first) * channels};
}

// How micro-kernels read the rows of a box: as segments of taps that follow each other
// both in the kernel and in the input.
struct RowPlan {
  static constexpr int64_t kBlock = 96;  // a multiple of every tile's rows
  static constexpr int64_t kChunkSegments = 64;

  int64_t length;    // of a row
  int64_t segments, segment_taps, segment;  // their number, taps and elements of one
  // A chunk is what one accumulation has: `piece` segments, or elements of a segment that
  // is cut into `pieces`.
  bool cut;
  int64_t pieces, piece;

  int64_t chunks() const { return cut ? segments * pieces : pieces; }
};

RowPlan plan_rows(const CorrelationShape& shape, const CorrelationBox& box);

// The segments of a chunk, whose number it returns, and their length.
int64_t chunk_segments(const CorrelationShape& shape, const CorrelationBox& box,
                       const CorrelationPhase& whole, const RowPlan& rows, int64_t chunk,
                       Segment* segments, int64_t* length);

}  // namespace convnet::detail
