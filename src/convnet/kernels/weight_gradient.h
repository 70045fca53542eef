#pragma once
#include <memory>

#include "correlation.h"
#include "outer.h"

namespace convnet {

template <typename T>
class DepthwiseGradient;

// The derivative of a correlation with respect to its kernel:
// kernel[tap, g, k, c] = sum over positions of input[n, q + tap, g, k] * output[n, q, g, c].
// A task owns some taps, rows k and columns c of one phase and group, and adds up
// all positions in order, or one piece of them where there are few tasks.
template <typename T>
class WeightGradient {
 public:
  explicit WeightGradient(CorrelationShape shape);
  ~WeightGradient();
  size_t workspace() const { return workspace_; }
  void run(const T* input, const T* output, T* kernel, void* workspace) const;

 private:
  // What the rows of a product are; the few channels of several taps run together.
  enum class Rows {
    channels,  // of one tap, at positions where it lies in the input
    tap_rows,  // those of the taps along the last axis, which are neighbours in the input
    taps       // those of all taps
  };
  struct Task {
    int phase;
    int64_t group, first_row, last_row, first_panel, last_panel, piece;
  };
  struct Plan {
    std::vector<int64_t> tap_offset, kernel_tap;
    int64_t taps_before;  // in other phases
  };
  // One run's arguments, and whether it can have all rows it likes.
  struct Call {
    const T* input;
    const T* output;
    T* kernel;
    T* sums;
    Rows rows;
  };
  struct Block;

  void plan_phases();
  void plan_tasks();
  int64_t copied_size(const CorrelationPhase& phase, int64_t positions) const;
  void add_up(const Call& call) const;
  void finish(const T* sums, T* kernel) const;
  void compute(const Task& task, const Call& call) const;
  void copy_rows(const Task& task, Block& block, const Call& call, T* rows) const;
  void compute_panel(const Task& task, const Block& block, int64_t panel, bool add,
                     const Call& call) const;
  void point_output(const Task& task, const Block& block, int64_t panel, const Call& call,
                    T* packed, OuterArgs<T>& args) const;
  void multiply(const Task& task, const Block& block, int64_t panel, int64_t tap,
                OuterArgs<T> args, const Call& call) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  const Outer<T>& outer_;
  Panels panels_{};
  Rows rows_ = Rows::channels;
  bool margins_ = false;    // some taps lie outside the input
  bool direct_ = false;     // sums are added up in the kernel itself
  int64_t pieces_ = 1, taps_ = 0, kernel_size_ = 0;
  int64_t sums_size_ = 0;   // of one piece
  int64_t block_ = 0;       // positions that one call of a micro-kernel adds up
  int64_t work_ = 0;        // multiplications
  std::unique_ptr<const DepthwiseGradient<T>> depthwise_;  // which does all instead
  std::vector<Plan> plans_;
  std::vector<Task> tasks_;
  size_t workspace_ = 0;
};

}  // namespace convnet
