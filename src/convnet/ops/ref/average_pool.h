#pragma once
#include "../conv_geometry.h"

namespace convnet::ref {

// Calls f(output, input, share) with the element positions of each pooled value
// and each value in its window, and one over the number of those.
template <typename F>
void for_each_share(Dim batch, Dim channels, const Windows& windows, F&& f) {
  const Windows three = three_windows(windows);
  const Window &d = three[0], &h = three[1], &w = three[2];
  const auto taps = [](const Window& window, Dim o) {
    return window.last_tap(o) - window.first_tap(o);
  };
  for (Dim n = 0; n < batch; ++n)
    for (Dim od = 0; od < d.out; ++od)
      for (Dim oh = 0; oh < h.out; ++oh)
        for (Dim ow = 0; ow < w.out; ++ow)
          for (Dim c = 0; c < channels; ++c)
            for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
              for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
                for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                  const Dim id = od * d.stride + kd - d.pad_lo, ih = oh * h.stride + kh - h.pad_lo,
                            iw = ow * w.stride + kw - w.pad_lo;
                  f((((n * d.out + od) * h.out + oh) * w.out + ow) * channels + c,
                    (((n * d.in + id) * h.in + ih) * w.in + iw) * channels + c,
                    1.0 / static_cast<double>(taps(d, od) * taps(h, oh) * taps(w, ow)));
                }
}

}  // namespace convnet::ref
