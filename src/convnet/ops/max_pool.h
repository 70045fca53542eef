#pragma once
#include <algorithm>

#include "../core/threads.h"
#include "conv_geometry.h"

namespace convnet {

// The pooling windows over x [N, spatial..., C].
Windows pool_windows(const Attrs& attrs, const Shape& x);
Shape pooled_shape(const Attrs& attrs, const Shape& x);
Attrs pool_attrs(const Attrs& attrs);

// Finds the winners of max pooling: the first maximum of each window in
// row-major order, or its first NaN. Padding never wins.
class Winners {
 public:
  static constexpr Dim kChannels = 32;

  Winners(const Shape& x, const Windows& windows)
      : batch_(x[0]), channels_(x.back()), windows_(three_windows(windows)) {}


  // Calls f(position of the first channel in the output, channels, winners) for
  // runs of at most kChannels channels; winners are positions in the input, -1
  // where a window holds none of it. A task visits all windows of one image.
  template <typename T, typename F>
  void visit(const T* x, F&& f) const {
    const Dim runs = (channels_ + kChannels - 1) / kChannels;
    parallel_for(batch_ * runs, [&](int64_t task) {
      const Dim c = task % runs * kChannels;
      visit_image(x, task / runs, c, std::min(kChannels, channels_ - c), f);
    });
  }

 private:
  template <typename T, typename F>
  void visit_image(const T* x, Dim n, Dim channel, Dim count, F&& f) const {
    const Window &d = windows_[0], &h = windows_[1], &w = windows_[2];
    Dim out = n * d.out * h.out * w.out * channels_ + channel;
    for (Dim od = 0; od < d.out; ++od)
      for (Dim oh = 0; oh < h.out; ++oh)
        for (Dim ow = 0; ow < w.out; ++ow, out += channels_) {
          T best[kChannels];
          Dim winner[kChannels];
          std::fill_n(winner, count, Dim(-1));
          for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
            for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
              for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                const Dim id = od * d.stride + kd - d.pad_lo, ih = oh * h.stride + kh - h.pad_lo,
                          iw = ow * w.stride + kw - w.pad_lo;
                const Dim in = (((n * d.in + id) * h.in + ih) * w.in + iw) * channels_ + channel;
                for (Dim c = 0; c < count; ++c) {
                  const T value = x[in + c];
                  if (winner[c] < 0 || value > best[c] || (value != value && best[c] == best[c])) {
                    best[c] = value;
                    winner[c] = in + c;
                  }
                }
              }
          f(out, count, winner);
        }
  }

  Dim batch_, channels_;
  Windows windows_;
};

}  // namespace convnet
