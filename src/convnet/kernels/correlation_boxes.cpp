#include "correlation_boxes.h"

#include <algorithm>

namespace convnet::detail {

namespace {

struct Stretch {
  CorrelationAxis axis;
  int64_t first_tap;
};

int64_t divide_up(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// The positions of an axis, by which taps are inside.
std::vector<Stretch> stretches(const CorrelationAxis& axis, int64_t in) {
  std::vector<Stretch> all;
  for (int64_t q = 0; q < axis.count; ++q) {
    const int64_t start = q * axis.step + axis.base;
    int64_t last = std::clamp<int64_t>(divide_up(in - start, axis.tap_step), 0, axis.taps);
    const int64_t begin = std::max<int64_t>(0, divide_up(-start, axis.tap_step));
    const int64_t first = begin < last ? begin : last = 0;
    if (!all.empty() && all.back().first_tap == first && all.back().axis.taps == last - first) {
      ++all.back().axis.count;
      continue;
    }
    all.push_back({{1, axis.out_start + q * axis.out_step, axis.out_step, axis.step,
                    start + first * axis.tap_step, last - first, axis.tap_step,
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

}  // namespace convnet::detail
