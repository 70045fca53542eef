#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/threads.h"
#include "correlation_method.h"
#include "scatter_axes.h"

namespace convnet {

// What goes over inputs, in tasks that own outputs each.
template <typename T>
class ScatterMethod : public CorrelationMethod<T> {
 public:
  size_t packed_bytes() const final { return static_cast<size_t>(packed_) * sizeof(T); }
  bool scattered() const final { return shape_.groups > 1; }
  void run(const T* input, const T*, const T* packed, T* output, T*,
           const Epilogue<T>& epilogue) const final {
    parallel_for(tasks_.count(), kMultiplyTime * shape_.in_pixels() * packed_, [&](int64_t i) {
      compute(tasks_.at(i), input, packed, output, epilogue);
    });
  }

 protected:
  using Task = detail::ScatterTask;

  // Sets the axes; tasks and the packed kernel's elements are up to the class.
  explicit ScatterMethod(const CorrelationShape& shape)
      : shape_(shape), axes_(detail::scatter_axes(shape)) {}
  virtual void compute(const Task& task, const T* input, const T* packed, T* output,
                       const Epilogue<T>& epilogue) const = 0;

  CorrelationShape shape_;
  std::vector<detail::ScatterAxis> axes_;
  detail::ScatterTasks tasks_;
  int64_t packed_ = 0;
};

}  // namespace convnet
