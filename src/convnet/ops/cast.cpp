#include "build.h"
#include "elementwise.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  return {dtype_from_name(attrs.text("dtype")), in[0].shape};
}

Prepared prepare(const OpCall& call) {
  return dispatch_any(call.in[0].dtype, [&](auto from) {
    using T = decltype(from);
    return dispatch_any(call.out.dtype, [&](auto to) {
      using R = decltype(to);
      return map_unary<T, R>(call, [](T x) { return convert<R>(x); });
    });
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value, Value grad) {
  const DType from = call.in[0].dtype;
  if (!is_float(from) || !is_float(call.out.dtype)) return {kNone};
  return {cast(g, grad, from)};
}

}  // namespace

extern const Op op_cast{"cast", 1, 1, infer, prepare, vjp, true};

}  // namespace convnet
