#include "joined_phases.h"

#include <algorithm>

#include "correlation_boxes.h"

namespace convnet {

namespace {

// `count` phases from `first` on, one for each residue of the last axis, as one. The tap of residue
// r that reads `shift` inputs after the position is kernel element zero + r - shift * count. The
// number of taps is 0 where the phases cannot be joined.
CorrelationAxis join_axes(const CorrelationPhase* first, int64_t count) {
  const CorrelationAxis& any = first->axis[2];
  CorrelationAxis joined{any.count, 0, 1, 1, 0, 0, 1, 0, -count};
  int64_t zero = 0, end = 0;
  for (int64_t r = 0; r < count; ++r) {
    const CorrelationAxis& axis = first[r].axis[2];
    if (axis.out_start != r || axis.out_step != count || axis.step != 1 || axis.count != any.count) return {};
    if (axis.taps == 0) continue;
    if (axis.tap_step != 1 || axis.tap_next != -count) return {};
    zero = axis.tap_first - r + axis.base * count;
    joined.base = joined.taps == 0 ? axis.base : std::min(joined.base, axis.base);
    end = joined.taps == 0 ? axis.base + axis.taps : std::max(end, axis.base + axis.taps);
    joined.taps = end - joined.base;
  }
  joined.tap_first = zero - joined.base * count;
  return joined;
}

// Whether all taps but the first one and the last one have all columns: see DotTaps.
bool dots_can_take(const CorrelationShape& shape, const CorrelationAxis& axis) {
  for (int64_t c = 0; c < axis.taps; ++c) {
    const detail::TapColumns columns = detail::tap_columns(shape, axis, c);
    const bool begins = columns.first == 0, ends = columns.first + columns.count == shape.out_channels;
    if (columns.count <= 0 || !(begins || ends)) return false;
    if ((!ends && c > 0) || (!begins && c < axis.taps - 1)) return false;
  }
  return axis.taps > 0;
}

}  // namespace

CorrelationShape join_phases(const CorrelationShape& shape, int64_t most) {
  if (shape.groups > 1 || shape.phases.empty()) return shape;
  const int64_t count = shape.phases[0].axis[2].out_step, phases = static_cast<int64_t>(shape.phases.size());
  if (count == 1 || count * shape.out_channels > most || phases % count != 0) return shape;
  CorrelationShape joined = shape;
  joined.together = count;
  joined.out_channels *= count;
  joined.out[2] /= count;
  joined.phases.clear();
  for (const CorrelationPhase* first = shape.phases.data(); first != shape.phases.data() + phases; first += count) {
    joined.phases.push_back({{first->axis[0], first->axis[1], join_axes(first, count)}});
    if (!dots_can_take(joined, joined.phases.back().axis[2])) return shape;
  }
  return joined;
}

}  // namespace convnet
