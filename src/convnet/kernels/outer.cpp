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
#define CONVNET_ROWS(R, S) {outer<T, R, 1, S>, outer<T, R, 2, S>}

// As many rows as leave the accumulators, and the offsets of rows, in registers.
namespace baseline {
#define CONVNET_TARGET
constexpr int kBytes = 16;
#include "outer_body.inc"
#undef CONVNET_TARGET
template <typename T>
#if defined(__aarch64__)
constexpr Outer<T> kOuter = {8, 8, kBytes / sizeof(T), {CONVNET_ROWS_8(false)}, {CONVNET_ROWS_8(true)}};
#else
constexpr Outer<T> kOuter = {4, 4, kBytes / sizeof(T), {CONVNET_ROWS_4(false)}, {CONVNET_ROWS_4(true)}};
#endif
}  // namespace baseline

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define CONVNET_TARGET __attribute__((target("avx2,fma")))
constexpr int kBytes = 32;
#include "outer_body.inc"
#undef CONVNET_TARGET
template <typename T>
constexpr Outer<T> kOuter = {6, 6, kBytes / sizeof(T), {CONVNET_ROWS_6(false)}, {CONVNET_ROWS_6(true)}};
}  // namespace avx2

namespace avx512 {
#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
constexpr int kBytes = 64;
#include "outer_body.inc"
#undef CONVNET_TARGET
template <typename T>
constexpr Outer<T> kOuter = {14, 9, kBytes / sizeof(T), {CONVNET_ROWS_14(false)}, {CONVNET_ROWS_9(true)}};
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
