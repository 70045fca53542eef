#include "weight_gradient.h"

#include <algorithm>
#include <utility>

#include "../core/simd.h"
#include "../core/threads.h"
#include "depthwise_gradient.h"
#include "finite.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::for_each_tap;
using detail::Walk;

namespace {

constexpr int64_t kBlock = 256;       // positions that one call adds up, at most
constexpr int64_t kCopied = 65536;    // bytes of input copied for a block, zeros around it
constexpr int64_t kTasks = 16;
constexpr int64_t kPiece = 1024;      // positions worth a task of their own
constexpr int64_t kRowsTask = 48;     // rows a task
constexpr int64_t kLine = 64;         // bytes of a line of the cache
constexpr int64_t kWorthPacking = 4;  // times that a block of the output is read

// Positions of a block that follow each other along a row: x is the pixel that the
// first tap reads, index where that lies along the outer axes.
struct Stretch {
  int64_t x, y, column, count, index[2];
};

}  // namespace

template <typename T>
struct WeightGradient<T>::Block {
  const CorrelationPhase& phase;
  int64_t count, stretch_count = 0;
  Stretch stretches[kBlock];
  const T* copied = nullptr;  // the input, where it was copied
  int64_t copied_row = 0;     // pixels of a row of that

  Block(const CorrelationShape& shape, const CorrelationPhase& of, int64_t begin, int64_t end)
      : phase(of), count(end - begin) {
    Walk walk(shape, phase, begin);
    for (int64_t q = begin; q < end;) {
      Stretch& stretch = stretches[stretch_count++];
      stretch = {walk.in_pixel(), walk.out_pixel(), walk.column(),
                 std::min(walk.left_in_row(), end - q), {walk.index(0), walk.index(1)}};
      q += stretch.count;
      walk.advance(stretch.count);
    }
  }
  // The runs of the positions where a tap lies in the input.
  void find_runs(const CorrelationShape& shape, int64_t tap, bool packed, OuterArgs<T>& args,
                 OuterRun* runs) const {
    const CorrelationAxis* axis = phase.axis;
    const int64_t a = tap / axis[2].taps / axis[1].taps * axis[0].tap_step;
    const int64_t b = tap / axis[2].taps % axis[1].taps * axis[1].tap_step;
    int64_t from, to, point = 0;
    Walk::inside_range(axis[2], tap % axis[2].taps * axis[2].tap_step, shape.in[2], &from, &to);
    args.runs = runs;
    args.run_count = 0;
    for (int64_t s = 0; s < stretch_count; point += stretches[s++].count) {
      const Stretch& stretch = stretches[s];
      const int64_t begin = std::max<int64_t>(0, from - stretch.column);
      const int64_t end = std::min(stretch.count, to - stretch.column);
      const int64_t i = stretch.index[0] + a, j = stretch.index[1] + b;
      if (begin >= end || i < 0 || i >= shape.in[0] || j < 0 || j >= shape.in[1]) continue;
      const OuterRun run{stretch.x + begin * args.x_next,
                         packed ? point + begin : stretch.y + begin * args.y_next, end - begin};
      OuterRun* before = args.run_count > 0 ? runs + args.run_count - 1 : nullptr;
      if (before && run.x == before->x + before->count * args.x_next &&
          run.y == before->y + before->count * args.y_next)
        before->count += run.count;
      else
        runs[args.run_count++] = run;
    }
  }
};

template <typename T>
WeightGradient<T>::WeightGradient(CorrelationShape shape)
    : shape_(std::move(shape)), gemm_(gemm<T>()), outer_(outer<T>()) {
  panels_ = Panels{shape_.out_channels, outer_.lanes};
  kernel_size_ = shape_.kernel[0] * shape_.kernel[1] * shape_.kernel[2] * shape_.in_channels *
                 shape_.out_channels * shape_.groups;
  if (DepthwiseGradient<T>::suits(shape_)) {
    depthwise_ = std::make_unique<const DepthwiseGradient<T>>(shape_);
    workspace_ = depthwise_->workspace();
    return;
  }
  plan_phases();
  plan_tasks();
  if (direct_) return;
  sums_size_ = taps_ * shape_.groups * shape_.in_channels * panels_.padded_columns();
  workspace_ = static_cast<size_t>(pieces_ * sums_size_) * sizeof(T);
}

template <typename T>
WeightGradient<T>::~WeightGradient() = default;

template <typename T>
void WeightGradient<T>::plan_phases() {
  const int64_t K = shape_.in_channels, few = outer_.rows / 2;
  bool runs = true, few_in_rows = true, in_order = true;
  for (const CorrelationPhase& phase : shape_.phases) {
    Plan plan{{}, {}, taps_};
    for_each_tap(shape_, phase,
                 [&](int64_t, int64_t, int64_t, int64_t, int64_t offset, int64_t tap) {
                   in_order = in_order && (plan.kernel_tap.empty() || tap == plan.kernel_tap.back() + 1);
                   plan.tap_offset.push_back(offset);
                   plan.kernel_tap.push_back(tap);
                 });
    plans_.push_back(std::move(plan));
    if (phase.taps() == 0) continue;
    taps_ += phase.taps();
    work_ += shape_.batch * phase.positions() * phase.taps() * K * shape_.out_channels *
             shape_.groups;
    runs = runs && phase.axis[2].tap_step == 1;
    few_in_rows = few_in_rows && phase.axis[2].taps * K <= few;
    for (int a = 0; a < 3; ++a) {
      int64_t from, to;
      Walk::interior_range(phase.axis[a], shape_.in[a], &from, &to);
      margins_ = margins_ || from > 0 || to < phase.axis[a].count;
    }
  }
  if (shape_.groups == 1 && K <= few && taps_ > 1)
    rows_ = few_in_rows ? Rows::taps : runs ? Rows::tap_rows : Rows::channels;
  const auto fits = [&](int64_t positions) {
    for (const CorrelationPhase& phase : shape_.phases)
      if (phase.taps() > 0 && copied_size(phase, positions) * static_cast<int64_t>(sizeof(T)) > kCopied) return false;
    return true;
  };
  block_ = kBlock;
  if (rows_ != Rows::channels && margins_) {
    while (block_ > 1 && !fits(block_)) block_ /= 2;
    if (block_ < 16) rows_ = Rows::channels, block_ = kBlock;
  }
  direct_ = shape_.out_stride == 1 &&
            (rows_ == Rows::channels || (in_order && shape_.tap_stride == K * shape_.in_stride));
}

// Elements that copy_rows() writes for a block of positions.
template <typename T>
int64_t WeightGradient<T>::copied_size(const CorrelationPhase& phase, int64_t positions) const {
  const CorrelationAxis* axis = phase.axis;
  const int64_t stretches = std::min(positions, positions / std::max<int64_t>(1, axis[2].count) + 2);
  const int64_t pixels = (std::min(axis[2].count, positions) - 1) * axis[2].step +
                         (axis[2].taps - 1) * axis[2].tap_step + 1;
  return stretches * axis[0].taps * axis[1].taps * pixels * shape_.in_channels;
}

template <typename T>
void WeightGradient<T>::plan_tasks() {
  int64_t positions = 0;
  for (const CorrelationPhase& phase : shape_.phases)
    positions = std::max(positions, shape_.batch * phase.positions());
  int64_t owners = static_cast<int64_t>(shape_.phases.size()) * shape_.groups;
  // Powers of two: the usual teams of threads then have equal shares.
  const auto share = [&](int64_t most) {
    int64_t parts = 1;
    while (owners * 2 <= kTasks && parts * 2 <= most) parts *= 2, owners *= 2;
    return parts;
  };
  pieces_ = share(positions / kPiece);
  const int64_t K = shape_.in_channels;
  const int64_t row_parts = rows_ == Rows::channels ? share(K / kRowsTask) : 1;
  const int64_t panel_parts = share(panels_.count());
  for (int64_t piece = 0; piece < pieces_; ++piece)
    for (int p = 0; p < static_cast<int>(shape_.phases.size()); ++p)
      for (int64_t g = 0; g < shape_.groups && shape_.phases[p].taps() > 0; ++g)
        for (int64_t r = 0; r < row_parts; ++r)
          for (int64_t c = 0; c < panel_parts; ++c)
            tasks_.push_back({p, g, K * r / row_parts, K * (r + 1) / row_parts,
                              panels_.count() * c / panel_parts,
                              panels_.count() * (c + 1) / panel_parts, piece});
  direct_ = direct_ && pieces_ == 1;
}

template <typename T>
void WeightGradient<T>::compute(const Task& task, const Call& call) const {
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t positions = shape_.batch * phase.positions();
  const int64_t begin = positions * task.piece / pieces_;
  const int64_t end = positions * (task.piece + 1) / pieces_;
  alignas(64) T rows[kCopied / sizeof(T)];
  for (int64_t first = begin; first < end; first += block_) {
    Block block(shape_, phase, first, std::min(end, first + block_));
    if (call.rows != Rows::channels && margins_) copy_rows(task, block, call, rows);
    for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel)
      compute_panel(task, block, panel, first > begin, call);
  }
}

// What all taps read along each stretch, zeros standing for what is outside.
template <typename T>
void WeightGradient<T>::copy_rows(const Task& task, Block& block, const Call& call,
                                  T* rows) const {
  const CorrelationAxis* axis = block.phase.axis;
  const std::vector<int64_t>& offsets = plans_[task.phase].tap_offset;
  const int64_t K = shape_.in_channels, reach = (axis[2].taps - 1) * axis[2].tap_step + 1;
  block.copied = rows;
  for (int64_t s = 0; s < block.stretch_count; ++s)
    block.copied_row = std::max(block.copied_row, (block.stretches[s].count - 1) * axis[2].step + reach);
  for (int64_t s = 0; s < block.stretch_count; ++s) {
    const Stretch& stretch = block.stretches[s];
    const int64_t column = stretch.column * axis[2].step + axis[2].base;
    const int64_t pixels = (stretch.count - 1) * axis[2].step + reach;
    const int64_t left = std::clamp<int64_t>(-column, 0, pixels);
    const int64_t right = std::clamp<int64_t>(shape_.in[2] - column, left, pixels);
    for (int64_t a = 0, tap = 0; a < axis[0].taps; ++a)
      for (int64_t b = 0; b < axis[1].taps; ++b, tap += axis[2].taps) {
        const int64_t i = stretch.index[0] + a * axis[0].tap_step;
        const int64_t j = stretch.index[1] + b * axis[1].tap_step;
        if (i < 0 || i >= shape_.in[0] || j < 0 || j >= shape_.in[1]) {
          std::fill_n(rows, pixels * K, T(0));
        } else {
          const T* from = call.input + stretch.x * K + offsets[tap];
          std::fill_n(rows, left * K, T(0));
          std::copy(from + left * K, from + right * K, rows + left * K);
          std::fill_n(rows + right * K, (pixels - right) * K, T(0));
        }
        rows += block.copied_row * K;
      }
  }
}

// The output's columns of a panel where they lie; or copied, if they are read past
// the end, or often and from lines that are not read whole.
template <typename T>
void WeightGradient<T>::point_output(const Task& task, const Block& block, int64_t panel,
                                     const Call& call, T* packed, OuterArgs<T>& args) const {
  const int64_t channels = shape_.groups * shape_.out_channels, padded = panels_.padded(panel);
  const int64_t next = block.phase.axis[2].out_step;
  const int64_t column = task.group * shape_.out_channels + panels_.first(panel);
  const Stretch& last = block.stretches[block.stretch_count - 1];
  const int64_t end = (last.y + (last.count - 1) * next) * channels + column + padded;
  const int64_t reads = block.phase.taps() * (task.last_row - task.first_row) / outer_.rows;
  const bool whole_lines = next * channels == padded ||
                           padded * static_cast<int64_t>(sizeof(T)) > kLine;
  if (end <= shape_.out_pixels() * channels && (whole_lines || reads < kWorthPacking)) {
    args.y = call.output + column;
    args.y_step = channels;
    args.y_next = next;
    return;
  }
  args.y = packed;
  args.y_step = padded;
  args.y_next = 1;
  CopyRunsArgs<T> runs{};
  runs.from_step = next * channels;
  runs.to = packed;
  runs.to_step = padded;
  runs.length = panels_.used(panel);
  if (runs.length < padded) std::fill_n(packed, block.count * padded, T(0));
  for (int64_t s = 0; s < block.stretch_count; ++s) {
    runs.from = call.output + block.stretches[s].y * channels + column;
    runs.count = block.stretches[s].count;
    gemm_.copy_runs(runs);
    runs.to += runs.count * padded;
  }
}

template <typename T>
void WeightGradient<T>::compute_panel(const Task& task, const Block& block, int64_t panel,
                                      bool add, const Call& call) const {
  const CorrelationAxis* axis = block.phase.axis;
  const int64_t K = shape_.in_channels, taps = block.phase.taps();
  alignas(64) T packed[kBlock * OuterLimits::kMaxWidth];
  OuterRun runs[kBlock];
  OuterArgs<T> args{};
  point_output(task, block, panel, call, packed, args);
  args.x_step = shape_.groups * K;
  args.x_next = axis[2].step;
  args.add = add;
  if (call.rows == Rows::channels) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      block.find_runs(shape_, tap, args.y == packed, args, runs);
      args.x = call.input + task.group * K + task.first_row + plans_[task.phase].tap_offset[tap];
      multiply(task, block, panel, tap, args, call);
    }
    return;
  }
  args.runs = runs;
  if (block.copied) {
    int64_t point = 0, row = 0;
    for (int64_t s = 0; s < block.stretch_count; ++s) {
      const Stretch& stretch = block.stretches[s];
      runs[s] = {row, args.y == packed ? point : stretch.y, stretch.count};
      point += stretch.count;
      row += axis[0].taps * axis[1].taps * block.copied_row;
    }
    args.run_count = block.stretch_count;
  } else {
    block.find_runs(shape_, 0, args.y == packed, args, runs);
  }
  const int64_t together = call.rows == Rows::taps ? taps : axis[2].taps;
  for (int64_t tap = 0; tap < taps; tap += together) {
    args.x = block.copied ? block.copied + tap / axis[2].taps * block.copied_row * K
                          : call.input + plans_[task.phase].tap_offset[tap];
    multiply(task, block, panel, tap, args, call);
  }
}

// All rows that begin with those of a tap.
template <typename T>
void WeightGradient<T>::multiply(const Task& task, const Block& block, int64_t panel, int64_t tap,
                                 OuterArgs<T> args, const Call& call) const {
  const CorrelationAxis& axis = block.phase.axis[2];
  const int64_t K = shape_.in_channels;
  const Plan& plan = plans_[task.phase];
  if (direct_) {
    args.ldc = shape_.in_stride;
    args.columns = panels_.used(panel);
    args.out = call.kernel + plan.kernel_tap[tap] * shape_.tap_stride +
               task.group * shape_.group_stride + panels_.first(panel);
  } else {
    args.ldc = args.columns = panels_.padded(panel);
    args.out = call.sums + task.piece * sums_size_ +
               taps_ * shape_.groups * K * panels_.first(panel) +
               ((plan.taps_before + tap) * shape_.groups + task.group) * K * args.ldc;
  }
  args.out += task.first_row * args.ldc;
  const bool scattered = call.rows == Rows::taps, wide = panels_.wide(panel);
  const int64_t length = scattered ? block.phase.taps() * K
                         : call.rows == Rows::tap_rows ? axis.taps * K
                                                       : task.last_row - task.first_row;
  const int64_t most = scattered ? outer_.scattered_rows : outer_.rows;
  const int64_t tiles = (length + most - 1) / most;
  const T* x = args.x;
  T* out = args.out;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t first = length * tile / tiles, count = length * (tile + 1) / tiles - first;
    args.out = out + first * args.ldc;
    if (!scattered) {
      args.x = x + first;
      outer_.outer[count - 1][wide](args);
      continue;
    }
    int64_t offsets[OuterLimits::kMaxScattered];
    for (int64_t r = 0; r < count; ++r) {
      const int64_t t = (first + r) / K, k = (first + r) % K;
      offsets[r] = k + (block.copied ? (t / axis.taps * block.copied_row +
                                        t % axis.taps * axis.tap_step) * K
                                     : plan.tap_offset[t]);
    }
    args.row_offsets = offsets;
    outer_.scattered[count - 1][wide](args);
  }
}

template <typename T>
void WeightGradient<T>::add_up(const Call& call) const {
  parallel_for(static_cast<int64_t>(tasks_.size()), kMultiplyTime * work_,
            [&](int64_t i) { compute(tasks_[i], call); });
}

// The pieces' sums, in order, to where they belong.
template <typename T>
void WeightGradient<T>::finish(const T* sums, T* kernel) const {
  const int64_t K = shape_.in_channels, rows = taps_ * shape_.groups * K;
  const auto finish_row = [&](int64_t row, T* to) {
    for (int64_t panel = 0; panel < panels_.count(); ++panel) {
      const int64_t padded = panels_.padded(panel);
      const T* from = sums + rows * panels_.first(panel) + row * padded;
      T total[OuterLimits::kMaxWidth];
      std::copy_n(from, padded, total);
      for (int64_t piece = 1; piece < pieces_; ++piece) {
        from += sums_size_;
        CONVNET_SIMD
        for (int64_t n = 0; n < padded; ++n) total[n] += from[n];
      }
      for (int64_t n = 0; n < panels_.used(panel); ++n, to += shape_.out_stride) *to = total[n];
    }
  };
  for (const Plan& plan : plans_)
    parallel_for(static_cast<int64_t>(plan.kernel_tap.size()) * shape_.groups,
                 kElementTime * pieces_ * sums_size_, [&](int64_t task) {
      const int64_t tap = task / shape_.groups, g = task % shape_.groups;
      for (int64_t k = 0; k < K; ++k)
        finish_row((plan.taps_before * shape_.groups + task) * K + k,
                   kernel + plan.kernel_tap[tap] * shape_.tap_stride + g * shape_.group_stride +
                       k * shape_.in_stride);
    });
}

template <typename T>
void WeightGradient<T>::run(const T* input, const T* output, T* kernel, void* workspace) const {
  if (depthwise_) return depthwise_->run(input, output, kernel, workspace);
  // Not every tap need be one of a phase.
  if (work_ == 0 || taps_ * shape_.groups * shape_.in_channels * shape_.out_channels < kernel_size_)
    std::fill_n(kernel, kernel_size_, T(0));
  if (work_ == 0) return;
  T* sums = static_cast<T*>(workspace);
  add_up({input, output, kernel, sums, rows_});
  // An Inf times a zero that stands for no term would have made a NaN.
  if (rows_ != Rows::channels && margins_ &&
      !(direct_ ? all_finite(kernel, kernel_size_) : all_finite(sums, pieces_ * sums_size_)))
    add_up({input, output, kernel, sums, Rows::channels});
  if (!direct_) finish(sums, kernel);
}

template class WeightGradient<float>;
template class WeightGradient<double>;

}  // namespace convnet
