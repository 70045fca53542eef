// Maximum over windows of x [N, spatial..., C]; padding never wins, NaN does.
#include "max_pool.h"

#include "../core/simd.h"
#include "build.h"
#include "check.h"

namespace convnet {

namespace {

std::vector<Dim> per_axis(const Attrs& attrs, const char* name, int spatial_rank) {
  std::vector<Dim> values = attrs.integers(name);
  if (static_cast<int>(values.size()) != spatial_rank)
    argument_error(std::string("`") + name + "` has the wrong length.",
                   std::to_string(spatial_rank) + " values, one a spatial dimension",
                   std::to_string(values.size()));
  return values;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return {in[0].dtype, pooled_shape(attrs, in[0].shape)};
}

Prepared prepare(const OpCall& call) {
  const Shape x = call.in[0].shape;
  const Windows windows = three_windows(pool_windows(call.attrs, x));
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Dim channels = x.back(), batch = x[0];
    return Prepared{[windows, channels, batch](const void* const* in, void* result,
                                               const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      const Window &d = windows[0], &h = windows[1], &w = windows[2];
      // A row of outputs a task.
      parallel_for(batch * d.out * h.out, [&](int64_t task) {
        const Dim oh = task % h.out, od = task / h.out % d.out, n = task / h.out / d.out;
        T* out = static_cast<T*>(result) + task * w.out * channels;
        for (Dim ow = 0; ow < w.out; ++ow, out += channels) {
          bool first = true;
          for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
            for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
              for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                const Dim id = od * d.stride + kd - d.pad_lo, ih = oh * h.stride + kh - h.pad_lo,
                          iw = ow * w.stride + kw - w.pad_lo;
                const T* from = x + (((n * d.in + id) * h.in + ih) * w.in + iw) * channels;
                if (first) {
                  std::copy_n(from, channels, out);
                } else {
                  CONVNET_SIMD
                  for (Dim c = 0; c < channels; ++c)
                    out[c] = from[c] <= out[c] || out[c] != out[c] ? out[c] : from[c];
                }
                first = false;
              }
          if (first) std::fill_n(out, channels, T(0));
        }
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
