#pragma once
#include <cstdint>
#include <vector>

#include "correlation.h"

namespace convnet::detail {

// Positions of a phase that have the same taps inside the input, along each axis a
// stretch of them; no tap of theirs lies outside. Padding is multiplied by nothing.
struct CorrelationBox {
  CorrelationPhase part;  // these positions and these taps
  int phase;
  int64_t first_tap[3];  // of those that it is packed with
};

std::vector<CorrelationBox> cut_boxes(const CorrelationShape& shape);

// The segments of a box's row, which a micro-kernel reads in one go each: `taps` taps
// that follow each other both in the kernel and in the input, or in a copy of the row.
struct RowSegments {
  int64_t count, taps;
};

// Calls f(s, its input offset, its first tap of those of `whole`) for the segments from
// first to last - 1; offsets are in pixels, from the box's first tap's.
template <typename F>
void for_each_segment(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole, const RowSegments& segments, int64_t first,
                      int64_t last, F&& f) {
  const CorrelationAxis *axis = box.part.axis, *all = whole.axis;
  for (int64_t s = first; s < last; ++s) {
    const int64_t tap = s * segments.taps, c = tap % axis[2].taps, ab = tap / axis[2].taps;
    const int64_t b = ab % axis[1].taps, a = ab / axis[1].taps;
    const int64_t pixel = (a * axis[0].tap_step * shape.in[1] + b * axis[1].tap_step) * shape.in[2] +
                          c * axis[2].tap_step;
    f(s, pixel, ((box.first_tap[0] + a) * all[1].taps + box.first_tap[1] + b) * all[2].taps +
                    box.first_tap[2] + c);
  }
}

}  // namespace convnet::detail
