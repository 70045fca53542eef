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
  const PoolRows rows(call.in[0].shape, pool_windows(call.attrs, call.in[0].shape));
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MaxPooling<T>& pooling = max_pooling<T>();
    return Prepared{[rows, &pooling](const void* const* in, void* result, const RunContext&) {
      const T *x = static_cast<const T*>(in[0]), *values = static_cast<const T*>(in[1]);
      T* pooled = static_cast<T*>(result);
      for_each_pooled(rows, pooled, [&](MaxPoolArgs<T>& args, Dim from, Dim to) {
        args.x = x + from;
        pooling.gather(args, values + from, pooled + to);
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
