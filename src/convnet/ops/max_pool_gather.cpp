// What v, shaped like x, holds where the windows of x have their winners.
#include "max_pool.h"

#include "build.h"
#include "check.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  require_same_dtype(in[0], in[1]);
  if (!may_equal(in[0].shape, in[1].shape))
    shape_error("Values are picked from a tensor of another shape than the pooled one.",
                in[0].shape.to_string(), in[1].shape.to_string());
  return {in[0].dtype, pooled_shape(attrs, in[0].shape)};
}

Prepared prepare(const OpCall& call) {
  const Winners winners(call.in[0].shape, pool_windows(call.attrs, call.in[0].shape));
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return Prepared{[winners](const void* const* in, void* result, const RunContext&) {
      const T* values = static_cast<const T*>(in[1]);
      T* out = static_cast<T*>(result);
      winners.visit(static_cast<const T*>(in[0]), [&](Dim to, Dim count, const Dim* winner) {
        for (Dim c = 0; c < count; ++c) out[to + c] = winner[c] < 0 ? T(0) : values[winner[c]];
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  return {kNone, g.emit("max_pool_scatter", {in[0], grad}, pool_attrs(call.attrs))};
}

}  // namespace

extern const Op op_max_pool_gather = {"max_pool_gather", 2, 2, infer, prepare, vjp};

}  // namespace convnet
