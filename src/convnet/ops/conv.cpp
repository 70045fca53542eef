// Convolution: input [N, spatial..., Cin], kernel [k..., Cin / groups, Cout].
// Optional: bias [Cout], and what follows the sums; see fused.h.
#include "conv_geometry.h"
#include "fused.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape &input = in[0].shape, &kernel = in[1].shape;
  check_images(input, "input");
  const ConvAttrs conv(attrs, input);
  check_kernel(kernel, conv.groups, conv.spatial_rank);
  check_floats(in);
  check_groups(input.back(), conv.groups, "input");
  const Dim per_group = kernel[conv.spatial_rank];
  check_channels(input, per_group == kUnknown ? kUnknown : per_group * conv.groups, "input");
  Shape out{input[0]};
  for (const Window& w : conv_windows(attrs, input, kernel)) out.push_back(w.out);
  out.push_back(kernel.back());
  check_ends(attrs, in, out);
  return {in[0].dtype, out};
}

Prepared prepare(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return prepare_with_ends<T>(
        call, std::make_shared<const Correlation<T>>(forward_correlation(conv_geometry(call))));
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value out,
                       Value grad) {
  const EndsGradient ends = ends_vjp(g, "conv", call, in, out, grad);
  const ConvGeometry geometry = conv_geometry(call);
  return ends.with(
      g.emit("conv_backward_data", {ends.sums, in[1]}, explicit_attrs(geometry, Extents::in)),
      g.emit("conv_backward_weights", {in[0], ends.sums}, explicit_attrs(geometry, Extents::kernel)));
}

}  // namespace

extern const Op op_conv = {"conv", 2, -1, infer, prepare, vjp};

}  // namespace convnet
