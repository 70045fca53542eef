#pragma once
#include <cstdint>

namespace convnet {

// sums[c] += sum over r < rows of x[r * stride + c] for c < columns, where the rows
// r, r + 1, r + 2 and r + 3 of four are added up as (r + (r + 1)) + ((r + 2) + (r + 3)) first.
// Instances: float, double.
template <typename T>
void sum_rows(double* sums, const T* x, int64_t rows, int64_t stride, int64_t columns);

}  // namespace convnet
