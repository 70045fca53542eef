// Maximum over windows of x [N, spatial..., C]; padding never wins, NaN does.
#include "max_pool.h"

#include "build.h"
#include "check.h"

namespace convnet {

namespace {

std::vector<Dim> per_axis(const Attrs& attrs, const char* name, int spatial_rank) {
  std::vector<Dim> values = attrs.integers(name);
  require_per_axis(values, name, spatial_rank);
  return values;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return {in[0].dtype, pooled_shape(attrs, in[0].shape)};
}

Prepared prepare(const OpCall& call) {
  const PoolRows rows(call.in[0].shape, pool_windows(call.attrs, call.in[0].shape));
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MaxPooling<T>& pooling = max_pooling<T>();
    return Prepared{[rows, &pooling](const void* const* in, void* result, const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      T* pooled = static_cast<T*>(result);
      for_each_pooled(rows, pooled, [&](MaxPoolArgs<T>& args, Dim from, Dim to) {
        args.x = x + from;
        pooling.largest(args, pooled + to);
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  return {g.emit("max_pool_scatter", {in[0], grad}, pool_attrs(call.attrs))};
}

}  // namespace

Windows pool_windows(const Attrs& attrs, const Shape& x) {
  check_images(x, "input");
  const int rank = x.rank() - 2;
  const std::vector<Dim> pool = per_axis(attrs, "pool", rank);
  const std::vector<Dim> strides = per_axis(attrs, "strides", rank);
  const Padding padding = padding_from_name(attrs.text("padding"));
  Windows windows;
  for (int a = 0; a < rank; ++a)
    windows.push_back(pool_window(x[a + 1], pool[a], strides[a], padding, axis_name(a, rank)));
  return windows;
}

Shape pooled_shape(const Attrs& attrs, const Shape& x) {
  Shape out = x;
  const Windows windows = pool_windows(attrs, x);
  for (size_t a = 0; a < windows.size(); ++a) out[static_cast<int>(a) + 1] = windows[a].out;
  return out;
}

Attrs pool_attrs(const Attrs& attrs) {
  return {{"pool", number_list(attrs.integers("pool"))},
          {"strides", number_list(attrs.integers("strides"))},
          {"padding", attrs.text("padding")}};
}

extern const Op op_max_pool = {"max_pool", 1, 1, infer, prepare, vjp};

}  // namespace convnet
