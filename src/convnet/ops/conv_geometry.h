#pragma once
#include "../core/window.h"
#include "../kernels/correlation.h"
#include "op.h"

namespace convnet {

// A convolution with every extent known. Its tensors, whatever the operation:
// input  [batch, windows[.].in..., in_channels]
// kernel [windows[.].kernel..., in_channels / groups, out_channels]
// output [batch, windows[.].out..., out_channels]
struct ConvGeometry {
  Dim batch, groups, in_channels, out_channels;
  Windows windows;

  Shape input() const;
  Shape kernel() const;
  Shape output() const;
};

// One to three windows as three: the missing ones come first and have extent 1.
Windows three_windows(const Windows& windows);

// What all operations of the convolution triangle say about themselves.
struct ConvAttrs {
  std::vector<Dim> strides, dilation;
  Dim groups;
  int spatial_rank;

  ConvAttrs(const Attrs& attrs, const Shape& images);
};

// Checks of the shape rules. `what` names a tensor: "input" or "output gradient".
void check_images(const Shape& shape, const char* what);
void check_kernel(const Shape& kernel, Dim groups, int spatial_rank);
void check_channels(const Shape& images, Dim channels, const char* what);
void check_groups(Dim channels, Dim groups, const char* what);
// Both inputs are floating-point, of one dtype.
void check_floats(const std::vector<TensorType>& in);

// Windows of the three operations; those along an unknown extent are unknown.
Windows conv_windows(const Attrs& attrs, const Shape& input, const Shape& kernel);
Windows conv_backward_data_windows(const Attrs& attrs, const Shape& grad, const Shape& kernel);
Windows conv_backward_weights_windows(const Attrs& attrs, const Shape& input, const Shape& grad);

// Attributes of a triangle operation in explicit mode, with the same strides,
// dilation, groups and pad_lo as `geometry` and a result of these spatial extents.
enum class Extents { in, kernel, out };
Attrs explicit_attrs(const ConvGeometry& geometry, Extents result);

// output(q) = sum over taps of input under them, as a correlation of one phase.
CorrelationShape forward_correlation(const ConvGeometry& geometry);
// Its adjoint: one phase for each residue of the input position modulo the stride.
CorrelationShape backward_correlation(const ConvGeometry& geometry);

// The same with their channels, when all types are concrete.
ConvGeometry conv_geometry(const OpCall& call);
ConvGeometry conv_backward_data_geometry(const OpCall& call);
ConvGeometry conv_backward_weights_geometry(const OpCall& call);

}  // namespace convnet
