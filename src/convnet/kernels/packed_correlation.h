#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/divide.h"
#include "correlation_method.h"
#include "correlation_strips.h"
#include "gemm.h"

namespace convnet {

// A correlation as matrix products: a position is a row, which is read where it lies, under
// its taps; columns are output channels, packed in panels. Tasks have blocks of positions that
// see the same taps.
template <typename T>
class PackedCorrelation : public CorrelationMethod<T> {
 public:
  ~PackedCorrelation() override;
  size_t packed_bytes() const final { return static_cast<size_t>(packed_) * sizeof(T); }
  void pack(const T* kernel, T* packed) const final;
  bool scattered() const final { return scattered_; }
  void run(const T* input, const T* kernel, const T* packed, T* output, T* workspace,
           const Epilogue<T>& epilogue) const final;

 protected:
  // How the positions of a box are walked over, so many a task at most.
  struct Plan {
    detail::CorrelationBox box;
    detail::StripPlan strips;
  };
  // One or all panels of some groups, for one block of positions of one plan.
  struct Task {
    int plan;
    int64_t first_group, last_group, first_position, positions, first_panel, last_panel;
  };
  // One run's arguments.
  struct Call {
    const T* input;
    const T* packed;
    T* output;
    const Epilogue<T>& epilogue;
  };

  // depth: elements that a tap of one column is packed with. joins: many blocks have one task for all
  // groups. splits: few have one for each panel.
  PackedCorrelation(const CorrelationShape& shape, std::vector<ColumnPanel> panels, int64_t depth,
                    bool joins, bool splits);
  // All plans at once.
  void set_plans(std::vector<Plan> plans);
  int64_t tasks() const { return static_cast<int64_t>(blocks_.size()) * block_tasks() * parts_; }
  Task task(int64_t index) const;
  // Where a panel begins in the packed kernel.
  int64_t panel_at(int phase, int64_t group, const ColumnPanel& panel) const;
  // What lies under kernel element `tap`, [k][column] with zeros for columns that are not used.
  // from: element 0 of the panel's first column.
  virtual void pack_tap(const T* from, int64_t tap, const detail::TapColumns& columns,
                        const ColumnPanel& panel, T* to) const;
  virtual void compute(int64_t index, const Call& call) const = 0;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  std::vector<ColumnPanel> panels_;
  int64_t depth_, padded_columns_;
  std::vector<Plan> plans_;

 private:
  // That one part of a block has.
  int64_t block_tasks() const { return divide_up(shape_.groups, groups_); }

  // Positions of one plan that one task has, in every group.
  struct BlockStart {
    int64_t out;  // element that the first one begins with
    int plan;
    int64_t position;
  };

  std::vector<int64_t> phase_at_;  // where its packed kernel begins, in elements
  std::vector<BlockStart> blocks_;
  int64_t packed_ = 0;  // elements
  int64_t work_ = 0;    // multiplications
  int64_t groups_ = 1;  // of a task
  int64_t parts_ = 1;   // tasks that share the panels of a block of positions
  bool scattered_;
};

}  // namespace convnet
