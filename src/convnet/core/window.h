#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "shape.h"

namespace convnet {

enum class Padding { valid, same, causal };

Padding padding_from_name(const std::string& name);

// Geometry of a sliding window along one axis: output o reads input
// i = o * stride + kappa * dilation - pad_lo for kappa = 0..kernel-1, where 0 <= i < in.
// Transposed convolution uses the window of the convolution whose adjoint it is:
// its input is `out`, its output is `in`.
struct Window {
  Dim in, kernel, stride, dilation, pad_lo, pad_hi, out;

  // Extent of the dilated kernel.
  Dim extent() const { return dilation * (kernel - 1) + 1; }
  // The taps kappa for which output o reads inside the input: [first, last).
  Dim first_tap(Dim o) const {
    const Dim start = o * stride - pad_lo;
    return start >= 0 ? 0 : std::min(kernel, (-start + dilation - 1) / dilation);
  }
  Dim last_tap(Dim o) const {
    const Dim room = in - (o * stride - pad_lo);
    return room <= 0 ? 0 : std::min(kernel, (room + dilation - 1) / dilation);
  }
  // The outputs that read input i, where dilation is 1: [first, last).
  Dim first_reader(Dim i) const {
    const Dim beyond = i + pad_lo - kernel;
    return beyond < 0 ? 0 : beyond / stride + 1;
  }
  Dim last_reader(Dim i) const { return std::min(out, (i + pad_lo) / stride + 1); }
};

using Windows = std::vector<Window>;

// The only builders; `axis` names the spatial axis in messages ("height"...).
// An unknown `in` gives an unknown `out`.
Window conv_window(Dim in, Dim kernel, Dim stride, Dim dilation, Padding padding,
                   const std::string& axis);
// `in` is the transposed convolution's input extent; output_padding < 0 means
// "not given", which differs from 0 (Keras's rule).
Window conv_transpose_window(Dim in, Dim kernel, Dim stride, Dim dilation, Padding padding,
                             Dim output_padding, const std::string& axis);
Window pool_window(Dim in, Dim size, Dim stride, Padding padding, const std::string& axis);
// The window of a convolution whose extents are all known, as gradients need it.
Window explicit_window(Dim in, Dim out, Dim kernel, Dim stride, Dim dilation, Dim pad_lo);

// "height" of 2 spatial dimensions, "depth" of 3, ...
std::string axis_name(int axis, int spatial_rank);

}  // namespace convnet
