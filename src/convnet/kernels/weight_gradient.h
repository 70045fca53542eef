#pragma once
#include "correlation.h"
#include "outer.h"

namespace convnet {

// The derivative of a correlation with respect to its kernel:
// kernel[tap, g, k, c] = sum over positions of input[n, q + tap, g, k] * output[n, q, g, c].
// A task owns some taps and columns of one phase and group, and adds up all
// positions in order, or one piece of them where there are few tasks.
template <typename T>
class WeightGradient {
 public:
  explicit WeightGradient(CorrelationShape shape);
  size_t workspace() const { return workspace_; }
  void run(const T* input, const T* output, T* kernel, void* workspace) const;

 private:
  struct Task {
    int phase;
    int64_t group, first_tap, last_tap, first_panel, last_panel, piece;
  };
  struct Plan {
    std::vector<int64_t> tap_offset, kernel_tap;
  };

  // One run's arguments. clip: no zeros stand for taps outside the input.
  struct Call {
    const T* input;
    const T* output;
    T* kernel;
    bool clip;
  };
  void add_up(const Call& call) const;
  void compute(const Task& task, const Call& call) const;
  void compute_columns(const Task& task, const Call& call, int64_t first, int64_t last) const;
  void compute_tap(const Task& task, const Call& call, int64_t tap, int64_t first,
                   int64_t last) const;
  void accumulate(const Task& task, int64_t panel, int64_t first_tap, int64_t length,
                  const T* const* points, const T* packed, int64_t count, T* kernel) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  const Outer<T>& outer_;
  Panels panels_{};
  bool columns_ = false;  // few input channels: rows run over taps and channels together
  int64_t repeats_ = 1;     // of each input channel, into the workspace
  size_t repeated_ = 0;     // bytes of those
  int64_t pieces_ = 1, kernel_size_ = 0, work_ = 0;  // work: multiplications
  std::vector<Plan> plans_;
  std::vector<Task> tasks_;
  size_t workspace_ = 0;
};

}  // namespace convnet
