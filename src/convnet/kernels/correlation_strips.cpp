#include "correlation_strips.h"

#include <algorithm>
#include <utility>

namespace convnet::detail {

namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole) {
  const CorrelationAxis* axis = box.part.axis;
  const int64_t K = shape.in_channels;
  StripPlan plan{};
  int64_t in_size = shape.groups * K, out_size = shape.groups * shape.out_channels;
  for (int a = 2; a >= 0; --a) {
    plan.axis[a + 1] = {axis[a].count, axis[a].step * in_size, axis[a].out_step * out_size};
    plan.in += axis[a].base * in_size;
    plan.out += axis[a].out_start * out_size;
    in_size *= shape.in[a];
    out_size *= shape.out[a];
  }
  plan.axis[0] = {shape.batch, in_size, out_size};
  int longest = 3;
  for (int a = 2; a >= 0 && axis[2].count < StripPlan::kLong; --a)
    if (plan.axis[a].count > plan.axis[longest].count) longest = a;
  std::swap(plan.axis[3], plan.axis[longest]);

  for (int64_t a = 0; a < axis[0].taps; ++a)
    for (int64_t b = 0; b < axis[1].taps; ++b)
      for (int64_t c = 0; c < axis[2].taps; ++c) {
        const int64_t from = tap_pixel(shape, axis, a, b, c) * shape.groups * K;
        const int64_t packed = packed_tap(box, whole, a, b, c) * K;
        for (int64_t k = 0; k < K; ++k) plan.segments.push_back({from + k, packed + k});
      }
  const int64_t products = std::max<int64_t>(1, plan.segments.size()) * shape.out_channels;
  const int64_t most = std::max(StripPlan::kBlock, StripPlan::kProducts / products);
  const int64_t length = plan.axis[3].count;
  plan.block = most >= length ? most / length * length : divide_up(length, divide_up(length, most));
  return plan;
}

}  // namespace convnet::detail
