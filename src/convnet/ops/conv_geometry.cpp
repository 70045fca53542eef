#include "conv_geometry.h"

#include <numeric>

#include "../core/divide.h"
#include "check.h"

namespace convnet {

namespace {

Shape joined(Dim first, const std::vector<Dim>& middle, Dim last) {
  Shape shape{first};
  for (Dim d : middle) shape.push_back(d);
  shape.push_back(last);
  return shape;
}

CorrelationAxis forward_axis(const Window& w) {
  return {w.out, 0, 1, w.stride, -w.pad_lo, w.kernel, w.dilation, 0, 1};
}

// Input position i = r + s q receives output o through tap kappa where
// i = o s + kappa d - pad_lo. With g = gcd(s, d), the taps of residue r are
// kappa_0 + j s / g, and o = q + base - j d / g. The last tap comes first, so
// that taps are in the order of what they read.
std::vector<CorrelationAxis> backward_axes(const Window& w) {
  const Dim g = std::gcd(w.stride, w.dilation), period = w.stride / g;
  std::vector<CorrelationAxis> axes;
  for (Dim r = 0; r < std::min(w.stride, w.in); ++r) {
    CorrelationAxis axis{divide_up(w.in - r, w.stride), r, w.stride, 1, 0, 0, w.dilation / g, 0, -period};
    for (Dim first = 0; first < std::min(period, w.kernel); ++first) {
      const Dim start = r + w.pad_lo - first * w.dilation;
      if (start % w.stride != 0) continue;
      axis.taps = divide_up(w.kernel - first, period);
      axis.base = start / w.stride - (axis.taps - 1) * axis.tap_step;
      axis.tap_first = first + (axis.taps - 1) * period;
      break;
    }
    axes.push_back(axis);
  }
  return axes;
}

CorrelationShape correlation(const ConvGeometry& geometry, const Windows& windows, bool backward) {
  const Dim IC = geometry.in_channels / geometry.groups;
  const Dim OC = geometry.out_channels / geometry.groups;
  CorrelationShape shape{};
  shape.batch = geometry.batch;
  shape.groups = geometry.groups;
  shape.in_channels = backward ? OC : IC;
  shape.out_channels = backward ? IC : OC;
  for (int a = 0; a < 3; ++a) {
    shape.in[a] = backward ? windows[a].out : windows[a].in;
    shape.out[a] = backward ? windows[a].in : windows[a].out;
    shape.kernel[a] = windows[a].kernel;
  }
  shape.tap_stride = IC * geometry.out_channels;
  shape.group_stride = OC;
  shape.in_stride = backward ? 1 : geometry.out_channels;
  shape.out_stride = backward ? geometry.out_channels : 1;
  return shape;
}

Windows explicit_windows(const Attrs& attrs, const ConvAttrs& conv, const std::vector<Dim>& in,
                         const std::vector<Dim>& kernel, const std::vector<Dim>& out) {
  const std::vector<Dim> pad_lo = attrs.integers("pad_lo");
  require_per_axis(pad_lo, "pad_lo", conv.spatial_rank);
  Windows windows;
  for (int a = 0; a < conv.spatial_rank; ++a)
    windows.push_back(
        explicit_window(in[a], out[a], kernel[a], conv.strides[a], conv.dilation[a], pad_lo[a]));
  return windows;
}

std::vector<Dim> spatial(const Shape& images) {
  return std::vector<Dim>(images.begin() + 1, images.end() - 1);
}

std::vector<Dim> kernel_spatial(const Shape& kernel) {
  return std::vector<Dim>(kernel.begin(), kernel.end() - 2);
}

// The windows of the convolution with this padding that turns extents `in` into `out`.
Windows sized_windows(const ConvAttrs& conv, const std::vector<Dim>& in,
                      const std::vector<Dim>& kernel, const std::vector<Dim>& out, Padding padding) {
  Windows windows;
  for (int a = 0; a < conv.spatial_rank; ++a) {
    const std::string axis = axis_name(a, conv.spatial_rank);
    Window w = conv_window(in[a], kernel[a], conv.strides[a], conv.dilation[a], padding, axis);
    if (!may_equal(w.out, out[a]))
      shape_error("A transposed convolution cannot have this output " + axis + ".",
                  "an output " + axis + " that a convolution turns into " + std::to_string(out[a]),
                  std::to_string(in[a]) + ", which it turns into " + std::to_string(w.out));
    windows.push_back(w);
  }
  return windows;
}

}  // namespace

Shape ConvGeometry::input() const {
  std::vector<Dim> in;
  for (const Window& w : windows) in.push_back(w.in);
  return joined(batch, in, in_channels);
}

Shape ConvGeometry::output() const {
  std::vector<Dim> out;
  for (const Window& w : windows) out.push_back(w.out);
  return joined(batch, out, out_channels);
}

Shape ConvGeometry::kernel() const {
  Shape shape;
  for (const Window& w : windows) shape.push_back(w.kernel);
  shape.push_back(in_channels / groups);
  shape.push_back(out_channels);
  return shape;
}

Windows three_windows(const Windows& windows) {
  Windows three(3 - windows.size(), Window{1, 1, 1, 1, 0, 0, 1});
  three.insert(three.end(), windows.begin(), windows.end());
  return three;
}

ConvAttrs::ConvAttrs(const Attrs& attrs, const Shape& images)
    : strides(attrs.integers("strides")),
      dilation(attrs.integers("dilation")),
      groups(static_cast<Dim>(attrs.number_or("groups", 1))),
      spatial_rank(images.rank() - 2) {
  require_per_axis(strides, "strides", spatial_rank);
  require_per_axis(dilation, "dilation", spatial_rank);
  for (int a = 0; a < spatial_rank; ++a)
    if (strides[a] < 1 || dilation[a] < 1)
      argument_error("A convolution steps by at least 1.", "strides and dilation of at least 1",
                     "stride " + std::to_string(strides[a]) + ", dilation " +
                         std::to_string(dilation[a]));
  if (groups < 1)
    argument_error("A convolution has at least one group.", "groups of at least 1",
                   std::to_string(groups));
}

void check_images(const Shape& shape, const char* what) {
  if (shape.rank() < 3 || shape.rank() > 5)
    shape_error(std::string("The ") + what + " has the wrong number of dimensions.",
                "3, 4 or 5 dimensions: batch, one to three spatial ones, channels",
                shape.to_string());
}

void check_kernel(const Shape& kernel, Dim groups, int spatial_rank) {
  if (kernel.rank() != spatial_rank + 2)
    shape_error("The kernel has the wrong number of dimensions.",
                std::to_string(spatial_rank + 2) + " dimensions", kernel.to_string());
  if (kernel.back() > 0 && kernel.back() % groups != 0)
    argument_error("The groups do not divide the channels.",
                   "a multiple of groups = " + std::to_string(groups),
                   std::to_string(kernel.back()) + " output channels");
}

void check_channels(const Shape& images, Dim channels, const char* what) {
  if (!may_equal(images.back(), channels))
    shape_error(std::string("The ") + what + " has the wrong number of channels.",
                "an " + std::string(what) + " with " + std::to_string(channels) + " channels",
                images.to_string());
}

void check_groups(Dim channels, Dim groups, const char* what) {
  if (channels > 0 && channels % groups != 0)
    argument_error("The groups do not divide the channels.",
                   "a multiple of groups = " + std::to_string(groups),
                   std::to_string(channels) + " " + what + " channels");
}

void check_floats(const std::vector<TensorType>& in) {
  require_float(in[0]);
  require_same_dtype(in[0], in[1]);
}

std::vector<Dim> sizes(const Attrs& attrs, int spatial_rank) {
  std::vector<Dim> size = attrs.integers("size");
  require_per_axis(size, "size", spatial_rank);
  return size;
}

Windows conv_windows(const Attrs& attrs, const Shape& input, const Shape& kernel) {
  const ConvAttrs conv(attrs, input);
  const std::vector<Dim> in = spatial(input), k = kernel_spatial(kernel);
  if (attrs.has("pad_lo"))
    return explicit_windows(attrs, conv, in, k, sizes(attrs, conv.spatial_rank));
  const Padding padding = padding_from_name(attrs.text("padding"));
  Windows windows;
  for (int a = 0; a < conv.spatial_rank; ++a)
    windows.push_back(conv_window(in[a], k[a], conv.strides[a], conv.dilation[a], padding,
                                  axis_name(a, conv.spatial_rank)));
  return windows;
}

Windows conv_backward_data_windows(const Attrs& attrs, const Shape& grad, const Shape& kernel) {
  const ConvAttrs conv(attrs, grad);
  const std::vector<Dim> out = spatial(grad), k = kernel_spatial(kernel);
  if (attrs.has("pad_lo"))
    return explicit_windows(attrs, conv, sizes(attrs, conv.spatial_rank), k, out);
  const Padding padding = padding_from_name(attrs.text("padding"));
  if (attrs.has("size")) return sized_windows(conv, sizes(attrs, conv.spatial_rank), k, out, padding);
  std::vector<Dim> extra(conv.spatial_rank, -1);
  if (attrs.has("output_padding")) extra = attrs.integers("output_padding");
  require_per_axis(extra, "output_padding", conv.spatial_rank);
  Windows windows;
  for (int a = 0; a < conv.spatial_rank; ++a)
    windows.push_back(conv_transpose_window(out[a], k[a], conv.strides[a], conv.dilation[a],
                                            padding, extra[a], axis_name(a, conv.spatial_rank)));
  return windows;
}

Windows conv_backward_weights_windows(const Attrs& attrs, const Shape& input, const Shape& grad) {
  const ConvAttrs conv(attrs, input);
  return explicit_windows(attrs, conv, spatial(input), sizes(attrs, conv.spatial_rank),
                          spatial(grad));
}

ConvGeometry conv_geometry(const OpCall& call) {
  const Shape &input = call.in[0].shape, &kernel = call.in[1].shape;
  return {input[0], ConvAttrs(call.attrs, input).groups, input.back(), kernel.back(),
          conv_windows(call.attrs, input, kernel)};
}

ConvGeometry conv_backward_data_geometry(const OpCall& call) {
  const Shape &grad = call.in[0].shape, &kernel = call.in[1].shape;
  return {grad[0], ConvAttrs(call.attrs, grad).groups, call.out.shape.back(), kernel.back(),
          conv_backward_data_windows(call.attrs, grad, kernel)};
}

ConvGeometry conv_backward_weights_geometry(const OpCall& call) {
  const Shape &input = call.in[0].shape, &grad = call.in[1].shape;
  return {input[0], ConvAttrs(call.attrs, input).groups, input.back(), grad.back(),
          conv_backward_weights_windows(call.attrs, input, grad)};
}

Attrs explicit_attrs(const ConvGeometry& geometry, Extents result) {
  std::vector<Dim> strides, dilation, pad_lo, size;
  for (const Window& w : geometry.windows) {
    strides.push_back(w.stride);
    dilation.push_back(w.dilation);
    pad_lo.push_back(w.pad_lo);
    size.push_back(result == Extents::in ? w.in : result == Extents::kernel ? w.kernel : w.out);
  }
  return {{"strides", number_list(strides)},
          {"dilation", number_list(dilation)},
          {"groups", number_list(static_cast<double>(geometry.groups))},
          {"pad_lo", number_list(pad_lo)},
          {"size", number_list(size)}};
}

CorrelationShape forward_correlation(const ConvGeometry& geometry) {
  const Windows windows = three_windows(geometry.windows);
  CorrelationShape shape = correlation(geometry, windows, false);
  shape.phases.push_back(
      {{forward_axis(windows[0]), forward_axis(windows[1]), forward_axis(windows[2])}});
  return shape;
}

CorrelationShape backward_correlation(const ConvGeometry& geometry) {
  const Windows windows = three_windows(geometry.windows);
  CorrelationShape shape = correlation(geometry, windows, true);
  for (const CorrelationAxis& depth : backward_axes(windows[0]))
    for (const CorrelationAxis& height : backward_axes(windows[1]))
      for (const CorrelationAxis& width : backward_axes(windows[2]))
        shape.phases.push_back({{depth, height, width}});
  return shape;
}

}  // namespace convnet
