#include "depthwise.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "../core/divide.h"
#include "../core/threads.h"
#include "isa.h"
#include "micro_kernel.h"
#include "walk.h"

namespace convnet {

using detail::TapRange;
using detail::taps_inside;
using detail::Walk;

namespace {

constexpr int64_t kTask = 1 << 17;     // multiplications of a task
constexpr int64_t kFewSets = 1 << 10;  // pixels a multiple of that many bytes apart share few sets of the cache
constexpr int64_t kLine = 64;          // bytes of a cache line

// What the rows after a pair read that this does not, or a part of it.
struct NextRows {
  const char* at;
  int64_t bytes;  // for each position and channel of the pair, or 0
};

// Taps that are neighbours in a row of the kernel: where the first one reads and in which column, counted from what
// tap 0 of a phase reads, and where its element of the kernel lies for each of two streams of outputs.
struct Run {
  int64_t x, column, w[2];
};

// outs[g][p * out_step + c] = sum over the runs of stream g and their taps k of
// x[run.x + p * x_step + k * x_tap + c] * w[run.w[g] + k * w_tap + c] for p < out_counts[g], without taps for which
// column + run.column + p * column_step + k * column_tap is not in [0, columns). For each of `depths` taps along the
// first axis there are counts[0] runs of the first stream, counts[1] of both, which share what is read, and counts[2]
// of the second.
template <typename T>
struct ProductArgs {
  const T *x, *w;
  const Run* runs;
  int64_t depths, next_depth, counts[3];  // next_depth: runs left out after each
  int64_t x_step, x_tap, w_tap;
  int64_t column, column_step, column_tap, columns;
  int64_t inside[2];  // no tap is left out at positions from the one to before the other
  T* outs[2];
  int64_t out_counts[2], out_step, channels;
  const T* bias;  // added to the sums, or null
  bool relu;      // whether negative ones become 0 after that
  NextRows next;  // to be fetched
};

// Of one or two streams at least `lanes` channels wide, the runs of which have taps[0] taps; and taps[1] those of the
// second one, which begin `later` taps later. Positions are `apart` taps apart, or any distance where that is 0. What
// reads several vectors of a pixel at a time is for channels that are a multiple of some number.
template <typename T>
struct RowKernel {
  void (*products)(const ProductArgs<T>&);
  int lanes, multiple;
  int streams, apart, taps[2], later;

  bool suits(int64_t channels) const {
    return lanes <= channels && channels % multiple == 0;
  }
};

template <typename T>
struct RowKernels {
  const RowKernel<T>*first, *last;
  const RowKernel<T>* begin() const { return first; }
  const RowKernel<T>* end() const { return last; }
};

#define CONVNET_BODY "depthwise_body.inc"
#include "each_isa.inc"

// Those of vectors that are not larger than all channels.
template <typename T>
RowKernels<T> row_kernels(int64_t channels) {
  [[maybe_unused]] const bool narrow = detail::isa() == detail::kAvx512 && channels * sizeof(T) < 64;
  return CONVNET_OF(narrow ? detail::kAvx2 : detail::isa(), kKernels<T>);
}

// The first one that suits; the last ones of the table suit everything.
template <typename T>
const RowKernel<T>& row_kernel(int64_t channels, const CorrelationAxis& axis, int streams) {
  const RowKernel<T>* k = row_kernels<T>(channels).first;
  while (!k->suits(channels) || k->streams != streams || (k->apart > 0 && k->apart * axis.tap_step != axis.step) ||
         k->later > 0 || (streams == 2 && k->taps[0] != k->taps[1]) || (k->taps[0] > 1 && k->taps[0] != axis.taps))
    ++k;
  return *k;
}

// That of two phases of which the second one begins `later` taps later, or null.
template <typename T>
const RowKernel<T>* row_kernel(int64_t channels, const CorrelationAxis& one, const CorrelationAxis& two, int64_t later) {
  for (const RowKernel<T>& k : row_kernels<T>(channels))
    if (k.suits(channels) && k.streams == 2 && (k.apart == 0 || k.apart * one.tap_step == one.step) &&
        k.later == later && k.taps[0] == one.taps && k.taps[1] == two.taps)
      return &k;
  return nullptr;
}

// How a row of one phase is computed, alone or with the next one, or one row of two phases. Its runs are those of all
// taps along the first axis, and for each of these of all rows that one of both rows reads.
template <typename T>
struct RowPlan {
  const CorrelationPhase* phases[2];
  const RowKernel<T>* kernel;
  int64_t later;         // taps by which the second row begins later, 0 where there is none
  int64_t rows, chunks;  // of runs
  std::vector<Run> runs;
  ProductArgs<T> args{};

  RowPlan(const CorrelationShape& shape, const CorrelationPhase& one, const CorrelationPhase& two,
          const RowKernel<T>& row_kernel, int64_t rows_later)
      : phases{&one, &two}, kernel(&row_kernel), later(rows_later), rows(one.axis[1].taps + later),
        chunks(one.axis[2].taps / row_kernel.taps[0]) {
    add_runs(shape);
    const CorrelationAxis &axis = one.axis[2], &other = two.axis[2];
    args.x_step = axis.step * shape.groups;
    args.x_tap = axis.tap_step * shape.groups;
    args.w_tap = axis.tap_next * shape.tap_stride;
    args.column = axis.base;
    args.column_step = axis.step;
    args.column_tap = axis.tap_step;
    args.columns = shape.in[2];
    args.out_step = axis.out_step * shape.groups;
    args.out_counts[0] = axis.count;
    args.out_counts[1] = kernel->streams == 2 ? other.count : 0;
    args.channels = shape.groups;
    int64_t first, last;
    Walk::interior_range(axis, shape.in[2], &args.inside[0], &args.inside[1]);
    Walk::interior_range(other, shape.in[2], &first, &last);
    args.inside[0] = std::max(args.inside[0], first);
    args.inside[1] = std::min(args.inside[1], last);
  }

 private:
  void add_runs(const CorrelationShape& shape) {
    const CorrelationAxis* axis = phases[0]->axis;
    for (int64_t depth = 0; depth < axis[0].taps; ++depth)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
          const int64_t tap = chunk * kernel->taps[0], column = tap * axis[2].tap_step;
          const auto element = [&](const CorrelationAxis* a, int64_t rows_later) {
            const int64_t line = (a[0].tap_first + depth * a[0].tap_next) * shape.kernel[1] + a[1].tap_first +
                                 (row - rows_later) * a[1].tap_next;
            return (line * shape.kernel[2] + a[2].tap_first + tap * a[2].tap_next) * shape.tap_stride;
          };
          const int64_t line = depth * axis[0].tap_step * shape.in[1] + row * axis[1].tap_step;
          runs.push_back({(line * shape.in[2] + column) * shape.groups, column,
                          {element(axis, 0), element(phases[1]->axis, later)}});
        }
  }
};

// Phases that write the same rows of the output.
template <typename T>
struct RowPhases {
  // Of one phase or two; and of two rows, where these share what they read.
  struct Plans {
    RowPlan<T> row;
    std::optional<RowPlan<T>> pair;
  };
  const CorrelationAxis* axis;  // the first two are those of all
  std::vector<Plans> plans;
  int64_t next_pixels = 0;  // of the next rows, fetched by a position of each plan; 0: none are

  RowPhases(const CorrelationShape& shape, const CorrelationPhase* begin, const CorrelationPhase* end)
      : axis(begin->axis) {
    for (const CorrelationPhase* phase = begin; phase != end; ++phase) {
      if (phase + 1 != end && add_joined(shape, *phase, phase[1])) ++phase;
      else add(shape, *phase);
    }
  }
  void fetch_next() {
    int64_t calls = 0;
    for (const Plans& p : plans) calls += p.pair ? 1 : 2;
    next_pixels = divide_up(2 * axis[1].step * axis[2].step, calls);
  }

 private:
  void add(const CorrelationShape& shape, const CorrelationPhase& phase) {
    plans.push_back({{shape, phase, phase, row_kernel<T>(shape.groups, phase.axis[2], 1), 0}, {}});
    const int64_t later = axis[1].step / axis[1].tap_step;
    if (axis[1].step % axis[1].tap_step == 0 && later < axis[1].taps)
      plans.back().pair.emplace(shape, phase, phase, row_kernel<T>(shape.groups, phase.axis[2], 2), later);
  }
  bool add_joined(const CorrelationShape& shape, const CorrelationPhase& a, const CorrelationPhase& b) {
    if (a.axis[2].tap_step != b.axis[2].tap_step || a.axis[2].tap_next != b.axis[2].tap_next) return false;
    const int64_t distance = b.axis[2].base - a.axis[2].base;
    const bool swap = distance < 0 || (distance == 0 && a.axis[2].taps < b.axis[2].taps);
    const CorrelationPhase &one = swap ? b : a, &two = swap ? a : b;
    if (distance % one.axis[2].tap_step != 0) return false;
    const int64_t later = std::abs(distance) / one.axis[2].tap_step;
    const RowKernel<T>* kernel = row_kernel<T>(shape.groups, one.axis[2], two.axis[2], later);
    if (kernel) plans.push_back({{shape, one, two, *kernel, 0}, {}});
    return kernel;
  }
};

// All read about the same rows; the first one fetches the next.
template <typename T>
std::vector<RowPhases<T>> row_phases(const CorrelationShape& shape) {
  std::vector<RowPhases<T>> all;
  const CorrelationPhase *begin = shape.phases.data(), *const end = begin + shape.phases.size();
  const auto same_rows = [](const CorrelationPhase& a, const CorrelationPhase& b) {
    return a.axis[0].out_start == b.axis[0].out_start && a.axis[1].out_start == b.axis[1].out_start;
  };
  for (const CorrelationPhase* last; begin != end; begin = last) {
    for (last = begin + 1; last != end && same_rows(*begin, *last);) ++last;
    all.emplace_back(shape, begin, last);
  }
  const bool share = shape.phases.size() == 1 && shape.phases[0].axis[1].step == 1;
  if (tensor_bytes<T>(shape) > (share ? kOwnCache : kLarge)) all.front().fetch_next();
  return all;
}

// One run's arguments.
template <typename T>
struct Call {
  const CorrelationShape& shape;
  const T *input, *kernel;
  T* output;
  const Epilogue<T>& epilogue;

  // Rows `row` and row + 1 at `depth` of image n, as far as there are any.
  void compute(const RowPhases<T>& phases, int64_t n, int64_t depth, int64_t row) const {
    if (depth >= phases.axis[0].count) return;
    const int64_t last = std::min(row + 2, phases.axis[1].count);
    const bool pair = last == row + 2;
    NextRows next = next_rows(phases, n, depth, row);
    for (const auto& plans : phases.plans)
      if (pair && plans.pair) multiply(*plans.pair, n, depth, row, next);
    for (; row < last; ++row) {
      for (const auto& plans : phases.plans)
        if (!pair || !plans.pair) multiply(plans.row, n, depth, row, next);
      epilogue.finish(out_row(phases.axis, n, depth, row), shape.out[2] * shape.groups);
    }
  }

 private:
  T* out_row(const CorrelationAxis* axis, int64_t n, int64_t depth, int64_t row) const {
    const int64_t image = n * shape.out[0] + axis[0].out_start + depth * axis[0].out_step;
    return output + (image * shape.out[1] + axis[1].out_start + row * axis[1].out_step) * shape.out[2] * shape.groups;
  }
  NextRows next_rows(const RowPhases<T>& phases, int64_t n, int64_t depth, int64_t row) const {
    const CorrelationAxis* axis = phases.axis;
    const int64_t image = n * shape.in[0] + depth * axis[0].step + axis[0].base;
    const int64_t last = (row + 1) * axis[1].step + axis[1].base + (axis[1].taps - 1) * axis[1].tap_step;
    const T* const at = input + (image * shape.in[1] + last + 1) * shape.in[2] * shape.groups;
    return {reinterpret_cast<const char*>(at), phases.next_pixels * static_cast<int64_t>(sizeof(T))};
  }
  // Fetches a part of the next rows, and moves on to what is left of them.
  void multiply(const RowPlan<T>& plan, int64_t n, int64_t depth, int64_t row, NextRows& next) const {
    const CorrelationAxis* axis = plan.phases[0]->axis;
    ProductArgs<T> args = plan.args;
    const int64_t image = n * shape.in[0] + depth * axis[0].step + axis[0].base;
    const int64_t line = image * shape.in[1] + row * axis[1].step + axis[1].base;
    args.x = input + (line * shape.in[2] + axis[2].base) * shape.groups;
    args.w = kernel;
    args.next = next;
    next.at += axis[2].count * shape.groups * next.bytes;
    args.bias = epilogue.bias;
    args.relu = epilogue.relu;
    for (int g = 0; g < plan.kernel->streams; ++g)
      args.outs[g] = out_row(axis, n, depth, plan.later > 0 ? row + g : row) +
                     plan.phases[g]->axis[2].out_start * shape.groups;
    const TapRange depths = taps_inside(axis[0], depth, shape.in[0]);
    TapRange one = taps_inside(axis[1], row, shape.in[1]), two = one;
    if (plan.later > 0) {
      two = taps_inside(axis[1], row + 1, shape.in[1]);
      two = {two.first + plan.later, two.last + plan.later};
      if (one.first == one.last) one = {two.first, two.first};
      if (two.first == two.last) two = {one.last, one.last};
    } else if (plan.kernel->streams == 1) {
      two = {one.last, one.last};
    }
    args.runs = plan.runs.data() + (depths.first * plan.rows + one.first) * plan.chunks;
    args.depths = depths.last - depths.first;
    args.counts[0] = (two.first - one.first) * plan.chunks;
    args.counts[1] = (one.last - two.first) * plan.chunks;
    args.counts[2] = (two.last - one.last) * plan.chunks;
    args.next_depth = (plan.rows - (two.last - one.first)) * plan.chunks;
    plan.kernel->products(args);
  }
};

}  // namespace

// A task is a stripe of an image: some pairs of rows of all phases.
template <typename T>
void depthwise_correlation(const CorrelationShape& shape, const T* input, const T* kernel,
                           T* output, const Epilogue<T>& epilogue) {
  const std::vector<RowPhases<T>> phases = row_phases<T>(shape);
  int64_t depths = 0, pairs = 0, work = 0;
  for (const RowPhases<T>& p : phases) {
    depths = std::max(depths, p.axis[0].count);
    pairs = std::max(pairs, (p.axis[1].count + 1) / 2);
  }
  for (const CorrelationPhase& phase : shape.phases) work += phase.positions() * (phase.taps() + 1) * shape.groups;
  const Call<T> call{shape, input, kernel, output, epilogue};
  const int64_t stripes = std::max<int64_t>(1, std::min(depths * pairs, work / kTask));
  parallel_for(shape.batch * stripes, kMultiplyTime * shape.batch * work, [&](int64_t task) {
    const int64_t n = task / stripes, stripe = task % stripes, last = depths * pairs * (stripe + 1) / stripes;
    for (int64_t i = depths * pairs * stripe / stripes; i < last; ++i)
      for (const RowPhases<T>& p : phases) call.compute(p, n, i / pairs, i % pairs * 2);
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
