#include "correlation_boxes.h"

#include <algorithm>

#include "../core/divide.h"
#include "walk.h"

namespace convnet::detail {

namespace {

struct Stretch {
  CorrelationAxis axis;
  int64_t first_tap;
};

// The positions of an axis, by which taps are inside.
std::vector<Stretch> stretches(const CorrelationAxis& axis, int64_t in) {
  std::vector<Stretch> all;
  for (int64_t q = 0; q < axis.count; ++q) {
    const TapRange taps = taps_inside(axis, q, in);
    const int64_t first = taps.first, count = taps.last - first;
    if (!all.empty() && all.back().first_tap == first && all.back().axis.taps == count) {
      ++all.back().axis.count;
      continue;
    }
    all.push_back({{1, axis.out_start + q * axis.out_step, axis.out_step, axis.step,
                    q * axis.step + axis.base + first * axis.tap_step, count, axis.tap_step,
                    axis.tap_first + first * axis.tap_next, axis.tap_next},
                   first});
  }
  return all;
}

}  // namespace

std::vector<CorrelationBox> cut_boxes(const CorrelationShape& shape) {
  std::vector<CorrelationBox> boxes;
  for (size_t p = 0; p < shape.phases.size(); ++p) {
    std::vector<Stretch> along[3];
    for (int a = 0; a < 3; ++a) along[a] = stretches(shape.phases[p].axis[a], shape.in[a]);
    for (const Stretch& x : along[0])
      for (const Stretch& y : along[1])
        for (const Stretch& z : along[2])
          boxes.push_back({{{x.axis, y.axis, z.axis}},
                           static_cast<int>(p),
                           {x.first_tap, y.first_tap, z.first_tap}});
  }
  return boxes;
}

RowPlan plan_rows(const CorrelationShape& shape, const CorrelationBox& box) {
  const int64_t K = shape.in_channels, taps = box.part.taps();
  RowPlan plan{};
  plan.length = taps * K;
  if (plan.length == 0) return plan;
  plan.segment_taps = taps_are_runs(shape, box.part) ? box.part.axis[2].taps : 1;
  plan.segments = taps / plan.segment_taps;
  plan.segment = plan.segment_taps * K;
  plan.cut = plan.segment > GemmLimits::kChunk;
  const int64_t parts = plan.cut ? plan.segment : plan.segments;
  const int64_t most = plan.cut ? GemmLimits::kChunk
                                : std::min(RowPlan::kChunkSegments, GemmLimits::kChunk / plan.segment);
  plan.pieces = divide_up(parts, most);
  plan.piece = divide_up(parts, plan.pieces);
  return plan;
}

int64_t chunk_segments(const CorrelationShape& shape, const CorrelationBox& box,
                       const CorrelationPhase& whole, const RowPlan& rows, int64_t chunk,
                       Segment* segments, int64_t* length) {
  const CorrelationAxis* axis = box.part.axis;
  const int64_t K = shape.in_channels;
  const int64_t first = rows.cut ? chunk / rows.pieces : chunk * rows.piece;
  const int64_t last = rows.cut ? first + 1 : std::min(first + rows.piece, rows.segments);
  const int64_t skip = rows.cut ? chunk % rows.pieces * rows.piece : 0;
  *length = rows.cut ? std::min(rows.piece, rows.segment - skip) : rows.segment;
  for (int64_t s = first; s < last; ++s) {
    const int64_t tap = s * rows.segment_taps, c = tap % axis[2].taps, ab = tap / axis[2].taps;
    const int64_t b = ab % axis[1].taps, a = ab / axis[1].taps;
    const int64_t from = tap_pixel(shape, axis, a, b, c) * shape.groups * K;
    const int64_t packed = packed_tap(box, whole, a, b, c) * K;
    segments[s - first] = {from + skip, packed + skip};
  }
  return last - first;
}

}  // namespace convnet::detail
