#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlation_method.h"
#include "gemm.h"

namespace convnet {

namespace detail {
class Ahead;
struct CorrelationBox;
}

// A correlation as matrix products: a position is a row, which is read where it lies, under
// its taps; columns are output channels. Tasks have blocks of positions that see the same taps.
template <typename T>
class TiledCorrelation final : public CorrelationMethod<T> {
 public:
  // Whether lanes along k are the fastest way to few output channels.
  static bool suits_dots(const CorrelationShape& shape);

  explicit TiledCorrelation(const CorrelationShape& shape);
  ~TiledCorrelation() override;
  PackLayout layout() const override { return dot_ ? PackLayout::dots : PackLayout::panels; }
  size_t packed_bytes() const override { return static_cast<size_t>(packed_) * sizeof(T); }
  void pack(const T* kernel, T* packed) const override;
  bool scattered() const override { return scattered_; }
  void run(const T* input, const T* kernel, const T* packed, T* output, T* workspace,
           const Epilogue<T>& epilogue) const override;

 private:
  // Positions of one plan that one task has, in every group.
  struct BlockStart {
    int64_t out;  // element that the first one begins with
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

  void place_panels();
  void add_plan(const detail::CorrelationBox& box);
  void add_blocks();
  int64_t panel_at(int phase, int64_t group, const ColumnPanel& panel) const;
  void pack_panel(int phase, int64_t group, const ColumnPanel& panel, const T* kernel,
                  T* to) const;
  void compute_strips(int64_t index, const Call& call) const;
  void pass_strips(const Task& task, const StripPass* passes, int count, const Call& call) const;
  void finish_strips(const Task& task, const Call& call) const;
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
  bool in_strips_ = false;  // few input channels
  bool dot_ = false;        // few columns: lanes along k
  int64_t depth_;           // of a tap, packed
  std::vector<ColumnPanel> panels_;
  int64_t padded_columns_ = 0;
  std::vector<int64_t> phase_at_;  // where its packed kernel begins, in elements
  std::vector<Plan> plans_;
  std::vector<BlockStart> blocks_;
  int64_t packed_ = 0;  // elements
  int64_t work_ = 0;    // multiplications
  int64_t parts_ = 1;   // tasks that share the panels of a block of positions
  bool scattered_ = false;
};

}  // namespace convnet
