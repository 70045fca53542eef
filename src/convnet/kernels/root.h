#pragma once
// Square roots of vectors, for the bodies that are compiled once per instruction set.
#include "micro_kernel.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace convnet {

namespace {

typedef float Floats16 __attribute__((vector_size(16)));
typedef double Doubles16 __attribute__((vector_size(16)));

#define CONVNET_TARGET
#if defined(__x86_64__) || defined(__i386__)
CONVNET_INLINE Floats16 root(Floats16 x) { return (Floats16)_mm_sqrt_ps((__m128)x); }
CONVNET_INLINE Doubles16 root(Doubles16 x) { return (Doubles16)_mm_sqrt_pd((__m128d)x); }
#elif defined(__aarch64__)
CONVNET_INLINE Floats16 root(Floats16 x) { return (Floats16)vsqrtq_f32((float32x4_t)x); }
CONVNET_INLINE Doubles16 root(Doubles16 x) { return (Doubles16)vsqrtq_f64((float64x2_t)x); }
#else
CONVNET_INLINE Floats16 root(Floats16 x) {
  for (int i = 0; i < 4; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
CONVNET_INLINE Doubles16 root(Doubles16 x) {
  for (int i = 0; i < 2; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
}
#endif
#undef CONVNET_TARGET

#if defined(__x86_64__) || defined(__i386__)
typedef float Floats32 __attribute__((vector_size(32)));
typedef double Doubles32 __attribute__((vector_size(32)));
typedef float Floats64 __attribute__((vector_size(64)));
typedef double Doubles64 __attribute__((vector_size(64)));

#define CONVNET_TARGET __attribute__((target("avx2,fma")))
CONVNET_INLINE Floats32 root(Floats32 x) { return (Floats32)_mm256_sqrt_ps((__m256)x); }
CONVNET_INLINE Doubles32 root(Doubles32 x) { return (Doubles32)_mm256_sqrt_pd((__m256d)x); }
#undef CONVNET_TARGET

#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
// The forms with a mask: the others warn of an undefined value with GCC.
CONVNET_INLINE Floats64 root(Floats64 x) {
  return (Floats64)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
}
CONVNET_INLINE Doubles64 root(Doubles64 x) {
  return (Doubles64)_mm512_maskz_sqrt_pd(0xff, (__m512d)x);
}
#undef CONVNET_TARGET
#endif

}  // namespace
}  // namespace convnet
