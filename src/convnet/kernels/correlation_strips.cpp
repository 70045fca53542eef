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
  strips.along_width = longest == 3;
  return strips;
}

StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole, bool runs) {
  const CorrelationAxis* axis = box.part.axis;
  const bool joins = runs && taps_are_runs(shape, box.part);
  const int64_t K = shape.in_channels, taps = joins ? std::max<int64_t>(1, axis[2].taps) : 1;
  StripPlan plan{cut_strips(shape, box), 0, runs ? taps * K : 1, {}};
  for (int64_t a = 0; a < axis[0].taps; ++a)
    for (int64_t b = 0; b < axis[1].taps; ++b)
      for (int64_t c = 0; c < axis[2].taps; c += taps) {
        const int64_t from = tap_pixel(shape, axis, a, b, c) * shape.groups * K;
        const int64_t packed = packed_tap(box, whole, a, b, c) * K;
        for (int64_t k = 0; k < taps * K; k += plan.length) plan.segments.push_back({from + k, packed + k});
      }
  const int64_t products = std::max<int64_t>(1, plan.segments.size() * plan.length) * shape.out_channels;
  const int64_t most = std::max(StripPlan::kBlock, StripPlan::kProducts / products);
  const int64_t length = plan.axis[3].count;
  plan.block = most >= length ? most / length * length : divide_up(length, divide_up(length, most));
  return plan;
}

}  // namespace convnet::detail
