#pragma once
#include <cstdint>

#include "packed_correlation.h"

namespace convnet {

// Positions whose rows lie a constant distance apart, as their results do, need no pointers: rows
// of few elements, dots of them with few columns, lanes along k, or vectors of several groups.
template <typename T>
class StripCorrelation final : public PackedCorrelation<T> {
 public:
  // Whether pointers to rows would cost more than they are worth.
  static bool suits(const CorrelationShape& shape);
  // Whether dots are the fastest way.
  static bool suits_dots(const CorrelationShape& shape);
  // Whether a vector is filled by groups with as many channels in as out.
  static bool suits_groups(const CorrelationShape& shape);

  explicit StripCorrelation(const CorrelationShape& shape);
  PackLayout layout() const override { return kind_; }

 private:
  using typename PackedCorrelation<T>::Call;
  using typename PackedCorrelation<T>::Task;
  using PackedCorrelation<T>::shape_;
  using PackedCorrelation<T>::gemm_;
  using PackedCorrelation<T>::panels_;
  using PackedCorrelation<T>::depth_;
  using PackedCorrelation<T>::plans_;
  struct StripPass;

  StripCorrelation(const CorrelationShape& shape, const CorrelationShape& joined, PackLayout kind);
  void pack_tap(const T* from, int64_t tap, const detail::TapColumns& columns,
                const ColumnPanel& panel, T* to) const override;
  void pack_groups(const T* from, T* to) const;
  const T* repeat(const T* bias, T* columns) const;
  void compute(int64_t index, const Call& call) const override;
  void set_pass(const Task& task, int64_t group, const ColumnPanel& panel, int64_t first, int64_t count,
                const Call& call, StripPass& pass) const;
  void pass_over(const Task& task, const StripPass* passes, int count, const Call& call) const;
  void finish(const Task& task, const Call& call) const;

  PackLayout kind_;
};

}  // namespace convnet
