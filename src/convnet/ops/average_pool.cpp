// average_pool(x): the mean over windows of x [N, spatial..., C]; padding does not count.
// average_pool_spread(g; size): each value of g in equal shares over its window, in an
// image of these spatial extents: the adjoint.
#include "../core/simd.h"
#include "build.h"
#include "check.h"
#include "max_pool.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return {in[0].dtype, pooled_shape(attrs, in[0].shape)};
}

// One over the number of values under the window of an output.
template <typename T>
T share_of(const Windows& windows, Dim od, Dim oh, Dim ow) {
  const auto taps = [](const Window& window, Dim o) {
    return window.last_tap(o) - window.first_tap(o);
  };
  const Dim count = taps(windows[0], od) * taps(windows[1], oh) * taps(windows[2], ow);
  return T(1) / static_cast<T>(std::max<Dim>(1, count));
}

constexpr double kReadTime = 0.4;  // of a value under a window

// How many values the windows of an image read, in one channel.
double values_read(const Windows& windows) {
  double count = 1;
  for (const Window& w : windows) count *= static_cast<double>(w.out * w.kernel);
  return count;
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const Windows windows = three_windows(pool_windows(call.attrs, shape));
  const Dim batch = shape[0], channels = shape.back();
  const double time = kReadTime * values_read(windows) * static_cast<double>(batch * channels);
  return dispatch_float(call.out.dtype, [&](auto zero) -> Prepared {
    using T = decltype(zero);
    return {[=](const void* const* in, void* result, const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      const Window &d = windows[0], &h = windows[1], &w = windows[2];
      // A row of outputs a task.
      parallel_for(batch * d.out * h.out, time, [&](int64_t task) {
        const Dim oh = task % h.out, od = task / h.out % d.out, n = task / h.out / d.out;
        T* out = static_cast<T*>(result) + task * w.out * channels;
        for (Dim ow = 0; ow < w.out; ++ow, out += channels) {
          std::fill_n(out, channels, T(0));
          for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
            for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
              for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                const Dim id = od * d.stride + kd - d.pad_lo, ih = oh * h.stride + kh - h.pad_lo,
                          iw = ow * w.stride + kw - w.pad_lo;
                const T* from = x + (((n * d.in + id) * h.in + ih) * w.in + iw) * channels;
                CONVNET_SIMD
                for (Dim c = 0; c < channels; ++c) out[c] += from[c];
              }
          const T share = share_of<T>(windows, od, oh, ow);
          CONVNET_SIMD
          for (Dim c = 0; c < channels; ++c) out[c] *= share;
        }
      });
    }};
  });
}

// The image that is pooled to g.
Shape image_shape(const Attrs& attrs, const Shape& g) {
  Shape image = g;
  const std::vector<Dim> size = attrs.integers("size");
  check_images(g, "gradient");
  require_per_axis(size, "size", g.rank() - 2);
  for (size_t a = 0; a < size.size(); ++a) image[static_cast<int>(a) + 1] = size[a];
  return image;
}

TensorType infer_spread(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  const Shape image = image_shape(attrs, in[0].shape);
  const Shape pooled = pooled_shape(attrs, image);
  if (!may_equal(pooled, in[0].shape))
    shape_error("The gradient of a pooled tensor has another shape than it.", pooled.to_string(),
                in[0].shape.to_string());
  return {in[0].dtype, image};
}

Prepared prepare_spread(const OpCall& call) {
  const Shape& shape = call.out.shape;
  const Windows windows = three_windows(pool_windows(call.attrs, shape));
  const Dim batch = shape[0], channels = shape.back();
  const double time = kReadTime * values_read(windows) * static_cast<double>(batch * channels);
  return dispatch_float(call.out.dtype, [&](auto zero) -> Prepared {
    using T = decltype(zero);
    return {[=](const void* const* in, void* result, const RunContext&) {
      const T* g = static_cast<const T*>(in[0]);
      const Window &d = windows[0], &h = windows[1], &w = windows[2];
      // A row of pixels a task: each gathers from the windows that hold it.
      parallel_for(batch * d.in * h.in, time, [&](int64_t task) {
        const Dim ih = task % h.in, id = task / h.in % d.in, n = task / h.in / d.in;
        T* out = static_cast<T*>(result) + task * w.in * channels;
        for (Dim iw = 0; iw < w.in; ++iw, out += channels) {
          std::fill_n(out, channels, T(0));
          for (Dim od = d.first_reader(id); od < d.last_reader(id); ++od)
            for (Dim oh = h.first_reader(ih); oh < h.last_reader(ih); ++oh)
              for (Dim ow = w.first_reader(iw); ow < w.last_reader(iw); ++ow) {
                const T share = share_of<T>(windows, od, oh, ow);
                const T* from = g + (((n * d.out + od) * h.out + oh) * w.out + ow) * channels;
                CONVNET_SIMD
                for (Dim c = 0; c < channels; ++c) out[c] += from[c] * share;
              }
        }
      });
    }};
  });
}

Values vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  const Shape& x = call.in[0].shape;
  std::vector<Dim> size;
  for (int axis = 1; axis < x.rank() - 1; ++axis) size.push_back(x[axis]);
  return {g.emit("average_pool_spread", {grad},
                 pool_attrs(call.attrs).set("size", number_list(size)))};
}

Values spread_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {g.emit("average_pool", {grad}, pool_attrs(call.attrs))};
}

}  // namespace

extern const Op op_average_pool{"average_pool", 1, 1, infer, prepare, vjp};
extern const Op op_average_pool_spread{"average_pool_spread", 1, 1, infer_spread, prepare_spread,
                                       spread_vjp};

}  // namespace convnet
