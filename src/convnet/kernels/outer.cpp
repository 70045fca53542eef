#include "outer.h"

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

#define CONVNET_ROWS_4(S) CONVNET_ROWS(1, S), CONVNET_ROWS(2, S), CONVNET_ROWS(3, S), CONVNET_ROWS(4, S)
#define CONVNET_ROWS_6(S) CONVNET_ROWS_4(S), CONVNET_ROWS(5, S), CONVNET_ROWS(6, S)
#define CONVNET_ROWS_8(S) CONVNET_ROWS_6(S), CONVNET_ROWS(7, S), CONVNET_ROWS(8, S)
#define CONVNET_ROWS_9(S) CONVNET_ROWS_8(S), CONVNET_ROWS(9, S)
#define CONVNET_ROWS_14(S)                                                                       \
  CONVNET_ROWS_9(S), CONVNET_ROWS(10, S), CONVNET_ROWS(11, S), CONVNET_ROWS(12, S),              \
      CONVNET_ROWS(13, S), CONVNET_ROWS(14, S)
#define CONVNET_ROWS(R, S) {CONVNET_WIDTHS(R, S)}
#define CONVNET_VECTORS(R, S) outer<T, R, 1, S>, outer<T, R, 2, S>
#define CONVNET_HALVES(R, S) CONVNET_VECTORS(R, S), outer<T, R, 3, S>, outer<T, R, 4, S>

constexpr int kShared = OuterLimits::kSharedTaps;

// As many rows as leave the accumulators, and the offsets of rows, in registers.
#define CONVNET_TABLE(ROWS, SCATTERED)                                                            \
  {ROWS, SCATTERED, 2 * kBytes / sizeof(T), kGrainBytes / sizeof(T), {CONVNET_ROWS_##ROWS(false)}, \
   {CONVNET_ROWS_##SCATTERED(true)}, {outer_groups_of<T, 2, 1>(), outer_groups_of<T, 4, 1>(), outer_groups_of<T, 8, 1>()},          \
   {outer_groups_of<T, 2, kShared>(), outer_groups_of<T, 4, kShared>(), outer_groups_of<T, 8, kShared>()}}

namespace baseline {
#define CONVNET_TARGET
#define CONVNET_WIDTHS CONVNET_VECTORS
constexpr int kBytes = 16, kGrainBytes = kBytes;
#include "outer_body.inc"
template <typename T>
#if defined(__aarch64__)
constexpr Outer<T> kOuter = CONVNET_TABLE(8, 8);
#else
constexpr Outer<T> kOuter = CONVNET_TABLE(4, 4);
#endif
#undef CONVNET_WIDTHS
#undef CONVNET_TARGET
}  // namespace baseline

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define CONVNET_TARGET __attribute__((target("avx2,fma")))
#define CONVNET_WIDTHS CONVNET_VECTORS
constexpr int kBytes = 32, kGrainBytes = kBytes;
#include "outer_body.inc"
template <typename T>
constexpr Outer<T> kOuter = CONVNET_TABLE(6, 6);
#undef CONVNET_WIDTHS
#undef CONVNET_TARGET
}  // namespace avx2

namespace avx512 {
#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
#define CONVNET_WIDTHS CONVNET_HALVES
constexpr int kBytes = 64, kGrainBytes = kBytes / 2;
#include "outer_body.inc"
template <typename T>
constexpr Outer<T> kOuter = CONVNET_TABLE(14, 9);
#undef CONVNET_WIDTHS
#undef CONVNET_TARGET
}  // namespace avx512
#endif

}  // namespace

template <typename T>
const Outer<T>& outer() {
  return CONVNET_OF_ISA(kOuter<T>);
}

template const Outer<float>& outer();
template const Outer<double>& outer();

}  // namespace convnet
