#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace convnet {

// Counter-based generator: Philox4x32-10 (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC11). The n-th number of a stream depends on
// (key, stream, step, n) alone, so any thread may compute any part.
class Philox {
 public:
  static constexpr int kRounds = 10;
  static constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  static constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

  Philox(uint64_t key, uint32_t stream, uint32_t step) : key_(key), stream_(stream), step_(step) {}

  // The block of four 32-bit numbers with this index.
  std::array<uint32_t, 4> block(uint64_t index) const {
    std::array<uint32_t, 4> c{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                              stream_, step_};
    uint32_t k0 = static_cast<uint32_t>(key_), k1 = static_cast<uint32_t>(key_ >> 32);
    for (int round = 0; round < kRounds; ++round) {
      const uint64_t p0 = kMultiplier0 * c[0], p1 = kMultiplier1 * c[2];
      c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
           static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
      k0 += kWeyl0;
      k1 += kWeyl1;
    }
    return c;
  }
  uint64_t key() const { return key_; }
  uint32_t stream() const { return stream_; }
  uint32_t step() const { return step_; }

 private:
  uint64_t key_;
  uint32_t stream_, step_;
};

// Spreads the seed that a user gave over the 64 bits of a key (SplitMix64).
inline uint64_t key_of_seed(double seed) {
  uint64_t z = static_cast<uint64_t>(static_cast<int64_t>(seed)) + 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// Uniform in [0, 1), with the 24 bits a float holds.
inline float uniform_unit(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

}  // namespace convnet
