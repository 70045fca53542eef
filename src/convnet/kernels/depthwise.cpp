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
constexpr int64_t kPoints = 128;    // positions that one partial sum covers
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
    tasks += phase.taps() * ((shape.groups + kChannels - 1) / kChannels);
    positions = std::max(positions, shape.batch * phase.positions());
  }
  if (tasks == 0 || tasks >= kFewTasks) return 1;
  return std::max<int64_t>(1, std::min(kFewTasks / tasks, positions / kPiece));
}

template <typename T>
void depthwise_weight_gradient(const CorrelationShape& shape, int64_t pieces, const T* input,
                               const T* output, T* sums) {
  const int64_t C = shape.groups, runs = (C + kChannels - 1) / kChannels;
  const int64_t size = shape.kernel[0] * shape.kernel[1] * shape.kernel[2] * C;
  std::fill_n(sums, pieces * size, T(0));
  for (const CorrelationPhase& phase : shape.phases) {
    const int64_t positions = shape.batch * phase.positions();
    parallel_for(phase.taps() * runs * pieces, [&](int64_t task) {
      const int64_t piece = task % pieces, first_channel = task / pieces % runs * kChannels;
      const int64_t own_tap = task / pieces / runs;
      const int64_t count = std::min(kChannels, C - first_channel);
      const int64_t begin = positions * piece / pieces, end = positions * (piece + 1) / pieces;
      for_each_tap(shape, phase, [&](int64_t index, int64_t a, int64_t b, int64_t c,
                                     int64_t offset, int64_t tap) {
        if (index != own_tap) return;
        T* target = sums + piece * size + tap * shape.tap_stride + first_channel;
        Walk walk(shape, phase, begin);
        for (int64_t first = begin; first < end; first += kPoints) {
          T sum[kChannels] = {};
          for (int64_t q = first; q < std::min(end, first + kPoints); ++q, walk.next()) {
            if (!walk.interior() && !(walk.inside(0, a) && walk.inside(1, b) && walk.inside(2, c)))
              continue;
            const T* x = input + walk.in_pixel() * C + offset + first_channel;
            const T* g = output + walk.out_pixel() * C + first_channel;
            CONVNET_SIMD
            for (int64_t i = 0; i < count; ++i) sum[i] += x[i] * g[i];
          }
          for (int64_t i = 0; i < count; ++i) target[i] += sum[i];
        }
      });
    });
  }
}

template void depthwise_correlation(const CorrelationShape&, const float*, const float*, float*,
                                    const Epilogue<float>&);
template void depthwise_correlation(const CorrelationShape&, const double*, const double*, double*,
                                    const Epilogue<double>&);
template void depthwise_weight_gradient(const CorrelationShape&, int64_t, const float*,
                                        const float*, float*);
template void depthwise_weight_gradient(const CorrelationShape&, int64_t, const double*,
                                        const double*, double*);

}  // namespace convnet
