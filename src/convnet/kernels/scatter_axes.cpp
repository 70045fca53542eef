#include "scatter_axes.h"

#include <algorithm>

namespace convnet::detail {

namespace {

int64_t divide_down(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

}  // namespace

void ScatterAxis::inputs(int64_t first, int64_t last, int64_t* from, int64_t* to) const {
  *from = std::max<int64_t>(0, -divide_down(low() + reach() - first, step));
  *to = std::max(*from, std::min(in, divide_down(last - 1 - low(), step) + 1));
}

std::vector<ScatterAxis> scatter_axes(const CorrelationShape& shape) {
  std::vector<ScatterAxis> axes;
  if (shape.phases.empty()) return axes;
  for (int a = 0; a < 3; ++a) {
    ScatterAxis axis{shape.in[a], shape.out[a], shape.phases[0].axis[a].out_step, {}};
    std::vector<int64_t> seen;
    for (const CorrelationPhase& phase : shape.phases) {
      const CorrelationAxis& part = phase.axis[a];
      if (std::find(seen.begin(), seen.end(), part.out_start) != seen.end()) continue;
      seen.push_back(part.out_start);
      if (part.taps > 0 && part.step != 1) return {};
      for (int64_t j = 0; j < part.taps; ++j) {
        const int64_t shift = -(part.base + j * part.tap_step);
        axis.taps.push_back({shift * part.out_step + part.out_start, shift, part.out_start,
                             part.tap_first + j * part.tap_next});
      }
    }
    if (axis.taps.empty()) return {};
    std::sort(axis.taps.begin(), axis.taps.end(),
              [](const ScatterTap& x, const ScatterTap& y) { return x.offset < y.offset; });
    axes.push_back(std::move(axis));
  }
  return axes;
}

}  // namespace convnet::detail
