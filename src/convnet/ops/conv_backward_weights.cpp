// The adjoint of a convolution with respect to its kernel: input
// [N, spatial_in..., Cin], grad [N, spatial_out..., Cout], result
// [k..., Cin / groups, Cout].
#include "../kernels/weight_gradient.h"
#include "build.h"
#include "check.h"
#include "conv_geometry.h"

namespace convnet {

namespace {

// Rows run along the channels of one tensor, lanes along those of the other; the sum is the
// same seen from the input's positions or the output's. Whether lanes run along the input's.
template <typename T>
bool swaps(const ConvGeometry& geometry) {
  constexpr Dim kFewChannels = 8;  // fewer leave lanes mostly idle
  constexpr double kWorthSwapping = 1.1;
  const Dim in = geometry.in_channels / geometry.groups, out = geometry.out_channels / geometry.groups;
  if (out < kFewChannels) return out < in;
  return in >= kFewChannels && WeightGradient<T>::lanes_used(in) > kWorthSwapping * WeightGradient<T>::lanes_used(out);
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape &input = in[0].shape, &grad = in[1].shape;
  check_images(input, "input");
  if (grad.rank() != input.rank() || !may_equal(grad[0], input[0]))
    shape_error("The input and the output gradient do not belong together.",
                "equal batch sizes and numbers of dimensions",
                input.to_string() + " and " + grad.to_string());
  const ConvAttrs conv(attrs, input);
  check_floats(in);
  check_groups(input.back(), conv.groups, "input");
  check_groups(grad.back(), conv.groups, "output");
  Shape out;
  for (const Window& w : conv_backward_weights_windows(attrs, input, grad)) out.push_back(w.kernel);
  out.push_back(input.back() == kUnknown ? kUnknown : input.back() / conv.groups);
  out.push_back(grad.back());
  return {in[0].dtype, out};
}

Prepared prepare(const OpCall& call) {
  const ConvGeometry geometry = conv_backward_weights_geometry(call);
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const bool swap = swaps<T>(geometry);
    auto plan = std::make_shared<const WeightGradient<T>>(swap ? backward_correlation(geometry)
                                                               : forward_correlation(geometry));
    return Prepared{[plan, swap](const void* const* in, void* out, const RunContext& context) {
                      plan->run(static_cast<const T*>(in[swap]), static_cast<const T*>(in[!swap]),
                                static_cast<T*>(out), context.workspace);
                    },
                    plan->workspace()};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  const ConvGeometry geometry = conv_backward_weights_geometry(call);
  return {g.emit("conv_backward_data", {in[1], grad}, explicit_attrs(geometry, Extents::in)),
          g.emit("conv", {in[0], grad}, explicit_attrs(geometry, Extents::out))};
}

}  // namespace

extern const Op op_conv_backward_weights = {"conv_backward_weights", 2, 2, infer, prepare, vjp};

}  // namespace convnet
