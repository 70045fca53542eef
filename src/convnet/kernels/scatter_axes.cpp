#include "scatter_axes.h"

#include <algorithm>

#include "../core/divide.h"

namespace convnet::detail {

namespace {

constexpr int64_t kFewTasks = 16;

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
        axis.taps.push_back({shift * part.out_step + part.out_start, part.tap_first + j * part.tap_next});
      }
    }
    if (axis.taps.empty()) return {};
    std::sort(axis.taps.begin(), axis.taps.end(),
              [](const ScatterTap& x, const ScatterTap& y) { return x.offset < y.offset; });
    axes.push_back(std::move(axis));
  }
  return axes;
}

ScatterTasks::ScatterTasks(const CorrelationShape& shape, int64_t rows, int64_t columns,
                           int64_t least_rows)
    : groups_(shape.groups), rows_(rows), columns_(columns) {
  std::copy_n(shape.out, 3, out_);
  column_tasks_ = divide_up(out_[2], columns_);
  const int64_t others = shape.batch * groups_ * out_[0] * column_tasks_;
  if (others < kFewTasks)
    rows_ = std::min(rows_, std::max(divide_up(out_[1], divide_up(kFewTasks, others)), least_rows));
  row_tasks_ = divide_up(out_[1], rows_);
  count_ = others * row_tasks_;
}

ScatterTask ScatterTasks::at(int64_t index) const {
  const auto next = [&](int64_t count) {
    const int64_t part = index % count;
    index /= count;
    return part;
  };
  ScatterTask task;
  task.first_column = next(column_tasks_) * columns_;
  task.last_column = std::min(out_[2], task.first_column + columns_);
  task.first_row = next(row_tasks_) * rows_;
  task.last_row = std::min(out_[1], task.first_row + rows_);
  task.depth = next(out_[0]);
  task.group = next(groups_);
  task.image = index;
  return task;
}

}  // namespace convnet::detail
