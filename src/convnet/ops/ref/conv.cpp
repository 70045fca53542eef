#include "conv.h"

#include <algorithm>

namespace convnet::ref {

namespace {

// Calls f(input, kernel, output) with the element positions of every product
// that a convolution adds up.
template <typename F>
void for_each_product(const ConvGeometry& geometry, F&& f) {
  const Windows windows = three_windows(geometry.windows);
  const Window &d = windows[0], &h = windows[1], &w = windows[2];
  const Dim IC = geometry.in_channels / geometry.groups;
  const Dim OC = geometry.out_channels / geometry.groups;
  for (Dim n = 0; n < geometry.batch; ++n)
    for (Dim od = 0; od < d.out; ++od)
      for (Dim oh = 0; oh < h.out; ++oh)
        for (Dim ow = 0; ow < w.out; ++ow)
          for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
            for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
              for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                const Dim id = od * d.stride + kd * d.dilation - d.pad_lo;
                const Dim ih = oh * h.stride + kh * h.dilation - h.pad_lo;
                const Dim iw = ow * w.stride + kw * w.dilation - w.pad_lo;
                const Dim in = ((n * d.in + id) * h.in + ih) * w.in + iw;
                const Dim tap = (kd * h.kernel + kh) * w.kernel + kw;
                const Dim out = ((n * d.out + od) * h.out + oh) * w.out + ow;
                for (Dim g = 0; g < geometry.groups; ++g)
                  for (Dim ic = 0; ic < IC; ++ic)
                    for (Dim oc = 0; oc < OC; ++oc)
                      f(in * geometry.in_channels + g * IC + ic,
                        (tap * IC + ic) * geometry.out_channels + g * OC + oc,
                        out * geometry.out_channels + g * OC + oc);
              }
}

}  // namespace

template <typename T>
void conv(const ConvGeometry& geometry, const T* input, const T* kernel, T* output) {
  std::fill_n(output, geometry.output().size(), T(0));
  for_each_product(geometry, [&](Dim in, Dim k, Dim out) { output[out] += input[in] * kernel[k]; });
}

template <typename T>
void conv_backward_data(const ConvGeometry& geometry, const T* grad_output, const T* kernel,
                        T* grad_input) {
  std::fill_n(grad_input, geometry.input().size(), T(0));
  for_each_product(geometry, [&](Dim in, Dim k, Dim out) {
    grad_input[in] += grad_output[out] * kernel[k];
  });
}

template <typename T>
void conv_backward_weights(const ConvGeometry& geometry, const T* input, const T* grad_output,
                           T* grad_kernel) {
  std::fill_n(grad_kernel, geometry.kernel().size(), T(0));
  for_each_product(geometry, [&](Dim in, Dim k, Dim out) {
    grad_kernel[k] += input[in] * grad_output[out];
  });
}

#define CONVNET_INSTANTIATE(T)                                                            \
  template void conv(const ConvGeometry&, const T*, const T*, T*);                        \
  template void conv_backward_data(const ConvGeometry&, const T*, const T*, T*);          \
  template void conv_backward_weights(const ConvGeometry&, const T*, const T*, T*);
CONVNET_INSTANTIATE(float)
CONVNET_INSTANTIATE(double)
#undef CONVNET_INSTANTIATE

}  // namespace convnet::ref
