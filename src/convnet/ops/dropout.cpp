// Zeroes elements at random and scales the others so that the expectation stays.
#include "../core/rng.h"
#include "../core/threads.h"
#include "build.h"
#include "check.h"

namespace convnet {

namespace {

constexpr Dim kGrain = 8192;  // elements a task; a multiple of 4

// Shape of the mask: 1 where it is shared along an axis.
Shape noise_shape(const Attrs& attrs, const Shape& x) {
  if (!attrs.has("noise_shape")) return x;
  const Shape given = attrs.shape("noise_shape");
  if (given.rank() != x.rank())
    argument_error("noise_shape does not fit the input.",
                   std::to_string(x.rank()) + " values, one a dimension", given.to_string());
  Shape noise = x;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (given[axis] != 1 && !may_equal(given[axis], x[axis]))
      argument_error("noise_shape does not fit the input.",
                     "1 or the extent of each axis of " + x.to_string(), given.to_string());
    if (given[axis] == 1) noise[axis] = 1;
  }
  return noise;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  const double rate = attrs.number("rate");
  if (!(rate >= 0 && rate <= 1))
    argument_error("A dropout rate is a probability.", "a number from 0 to 1",
                   std::to_string(rate));
  noise_shape(attrs, in[0].shape);
  return in[0];
}

// Spreads a seed over 64 bits (SplitMix64).
uint64_t key_of_seed(double seed) {
  uint64_t z = static_cast<uint64_t>(static_cast<int64_t>(seed)) + 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

Prepared prepare(const OpCall& call) {
  const Shape x = call.in[0].shape, noise = noise_shape(call.attrs, x);
  const Dim size = x.size();
  const bool shared = noise != x;
  const float rate = static_cast<float>(call.attrs.number("rate"));
  const uint32_t stream = static_cast<uint32_t>(call.attrs.integer("stream"));
  const bool seeded = call.attrs.has("seed");
  const uint64_t seed = seeded ? key_of_seed(call.attrs.number("seed")) : 0;
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T scale = rate < 1 ? static_cast<T>(1 / (1 - call.attrs.number("rate"))) : T(0);
    return Prepared{[=](const void* const* in, void* result, const RunContext& context) {
      const T* from = static_cast<const T*>(in[0]);
      T* out = static_cast<T*>(result);
      const Philox random(seeded ? seed : context.key, stream, context.step);
      const auto kept = [&](uint32_t bits, T value) {
        return uniform_unit(bits) >= rate ? value * scale : T(0);
      };
      parallel_ranges(size, kGrain, [&](Dim begin, Dim end) {
        if (rate == 0) {
          if (out != from) std::copy(from + begin, from + end, out + begin);
          return;
        }
        if (!shared) {
          for (Dim i = begin; i < end; i += 4) {
            const auto bits = random.block(static_cast<uint64_t>(i / 4));
            for (Dim lane = 0; lane < std::min<Dim>(4, end - i); ++lane)
              out[i + lane] = kept(bits[lane], from[i + lane]);
          }
          return;
        }
        for (Dim i = begin; i < end; ++i) {
          Dim rest = i, step = 1, at = 0;  // position in the mask
          for (int axis = x.rank() - 1; axis >= 0; --axis) {
            if (noise[axis] != 1) at += rest % x[axis] * step;
            rest /= x[axis];
            step *= noise[axis];
          }
          out[i] = kept(random.block(static_cast<uint64_t>(at / 4))[at % 4], from[i]);
        }
      });
    }};
  });
}

// Linear, and its own adjoint: the same attributes make the same mask.
std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  return {g.emit("dropout", {grad}, call.attrs)};
}

}  // namespace

extern const Op op_dropout = {"dropout", 1, 1, infer, prepare, vjp, true};

}  // namespace convnet
