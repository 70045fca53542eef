#pragma once
#include "correlation.h"

namespace convnet {

// The derivative of a correlation with respect to its kernel where each group has one input
// channel, as WeightGradient computes it of others: vector lanes run along the output channels. A
// task owns some of those and one piece of the positions.
template <typename T>
class DepthwiseGradient {
 public:
  explicit DepthwiseGradient(CorrelationShape shape);
  ~DepthwiseGradient();
  static bool suits(const CorrelationShape& shape);
  size_t workspace() const { return workspace_; }
  void run(const T* input, const T* output, T* kernel, void* workspace) const;

 private:
  class Phase;

  CorrelationShape shape_;
  int64_t repeats_ = 1;  // of each input channel, into the workspace
  size_t repeated_ = 0;  // bytes of those
  int64_t channels_ = 0;  // of a part
  int64_t parts_ = 1, pieces_ = 1, kernel_size_ = 0;
  int64_t work_ = 0;     // multiplications
  std::vector<Phase> phases_;
  size_t workspace_ = 0;
};

}  // namespace convnet
