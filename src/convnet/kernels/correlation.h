#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "epilogue.h"
#include "gemm.h"

namespace convnet {

// One spatial axis of a correlation: position q = 0..count-1 writes output
// out_start + q * out_step and reads, for j = 0..taps-1, kernel element
// tap_first + j * tap_next against input q * step + base + j * tap_step, where
// that lies in [0, in).
struct CorrelationAxis {
  int64_t count, out_start, out_step;
  int64_t step, base;
  int64_t taps, tap_step;
  int64_t tap_first, tap_next;
};

struct CorrelationPhase {
  CorrelationAxis axis[3];

  int64_t positions() const { return axis[0].count * axis[1].count * axis[2].count; }
  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
};

// Channels-last correlation in phases that partition its output, and its taps:
// output[n, q, g, c] = sum over taps and k of input[n, q + tap, g, k] * kernel[tap, g, k, c].
// A convolution has one phase; its adjoint one for each residue of the output
// position modulo the stride. Both are dense: nothing is multiplied by zeros.
struct CorrelationShape {
  int64_t batch, groups;
  int64_t in_channels, out_channels;  // of one group
  int64_t in[3], out[3], kernel[3];
  // Where kernel[tap, g, k, c] lies: the sum of each index times its stride.
  int64_t tap_stride, group_stride, in_stride, out_stride;
  std::vector<CorrelationPhase> phases;

  int64_t in_pixels() const { return batch * in[0] * in[1] * in[2]; }
  int64_t out_pixels() const { return batch * out[0] * out[1] * out[2]; }
};

template <typename T>
class PixelPlanes;
template <typename T>
class Scatter;
namespace detail {
class Ahead;
struct CorrelationBox;
}

// Equal where one packed kernel serves both; it says all that packing depends on.
using PackKey = std::vector<int64_t>;

// pack() puts a kernel in the form that run() reads, as often as the kernel
// changes; run() may be called any number of times with what it left, also that
// of another Correlation<T> whose pack_key() is equal, whatever the batch and the
// size of its images. Where packed_bytes() is 0 run() reads the kernel where it
// lies; elsewhere it does not look at it. packed_bytes() is a multiple of 64.
template <typename T>
class Correlation {
 public:
  explicit Correlation(CorrelationShape shape);
  ~Correlation();
  size_t packed_bytes() const { return packed_bytes_; }
  const PackKey& pack_key() const { return pack_key_; }
  // packed: 64-byte aligned, as is the workspace.
  void pack(const T* kernel, void* packed) const;
  size_t workspace() const { return workspace_; }
  void run(const T* input, const T* kernel, const void* packed, T* output, void* workspace,
           const Epilogue<T>& epilogue = {}) const;

 private:
  // Positions of one plan that one task has, in every group.
  struct BlockStart {
    int64_t out_pixel;  // of the first
    int plan;
    int64_t position;
  };
  struct Plan;
  struct Task;
  struct Block;
  struct StripPass;
  // One run's arguments.
  struct Call {
    const T* input;
    const T* packed;
    T* output;
    const Epilogue<T>& epilogue;
  };

  bool by_other_means();
  void place_panels();
  void add_plan(const detail::CorrelationBox& box);
  void add_blocks();
  PackKey make_pack_key() const;
  int64_t panel_at(int phase, int64_t group, const ColumnPanel& panel) const;
  void pack_panel(int phase, int64_t group, const ColumnPanel& panel, const T* kernel,
                  T* to) const;
  void compute_strips(int64_t index, const Call& call) const;
  void pass_strips(const Task& task, const StripPass* passes, int count, const Call& call) const;
  void finish_strips(const Task& task, const Call& call) const;
  void run_multiplied(const T* input, const T* kernel, T* output, T* room,
                      const Epilogue<T>& epilogue) const;
  Task task(int64_t index) const;
  int64_t tasks() const { return static_cast<int64_t>(blocks_.size()) * shape_.groups * parts_; }
  bool fetches(const CorrelationPhase& part) const;
  void look_ahead(const Task& task, const Call& call, detail::Ahead& ahead) const;
  void compute(int64_t index, const Call& call) const;
  void place(const Task& task, const Call& call, Block& block) const;
  void multiply(const Block& block, const ColumnPanel& panel, TileArgs<T> args,
                detail::Ahead& ahead) const;
  void finish(const Block& block, const Epilogue<T>& epilogue) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  // Where there is one, it does it all.
  std::unique_ptr<const CorrelationShape> multiplied_;  // see without_multiplier()
  std::unique_ptr<const PixelPlanes<T>> planes_;
  std::unique_ptr<const Scatter<T>> scatter_;
  bool in_strips_ = false;  // few input channels
  bool dot_ = false;        // few columns: lanes along k
  int rows_ = 0;            // of one call of a micro-kernel, at most
  std::vector<ColumnPanel> panels_;  // single columns where lanes run along k
  int64_t padded_columns_ = 0;
  std::vector<int64_t> phase_at_;  // where its packed kernel begins, in elements
  std::vector<Plan> plans_;
  std::vector<BlockStart> blocks_;
  int64_t work_ = 0;  // multiplications
  int64_t parts_ = 1;  // tasks that share the panels of a block of positions
  bool scattered_ = false;  // results that follow each other are those of several tasks
  size_t packed_bytes_ = 0, workspace_ = 0;
  PackKey pack_key_;
};

}  // namespace convnet
