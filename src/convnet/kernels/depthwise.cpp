#include "depthwise.h"

#include <algorithm>

#include "../core/threads.h"
#include "isa.h"
#include "micro_kernel.h"
#include "walk.h"

namespace convnet {

namespace {

constexpr int64_t kTask = 1 << 16;  // multiplications of a task
constexpr int64_t kCall = 64;       // runs of taps that one call adds up

// A run is some taps that are neighbours in a row of the kernel.
// out[p * out_step + c] (+)= sum over runs and k of
// x[run][p * x_step + k * x_tap + c] * w[run][k * w_step + c] for p < count and c < channels.
template <typename T>
struct ProductArgs {
  const T* const* x;
  const T* const* w;
  int64_t runs, x_step, x_tap, w_step;
  T* out;
  int64_t out_step, count, channels;
  bool add;
  // When these are the last runs: added to the sums (or null), and whether
  // negative ones become 0 after that.
  const T* bias;
  bool relu;
};

// Of runs of one tap; of 3 and of 5, where positions are one tap apart, and where they are two.
template <typename T>
struct Kernels {
  using Products = void (*)(const ProductArgs<T>&);
  Products one, three[2], five[2];
};

#define CONVNET_BODY "depthwise_body.inc"
#include "each_isa.inc"

template <typename T>
const Kernels<T>& kernels() {
  return CONVNET_OF_ISA(kKernels<T>);
}

// Neighbours in a row of positions that read the same taps: first[a] to last[a] - 1
// along axis a. Pixels are those of the first of them; in_pixel is what tap 0 reads.
struct Part {
  int64_t first[3], last[3], count, in_pixel, out_pixel;
};

// The taps that read inside the input.
void set_taps(const CorrelationAxis& axis, int64_t q, int64_t in, int64_t* first, int64_t* last) {
  const int64_t start = q * axis.step + axis.base;
  const auto inside = [&](int64_t j) {
    const int64_t i = start + j * axis.tap_step;
    return i >= 0 && i < in;
  };
  *first = 0;
  while (*first < axis.taps && !inside(*first)) ++*first;
  *last = *first;
  while (*last < axis.taps && inside(*last)) ++*last;
}

// Cuts a row of positions into parts. Rows count all images' one after the other.
template <typename F>
void for_each_part(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t row, F&& f) {
  const CorrelationAxis* axis = phase.axis;
  const int64_t q1 = row % axis[1].count, q0 = row / axis[1].count % axis[0].count;
  const int64_t n = row / axis[1].count / axis[0].count;
  Part part;
  set_taps(axis[0], q0, shape.in[0], &part.first[0], &part.last[0]);
  set_taps(axis[1], q1, shape.in[1], &part.first[1], &part.last[1]);
  const int64_t in_line = (n * shape.in[0] + q0 * axis[0].step + axis[0].base) * shape.in[1] +
                          q1 * axis[1].step + axis[1].base;
  const int64_t out_line = (n * shape.out[0] + axis[0].out_start + q0 * axis[0].out_step) *
                               shape.out[1] + axis[1].out_start + q1 * axis[1].out_step;
  int64_t first, last;
  detail::Walk::interior_range(axis[2], shape.in[2], &first, &last);
  for (int64_t q = 0; q < axis[2].count; q += part.count) {
    part.count = q >= first && q < last ? last - q : 1;
    set_taps(axis[2], q, shape.in[2], &part.first[2], &part.last[2]);
    part.in_pixel = in_line * shape.in[2] + q * axis[2].step + axis[2].base;
    part.out_pixel = out_line * shape.out[2] + axis[2].out_start + q * axis[2].out_step;
    f(part);
  }
}

// Taps of each row of the kernel that runs of some length are made of.
template <typename T>
struct Runs {
  typename Kernels<T>::Products products;
  int64_t length, taps;

  static Runs of(const CorrelationAxis& axis, int64_t taps) {
    const Kernels<T>& all = kernels<T>();
    const bool neighbours = axis.step == axis.tap_step;
    if (neighbours || axis.step == 2 * axis.tap_step) {
      if (taps > 0 && taps % 3 == 0) return {all.three[!neighbours], 3, taps};
      if (taps >= 5) return {all.five[!neighbours], 5, taps / 5 * 5};
    }
    return {all.one, 1, taps};
  }
};

// Calls f(pixel that it reads, kernel element) for the first tap of each run of a part,
// whose taps along the last axis are those from `first` on.
template <typename T, typename F>
void for_each_run(const CorrelationShape& shape, const CorrelationPhase& phase, const Part& part,
                  int64_t first, const Runs<T>& runs, F&& f) {
  const CorrelationAxis* axis = phase.axis;
  for (int64_t a = part.first[0]; a < part.last[0]; ++a)
    for (int64_t b = part.first[1]; b < part.last[1]; ++b) {
      const int64_t pixel = part.in_pixel + (a * axis[0].tap_step * shape.in[1] +
                                             b * axis[1].tap_step) * shape.in[2];
      const int64_t tap = ((axis[0].tap_first + a * axis[0].tap_next) * shape.kernel[1] +
                           axis[1].tap_first + b * axis[1].tap_next) * shape.kernel[2] +
                          axis[2].tap_first;
      for (int64_t c = first; c < first + runs.taps; c += runs.length)
        f(pixel + c * axis[2].tap_step, tap + c * axis[2].tap_next);
    }
}

template <typename T>
void correlate_row(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t row,
                   const T* input, const T* kernel, T* output, const Epilogue<T>& epilogue) {
  const int64_t C = shape.groups;
  const CorrelationAxis& axis = phase.axis[2];
  const T *x[kCall], *w[kCall];
  for_each_part(shape, phase, row, [&](const Part& part) {
    ProductArgs<T> args{};
    args.x = x;
    args.w = w;
    args.x_step = axis.step * C;
    args.x_tap = axis.tap_step * C;
    args.w_step = axis.tap_next * shape.tap_stride;
    args.out = output + part.out_pixel * C;
    args.out_step = axis.out_step * C;
    args.count = part.count;
    args.channels = C;
    int64_t tap = part.first[2];
    do {
      const Runs<T> runs = Runs<T>::of(axis, part.last[2] - tap);
      for_each_run(shape, phase, part, tap, runs, [&](int64_t pixel, int64_t at) {
        if (args.runs == kCall) {
          runs.products(args);
          args.runs = 0;
          args.add = true;
        }
        x[args.runs] = input + pixel * C;
        w[args.runs++] = kernel + at * shape.tap_stride;
      });
      tap += runs.taps;
      if (tap == part.last[2]) {
        args.bias = epilogue.bias;
        args.relu = epilogue.relu;
      }
      runs.products(args);
      args.runs = 0;
      args.add = true;
    } while (tap < part.last[2]);
    const int64_t together = args.out_step == C ? part.count : 1;
    for (int64_t i = 0; epilogue.finisher && i < part.count; i += together)
      epilogue.finish(args.out + i * args.out_step, together * C);
  });
}

int64_t rows_of_image(const CorrelationPhase& phase) { return phase.axis[0].count * phase.axis[1].count; }

}  // namespace

// A task is a stripe of an image: its rows of all phases.
template <typename T>
void depthwise_correlation(const CorrelationShape& shape, const T* input, const T* kernel,
                           T* output, const Epilogue<T>& epilogue) {
  int64_t rows = 0, work = 0;
  for (const CorrelationPhase& phase : shape.phases) {
    rows = std::max(rows, rows_of_image(phase));
    work += phase.positions() * (phase.taps() + 1) * shape.groups;
  }
  const int64_t stripes = std::max<int64_t>(1, std::min(rows, work / kTask));
  parallel_for(shape.batch * stripes, kMultiplyTime * shape.batch * work, [&](int64_t task) {
    const int64_t n = task / stripes, stripe = task % stripes;
    for (const CorrelationPhase& phase : shape.phases) {
      const int64_t count = rows_of_image(phase);
      for (int64_t row = count * stripe / stripes; row < count * (stripe + 1) / stripes; ++row)
        correlate_row(shape, phase, n * count + row, input, kernel, output, epilogue);
    }
  });
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
  parallel_ranges(count, kElementTime * times, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < times; ++j) repeated[i * times + j] = values[i];
  });
}

template <typename T>
void sum_channels(const T* values, int64_t pixels, int64_t channels, int64_t times, T* sums,
                  const Epilogue<T>& epilogue) {
  parallel_ranges(pixels, kElementTime * channels * times, [&](int64_t begin, int64_t end) {
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
    epilogue.finish(sums + begin * channels, (end - begin) * channels);
  });
}

template void depthwise_correlation(const CorrelationShape&, const float*, const float*, float*,
                                    const Epilogue<float>&);
template void depthwise_correlation(const CorrelationShape&, const double*, const double*, double*,
                                    const Epilogue<double>&);
template void repeat_channels(const float*, int64_t, int64_t, float*);
template void repeat_channels(const double*, int64_t, int64_t, double*);
template void sum_channels(const float*, int64_t, int64_t, int64_t, float*, const Epilogue<float>&);
template void sum_channels(const double*, int64_t, int64_t, int64_t, double*,
                           const Epilogue<double>&);

}  // namespace convnet
