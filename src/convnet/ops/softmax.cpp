// exp(x) / sum(exp(x)) along one axis.
#include <cmath>

#include "../core/threads.h"
#include "build.h"
#include "check.h"

namespace convnet {

namespace {

constexpr Dim kGrain = 4096;  // elements a task

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  normalize_axis(attrs.integer("axis"), in[0].shape.rank());
  return in[0];
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const Dim outer = shape.product(0, axis), n = shape[axis];
  const Dim inner = shape.product(axis + 1, shape.rank());
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return Prepared{[=](const void* const* in, void* result, const RunContext&) {
      parallel_ranges(outer * inner, std::max<Dim>(1, kGrain / std::max<Dim>(1, n)),
                      [&](Dim begin, Dim end) {
        for (Dim line = begin; line < end; ++line) {
          const Dim first = line / inner * n * inner + line % inner;
          const T* x = static_cast<const T*>(in[0]) + first;
          T* out = static_cast<T*>(result) + first;
          T most = n > 0 ? x[0] : T(0);
          for (Dim i = 1; i < n; ++i) most = x[i * inner] > most ? x[i * inner] : most;
          T sum = 0;
          for (Dim i = 0; i < n; ++i) sum += out[i * inner] = std::exp(x[i * inner] - most);
          for (Dim i = 0; i < n; ++i) out[i * inner] /= sum;
        }
      });
    }};
  });
}

// y (grad - sum(grad y))
std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value out,
                       Value grad) {
  const int axis = normalize_axis(call.attrs.integer("axis"), call.out.shape.rank());
  const Value total = reduce_sum(g, multiply(g, grad, out), {axis}, true);
  return {multiply(g, out, subtract(g, grad, total))};
}

}  // namespace

extern const Op op_softmax = {"softmax", 1, 1, infer, prepare, vjp, true};

}  // namespace convnet
