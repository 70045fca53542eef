#include "sum_rows.h"

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

template <typename T>
struct SumRows {
  void (*run)(double*, const T*, int64_t, int64_t, int64_t);
};

#define CONVNET_BODY "sum_rows_body.inc"
#include "each_isa.inc"

}  // namespace

template <typename T>
void sum_rows(double* sums, const T* x, int64_t rows, int64_t stride, int64_t columns) {
  CONVNET_OF_ISA(kSumRows<T>).run(sums, x, rows, stride, columns);
}

template void sum_rows(double*, const float*, int64_t, int64_t, int64_t);
template void sum_rows(double*, const double*, int64_t, int64_t, int64_t);

}  // namespace convnet
