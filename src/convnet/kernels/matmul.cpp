#include "matmul.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "../core/threads.h"
#include "walk.h"

namespace convnet {

using detail::align_up;

namespace {

constexpr int64_t kFewRows = 4;       // packing b costs more than these
constexpr int64_t kFewRowsTask = 256; // columns a task

}  // namespace

template <typename T>
Matmul<T>::Matmul(int64_t batch, int64_t m, int64_t n, int64_t k, bool transpose_a,
                  bool transpose_b)
    : batch_(batch), m_(m), n_(n), k_(k), gemm_(gemm<T>()) {
  if (m == 1) transpose_a = false;  // the same values in the same order
  few_rows_ = m <= kFewRows && !transpose_a && !transpose_b;
  if (few_rows_) return;
  exchanged_ = m == 1 && transpose_b;
  if (exchanged_) {
    std::swap(m, n);
    transpose_b = false;
  }
  transpose_first_ = transpose_a && transpose_b;
  const bool gradient = transpose_a && !transpose_b;
  const int64_t positions = gradient ? k : m, rows = gradient ? m : k;
  const CorrelationAxis unit{1, 0, 1, 1, 0, 1, 1, 0, 1};
  CorrelationAxis line = unit;
  line.count = positions;
  CorrelationShape shape{1,         1,
                         rows,      n,
                         {1, 1, positions}, {1, 1, positions},
                         {1, 1, 1}, 0,
                         0,         transpose_b ? 1 : n,
                         transpose_b ? k : 1,
                         {{{unit, unit, line}}}};
  if (gradient) gradient_ = std::make_unique<WeightGradient<T>>(std::move(shape));
  else product_ = std::make_unique<Correlation<T>>(std::move(shape));
  packs_b_ = product_ && !exchanged_ && batch == 1;
}

template <typename T>
void Matmul<T>::pack(const T* b, void* packed) const {
  if (packs_b_) product_->pack(b, packed);
}

template <typename T>
size_t Matmul<T>::workspace() const {
  if (few_rows_) return 0;
  if (gradient_) return gradient_->workspace();
  return align_up(product_->workspace()) + (packs_b_ ? 0 : product_->packed_bytes()) +
         (transpose_first_ ? static_cast<size_t>(m_ * k_) * sizeof(T) : 0);
}

template <typename T>
void Matmul<T>::multiply_few_rows(const T* a, const T* b, T* output,
                                  const Epilogue<T>& epilogue) const {
  parallel_for(divide_up(n_, kFewRowsTask), kMultiplyTime * m_ * n_ * k_, [&](int64_t task) {
    const int64_t column = task * kFewRowsTask;
    ThinArgs<T> args{};
    args.a_step = k_;
    args.ldb = args.out_step = n_;
    args.columns = std::min(kFewRowsTask, n_ - column);
    for (int64_t k = 0; k == 0 || k < k_; k += GemmLimits::kChunk) {
      const bool last = k + GemmLimits::kChunk >= k_;
      args.b = b + k * n_ + column;
      args.length = std::min(GemmLimits::kChunk, k_ - k);
      args.add = k > 0;
      args.bias = last ? epilogue.from(column).bias : nullptr;
      args.relu = last && epilogue.relu;
      for (int64_t row = 0, rows; row < m_; row += rows) {
        const int size = m_ - row >= 4 ? 2 : m_ - row >= 2 ? 1 : 0;
        rows = int64_t{1} << size;
        args.a = a + row * k_ + k;
        args.out = output + row * n_ + column;
        gemm_.thin[size](args);
      }
    }
    for (int64_t row = 0; row < m_; ++row)
      epilogue.finish(output + row * n_ + column, args.columns);
  });
}

template <typename T>
void Matmul<T>::run(const T* a, const T* b, const void* packed, T* output, void* workspace,
                    const Epilogue<T>& epilogue) const {
  char* room = static_cast<char*>(workspace);
  if (product_ && !packs_b_) {
    packed = room;
    room += product_->packed_bytes();
  }
  for (int64_t i = 0; i < batch_; ++i, a += m_ * k_, b += k_ * n_, output += m_ * n_) {
    if (product_ && !packs_b_) product_->pack(exchanged_ ? a : b, workspace);
    if (few_rows_) {
      multiply_few_rows(a, b, output, epilogue);
    } else if (exchanged_) {
      product_->run(b, a, packed, output, room);
      epilogue.apply(output, n_);
      epilogue.finish(output, n_);
    } else if (gradient_) {
      gradient_->run(a, b, output, workspace);
      if (epilogue.empty()) continue;
      parallel_ranges(m_, kElementTime * n_, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) epilogue.apply(output + row * n_, n_);
        epilogue.finish(output + begin * n_, (end - begin) * n_);
      });
    } else if (transpose_first_) {
      T* rows = reinterpret_cast<T*>(room + align_up(product_->workspace()));
      parallel_for(divide_up(m_, 16), kElementTime * m_ * k_, [&](int64_t task) {
        const int64_t begin = task * 16, end = std::min(begin + 16, m_);
        for (int64_t k = 0; k < k_; ++k)
          for (int64_t row = begin; row < end; ++row) rows[row * k_ + k] = a[k * m_ + row];
      });
      product_->run(rows, b, packed, output, room, epilogue);
    } else {
      product_->run(a, b, packed, output, room, epilogue);
    }
  }
}

template class Matmul<float>;
template class Matmul<double>;

}  // namespace convnet
