#include "depthwise.h"

#include <algorithm>

#include "../core/simd.h"
#include "../core/threads.h"
#include "tasks.h"
#include "walk.h"

namespace convnet {

using detail::for_each_tap;
using detail::Walk;

namespace {

constexpr int64_t kBlock = 64;      // positions a task
constexpr int64_t kTaps = 64;       // taps that one call adds up
constexpr int64_t kChannels = 64;   // channels that a task of the gradient owns
constexpr int64_t kGrain = 16384;   // values a task copies
constexpr int64_t kPiece = 1024, kFewTasks = 16;

}  // namespace

template <typename T>
void depthwise_correlation(const CorrelationShape& shape, const T* input, const T* kernel,
                           T* output, const Epilogue<T>& epilogue) {
  const int64_t C = shape.groups;
  const Gemm<T>& gemm = convnet::gemm<T>();
  for (const CorrelationPhase& phase : shape.phases) {
    const int64_t positions = shape.batch * phase.positions();
    const int64_t blocks = (positions + kBlock - 1) / kBlock;
    run_tasks(blocks, positions * (phase.taps() + 1) * C, [&](int64_t block) {
      const int64_t end = std::min(positions, (block + 1) * kBlock);
      const T *x[kTaps], *w[kTaps];
      Walk walk(shape, phase, block * kBlock);
      for (int64_t q = block * kBlock; q < end;) {
        const bool interior = walk.interior();
        DepthwiseArgs<T> args{};
        args.x = x;
        args.w = w;
        args.x_step = phase.axis[2].step * C;
        args.out = output + walk.out_pixel() * C;
        args.out_step = phase.axis[2].out_step * C;
        args.count = interior ? std::min(end - q, walk.left_inside()) : 1;
        args.channels = C;
        for_each_tap(shape, phase, [&](int64_t, int64_t a, int64_t b, int64_t c, int64_t offset,
                                       int64_t tap) {
          if (!interior && !(walk.inside(0, a) && walk.inside(1, b) && walk.inside(2, c))) return;
          if (args.taps == kTaps) {
            gemm.depthwise(args);
            args.taps = 0;
            args.add = true;
          }
          x[args.taps] = input + walk.in_pixel() * C + offset;
          w[args.taps++] = kernel + tap * shape.tap_stride;
        });
        args.bias = epilogue.bias;
        args.relu = epilogue.relu();
        gemm.depthwise(args);
        q += args.count;
        walk.advance(args.count);
      }
    });
  }
}

int64_t depthwise_pieces(const CorrelationShape& shape) {
  int64_t tasks = 0, positions = 0;
  for (const CorrelationPhase& phase : shape.phases) {
    tasks += phase.axis[0].taps * phase.axis[1].taps * ((shape.groups + kChannels - 1) / kChannels);
    positions = std::max(positions, shape.batch * phase.positions());
  }
  if (tasks == 0 || tasks >= kFewTasks) return 1;
  return std::max<int64_t>(1, std::min(kFewTasks / tasks, positions / kPiece));
}

namespace {

// The gradient of a row of taps for some channels, from the positions of one
// piece. The kernel's roles change: what it adds up are positions, and its
// positions are taps.
template <typename T>
void depthwise_tap_row(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t a,
                       int64_t b, int64_t channel, int64_t begin, int64_t end, const T* input,
                       const T* output, T* sums) {
  const CorrelationAxis* axis = phase.axis;
  const int64_t C = shape.groups;
  const auto& kernel = gemm<T>().depthwise;
  const int64_t offset = (a * axis[0].tap_step * shape.in[1] + b * axis[1].tap_step) * shape.in[2];
  const int64_t tap = ((axis[0].tap_first + a * axis[0].tap_next) * shape.kernel[1] +
                       axis[1].tap_first + b * axis[1].tap_next) * shape.kernel[2] +
                      axis[2].tap_first;
  const T *x[kTaps], *g[kTaps];
  DepthwiseArgs<T> args{};
  args.x = x;
  args.w = g;
  args.x_step = axis[2].tap_step * C;
  args.out_step = axis[2].tap_next * shape.tap_stride;
  args.channels = std::min(kChannels, C - channel);
  args.add = true;
  const auto add = [&](int64_t first, int64_t count) {
    args.out = sums + tap * shape.tap_stride + channel + first * args.out_step;
    args.count = count;
    if (args.taps > 0) kernel(args);
    args.taps = 0;
  };
  Walk walk(shape, phase, begin);
  for (int64_t q = begin; q < end; ++q, walk.next()) {
    if (!walk.inside(0, a) || !walk.inside(1, b)) continue;
    const T* from = input + (walk.in_pixel() + offset) * C + channel;
    const T* grad = output + walk.out_pixel() * C + channel;
    if (walk.interior()) {
      x[args.taps] = from;
      g[args.taps++] = grad;
      if (args.taps == kTaps) add(0, axis[2].taps);
      continue;
    }
    add(0, axis[2].taps);
    for (int64_t c = 0; c < axis[2].taps; ++c) {
      if (!walk.inside(2, c)) continue;
      x[0] = from + c * args.x_step;
      g[0] = grad;
      args.taps = 1;
      add(c, 1);
    }
  }
  add(0, axis[2].taps);
}

}  // namespace

template <typename T>
void depthwise_weight_gradient(const CorrelationShape& shape, int64_t pieces, const T* input,
                               const T* output, T* sums) {
  const int64_t C = shape.groups, runs = (C + kChannels - 1) / kChannels;
  const int64_t size = shape.kernel[0] * shape.kernel[1] * shape.kernel[2] * C;
  std::fill_n(sums, pieces * size, T(0));
  for (const CorrelationPhase& phase : shape.phases) {
    const int64_t positions = shape.batch * phase.positions();
    const int64_t rows = phase.axis[0].taps * phase.axis[1].taps;
    if (phase.taps() == 0) continue;
    run_tasks(rows * runs * pieces, positions * phase.taps() * C, [&](int64_t task) {
      const int64_t piece = task % pieces, run = task / pieces % runs, row = task / pieces / runs;
      depthwise_tap_row(shape, phase, row / phase.axis[1].taps, row % phase.axis[1].taps,
                        run * kChannels, positions * piece / pieces,
                        positions * (piece + 1) / pieces, input, output, sums + piece * size);
    });
  }
}

bool has_multiplier(const CorrelationShape& shape) {
  const int64_t M = std::max(shape.in_channels, shape.out_channels);
  const int64_t stride = shape.in_channels > 1 ? shape.in_stride : shape.out_stride;
  return shape.groups > 1 && M > 1 && std::min(shape.in_channels, shape.out_channels) == 1 &&
         stride == 1 && shape.group_stride == M;
}

CorrelationShape without_multiplier(CorrelationShape shape) {
  shape.groups *= std::max(shape.in_channels, shape.out_channels);
  shape.in_channels = shape.out_channels = 1;
  shape.group_stride = 1;
  return shape;
}

template <typename T>
void repeat_channels(const T* values, int64_t count, int64_t times, T* repeated) {
  parallel_ranges(count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < times; ++j) repeated[i * times + j] = values[i];
  });
}

template <typename T>
void sum_channels(const T* values, int64_t pixels, int64_t channels, int64_t times, T* sums,
                  const Epilogue<T>& epilogue) {
  parallel_ranges(pixels, kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      T* out = sums + pixel * channels;
      for (int64_t c = 0; c < channels; ++c) {
        const T* from = values + (pixel * channels + c) * times;
        T sum = from[0];
        for (int64_t j = 1; j < times; ++j) sum += from[j];
        out[c] = sum;
      }
      epilogue.apply(out, channels);
    }
  });
}

template void depthwise_correlation(const CorrelationShape&, const float*, const float*, float*,
                                    const Epilogue<float>&);
template void depthwise_correlation(const CorrelationShape&, const double*, const double*, double*,
                                    const Epilogue<double>&);
template void depthwise_weight_gradient(const CorrelationShape&, int64_t, const float*,
                                        const float*, float*);
template void depthwise_weight_gradient(const CorrelationShape&, int64_t, const double*,
                                        const double*, double*);

template void repeat_channels(const float*, int64_t, int64_t, float*);
template void repeat_channels(const double*, int64_t, int64_t, double*);
template void sum_channels(const float*, int64_t, int64_t, int64_t, float*, const Epilogue<float>&);
template void sum_channels(const double*, int64_t, int64_t, int64_t, double*,
                           const Epilogue<double>&);

}  // namespace convnet
