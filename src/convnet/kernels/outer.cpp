#include "outer.h"

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

namespace baseline {
#define CONVNET_TARGET
constexpr int kBytes = 16;
#if defined(__aarch64__)
constexpr int kRows = 8;  // 16 accumulators of 32 registers
#else
constexpr int kRows = 4;  // 8 of 16
#endif
#include "outer_body.inc"
#undef CONVNET_TARGET
}  // namespace baseline

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define CONVNET_TARGET __attribute__((target("avx2,fma")))
constexpr int kBytes = 32, kRows = 6;  // 12 accumulators of 16 registers
#include "outer_body.inc"
#undef CONVNET_TARGET
}  // namespace avx2

namespace avx512 {
#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
constexpr int kBytes = 64, kRows = 12;  // 24 accumulators of 32 registers
#include "outer_body.inc"
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
