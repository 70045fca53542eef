// The adjoint of max_pool: each value of g goes to the winner of its window in x.
#include "../core/divide.h"
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
  const PoolRows rows(call.in[0].shape, pool_windows(call.attrs, call.in[0].shape));
  const Dim channels = rows.channels(), pixels = rows.pixels_of_image();
  const Dim runs = divide_up(channels, PoolRows::kChannels);
  const double time = kElementTime * rows.rows_of_image() * rows.row_cost() / runs;  // of a task
  const bool add = !rows.cut_up();
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MaxPooling<T>& pooling = max_pooling<T>();
    return Prepared{[=, &pooling](const void* const* in, void* result, const RunContext&) {
      const T *x = static_cast<const T*>(in[0]), *g = static_cast<const T*>(in[1]);
      T* out = static_cast<T*>(result);
      // Windows that overlap share a task, and add up their gradients in order.
      const auto run_image = [&](Dim image, Dim channel, Dim count) {
        for (Dim pixel = 0; add && pixel < pixels; ++pixel)
          std::fill_n(out + (image * pixels + pixel) * channels + channel, count, T(0));
        const Dim first = image * rows.rows_of_image();
        for (Dim row = first; row < first + rows.rows_of_image(); ++row)
          rows.visit<T>(row, channel, count, [&](MaxPoolArgs<T>& args, Dim to, Dim from) {
            if (!args.has_taps()) return;
            args.x = x + to;
            pooling.scatter(args, g + from, out + to, add);
          });
      };
      parallel_ranges(rows.images() * runs, time, [&](Dim begin, Dim end) {
        for (Dim task = begin; task < end; ++task) {
          const Dim channel = task % runs * PoolRows::kChannels;
          run_image(task / runs, channel, std::min(PoolRows::kChannels, channels - channel));
        }
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
