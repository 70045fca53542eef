#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlation.h"
#include "scatter_axes.h"

namespace convnet {

// A correlation to few output channels, which would leave most vector lanes
// idle: each input pixel times the kernel's columns of all taps at once, added
// where each tap's output lies while both are in cache.
template <typename T>
class Scatter {
 public:
  // Whether a shape can be computed this way, and would leave lanes idle otherwise.
  static bool suits(const CorrelationShape& shape);

  explicit Scatter(const CorrelationShape& shape);
  // As in Correlation.
  size_t packed_bytes() const { return static_cast<size_t>(packed_) * sizeof(T); }
  void pack(const T* kernel, T* packed) const;
  void run(const T* input, const T* packed, T* output, const Epilogue<T>& epilogue) const;

 private:
  // Taps along the last axis whose outputs follow each other.
  struct Run {
    int64_t offset, first_column, length;
  };
  // Outputs that one task owns: of one image, group and depth.
  struct Task {
    int64_t image, group, depth, first_row, last_row, first_column, last_column;
    // Of its rows of sums, which have margins for what other tasks own.
    int64_t pitch;
  };

  Task task(int64_t index) const;
  void compute(const Task& task, const T* input, const T* packed, T* output,
               const Epilogue<T>& epilogue) const;
  void add(const Task& task, int64_t y, int64_t x, int64_t count, const T* products,
           T* sums) const;
  void multiply(const T* input, int64_t pixels, const T* b, T* products) const;

  const Gemm<T>& gemm_;
  int64_t batch_, groups_, in_channels_, out_channels_;
  int64_t tap_stride_, group_stride_, in_stride_, out_stride_, kernel_[3];
  std::vector<detail::ScatterAxis> axes_;
  std::vector<Run> runs_;
  std::vector<ColumnPanel> panels_;
  int64_t pitch_;                         // padded columns
  int64_t pixels_, rows_, columns_;       // pixels multiplied at a time; a task's outputs
  int64_t row_tasks_, column_tasks_, tasks_, work_, packed_;
};

}  // namespace convnet
