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
class Scatter;

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
  struct PackTask {
    int phase;
    int64_t group, panel;  // panel: a column where lanes run along k
  };
  // One or all panels of one block of positions of one phase and group.
  struct Task {
    int phase;
    int64_t group, first_position, first_panel, panels;
  };
  // How the micro-kernels read a row of taps * in_channels elements.
  enum class Rows {
    taps,    // where each tap lies in the input; a row of zeros for those outside
    runs,    // the same for taps that are neighbours in the input; copied at the border
    columns  // copied into a small matrix
  };
  // Segments of a row, and elements of each, that one call of a micro-kernel adds up.
  struct Chunk {
    int64_t first_segment, segments, first, length;
  };
  struct Plan {
    int64_t taps, length;  // length of a row, and of a packed column
    Rows rows;
    int64_t segment;                      // elements that follow each other in a row
    int64_t block;                        // positions a task
    int64_t last_task;                    // of this phase, plus one
    size_t packed;                        // offset of the packed kernel, in elements
    std::vector<int64_t> tap_offset;      // input elements from the first tap's to each tap's
    std::vector<int64_t> segment_offset;  // and to each segment's
    std::vector<Chunk> chunks;
  };
  struct Block;

  void run_multiplied(const T* input, const T* kernel, T* output, T* room,
                      const Epilogue<T>& epilogue) const;
  void plan_rows(const CorrelationPhase& phase, Plan& plan) const;
  void plan_chunks(Plan& plan) const;
  Task task(int64_t index) const;
  PackKey make_pack_key() const;
  const T* packed_panel(const T* packed, const Plan& plan, int64_t group, int64_t panel) const;
  bool pack_panel(const PackTask& task, const T* kernel, T* packed) const;
  // One run's arguments, and what was found out about them.
  struct Call {
    const T* input;
    const T* packed;
    const T* zeros;
    T* output;
    bool finite;  // the kernel is
    const Epilogue<T>& epilogue;
  };
  void compute(const Task& task, const Call& call) const;
  void compute_clipped(const Task& task, const Block& block, const Call& call) const;
  void gather(const Task& task, const Block& block, const Call& call, T* matrix) const;
  void point(const Task& task, const Block& block, const Chunk& chunk, const Call& call,
             const T* matrix, const T** pointers) const;
  void multiply(const Block& block, const T* const* rows, const Chunk& chunk, const T* b,
                int64_t panel, bool add, const Epilogue<T>& epilogue) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  // Where there is one, it does it all.
  std::unique_ptr<const CorrelationShape> multiplied_;  // see without_multiplier()
  std::unique_ptr<const Scatter<T>> scatter_;
  bool dot_ = false;  // few columns: lanes along k
  Panels panels_{};
  std::vector<Plan> plans_;
  std::vector<PackTask> pack_tasks_;
  int64_t tasks_ = 0, work_ = 0;  // work: multiplications
  int64_t parts_ = 1;  // tasks that share the panels of a block of positions
  // What pack() writes: panels, a row of zeros, and whether each panel is finite.
  size_t zeros_ = 0, flags_ = 0, packed_bytes_ = 0;  // bytes before the zeros, before the flags, in all
  PackKey pack_key_;
  size_t workspace_ = 0;
};

}  // namespace convnet
