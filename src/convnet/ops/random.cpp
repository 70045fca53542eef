// random(; distribution, shape, dtype, stream): numbers drawn anew in each run. uniform:
// in [0, 1); normal: mean 0, deviation 1; truncated_normal: the same without what lies
// beyond 2 deviations. With `seed` they do not depend on the key of the run.
#include <cmath>

#include "../core/rng.h"
#include "../core/threads.h"
#include "check.h"
#include "op.h"

namespace convnet {

namespace {

constexpr double kDrawTime = 10;  // of a number

enum class Distribution { uniform, normal, truncated_normal };

Distribution distribution_of(const Attrs& attrs) {
  const std::string& name = attrs.text("distribution");
  if (name == "uniform") return Distribution::uniform;
  if (name == "normal") return Distribution::normal;
  if (name == "truncated_normal") return Distribution::truncated_normal;
  argument_error("There is no such distribution.", "uniform, normal or truncated_normal", name);
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>&) {
  distribution_of(attrs);
  const TensorType out{dtype_from_name(attrs.text("dtype")), attrs.shape("shape")};
  require_float(out);
  for (Dim extent : out.shape)
    if (extent < kUnknown)
      argument_error("A shape has a negative size.", "sizes of at least 0", out.shape.to_string());
  return out;
}

// In [0, 1), with as many bits as T holds; a block has kLanes<T> of them.
template <typename T>
constexpr Dim kLanes = 16 / sizeof(T);

template <typename T>
T unit(const std::array<uint32_t, 4>& bits, Dim lane) {
  if constexpr (sizeof(T) == 4) return uniform_unit(bits[lane]);
  else return static_cast<T>((uint64_t{bits[2 * lane]} << 32 | bits[2 * lane + 1]) >> 11) * 0x1p-53;
}

// Four independent normal numbers (Box and Muller).
std::array<double, 4> normal_block(const std::array<uint32_t, 4>& bits) {
  constexpr double kTwoPi = 6.283185307179586;
  std::array<double, 4> z;
  for (int i = 0; i < 4; i += 2) {
    const double radius = std::sqrt(-2 * std::log((bits[i] + 0.5) * 0x1p-32));
    const double angle = kTwoPi * 0x1p-32 * bits[i + 1];
    z[i] = radius * std::cos(angle);
    z[i + 1] = radius * std::sin(angle);
  }
  return z;
}

// Draws blocks until one of its numbers lies within 2 deviations: 1 of 20 does not.
double truncated_normal(const Philox& random, uint64_t element) {
  for (uint64_t attempt = 0;; ++attempt)
    for (double z : normal_block(random.block(element + (attempt << 48))))
      if (std::fabs(z) <= 2) return z;
}

template <typename T>
void fill(Distribution distribution, const Philox& random, T* out, Dim begin, Dim end) {
  switch (distribution) {
    case Distribution::uniform:
      for (Dim i = begin; i < end; i += kLanes<T>) {
        const auto bits = random.block(static_cast<uint64_t>(i / kLanes<T>));
        for (Dim lane = 0; lane < std::min(kLanes<T>, end - i); ++lane)
          out[i + lane] = unit<T>(bits, lane);
      }
      break;
    case Distribution::normal:
      for (Dim i = begin; i < end; i += 4) {
        const auto z = normal_block(random.block(static_cast<uint64_t>(i / 4)));
        for (Dim lane = 0; lane < std::min<Dim>(4, end - i); ++lane)
          out[i + lane] = static_cast<T>(z[lane]);
      }
      break;
    case Distribution::truncated_normal:
      for (Dim i = begin; i < end; ++i) out[i] = static_cast<T>(truncated_normal(random, i));
  }
}

Prepared prepare(const OpCall& call) {
  const Distribution distribution = distribution_of(call.attrs);
  const Dim size = call.out.shape.size();
  const uint32_t stream = static_cast<uint32_t>(call.attrs.integer("stream"));
  const bool seeded = call.attrs.has("seed");
  const uint64_t seed = seeded ? key_of_seed(call.attrs.number("seed")) : 0;
  return dispatch_float(call.out.dtype, [&](auto zero) -> Prepared {
    using T = decltype(zero);
    return {[=](const void* const*, void* out, const RunContext& context) {
      const Philox random(seeded ? seed : context.key, stream, context.step);
      parallel_ranges(size, kDrawTime, [&](Dim begin, Dim end) {
        fill(distribution, random, static_cast<T*>(out), begin, end);
      }, 4);
    }};
  });
}

}  // namespace

extern const Op op_random{"random", 0, 0, infer, prepare, nullptr};

}  // namespace convnet
