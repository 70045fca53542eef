#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlation_method.h"
#include "gemm.h"
#include "scatter_axes.h"

namespace convnet {

// A correlation to few output channels, which would leave most vector lanes
// idle: each input pixel times the kernel's columns of all taps at once, added
// where each tap's output lies while both are in cache.
template <typename T>
class Scatter final : public CorrelationMethod<T> {
 public:
  // Whether a shape can be computed this way, and would leave lanes idle otherwise.
  static bool suits(const CorrelationShape& shape);

  explicit Scatter(const CorrelationShape& shape);
  PackLayout layout() const override { return PackLayout::scatter; }
  size_t packed_bytes() const override { return static_cast<size_t>(packed_) * sizeof(T); }
  void pack(const T* kernel, T* packed) const override;
  bool scattered() const override { return shape_.groups > 1; }
  void run(const T* input, const T* kernel, const T* packed, T* output, T* workspace,
           const Epilogue<T>& epilogue) const override;

 private:
  // Taps along the last axis whose outputs follow each other.
  struct Run {
    int64_t offset, first_column, length;
  };
  using Task = detail::ScatterTask;

  int64_t sums_pitch(const Task& task) const;
  void compute(const Task& task, const T* input, const T* packed, T* output,
               const Epilogue<T>& epilogue) const;
  void add(const Task& task, int64_t y, int64_t x, int64_t count, const T* products,
           T* sums) const;
  void multiply(const T* input, int64_t pixels, const T* b, T* products) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  std::vector<detail::ScatterAxis> axes_;
  detail::ScatterTasks tasks_;
  std::vector<Run> runs_;
  std::vector<ColumnPanel> panels_;
  int64_t packed_;  // elements
  int64_t pitch_;   // padded columns
  int64_t pixels_;  // multiplied at a time
};

}  // namespace convnet
