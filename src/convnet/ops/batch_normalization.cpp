// (x - mean) / sqrt(variance + epsilon) * gamma + beta, all four along one axis.
#include <cmath>

#include "../core/simd.h"
#include "../core/threads.h"
#include "build.h"
#include "check.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  TensorType out = in[0];
  const int axis = normalize_axis(attrs.integer("axis"), out.shape.rank());
  for (size_t i = 1; i < in.size(); ++i) {
    require_same_dtype(in[0], in[i]);
    if (!may_equal(in[i].shape, Shape{out.shape[axis]}))
      shape_error("Normalization needs one value of each statistic and weight a channel.",
                  Shape{out.shape[axis]}.to_string(), in[i].shape.to_string());
    out.shape[axis] = std::max(out.shape[axis], in[i].shape[0]);
  }
  return out;
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const Dim outer = shape.product(0, axis), channels = shape[axis];
  const Dim inner = shape.product(axis + 1, shape.rank());
  const double epsilon = call.attrs.number("epsilon");
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    Prepared prepared;
    prepared.workspace = static_cast<size_t>(channels) * sizeof(T);
    prepared.run = [=](const void* const* in, void* result, const RunContext& context) {
      const T* x = static_cast<const T*>(in[0]);
      const T* mean = static_cast<const T*>(in[1]);
      const T* variance = static_cast<const T*>(in[2]);
      const T* gamma = static_cast<const T*>(in[3]);
      const T* beta = static_cast<const T*>(in[4]);
      T* out = static_cast<T*>(result);
      T* scale = static_cast<T*>(context.workspace);
      for (Dim c = 0; c < channels; ++c)
        scale[c] = gamma[c] / std::sqrt(variance[c] + static_cast<T>(epsilon));
      if (inner == 1) {
        parallel_ranges(outer, kElementTime * channels,
                        [&](Dim begin, Dim end) {
                          for (Dim row = begin; row < end; ++row) {
                            const T* from = x + row * channels;
                            T* to = out + row * channels;
                            CONVNET_SIMD
                            for (Dim c = 0; c < channels; ++c)
                              to[c] = (from[c] - mean[c]) * scale[c] + beta[c];
                          }
                        });
        return;
      }
      parallel_ranges(outer * channels, kElementTime * inner,
                      [&](Dim begin, Dim end) {
                        for (Dim row = begin; row < end; ++row) {
                          const T* from = x + row * inner;
                          T* to = out + row * inner;
                          const T m = mean[row % channels], s = scale[row % channels],
                                  b = beta[row % channels];
                          CONVNET_SIMD
                          for (Dim i = 0; i < inner; ++i) to[i] = (from[i] - m) * s + b;
                        }
                      });
    };
    return prepared;
  });
}

// With r = 1 / sqrt(variance + epsilon) and G, P the sums of grad and of
// grad * (x - mean) over all but the channels:
// dx = grad gamma r, dmean = -G gamma r, dvariance = -P gamma r^3 / 2,
// dgamma = P r, dbeta = G.
std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  const Shape& shape = call.in[0].shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  std::vector<Dim> others;
  Shape row;
  for (int a = 0; a < shape.rank(); ++a) {
    if (a != axis) others.push_back(a);
    row.push_back(a == axis ? shape[a] : 1);
  }
  const auto total = [&](Value v) {
    return others.empty() ? v : reduce_sum(g, v, others, false);
  };
  const Value r = g.emit("rsqrt", {offset(g, in[2], call.attrs.number("epsilon"))});
  const Value slope = multiply(g, in[3], r);
  const Value centered = subtract(g, in[0], reshape(g, in[1], row));
  const Value G = total(grad), P = total(multiply(g, grad, centered));
  const Value dvariance = scale(g, multiply(g, multiply(g, P, slope), multiply(g, r, r)), -0.5);
  return {multiply(g, grad, reshape(g, slope, row)), negative(g, multiply(g, G, slope)), dvariance,
          multiply(g, P, r), G};
}

}  // namespace

extern const Op op_batch_normalization = {"batch_normalization", 5, 5, infer, prepare, vjp, true};

}  // namespace convnet
