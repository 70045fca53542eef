// Zeroes elements at random and scales the others so that the expectation stays.
#include "../kernels/random.h"
#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

constexpr double kDropTime = 0.7;  // of an element

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

// Elements from begin on, a multiple of 4.
template <typename T>
void drop(const Philox& random, int32_t threshold, T scale, const T* x, T* out, Dim begin, Dim end) {
  constexpr Dim kWords = 1024;
  uint32_t words[kWords];
  for (Dim first = begin; first < end; first += kWords) {
    const Dim count = std::min(kWords, end - first);
    random_words(random, static_cast<uint64_t>(first / 4), (count + 3) / 4, words);
    const T* from = x + first;
    T* to = out + first;
    CONVNET_SIMD
    for (Dim i = 0; i < count; ++i) {
      const T value = from[i];
      const T kept = static_cast<int32_t>(words[i] >> 8) < threshold ? T(0) : value;
      to[i] = kept * scale;
    }
  }
}

// A mask shared along some axes holds the scale, or 0.
struct Masked {
  template <typename T>
  T operator()(T x, T mask) const {
    const T kept = mask == 0 ? T(0) : x;  // or NaN would stay
    return kept * mask;
  }
};

Prepared prepare(const OpCall& call) {
  const Shape x = call.in[0].shape, noise = noise_shape(call.attrs, x);
  const bool shared = noise != x;
  const double rate = call.attrs.number("rate");
  // uniform_unit(word) >= rate, as a float, for the 24 bits it looks at.
  const int32_t threshold =
      static_cast<int32_t>(std::ceil(static_cast<double>(static_cast<float>(rate)) * 0x1p24));
  const uint32_t stream = static_cast<uint32_t>(call.attrs.integer("stream"));
  const bool seeded = call.attrs.has("seed");
  const uint64_t seed = seeded ? key_of_seed(call.attrs.number("seed")) : 0;
  return dispatch_float(call.out.dtype, [&](auto zero) -> Prepared {
    using T = decltype(zero);
    const T scale = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T(0);
    const auto drop_all = [=](const RunContext& context, const T* from, T* to, Dim n) {
      const Philox random(seeded ? seed : context.key, stream, context.step);
      parallel_ranges(n, kDropTime, [&](Dim begin, Dim end) {
        drop(random, threshold, scale, from, to, begin, end);
      }, 4);
    };
    if (!shared)
      return {[=](const void* const* in, void* out, const RunContext& context) {
        drop_all(context, static_cast<const T*>(in[0]), static_cast<T*>(out), x.size());
      }};
    const Prepared apply =
        map_binary<T, T>({{}, {call.in[0], {call.out.dtype, noise}}, call.out}, Masked{});
    return {[=](const void* const* in, void* out, const RunContext& context) {
              T* mask = static_cast<T*>(context.workspace);
              std::fill_n(mask, noise.size(), T(1));
              drop_all(context, mask, mask, noise.size());
              const void* const operands[] = {in[0], mask};
              apply.run(operands, out, context);
            },
            static_cast<size_t>(noise.size()) * sizeof(T)};
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
