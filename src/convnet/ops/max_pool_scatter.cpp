// The adjoint of max_pool: each value of g goes to the winner of its window in x.
#include "max_pool.h"

#include "build.h"
#include "check.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  require_same_dtype(in[0], in[1]);
  const Shape pooled = pooled_shape(attrs, in[0].shape);
  if (!may_equal(pooled, in[1].shape))
    shape_error("The gradient of a pooled tensor has another shape than it.", pooled.to_string(),
                in[1].shape.to_string());
  return in[0];
}

Prepared prepare(const OpCall& call) {
  const Winners winners(call.in[0].shape, pool_windows(call.attrs, call.in[0].shape));
  const Dim size = call.out.shape.size();
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return Prepared{[winners, size](const void* const* in, void* result, const RunContext&) {
      const T* g = static_cast<const T*>(in[1]);
      T* out = static_cast<T*>(result);
      std::fill_n(out, size, T(0));
      winners.visit(static_cast<const T*>(in[0]), [&](Dim from, Dim count, const Dim* winner) {
        for (Dim c = 0; c < count; ++c)
          if (winner[c] >= 0) out[winner[c]] += g[from + c];
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  return {kNone, g.emit("max_pool_gather", {in[0], grad}, pool_attrs(call.attrs))};
}

}  // namespace

extern const Op op_max_pool_scatter = {"max_pool_scatter", 2, 2, infer, prepare, vjp};

}  // namespace convnet
