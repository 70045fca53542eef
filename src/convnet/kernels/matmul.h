#pragma once
#include <memory>

#include "weight_gradient.h"

namespace convnet {

// output [batch, m, n] = op(a) [batch, m, k] times op(b) [batch, k, n], where
// transposed matrices are stored [k, m] and [n, k]. A product is a correlation
// over m positions with one tap; with a transposed, the sum runs over positions,
// as in the gradient of the kernel.
template <typename T>
class Matmul {
 public:
  Matmul(int64_t batch, int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b);
  // b is what is packed, if it is one matrix; see Correlation.
  size_t packed_bytes() const { return packs_b_ ? product_->packed_bytes() : 0; }
  PackKey pack_key() const { return packs_b_ ? product_->pack_key() : PackKey{}; }
  void pack(const T* b, void* packed) const;
  size_t workspace() const;
  // epilogue: its channels are the columns.
  void run(const T* a, const T* b, const void* packed, T* output, void* workspace,
           const Epilogue<T>& epilogue = {}) const;

 private:
  void multiply_few_rows(const T* a, const T* b, T* output, const Epilogue<T>& epilogue) const;

  int64_t batch_, m_, n_, k_;
  const Gemm<T>& gemm_;
  bool few_rows_ = false;   // b is read where it lies
  bool exchanged_ = false;  // one row times rows of b: the product's input is b
  bool transpose_first_ = false;  // a is copied into the workspace, transposed
  bool packs_b_ = false;  // ahead of run(), which otherwise packs into the workspace
  std::unique_ptr<const Correlation<T>> product_;  // one of these, or neither
  std::unique_ptr<const WeightGradient<T>> gradient_;
};

}  // namespace convnet
