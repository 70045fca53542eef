#include "random.h"

#include "isa.h"
#include "micro_kernel.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace convnet {

namespace {

#if defined(__x86_64__) || defined(__i386__)
// Lanes of 64 bits: the products of the lower halves; the even, and the odd lanes
// of a and b in turn.
typedef uint64_t Lanes2 __attribute__((vector_size(16)));
typedef uint64_t Lanes4 __attribute__((vector_size(32)));
typedef uint64_t Lanes8 __attribute__((vector_size(64)));

#define CONVNET_TARGET
CONVNET_INLINE Lanes2 products(Lanes2 a, Lanes2 b) {
  return (Lanes2)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
CONVNET_INLINE Lanes2 even(Lanes2 a, Lanes2 b) {
  return (Lanes2)_mm_unpacklo_epi64((__m128i)a, (__m128i)b);
}
CONVNET_INLINE Lanes2 odd(Lanes2 a, Lanes2 b) {
  return (Lanes2)_mm_unpackhi_epi64((__m128i)a, (__m128i)b);
}
#undef CONVNET_TARGET
#define CONVNET_TARGET __attribute__((target("avx2")))
CONVNET_INLINE Lanes4 products(Lanes4 a, Lanes4 b) {
  return (Lanes4)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
CONVNET_INLINE Lanes4 even(Lanes4 a, Lanes4 b) {
  return (Lanes4)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b);
}
CONVNET_INLINE Lanes4 odd(Lanes4 a, Lanes4 b) {
  return (Lanes4)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
}
#undef CONVNET_TARGET
#define CONVNET_TARGET __attribute__((target("avx512f")))
// The forms with a mask: the others warn of an undefined value with GCC.
CONVNET_INLINE Lanes8 products(Lanes8 a, Lanes8 b) {
  return (Lanes8)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
}
CONVNET_INLINE Lanes8 even(Lanes8 a, Lanes8 b) {
  return (Lanes8)_mm512_maskz_unpacklo_epi64(0xff, (__m512i)a, (__m512i)b);
}
CONVNET_INLINE Lanes8 odd(Lanes8 a, Lanes8 b) {
  return (Lanes8)_mm512_maskz_unpackhi_epi64(0xff, (__m512i)a, (__m512i)b);
}
#undef CONVNET_TARGET

#define CONVNET_BODY "random_body.inc"
#include "each_isa.inc"
#else
namespace baseline {
// No vectors: blocks one by one.
constexpr int64_t kGroup = 1;
void words_of_groups(const Philox& random, uint64_t first, int64_t groups, uint32_t* words) {
  for (int64_t i = 0; i < groups; ++i, words += 4) {
    const auto block = random.block(first + i);
    for (int k = 0; k < 4; ++k) words[k] = block[k];
  }
}
}  // namespace baseline
#endif

}  // namespace

void random_words(const Philox& random, uint64_t first, int64_t blocks, uint32_t* words) {
  const auto words_of_groups = CONVNET_OF_ISA(words_of_groups);
  const int64_t group = CONVNET_OF_ISA(kGroup), whole = blocks / group * group;
  words_of_groups(random, first, blocks / group, words);
  if (whole == blocks) return;
  uint32_t rest[4 * 8];
  words_of_groups(random, first + whole, 1, rest);
  for (int64_t i = 4 * whole; i < 4 * blocks; ++i) words[i] = rest[i - 4 * whole];
}

}  // namespace convnet
