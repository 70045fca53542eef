#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "outer.h"
#include "winograd.h"
#include "winograd_transform.h"

namespace convnet {

// The derivative of a correlation with respect to its kernel by Winograd's algorithm, the adjoint of
// WinogradCorrelation: of each component a matrix [part][k][column], which is a sum over tiles. A task
// owns some rows and columns of all components and one piece of the tiles, which it takes in blocks.
template <typename T>
class WinogradGradient {
 public:
  // None where winograd_phases() has none.
  static std::unique_ptr<const WinogradGradient> of(const CorrelationShape& shape);

  size_t workspace() const;
  // Elements of the kernel that no phase has are left as they are. False where a sum is not finite: then
  // the kernel is to be computed without.
  bool run(const T* input, const T* output, T* kernel, T* workspace) const;

 private:
  struct Plan {
    detail::WinogradPhase phase;
    int64_t sums_at, sums;  // elements: where its sums begin, and those of a piece
  };
  struct Task {
    int plan;
    int64_t piece, first_tile, tiles;
    int64_t first_part, last_part, first_channel, channels;  // rows
    int64_t first_column, columns;

    int64_t rows() const { return (last_part - first_part) * channels; }
  };
  struct Call {
    const T* input;
    const T* output;
    T* kernel;
    const T* zeros;  // of a pixel that is none
    T* sums;
  };

  WinogradGradient(const CorrelationShape& shape, std::vector<detail::WinogradPhase> phases);
  void plan_tasks(int plan);
  int64_t block_of(const Task& task) const;
  void compute(const Task& task, const Call& call, T* room) const;
  void spread_gradients(const Task& task, int64_t first_tile, int64_t tiles, const Call& call, T* to,
                        int64_t step) const;
  void multiply(const Task& task, int64_t tiles, bool add, const T* inputs, int64_t input_step, const T* outputs,
                int64_t output_step, T* sums) const;
  void add_pieces(const T* first, int64_t apart, int64_t count, T* totals) const;
  bool finish_row(const Plan& plan, int64_t part, int64_t k, const Call& call) const;

  CorrelationShape shape_;
  const Outer<T>& outer_;
  const WinogradTransform<T>& transform_;
  std::vector<Plan> plans_;
  std::vector<Task> tasks_;
  int64_t rows_ = 0, columns_ = 0;  // of a task, at most
  int64_t pieces_ = 1, sums_ = 0, room_ = 0, work_ = 0;
  int rooms_ = 1;
};

}  // namespace convnet
