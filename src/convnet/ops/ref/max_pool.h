#pragma once
#include <algorithm>
#include <cmath>

#include "../conv_geometry.h"

namespace convnet::ref {

// Calls f(output, winner) with the element positions of each pooled value and
// of the first maximum of its window, or of its first NaN; winner < 0 where a
// window holds no input.
template <typename T, typename F>
void for_each_winner(Dim batch, Dim channels, const Windows& windows, const T* input, F&& f) {
  const Windows three = three_windows(windows);
  const Window &d = three[0], &h = three[1], &w = three[2];
  for (Dim n = 0; n < batch; ++n)
    for (Dim od = 0; od < d.out; ++od)
      for (Dim oh = 0; oh < h.out; ++oh)
        for (Dim ow = 0; ow < w.out; ++ow)
          for (Dim c = 0; c < channels; ++c) {
            Dim winner = -1;
            for (Dim kd = d.first_tap(od); kd < d.last_tap(od); ++kd)
              for (Dim kh = h.first_tap(oh); kh < h.last_tap(oh); ++kh)
                for (Dim kw = w.first_tap(ow); kw < w.last_tap(ow); ++kw) {
                  const Dim id = od * d.stride + kd * d.dilation - d.pad_lo;
                  const Dim ih = oh * h.stride + kh * h.dilation - h.pad_lo;
                  const Dim iw = ow * w.stride + kw * w.dilation - w.pad_lo;
                  const Dim i = (((n * d.in + id) * h.in + ih) * w.in + iw) * channels + c;
                  if (winner < 0 || input[i] > input[winner] ||
                      (std::isnan(input[i]) && !std::isnan(input[winner])))
                    winner = i;
                }
            f((((n * d.out + od) * h.out + oh) * w.out + ow) * channels + c, winner);
          }
}

template <typename T>
void max_pool(Dim batch, Dim channels, const Windows& windows, const T* input, T* output) {
  for_each_winner(batch, channels, windows, input, [&](Dim out, Dim winner) {
    output[out] = winner < 0 ? T(0) : input[winner];
  });
}

// grad_input must hold zeros.
template <typename T>
void max_pool_scatter(Dim batch, Dim channels, const Windows& windows, const T* input,
                      const T* grad_output, T* grad_input) {
  for_each_winner(batch, channels, windows, input, [&](Dim out, Dim winner) {
    if (winner >= 0) grad_input[winner] += grad_output[out];
  });
}

template <typename T>
void max_pool_gather(Dim batch, Dim channels, const Windows& windows, const T* input,
                     const T* values, T* output) {
  for_each_winner(batch, channels, windows, input, [&](Dim out, Dim winner) {
    output[out] = winner < 0 ? T(0) : values[winner];
  });
}

}  // namespace convnet::ref
