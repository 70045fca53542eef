#include "depthwise_gradient.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "../core/threads.h"
#include "depthwise.h"
#include "isa.h"
#include "micro_kernel.h"
#include "walk.h"

namespace convnet {

using detail::TapRange;
using detail::taps_inside;
using detail::Walk;

namespace {

constexpr int64_t kChannels = 64;      // that a task owns, where positions are few
constexpr int64_t kBlock = 512 << 10;  // bytes that all channels are computed of before the next
constexpr int64_t kRows = 64;          // of positions that are added up in registers, at most
constexpr int64_t kPiece = 1 << 19;  // multiplications of a task
constexpr int64_t kFewPieces = 4, kFewTasks = 16;
constexpr int kMaxRuns = 9, kMaxTaps = 5;

// Where a row of positions reads and what belongs to it, in elements, at its first position. Joined rows: how many they
// are, and which rows of taps from that one on, from the one to before the other, lie in the input.
struct TapRow {
  int64_t x, g, count, first, last;
};

// A run is some neighbours of a row of the kernel. sums[run_sum[r] + k * sum_step + c] += sum over
// rows and their positions p of x[row.x + run_x[r] + p * x_step + k * x_tap + c] * g[row.g + p * g_step + c]
// for c < channels. Positions are, one after the other, left[K - 1] where only tap K - 1 lies in the
// input, .., left[1] where all but tap 0 do, `inner` where all K, right[K - 1] where all but
// tap K - 1, .., and right[1] where only tap 0 does.
template <typename T>
struct TapSumArgs {
  const T *x, *g;
  T* sums;
  int64_t x_step, x_tap, g_step, sum_step, channels;
  int64_t x_row, next_g;  // of joined rows: to the row that the next run reads, and to the next row of positions
  int64_t x_ahead, g_ahead;  // of these: to what is fetched ahead
  int64_t run_x[kMaxRuns], run_sum[kMaxRuns];
  int64_t left[kMaxTaps], inner, right[kMaxTaps];
  const TapRow* rows;
  int64_t row_count;
};

template <typename T>
struct TapKernel {
  int runs;
  void (*sums)(const TapSumArgs<T>&);
};

template <typename T>
struct TapKernels {
  // From the one of the most runs to that of one; of 3 and 5 taps with positions any number of
  // taps apart, one tap, or two.
  TapKernel<T> one[3], two[3], three[3][3], five[3][3];
  // Of 3 x 3 taps, over joined rows, which are as many taps apart as positions are: pairs where that is 1, any
  // number where it is 2; then those that fetch what is read next.
  void (*joined[2][3])(const TapSumArgs<T>&);

  static int64_t apart(const CorrelationAxis& axis) {
    return axis.step == axis.tap_step ? 1 : axis.step == 2 * axis.tap_step ? 2 : 0;
  }
  const TapKernel<T>* of(int64_t taps, const CorrelationAxis& axis) const {
    const int64_t apart = TapKernels::apart(axis);
    return taps == 5 ? five[apart] : taps == 3 ? three[apart] : taps == 2 ? two : one;
  }
};

#define CONVNET_BODY "depthwise_gradient_body.inc"
#include "each_isa.inc"

// Those of half as large vectors where channels are few and what larger ones leave over would fill one.
template <typename T>
const TapKernels<T>& tap_kernels(int64_t channels) {
  const int64_t bytes = channels * static_cast<int64_t>(sizeof(T));
  [[maybe_unused]] const bool halves = detail::isa() == detail::kAvx512 && bytes % 64 >= 32 && bytes < 192;
  return CONVNET_OF(halves ? detail::kAvx2 : detail::isa(), kTapKernels<T>);
}

}  // namespace

// The sums over positions of one phase.
template <typename T>
class DepthwiseGradient<T>::Phase {
 public:
  Phase(const CorrelationShape& shape, const CorrelationPhase& phase)
      : shape_(shape), axis_{phase.axis[0], phase.axis[1], phase.axis[2]}, all_joined_(joins_all()) {
    for (int a = 0; a < 2; ++a) find_ranges(a);
    for (const TapRange& depth : ranges_[0])
      for (const TapRange& height : ranges_[1]) {
        calls_.emplace_back();
        for (int64_t tap = 0, taps; tap < axis_[2].taps; tap += taps) {
          const int64_t left = axis_[2].taps - tap;
          taps = add_calls(depth, height, tap, left >= 5 ? 5 : left == 4 ? 2 : left);
        }
      }
  }
  int64_t rows() const { return shape_.batch * axis_[0].count * axis_[1].count; }
  // Those of rows `first` to `last` - 1, which count all images' one after the other, and of the
  // `channels` from `channel` on.
  void add(int64_t first, int64_t last, int64_t channel, int64_t channels, const T* input, const T* output,
           T* sums) const {
    const int64_t bytes = channels * static_cast<int64_t>(sizeof(T)) * (axis_[2].step * axis_[1].step + 1);
    const int64_t pairs = kBlock / bytes / std::max<int64_t>(1, axis_[2].count) / 2;
    const int64_t rows = 2 * std::clamp<int64_t>(pairs, 1, kRows / 2);
    for (; first < last; first += rows)
      add_block(first, std::min(rows, last - first), channels, input + channel, output + channel, sums + channel);
  }

 private:
  struct Call {
    const TapKernel<T>* kernel;
    void (*joined)(const TapSumArgs<T>&);  // or null
    int64_t skipped;  // positions of a row, before the first that is added
    TapSumArgs<T> args;
  };

  // Whether rows are two taps apart, as positions are, and some of these read nothing but the input.
  bool joins_all() const {
    TapSumArgs<T> args{};
    int64_t skipped;
    return axis_[1].taps == 3 && axis_[2].taps == 3 && TapKernels<T>::apart(axis_[1]) == 2 &&
           TapKernels<T>::apart(axis_[2]) == 2 && set_columns(0, 3, args, &skipped) && args.inner > 0;
  }
  // The different ranges of taps along axis a, and which of them each position has; joined rows leave out those outside
  // themselves.
  void find_ranges(int a) {
    if (a == 1 && all_joined_) {
      ranges_[a] = {{0, axis_[a].taps}};
      kinds_[a].assign(axis_[a].count, 0);
      return;
    }
    for (int64_t q = 0; q < axis_[a].count; ++q) {
      const TapRange range = taps_inside(axis_[a], q, shape_.in[a]);
      const auto same = [&](const TapRange& r) { return r.first == range.first && r.last == range.last; };
      const auto found = std::find_if(ranges_[a].begin(), ranges_[a].end(), same);
      kinds_[a].push_back(found - ranges_[a].begin());
      if (found == ranges_[a].end()) ranges_[a].push_back(range);
    }
  }
  // Of rows of the kernel that lie in the input `taps` taps each, or one where that is not possible.
  int64_t add_calls(const TapRange& depth, const TapRange& height, int64_t tap, int64_t taps) {
    const int64_t C = shape_.groups, heights = height.last - height.first;
    const int64_t runs = (depth.last - depth.first) * heights;
    TapSumArgs<T> args{};
    args.x_step = axis_[2].step * C;
    args.x_tap = axis_[2].tap_step * C;
    args.g_step = axis_[2].out_step * C;
    args.sum_step = axis_[2].tap_next * shape_.tap_stride;
    int64_t skipped = 0;
    if (!set_columns(tap, taps, args, &skipped)) {
      taps = 1;
      set_columns(tap, taps, args, &skipped);
    }
    args.x_row = axis_[1].tap_step * shape_.in[2] * C;
    args.next_g = axis_[1].out_step * shape_.out[2] * C;
    args.x_ahead = 2 * axis_[1].step * shape_.in[2] * C;
    args.g_ahead = 2 * args.next_g;
    const TapKernels<T>& kernels = tap_kernels<T>(C);
    const TapKernel<T>* kernel = kernels.of(taps, axis_[2]);
    const int64_t apart = kernels.apart(axis_[2]);
    const bool joins = all_joined_ || (taps == 3 && heights == 3 && apart == 1 && kernels.apart(axis_[1]) == 1);
    for (int64_t run = 0; run < runs; run += kernel->runs) {
      while (kernel->runs > runs - run) ++kernel;
      for (int r = 0; r < kernel->runs; ++r) {
        const int64_t index[] = {depth.first + (run + r) / heights, height.first + (run + r) % heights, tap};
        int64_t at = 0, pixel = 0;
        for (int a = 0; a < 3; ++a) {
          at = at * shape_.kernel[a] + axis_[a].tap_first + index[a] * axis_[a].tap_next;
          pixel = pixel * shape_.in[a] + index[a] * axis_[a].tap_step;
        }
        args.run_x[r] = pixel * C + skipped * args.x_step;
        args.run_sum[r] = at * shape_.tap_stride;
      }
      const bool fetch = tensor_bytes<T>(shape_) > (all_joined_ ? kLarge : kOwnCache);
      calls_.back().push_back({kernel, joins ? kernels.joined[fetch][apart] : nullptr, skipped, args});
    }
    return taps;
  }
  // Whether at each position, but for some at either end where none does, neighbours among the taps
  // from `tap` on lie in the input, the first or the last one among them.
  bool set_columns(int64_t tap, int64_t taps, TapSumArgs<T>& args, int64_t* skipped) const {
    int64_t first[kMaxTaps], last[kMaxTaps];
    for (int64_t k = 0; k < taps; ++k) {
      Walk::inside_range(axis_[2], (tap + k) * axis_[2].tap_step, shape_.in[2], &first[k], &last[k]);
      first[k] = std::min(first[k], last[k]);
    }
    if (first[0] > last[taps - 1]) return false;
    for (int64_t k = 1; k < taps; ++k) {
      args.left[k] = first[k - 1] - first[k];
      args.right[k] = last[k - 1] - last[k];
    }
    args.inner = last[taps - 1] - first[0];
    *skipped = first[taps - 1];
    return true;
  }
  void add_block(int64_t first, int64_t count, int64_t channels, const T* x, const T* g, T* sums) const {
    TapRow rows[kRows];
    size_t kinds[kRows];
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + i, n = row / axis_[1].count / axis_[0].count;
      const int64_t q[] = {row / axis_[1].count % axis_[0].count, row % axis_[1].count, 0};
      const int64_t row_first = -(q[1] * axis_[1].step + axis_[1].base);  // in rows of the input
      const int64_t first_inside = divide_up(row_first, axis_[1].tap_step);
      rows[i] = {n, n, 1, first_inside, divide_up(row_first + shape_.in[1], axis_[1].tap_step)};
      for (int a = 0; a < 3; ++a) {
        rows[i].x = rows[i].x * shape_.in[a] + q[a] * axis_[a].step + axis_[a].base;
        rows[i].g = rows[i].g * shape_.out[a] + q[a] * axis_[a].out_step + axis_[a].out_start;
      }
      rows[i].x *= shape_.groups;
      rows[i].g *= shape_.groups;
      kinds[i] = kinds_[0][q[0]] * ranges_[1].size() + kinds_[1][q[1]];
    }
    for (size_t kind = 0; kind < calls_.size(); ++kind) {
      const bool joins = !calls_[kind].empty() && calls_[kind][0].joined;
      const int64_t most = all_joined_ ? kRows : joins ? 2 : 1;
      int64_t found = 0, joined_found = 0;
      TapRow same[kRows], joined[kRows];
      for (int64_t i = 0; i < count; ++i) {
        if (kinds[i] != kind) continue;
        TapRow row = rows[i];
        while (row.count < most && i + 1 < count && kinds[i + 1] == kind && (first + i + 1) % axis_[1].count != 0)
          ++i, ++row.count;
        if (all_joined_ || row.count == 2) joined[joined_found++] = row;
        else same[found++] = row;
      }
      for (const Call& call : calls_[kind]) {
        TapSumArgs<T> args = call.args;
        args.x = x;
        args.g = g + call.skipped * args.g_step;
        args.sums = sums;
        args.channels = channels;
        args.rows = joined;
        args.row_count = joined_found;
        if (joined_found > 0) call.joined(args);
        args.rows = same;
        args.row_count = found;
        if (found > 0) call.kernel->sums(args);
      }
    }
  }

  const CorrelationShape& shape_;
  const CorrelationAxis axis_[3];
  const bool all_joined_;
  std::vector<TapRange> ranges_[2];
  std::vector<size_t> kinds_[2];
  std::vector<std::vector<Call>> calls_;  // of rows of each kind
};

template <typename T>
DepthwiseGradient<T>::DepthwiseGradient(CorrelationShape shape) : shape_(std::move(shape)) {
  if (!is_depthwise(shape_)) {
    repeats_ = shape_.out_channels;
    repeated_ = detail::align_up(static_cast<size_t>(shape_.in_pixels() * shape_.groups * repeats_) * sizeof(T));
    shape_ = without_multiplier(std::move(shape_));
  }
  kernel_size_ = shape_.kernel[0] * shape_.kernel[1] * shape_.kernel[2] * shape_.groups;
  for (const CorrelationPhase& phase : shape_.phases) {
    if (phase.taps() == 0) continue;
    phases_.emplace_back(shape_, phase);
    work_ += shape_.batch * phase.positions() * phase.taps() * shape_.groups;
  }
  channels_ = work_ / kPiece < kFewPieces ? std::min(kChannels, shape_.groups) : shape_.groups;
  parts_ = divide_up(shape_.groups, channels_);
  pieces_ = std::clamp<int64_t>(std::min(work_ / kPiece, kFewTasks) / parts_, 1, kFewTasks);
  workspace_ = repeated_;
  if (pieces_ > 1) workspace_ += static_cast<size_t>(pieces_ * kernel_size_) * sizeof(T);
}

template <typename T>
DepthwiseGradient<T>::~DepthwiseGradient() = default;

template <typename T>
bool DepthwiseGradient<T>::suits(const CorrelationShape& shape) {
  return is_depthwise(shape) || (has_multiplier(shape) && shape.in_channels == 1);
}

template <typename T>
void DepthwiseGradient<T>::run(const T* input, const T* output, T* kernel, void* workspace) const {
  if (repeats_ > 1) {
    T* repeated = static_cast<T*>(workspace);
    repeat_channels(input, shape_.in_pixels() * shape_.groups / repeats_, repeats_, repeated);
    input = repeated;
  }
  T* const sums = pieces_ > 1 ? reinterpret_cast<T*>(static_cast<char*>(workspace) + repeated_) : kernel;
  std::fill_n(sums, pieces_ * kernel_size_, T(0));
  parallel_for(parts_ * pieces_, kMultiplyTime * work_, [&](int64_t task) {
    const int64_t piece = task / parts_, channel = task % parts_ * channels_;
    const int64_t channels = std::min(channels_, shape_.groups - channel);
    for (const Phase& phase : phases_)
      phase.add(phase.rows() * piece / pieces_, phase.rows() * (piece + 1) / pieces_, channel, channels, input,
                output, sums + piece * kernel_size_);
  });
  if (pieces_ == 1) return;
  parallel_ranges(kernel_size_, kElementTime * pieces_, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T sum = sums[i];
      for (int64_t piece = 1; piece < pieces_; ++piece) sum += sums[piece * kernel_size_ + i];
      kernel[i] = sum;
    }
  });
}

template class DepthwiseGradient<float>;
template class DepthwiseGradient<double>;

}  // namespace convnet
