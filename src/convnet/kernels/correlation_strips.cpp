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

StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole, int64_t depth) {
  const CorrelationAxis* axis = box.part.axis;
  const int64_t K = shape.in_channels;
  StripPlan plan{cut_strips(shape, box), 0, 1, 1, 0, {}};
  int64_t count[3] = {axis[0].taps, axis[1].taps, axis[2].taps};  // of segments
  const bool dots = depth > 0;
  if (dots) {
    plan.length = K;
    const int along = plan.along - 1;
    if (along >= 0 && count[along] > 1 && axis[along].tap_step == axis[along].step) {
      const int64_t next = packed_tap(box, whole, along == 0, along == 1, along == 2);
      plan.taps = count[along];
      plan.tap_step = (next - packed_tap(box, whole, 0, 0, 0)) * depth;
      count[along] = 1;
    }
    if (count[2] > 1 && depth == K && taps_are_runs(shape, box.part)) {
      plan.length *= count[2];
      count[2] = 1;
    }
  }
  for (int64_t a = 0; a < count[0]; ++a)
    for (int64_t b = 0; b < count[1]; ++b)
      for (int64_t c = 0; c < count[2]; ++c) {
        const int64_t from = tap_pixel(shape, axis, a, b, c) * shape.groups * K;
        const int64_t packed = packed_tap(box, whole, a, b, c) * (dots ? depth : K);
        for (int64_t k = 0; k < (dots ? 1 : K); ++k) plan.segments.push_back({from + k, packed + k});
      }
  const int64_t products = std::max<int64_t>(1, box.part.taps() * K) * shape.out_channels;
  const int64_t most = std::max(StripPlan::kBlock, StripPlan::kProducts / products);
  const int64_t length = plan.axis[3].count;
  plan.block = most >= length ? most / length * length : divide_up(length, divide_up(length, most));
  return plan;
}

}  // namespace convnet::detail
