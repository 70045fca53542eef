// exp(x) / sum(exp(x)) along one axis.
#include <algorithm>

#include "../core/threads.h"
#include "../kernels/vector_math.h"
#include "build.h"
#include "check.h"

namespace convnet {

namespace {

constexpr double kSoftmaxTime = 1;  // of an element

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
    const VectorMath<T>& math = vector_math<T>();
    return Prepared{[=, &math](const void* const* in, void* result, const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      T* out = static_cast<T*>(result);
      if (n == 0) return;
      parallel_ranges(outer * inner, kSoftmaxTime * n, [&](Dim begin, Dim end) {
        if (inner == 1) return math.softmax_lines(x + begin * n, out + begin * n, end - begin, n);
        while (begin < end) {
          const Dim column = begin % inner, count = std::min(inner - column, end - begin);
          const Dim first = begin / inner * n * inner + column;
          math.softmax_columns(x + first, out + first, n, inner, count);
          begin += count;
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
