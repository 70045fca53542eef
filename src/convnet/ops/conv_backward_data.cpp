// The adjoint of a convolution with respect to its input, which is transposed
// convolution: grad [N, spatial_out..., Cout], kernel [k..., Cin / groups, Cout],
// result [N, spatial_in..., Cin]. Optional: bias [Cin], and what follows the sums; see fused.h.
#include "conv_geometry.h"
#include "fused.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape &grad = in[0].shape, &kernel = in[1].shape;
  check_images(grad, "input");
  const ConvAttrs conv(attrs, grad);
  check_kernel(kernel, conv.groups, conv.spatial_rank);
  check_floats(in);
  check_channels(grad, kernel.back(), "input");
  Shape out{grad[0]};
  for (const Window& w : conv_backward_data_windows(attrs, grad, kernel)) out.push_back(w.in);
  const Dim per_group = kernel[conv.spatial_rank];
  out.push_back(per_group == kUnknown ? kUnknown : per_group * conv.groups);
  check_ends(attrs, in, out);
  return {in[0].dtype, out};
}

Prepared prepare(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return prepare_with_ends<T>(call, std::make_shared<const Correlation<T>>(backward_correlation(
                                          conv_backward_data_geometry(call))));
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value out,
                       Value grad) {
  const EndsGradient ends = ends_vjp(g, "conv_backward_data", call, in, out, grad);
  const ConvGeometry geometry = conv_backward_data_geometry(call);
  return ends.with(
      g.emit("conv", {ends.sums, in[1]}, explicit_attrs(geometry, Extents::out)),
      g.emit("conv_backward_weights", {ends.sums, in[0]}, explicit_attrs(geometry, Extents::kernel)));
}

}  // namespace

extern const Op op_conv_backward_data = {"conv_backward_data", 2, -1, infer, prepare, vjp};

}  // namespace convnet
