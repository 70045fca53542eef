#include "gemm.h"

#include <utility>

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

namespace baseline {
#define CONVNET_TARGET
constexpr int kBytes = 16;
#if defined(__aarch64__)
// 16 accumulators of 32 registers
constexpr int kRows = 8, kSomeRows = 4, kFewRows = 2, kLeastRows = 1, kStripRows = 8, kDots = 8;
#else
// 8 of 16
constexpr int kRows = 4, kSomeRows = 3, kFewRows = 2, kLeastRows = 1, kStripRows = 4, kDots = 8;
#endif
#include "gemm_body.inc"
#undef CONVNET_TARGET
}  // namespace baseline

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define CONVNET_TARGET __attribute__((target("avx2,fma")))
constexpr int kBytes = 32;
// 12 accumulators of 16 registers
constexpr int kRows = 6, kSomeRows = 4, kFewRows = 2, kLeastRows = 1, kStripRows = 6, kDots = 12;
#include "gemm_body.inc"
#undef CONVNET_TARGET
}  // namespace avx2

namespace avx512 {
#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
#define CONVNET_MASKS
constexpr int kBytes = 64;
// 16 accumulators of 32 registers: the stores of 24, which wait for the last products, are more than
// Zen 4 holds, and the next tile begins 80 cycles later.
constexpr int kRows = 8, kSomeRows = 6, kFewRows = 4, kLeastRows = 2, kStripRows = 4, kDots = 16;
#include "gemm_body.inc"
#undef CONVNET_MASKS
#undef CONVNET_TARGET
}  // namespace avx512
#endif

}  // namespace

template <typename T>
const Gemm<T>& gemm() {
  return CONVNET_OF_ISA(kGemm<T>);
}

template <typename T>
std::vector<ColumnPanel> column_panels(int64_t columns) {
  const Gemm<T>& g = gemm<T>();
  const int both = g.tile_width[0] + g.tile_width[1];
  std::vector<ColumnPanel> panels;
  for (int64_t first = 0; first < columns; first += panels.back().used) {
    const int64_t left = columns - first;
    int size = 2;
    if (left <= g.tile_width[0]) size = 0;
    else if (left <= g.tile_width[1]) size = 1;
    else if (left <= both && both < g.tile_width[2]) size = 1;  // and one of size 0 after it
    const int width = g.tile_width[size];
    panels.push_back({first, static_cast<int>(left < width ? left : width), width, size});
  }
  return panels;
}

template const Gemm<float>& gemm();
template const Gemm<double>& gemm();
template std::vector<ColumnPanel> column_panels<float>(int64_t columns);
template std::vector<ColumnPanel> column_panels<double>(int64_t columns);

}  // namespace convnet
