#include "window.h"

#include "divide.h"

namespace convnet {

namespace {

void check_sizes(Dim kernel, Dim stride, Dim dilation, const std::string& axis) {
  if (kernel < 1 || stride < 1 || dilation < 1)
    argument_error("A window needs positive sizes along its " + axis + ".",
                   "kernel size, stride and dilation of at least 1",
                   "kernel size " + std::to_string(kernel) + ", stride " + std::to_string(stride) +
                       ", dilation " + std::to_string(dilation));
}

}  // namespace

Padding padding_from_name(const std::string& name) {
  if (name == "valid") return Padding::valid;
  if (name == "same") return Padding::same;
  if (name == "causal") return Padding::causal;
  argument_error("Unknown padding.", "\"valid\", \"same\" or \"causal\"", "\"" + name + "\"");
}

std::string axis_name(int axis, int spatial_rank) {
  static const char* names[] = {"depth", "height", "width"};
  return spatial_rank == 1 ? "length" : names[axis + 3 - spatial_rank];
}

Window conv_window(Dim in, Dim kernel, Dim stride, Dim dilation, Padding padding,
                   const std::string& axis) {
  check_sizes(kernel, stride, dilation, axis);
  Window w{in, kernel, stride, dilation, 0, 0, kUnknown};
  const Dim extent = w.extent();
  if (padding == Padding::causal) w.pad_lo = extent - 1;
  if (in == kUnknown) return w;
  if (padding == Padding::valid && in < extent)
    shape_error("The window is larger than the input along its " + axis + ".",
                "an input " + axis + " of at least " + std::to_string(extent),
                std::to_string(in),
                "Use padding = \"same\", a smaller kernel or pool, or a larger input.");
  if (padding == Padding::valid) {
    w.out = (in - extent) / stride + 1;
  } else {
    w.out = divide_up(in, stride);
    if (padding == Padding::same) {
      const Dim total = std::max<Dim>((w.out - 1) * stride + extent - in, 0);
      w.pad_lo = total / 2;
    }
  }
  w.pad_hi = (w.out - 1) * stride + extent - in - w.pad_lo;
  return w;
}

Window pool_window(Dim in, Dim size, Dim stride, Padding padding, const std::string& axis) {
  return conv_window(in, size, stride, 1, padding, axis);
}

Window conv_transpose_window(Dim in, Dim kernel, Dim stride, Dim dilation, Padding padding,
                             Dim output_padding, const std::string& axis) {
  check_sizes(kernel, stride, dilation, axis);
  if (output_padding >= stride)
    argument_error("output_padding is too large along the " + axis + ".",
                   "less than the stride, " + std::to_string(stride),
                   std::to_string(output_padding));
  Window w{kUnknown, kernel, stride, dilation, 0, 0, in};
  const Dim extent = w.extent();
  if (padding == Padding::same) {
    if (output_padding < 0) {
      w.pad_lo = std::max<Dim>(0, (extent - stride) / 2);
    } else {
      // The adjoint convolution pads extent - 1 minus this side; see Keras's
      // compute_conv_transpose_padding_args_for_jax.
      const Dim total = extent + extent % 2 - 2 + output_padding;
      w.pad_lo = extent - 1 - std::min(divide_up(total, 2), extent - 1);
    }
  }
  if (in == kUnknown) return w;
  Dim last, size;
  if (__builtin_mul_overflow(in, stride, &last) || __builtin_add_overflow(last, extent + stride, &size))
    throw Error("memory", "The output would be larger than memory can address.",
                {{"received", std::to_string(in) + " times stride " + std::to_string(stride)}});
  if (output_padding < 0)
    w.in = padding == Padding::same ? in * stride : (in - 1) * stride + std::max(extent, stride);
  else
    w.in = (in - 1) * stride + extent + output_padding -
           (padding == Padding::same ? 2 * (extent / 2) : 0);
  if (w.in < 1)
    shape_error("The transposed convolution has no output along its " + axis + ".",
                "a larger input or kernel", "input " + std::to_string(in));
  w.pad_hi = (w.out - 1) * stride + extent - w.in - w.pad_lo;
  return w;
}

Window explicit_window(Dim in, Dim out, Dim kernel, Dim stride, Dim dilation, Dim pad_lo) {
  Window w{in, kernel, stride, dilation, pad_lo, 0, out};
  w.pad_hi = (out - 1) * stride + w.extent() - in - pad_lo;
  return w;
}

}  // namespace convnet
