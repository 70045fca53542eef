#include "matmul.h"

#include <algorithm>

#include "../core/threads.h"
#include "walk.h"

namespace convnet {

template <typename T>
Matmul<T>::Matmul(int64_t batch, int64_t m, int64_t n, int64_t k, bool transpose_a,
                  bool transpose_b)
    : batch_(batch), m_(m), n_(n), k_(k), transpose_first_(transpose_a && transpose_b) {
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
}

template <typename T>
size_t Matmul<T>::workspace() const {
  if (gradient_) return gradient_->workspace();
  return product_->workspace() +
         (transpose_first_ ? detail::align_up(static_cast<size_t>(m_ * k_) * sizeof(T)) : 0);
}

template <typename T>
void Matmul<T>::run(const T* a, const T* b, T* output, void* workspace,
                    const Epilogue<T>& epilogue) const {
  for (int64_t i = 0; i < batch_; ++i, a += m_ * k_, b += k_ * n_, output += m_ * n_) {
    if (gradient_) {
      gradient_->run(a, b, output, workspace);
      if (epilogue.empty()) continue;
      parallel_ranges(m_, 64, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) epilogue.apply(output + row * n_, n_);
      });
    } else if (transpose_first_) {
      T* rows = static_cast<T*>(workspace);
      parallel_ranges(m_, 16, [&](int64_t begin, int64_t end) {
        for (int64_t k = 0; k < k_; ++k)
          for (int64_t row = begin; row < end; ++row) rows[row * k_ + k] = a[k * m_ + row];
      });
      product_->run(rows, b, output,
                    static_cast<char*>(workspace) +
                        detail::align_up(static_cast<size_t>(m_ * k_) * sizeof(T)),
                    epilogue);
    } else {
      product_->run(a, b, output, workspace, epilogue);
    }
  }
}

template class Matmul<float>;
template class Matmul<double>;

}  // namespace convnet
