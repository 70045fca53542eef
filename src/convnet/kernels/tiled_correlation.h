#pragma once
#include <cstdint>
#include <vector>

#include "packed_correlation.h"

namespace convnet {

namespace detail {
class Ahead;
}

// Rows by pointers, one to each position.
template <typename T>
class TiledCorrelation final : public PackedCorrelation<T> {
 public:
  explicit TiledCorrelation(const CorrelationShape& shape);
  PackLayout layout() const override { return PackLayout::panels; }

 private:
  using typename PackedCorrelation<T>::Call;
  using typename PackedCorrelation<T>::Task;
  using PackedCorrelation<T>::shape_;
  using PackedCorrelation<T>::gemm_;
  using PackedCorrelation<T>::panels_;
  using PackedCorrelation<T>::padded_columns_;
  using PackedCorrelation<T>::plans_;
  struct Block;
  // Of the plan with the same number.
  struct Rows {
    detail::RowPlan plan;
    bool fetches;  // ahead, what the next task reads and writes
  };

  bool fetches(const CorrelationPhase& part) const;
  void look_ahead(const Task& task, const Call& call, detail::Ahead& ahead) const;
  void compute(int64_t index, const Call& call) const override;
  void place(const Task& task, const Call& call, Block& block) const;
  void multiply(const Block& block, const ColumnPanel& panel, TileArgs<T> args,
                detail::Ahead& ahead) const;
  void finish(const Block& block, const Epilogue<T>& epilogue) const;

  std::vector<Rows> rows_;
};

}  // namespace convnet
