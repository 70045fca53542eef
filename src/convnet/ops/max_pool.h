#pragma once
#include <algorithm>

#include "../core/threads.h"
#include "../kernels/max_pooling.h"
#include "conv_geometry.h"

namespace convnet {

// The pooling windows over x [N, spatial..., C].
Windows pool_windows(const Attrs& attrs, const Shape& x);
Shape pooled_shape(const Attrs& attrs, const Shape& x);
Attrs pool_attrs(const Attrs& attrs);

// Walks over the windows of max pooling; padding never wins.
class PoolRows {
 public:
  static constexpr Dim kChannels = 64;

  PoolRows(const Shape& x, const Windows& windows)
      : batch_(x[0]), channels_(x.back()), windows_(three_windows(windows)) {}

  // Rows of windows, of an image and in all; the values that the windows of a row read.
  Dim rows_of_image() const { return windows_[0].out * windows_[1].out; }
  Dim rows() const { return batch_ * rows_of_image(); }
  Dim row_cost() const {
    Dim cost = windows_[2].out * channels_;
    for (const Window& w : windows_) cost *= w.kernel;
    return std::max<Dim>(1, cost);
  }
  Dim pixels_of_image() const { return windows_[0].in * windows_[1].in * windows_[2].in; }
  Dim images() const { return batch_; }
  Dim channels() const { return channels_; }
  // Each value of x belongs to exactly one window.
  bool cut_up() const {
    return std::all_of(windows_.begin(), windows_.end(), [](const Window& w) {
      return w.stride == w.kernel && w.out * w.stride - w.pad_lo >= w.in;
    });
  }

  // Calls f(windows, position of their first tap in x, position of the first of
  // their `windows.windows` pooled values) for windows of one row that look alike,
  // `count` channels from `channel` on. Windows outside of x have no taps.
  template <typename T, typename F>
  void visit(Dim row, Dim channel, Dim count, F&& f) const {
    const Window &d = windows_[0], &h = windows_[1], &w = windows_[2];
    const Dim oh = row % h.out, od = row / h.out % d.out, n = row / h.out / d.out;
    const Dim kd = d.first_tap(od), kh = h.first_tap(oh);
    const Dim line = (n * d.in + od * d.stride + kd - d.pad_lo) * h.in + oh * h.stride + kh - h.pad_lo;
    MaxPoolArgs<T> args{};
    args.taps[0] = d.last_tap(od) - kd;
    args.taps[1] = h.last_tap(oh) - kh;
    args.tap_step[0] = h.in * w.in * channels_;
    args.tap_step[1] = w.in * channels_;
    args.tap_step[2] = channels_;
    args.step = w.stride * channels_;
    args.channels = count;
    args.pooled_step = channels_;
    // Windows before this one, and not before the padding's end, have all taps.
    const Dim whole = w.in + w.pad_lo < w.kernel
                          ? 0 : std::min(w.out, (w.in + w.pad_lo - w.kernel) / w.stride + 1);
    for (Dim ow = 0; ow < w.out; ow += args.windows) {
      const Dim kw = w.first_tap(ow);
      args.taps[2] = w.last_tap(ow) - kw;
      args.windows = kw == 0 && ow < whole ? whole - ow : 1;
      f(args, (line * w.in + ow * w.stride + kw - w.pad_lo) * channels_ + channel,
        (row * w.out + ow) * channels_ + channel);
    }
  }

 private:
  Dim batch_, channels_;
  Windows windows_;
};

// Calls f(windows, position in x, position in the pooled tensor) for all windows
// with taps, and clears the pooled values of the others. For what writes pooled values.
template <typename T, typename F>
void for_each_pooled(const PoolRows& rows, T* pooled, F&& f) {
  parallel_ranges(rows.rows(), kElementTime * rows.row_cost(), [&](Dim begin, Dim end) {
    for (Dim row = begin; row < end; ++row)
      rows.visit<T>(row, 0, rows.channels(), [&](MaxPoolArgs<T>& args, Dim in, Dim out) {
        if (args.has_taps()) return f(args, in, out);
        std::fill_n(pooled + out, args.channels, T(0));
      });
  });
}

}  // namespace convnet
