#pragma once
#include <cstdint>
#include <vector>

#include "correlation_shape.h"

namespace convnet::detail {

// One axis of a correlation, seen from its inputs: input i adds to output
// i * step + offset through a kernel element.
struct ScatterTap {
  int64_t offset, kernel;
};

struct ScatterAxis {
  int64_t in, out, step;
  std::vector<ScatterTap> taps;  // by offset

  int64_t low() const { return taps.front().offset; }
  int64_t reach() const { return taps.back().offset - taps.front().offset; }
  // The inputs that add to outputs from first to last - 1.
  void inputs(int64_t first, int64_t last, int64_t* from, int64_t* to) const;
};

// Empty where a tap does not move along with the input one by one.
std::vector<ScatterAxis> scatter_axes(const CorrelationShape& shape);

// Outputs that one task owns: of one image, group and depth.
struct ScatterTask {
  int64_t image, group, depth, first_row, last_row, first_column, last_column;

  int64_t rows() const { return last_row - first_row; }
  int64_t columns() const { return last_column - first_column; }
};

class ScatterTasks {
 public:
  ScatterTasks() = default;
  // Of so many rows and columns at most; of fewer rows, but for so many, where tasks are few.
  ScatterTasks(const CorrelationShape& shape, int64_t rows, int64_t columns, int64_t least_rows);
  int64_t count() const { return count_; }
  ScatterTask at(int64_t index) const;

 private:
  int64_t groups_ = 0, out_[3] = {}, rows_ = 0, columns_ = 0;
  int64_t row_tasks_ = 0, column_tasks_ = 0, count_ = 0;
};

}  // namespace convnet::detail
