#include "correlation_strips.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "walk.h"

namespace convnet::detail {

Strips cut_strips(const CorrelationShape& shape, const CorrelationBox& box) {
  const CorrelationAxis* axis = box.part.axis;
  Strips strips{};
  int64_t in_size = shape.groups * shape.in_channels, out_size = shape.groups * shape.out_channels;
  for (int a = 2; a >= 0; --a) {
    strips.axis[a + 1] = {axis[a].count, axis[a].step * in_size, axis[a].out_step * out_size};
    strips.in += axis[a].base * in_size;
    strips.out += axis[a].out_start * out_size;
    in_size *= shape.in[a];
    out_size *= shape.out[a];
  }
  strips.axis[0] = {shape.batch, in_size, out_size};
  int longest = 3;
  for (int a = 2; a >= 0 && strips.axis[longest].count < Strips::kLong; --a)
    if (strips.axis[a].count > strips.axis[longest].count) longest = a;
  std::swap(strips.axis[3], strips.axis[longest]);
  strips.along = longest;
  return strips;
}

namespace {

int64_t block_of(const CorrelationShape& shape, const CorrelationBox& box, int64_t strip) {
  const int64_t products =
      std::max<int64_t>(1, box.part.taps() * shape.in_channels) * shape.out_channels * shape.groups;
  const int64_t most = std::max(StripPlan::kBlock, StripPlan::kProducts / products);
  return most >= strip ? most / strip * strip : divide_up(strip, divide_up(strip, most));
}

}  // namespace

StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole) {
  const CorrelationAxis* axis = box.part.axis;
  const int64_t K = shape.in_channels;
  StripPlan plan{cut_strips(shape, box)};
  for (int64_t a = 0; a < axis[0].taps; ++a)
    for (int64_t b = 0; b < axis[1].taps; ++b)
      for (int64_t c = 0; c < axis[2].taps; ++c) {
        const int64_t from = tap_pixel(shape, axis, a, b, c) * shape.groups * K;
        const int64_t packed = packed_tap(box, whole, a, b, c) * K;
        for (int64_t k = 0; k < K; ++k) plan.segments.push_back({from + k, packed + k});
      }
  plan.block = block_of(shape, box, plan.axis[3].count);
  return plan;
}

namespace {

// Of at most `most` taps of the last axis from c on.
DotTaps joined_taps(const CorrelationShape& shape, const CorrelationAxis& axis, int64_t c, int64_t most) {
  DotTaps taps{};
  for (const int64_t end = c + most; c < end && taps.after == 0; ++c) {
    const TapColumns columns = tap_columns(shape, axis, c);
    if (columns.count == shape.out_channels) ++taps.whole;
    else (columns.first > 0 ? taps.after : taps.before) = static_cast<int>(columns.count);
  }
  return taps;
}

}  // namespace

StripPlan plan_taps(const CorrelationShape& shape, const CorrelationBox& box,
                    const CorrelationPhase& whole, int64_t depth) {
  const CorrelationAxis* axis = box.part.axis;
  const int64_t K = shape.in_channels;
  StripPlan plan{cut_strips(shape, box)};
  const int along = plan.along - 1;
  const bool joined = shape.together > 1;
  // Taps that a segment has by itself, and that it is repeated under.
  int64_t run = 1, shared[3] = {1, 1, 1};
  if (along == 2 || (along >= 0 && !joined)) {
    const int64_t next = packed_tap(box, whole, along == 0, along == 1, along == 2);
    plan.tap_step = (next - packed_tap(box, whole, 0, 0, 0)) * depth;
    if (axis[along].tap_step == axis[along].step) shared[along] = std::max<int64_t>(1, axis[along].taps);
  }
  if (shared[2] == 1 && !joined && depth == K && taps_are_runs(shape, box.part))
    run = std::max<int64_t>(1, axis[2].taps);
  plan.length = run * std::min(depth, K);
  plan.terms = plan.length * shared[0] * shared[1] * shared[2];
  for (int64_t a = 0; a < axis[0].taps; a += shared[0])
    for (int64_t b = 0; b < axis[1].taps; b += shared[1])
      for (int64_t c = 0; c < axis[2].taps; c += shared[2] * run) {
        const DotTaps taps = joined ? joined_taps(shape, axis[2], c, shared[2])
                                    : DotTaps{static_cast<int>(shared[0] * shared[1] * shared[2]), 0, 0};
        Segment segment{tap_pixel(shape, axis, a, b, c) * shape.groups * K, packed_tap(box, whole, a, b, c) * depth};
        if (taps.before > 0) segment = {segment.row + plan.axis[3].in_step, segment.k + plan.tap_step};
        plan.segments.push_back(segment);
        plan.taps.push_back(taps);
        plan.tap_ends = plan.tap_ends || taps.before > 0 || taps.after > 0;
      }
  plan.block = block_of(shape, box, plan.axis[3].count);
  return plan;
}

}  // namespace convnet::detail
