#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "correlation.h"
#include "correlation_strips.h"
#include "outer.h"

namespace convnet {

namespace detail {
struct PositionBlock;
}

template <typename T>
class DepthwiseGradient;
template <typename T>
class WinogradGradient;

// The derivative of a correlation with respect to its kernel:
// kernel[tap, g, k, c] = sum over positions of input[n, q + tap, g, k] * output[n, q, g, c].
// A task owns some taps, rows k and columns c of one phase and some groups, and adds up
// all positions in order, or one piece of them where there are few tasks.
template <typename T>
class WeightGradient {
 public:
  explicit WeightGradient(CorrelationShape shape);
  ~WeightGradient();
  size_t workspace() const { return workspace_; }
  // The share of its lanes that products with so many output channels use.
  static double lanes_used(int64_t channels);
  void run(const T* input, const T* output, T* kernel, void* workspace) const;

 private:
  struct Task {
    int phase;
    int64_t first_group, last_group, first_row, last_row, first_panel, last_panel, piece;
  };
  struct Plan {
    std::vector<int64_t> tap_offset, kernel_tap;
    int64_t taps_before;  // in other phases
  };
  // One run's arguments.
  struct Call {
    const T* input;
    const T* output;
    T* kernel;
    T* sums;
  };

  void plan_phases();
  void plan_tasks();
  void finish(const T* sums, T* kernel) const;
  void compute(const Task& task, const Call& call) const;
  void compute_panel(const Task& task, const detail::PositionBlock& block, int64_t panel, bool add,
                     const Call& call) const;
  void point_output(const Task& task, const detail::PositionBlock& block, int64_t panel, const Call& call,
                    T* packed, OuterArgs<T>& args) const;
  bool output_in_place(const Task& task, const detail::PositionBlock& block, int64_t panel) const;
  bool reads_in_place(int64_t panel, int64_t last, int64_t step, int64_t reads) const;
  T* pack_columns(int64_t panel, const T* from, int64_t step, int64_t count, T* to) const;
  void point_sums(const Task& task, int64_t panel, const Call& call, OuterArgs<T>& args) const;
  void multiply(const Task& task, int64_t panel, int64_t tap, int64_t count, OuterArgs<T> args,
                const Call& call) const;
  void compute_few(const Task& task, const Call& call) const;
  void add_strips(const Task& task, const detail::StripPlan& strips, int64_t first, int64_t count,
                  const Call& call) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  const Outer<T>& outer_;
  Panels panels_{};
  int64_t rows_ = 0;        // of a tap: input channels, or those of each of the groups that are joined
  bool few_ = false;        // input channels: the rows of a product are those of many taps
  bool joined_ = false;     // groups that fill a vector together
  bool shares_ = false;     // what they read, among taps of a row
  bool direct_ = false;     // sums are added up in the kernel itself
  int64_t pieces_ = 1, taps_ = 0, kernel_size_ = 0;
  int64_t sums_size_ = 0;   // of one piece
  int64_t work_ = 0;        // multiplications
  std::unique_ptr<const DepthwiseGradient<T>> depthwise_;  // which does all instead
  std::unique_ptr<const WinogradGradient<T>> winograd_;    // which does all unless numbers are not finite
  std::vector<Plan> plans_;
  std::vector<std::pair<int, detail::StripPlan>> strips_;  // of few channels, and their phase
  std::vector<Task> tasks_;
  size_t workspace_ = 0;
};

}  // namespace convnet
