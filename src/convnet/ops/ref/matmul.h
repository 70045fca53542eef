#pragma once
#include "../../core/shape.h"

namespace convnet::ref {

// output [m, n] = op(a) [m, k] times op(b) [k, n]; transposed matrices are
// stored [k, m] and [n, k].
template <typename T>
void matmul(Dim m, Dim n, Dim k, bool transpose_a, bool transpose_b, const T* a, const T* b,
            T* output) {
  for (Dim row = 0; row < m; ++row)
    for (Dim column = 0; column < n; ++column) {
      T sum = 0;
      for (Dim i = 0; i < k; ++i)
        sum += (transpose_a ? a[i * m + row] : a[row * k + i]) *
               (transpose_b ? b[column * k + i] : b[i * n + column]);
      output[row * n + column] = sum;
    }
}

}  // namespace convnet::ref
