#include "vector_math.h"

#include "isa.h"
#include "micro_kernel.h"
#include "root.h"

namespace convnet {

namespace {

// The polynomials are near-minimax fits, the highest power first: of
// (exp(r) - 1 - r) / r^2 over |r| <= log(2) / 2, and of
// (2 atanh(s) / s - 2) / s^2, in powers of s^2, over s = f / (2 + f),
// sqrt(1/2) <= 1 + f <= sqrt(2).
template <typename T>
struct Constants;

template <>
struct Constants<float> {
  using Bits = uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr Bits kSign = 0x80000000u, kMantissaMask = 0x007fffffu;
  static constexpr Bits kOne = 0x3f800000u, kSqrtHalf = 0x3f3504f3u;
  static constexpr Bits kBig = 0x4b000000u;  // of 2^23
  static constexpr float kBias = 127;
  static constexpr float kTiny = 0x1p-25f;  // below it x, expm1(x), log1p(x) and tanh(x) are one
  static constexpr float kNormal = 0x1p-126f, kToNormal = 0x1p24f, kToNormalExponent = 24;
  // Beyond these exp() has left the range of numbers, expm1() is -1, tanh() 1.
  static constexpr float kExpLow = -104.5f, kExpHigh = 89, kExpm1Low = -20, kTanhHigh = 10;
  static constexpr float kLog2e = 1.44269504f;
  // kLn2High has so few digits that its products with exponents are exact.
  static constexpr float kLn2High = 0.693115234375f, kLn2Low = 3.19461850e-05f;
  static constexpr float kExp[] = {1.98910304e-04f, 1.39336858e-03f, 8.33331048e-03f,
                                   4.1666463e-02f,  1.66666672e-01f, 0.5f};
  static constexpr float kLog[] = {0.233304679f, 0.285508215f, 0.400001228f, 0.666666687f};
};

template <>
struct Constants<double> {
  using Bits = uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr Bits kSign = 0x8000000000000000u, kMantissaMask = 0x000fffffffffffffu;
  static constexpr Bits kOne = 0x3ff0000000000000u, kSqrtHalf = 0x3fe6a09e667f3bcdu;
  static constexpr Bits kBig = 0x4330000000000000u;
  static constexpr double kBias = 1023;
  static constexpr double kTiny = 0x1p-54;
  static constexpr double kNormal = 0x1p-1022, kToNormal = 0x1p53, kToNormalExponent = 53;
  static constexpr double kExpLow = -746, kExpHigh = 710, kExpm1Low = -40, kTanhHigh = 20;
  static constexpr double kLog2e = 1.4426950408889634;
  static constexpr double kLn2High = 0.69314718036912382, kLn2Low = 1.9082149292705877e-10;
  static constexpr double kExp[] = {
      2.0914717341716378e-09, 2.5105259538448494e-08, 2.755727357010214e-07,
      2.7557255297969643e-06, 2.4801587325605324e-05, 1.9841269874901259e-04,
      1.3888888888883731e-03, 8.3333333333261116e-03, 4.1666666666666671e-02,
      1.6666666666666671e-01, 0.5};
  static constexpr double kLog[] = {0.146164496850434060, 0.15331721600556042, 0.18182889125261723,
                                    0.222222111347950810, 0.28571428625975487, 0.39999999999899505,
                                    0.666666666666666960};
};

template <typename T>
constexpr T kInfinity = static_cast<T>(__builtin_inf());

namespace baseline {
#define CONVNET_TARGET
constexpr int kBytes = 16;
typedef float Floats __attribute__((vector_size(kBytes)));
typedef double Doubles __attribute__((vector_size(kBytes)));
#if defined(__aarch64__)
CONVNET_INLINE Floats multiply_add(Floats a, Floats b, Floats c) {
  return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
CONVNET_INLINE Doubles multiply_add(Doubles a, Doubles b, Doubles c) {
  return (Doubles)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#else
CONVNET_INLINE Floats multiply_add(Floats a, Floats b, Floats c) { return a * b + c; }
CONVNET_INLINE Doubles multiply_add(Doubles a, Doubles b, Doubles c) { return a * b + c; }
#endif
#include "vector_math_body.inc"
#undef CONVNET_TARGET
}  // namespace baseline

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define CONVNET_TARGET __attribute__((target("avx2,fma")))
constexpr int kBytes = 32;
typedef float Floats __attribute__((vector_size(kBytes)));
typedef double Doubles __attribute__((vector_size(kBytes)));
CONVNET_INLINE Floats multiply_add(Floats a, Floats b, Floats c) {
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
CONVNET_INLINE Doubles multiply_add(Doubles a, Doubles b, Doubles c) {
  return (Doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#include "vector_math_body.inc"
#undef CONVNET_TARGET
}  // namespace avx2

namespace avx512 {
#define CONVNET_TARGET __attribute__((target("avx512f,avx2,fma")))
constexpr int kBytes = 64;
typedef float Floats __attribute__((vector_size(kBytes)));
typedef double Doubles __attribute__((vector_size(kBytes)));
CONVNET_INLINE Floats multiply_add(Floats a, Floats b, Floats c) {
  return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
CONVNET_INLINE Doubles multiply_add(Doubles a, Doubles b, Doubles c) {
  return (Doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#include "vector_math_body.inc"
#undef CONVNET_TARGET
}  // namespace avx512
#endif

}  // namespace

template <typename T>
const VectorMath<T>& vector_math() {
  return CONVNET_OF_ISA(kVectorMath<T>);
}

template const VectorMath<float>& vector_math();
template const VectorMath<double>& vector_math();

}  // namespace convnet
