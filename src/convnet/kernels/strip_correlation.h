#pragma once
#include <cstdint>

#include "packed_correlation.h"

namespace convnet {

// Positions whose rows lie a constant distance apart, as their results do, need no pointers: rows
// of few elements, or dots of them with few columns, lanes along k.
template <typename T>
class StripCorrelation final : public PackedCorrelation<T> {
 public:
  // Whether pointers to rows would cost more than they are worth.
  static bool suits(const CorrelationShape& shape);
  // Whether dots are the fastest way.
  static bool suits_dots(const CorrelationShape& shape);

  explicit StripCorrelation(const CorrelationShape& shape);
  PackLayout layout() const override {
    return !dot_ ? PackLayout::panels : shape_.together > 1 ? PackLayout::joined_dots : PackLayout::dots;
  }

 private:
  using typename PackedCorrelation<T>::Call;
  using typename PackedCorrelation<T>::Task;
  using PackedCorrelation<T>::shape_;
  using PackedCorrelation<T>::gemm_;
  using PackedCorrelation<T>::panels_;
  using PackedCorrelation<T>::depth_;
  using PackedCorrelation<T>::plans_;
  struct StripPass;

  StripCorrelation(const CorrelationShape& shape, bool dot);
  void pack_tap(const T* from, int64_t tap, const detail::TapColumns& columns,
                const ColumnPanel& panel, T* to) const override;
  const T* repeat(const T* bias, T* columns) const;
  void compute(int64_t index, const Call& call) const override;
  void pass_over(const Task& task, const StripPass* passes, int count, const Call& call) const;
  void finish(const Task& task, const Call& call) const;

  bool dot_;
};

}  // namespace convnet
