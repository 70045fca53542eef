#include "weight_gradient.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "../core/simd.h"
#include "../core/threads.h"
#include "depthwise_gradient.h"
#include "joined_groups.h"
#include "position_block.h"
#include "winograd_gradient.h"

namespace convnet {

using detail::CorrelationBox;
using detail::cut_boxes;
using detail::for_each_tap;
using detail::plan_strips;
using detail::PositionBlock;
using detail::Range;
using detail::RowTaps;
using detail::Stretch;
using detail::StripPlan;
using detail::StripWalk;

namespace {

constexpr int64_t kBlock = PositionBlock::kMost;
constexpr int64_t kTasks = 16;
constexpr int64_t kPiece = 1024;      // positions worth a task of their own
constexpr int64_t kRowsTask = 48;     // rows a task
constexpr int64_t kLine = 64;         // bytes of a line of the cache
constexpr int64_t kWorthPacking = 24;  // times that a block of the output is read

}  // namespace

template <typename T>
WeightGradient<T>::WeightGradient(CorrelationShape shape)
    : shape_(std::move(shape)), gemm_(gemm<T>()), outer_(outer<T>()) {
  kernel_size_ = shape_.kernel[0] * shape_.kernel[1] * shape_.kernel[2] * shape_.in_channels *
                 shape_.out_channels * shape_.groups;
  if (DepthwiseGradient<T>::suits(shape_)) {
    depthwise_ = std::make_unique<const DepthwiseGradient<T>>(shape_);
    workspace_ = depthwise_->workspace();
    return;
  }
  rows_ = shape_.in_channels;
  const int64_t together = groups_together(shape_, gemm_.lanes);
  joined_ = together > 1 && shape_.out_stride == 1 && shape_.group_stride == shape_.out_channels;
  shares_ = joined_ && of_channels(outer_.shared_groups, rows_);
  if (joined_) shape_ = join_groups(std::move(shape_), together);
  panels_ = Panels{shape_.out_channels, outer_.width, outer_.grain};
  plan_phases();
  plan_tasks();
  if (!direct_) {
    sums_size_ = taps_ * shape_.groups * rows_ * panels_.padded_columns();
    workspace_ = static_cast<size_t>(pieces_ * sums_size_) * sizeof(T);
  }
  winograd_ = WinogradGradient<T>::of(shape_);
  if (winograd_) workspace_ = std::max(workspace_, winograd_->workspace());
}

template <typename T>
WeightGradient<T>::~WeightGradient() = default;

template <typename T>
double WeightGradient<T>::lanes_used(int64_t channels) {
  const Panels panels{channels, outer<T>().width, outer<T>().grain};
  return static_cast<double>(channels) / static_cast<double>(std::max<int64_t>(1, panels.padded_columns()));
}

template <typename T>
void WeightGradient<T>::plan_phases() {
  const int64_t K = shape_.in_channels;
  bool in_order = true;
  for (const CorrelationPhase& phase : shape_.phases) {
    Plan plan{{}, {}, taps_};
    for_each_tap(shape_, phase,
                 [&](int64_t, int64_t offset, int64_t tap) {
                   in_order = in_order && (plan.kernel_tap.empty() || tap == plan.kernel_tap.back() + 1);
                   plan.tap_offset.push_back(offset);
                   plan.kernel_tap.push_back(tap);
                 });
    plans_.push_back(std::move(plan));
    taps_ += phase.taps();
    work_ += shape_.batch * phase.positions() * phase.taps() * rows_ * shape_.out_channels *
             shape_.groups;
  }
  few_ = shape_.groups == 1 && !joined_ && K <= outer_.rows / 2 && taps_ > 1;
  if (few_)
    for (const CorrelationBox& box : cut_boxes(shape_))
      strips_.push_back({box.phase, plan_strips(shape_, box, shape_.phases[box.phase])});
  direct_ = shape_.out_stride == 1 &&
            (!few_ || (in_order && shape_.tap_stride == K * shape_.in_stride));
}

template <typename T>
void WeightGradient<T>::plan_tasks() {
  int64_t positions = 0;
  for (const CorrelationPhase& phase : shape_.phases)
    positions = std::max(positions, shape_.batch * phase.positions());
  // Groups that are joined are taken together: what lies where in a block is found once for all of them.
  int64_t group_parts = joined_ ? 1 : shape_.groups;
  int64_t owners = static_cast<int64_t>(shape_.phases.size()) * group_parts;
  // Powers of two: the usual teams of threads then have equal shares.
  const auto share = [&](int64_t most) {
    int64_t parts = 1;
    while (owners * 2 <= kTasks && parts * 2 <= most) parts *= 2, owners *= 2;
    return parts;
  };
  pieces_ = share(positions / kPiece);
  if (joined_) group_parts = share(shape_.groups);
  const int64_t row_parts = few_ ? 1 : share(rows_ / kRowsTask);
  const int64_t panel_parts = share(panels_.count());
  for (int64_t piece = 0; piece < pieces_; ++piece)
    for (int p = 0; p < static_cast<int>(shape_.phases.size()); ++p)
      for (int64_t g = 0; g < group_parts && shape_.phases[p].taps() > 0; ++g)
        for (int64_t r = 0; r < row_parts; ++r)
          for (int64_t c = 0; c < panel_parts; ++c)
            tasks_.push_back({p, shape_.groups * g / group_parts, shape_.groups * (g + 1) / group_parts,
                              rows_ * r / row_parts, rows_ * (r + 1) / row_parts,
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
  for (int64_t first = begin; first < end; first += kBlock) {
    const PositionBlock block(shape_, phase, first, std::min(end, first + kBlock));
    for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel)
      for (Task part = task; part.first_group < task.last_group; part.first_group = part.last_group) {
        part.last_group = task.last_group;
        if (!output_in_place(part, block, panel)) part.last_group = part.first_group + 1;
        compute_panel(part, block, panel, first > begin, call);
      }
  }
}

// The task's part of each box, whose taps are all inside; sums of taps begin with 0.
template <typename T>
void WeightGradient<T>::compute_few(const Task& task, const Call& call) const {
  const int64_t rows = shape_.phases[task.phase].taps() * shape_.in_channels;
  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    OuterArgs<T> args{};
    point_sums(task, panel, call, args);
    for (int64_t r = 0; r < rows; ++r) std::fill_n(args.out + r * args.ldc, args.columns, T(0));
  }
  for (const auto& [phase, strips] : strips_) {
    if (phase != task.phase || strips.segments.empty()) continue;
    int64_t positions = 1;
    for (const StripPlan::Axis& axis : strips.axis) positions *= axis.count;
    const int64_t end = positions * (task.piece + 1) / pieces_;
    for (int64_t first = positions * task.piece / pieces_; first < end; first += kBlock)
      add_strips(task, strips, first, std::min(kBlock, end - first), call);
  }
}

// A block of strips: products of what lies under several taps with the output's columns.
template <typename T>
void WeightGradient<T>::add_strips(const Task& task, const StripPlan& strips, int64_t first,
                                   int64_t count, const Call& call) const {
  const int64_t step = strips.axis[3].out_step, rows = static_cast<int64_t>(strips.segments.size());
  const int64_t tiles = divide_up(rows, outer_.scattered_rows);
  OuterRun runs[kBlock], packed_runs[kBlock];
  int64_t run_count = 0, last = 0;
  StripWalk walk(strips, first);
  for (int64_t q = 0, length; q < count; q += length, walk.advance(length)) {
    length = std::min(walk.left_in_strip(), count - q);
    runs[run_count++] = {walk.in(), walk.out(), length};
    last = std::max(last, walk.out() + (length - 1) * step);
  }
  alignas(64) T packed[kBlock * OuterLimits::kMaxWidth];
  OuterArgs<T> args{};
  args.x = call.input;
  args.x_next = strips.axis[3].in_step;
  args.run_count = run_count;
  args.add = true;
  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    const T* columns = call.output + panels_.first(panel);
    const bool in_place = reads_in_place(panel, panels_.first(panel) + last, step, tiles);
    args.runs = in_place ? runs : packed_runs;
    args.y = in_place ? columns : packed;
    args.y_next = in_place ? step : panels_.padded(panel);
    T* to = packed;
    for (int64_t s = 0; !in_place && s < run_count; ++s) {
      packed_runs[s] = {runs[s].x, to - packed, runs[s].count};
      to = pack_columns(panel, columns + runs[s].y, step, runs[s].count, to);
    }
    point_sums(task, panel, call, args);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t begin = rows * tile / tiles, height = rows * (tile + 1) / tiles - begin;
      args.terms = strips.segments.data() + begin;
      args.y_is_new = in_place && tile == 0;
      outer_.scattered[height - 1][panels_.grains(panel) - 1](args);
    }
  }
}

// Whether the output's columns of a panel are read where they lie: not if past the end, nor
// often from lines that are not read whole. last: the first of the last pixel's; step: from
// pixel to pixel.
template <typename T>
bool WeightGradient<T>::reads_in_place(int64_t panel, int64_t last, int64_t step, int64_t reads) const {
  const int64_t padded = panels_.padded(panel);
  const bool whole_lines = step == padded || padded * static_cast<int64_t>(sizeof(T)) > kLine;
  return last + padded <= shape_.out_pixels() * shape_.groups * shape_.out_channels &&
         (whole_lines || reads < kWorthPacking);
}

// The columns of `count` pixels; returns the end of what it writes.
template <typename T>
T* WeightGradient<T>::pack_columns(int64_t panel, const T* from, int64_t step, int64_t count, T* to) const {
  const int64_t padded = panels_.padded(panel), used = panels_.used(panel);
  if (used < padded) std::fill_n(to, count * padded, T(0));
  gemm_.copy_runs({from, step, to, padded, count, used});
  return to + count * padded;
}

template <typename T>
bool WeightGradient<T>::output_in_place(const Task& task, const PositionBlock& block, int64_t panel) const {
  const int64_t next = block.phase.axis[2].out_step * shape_.groups * shape_.out_channels;
  const int64_t column = (task.last_group - 1) * shape_.out_channels + panels_.first(panel);
  const Stretch& last = block.stretches[block.stretch_count - 1];
  const int64_t reads = block.phase.taps() * (task.last_row - task.first_row) / outer_.rows;
  return reads_in_place(panel, last.y + (last.count - 1) * next + column, next, reads);
}

template <typename T>
void WeightGradient<T>::point_output(const Task& task, const PositionBlock& block, int64_t panel, const Call& call,
                                     T* packed, OuterArgs<T>& args) const {
  const int64_t next = block.phase.axis[2].out_step * shape_.groups * shape_.out_channels;
  const int64_t column = task.first_group * shape_.out_channels + panels_.first(panel);
  if (output_in_place(task, block, panel)) {
    args.y = call.output + column;
    args.y_next = next;
    return;
  }
  args.y = packed;
  args.y_next = panels_.padded(panel);
  for (int64_t s = 0; s < block.stretch_count; ++s)
    packed = pack_columns(panel, call.output + block.stretches[s].y + column, next,
                          block.stretches[s].count, packed);
}

template <typename T>
void WeightGradient<T>::compute_panel(const Task& task, const PositionBlock& block, int64_t panel,
                                      bool add, const Call& call) const {
  const int64_t K = shape_.in_channels, taps = block.phase.taps();
  alignas(64) T packed[kBlock * OuterLimits::kMaxWidth];
  OuterRun runs[kBlock];
  OuterArgs<T> args{};
  point_output(task, block, panel, call, packed, args);
  const T* const y = args.y;
  args.x_next = block.phase.axis[2].step * shape_.groups * K;
  const CorrelationAxis& axis = block.phase.axis[2];
  const auto multiply_runs = [&](int64_t tap, int64_t count, auto&& ranges) {
    block.find_runs(shape_, tap, y == packed, args, runs, ranges);
    args.y_is_new = y != packed && tap == 0;
    for (Task group = task; group.first_group < task.last_group; ++group.first_group) {
      args.x = call.input + group.first_group * K + task.first_row + plans_[task.phase].tap_offset[tap];
      args.y = y + (group.first_group - task.first_group) * shape_.out_channels;
      multiply(group, panel, tap, count, args, call);
    }
  };
  args.y_tap = -axis.tap_step * args.y_next;
  for (int64_t tap = 0, count; tap < taps; tap += count) {
    const bool shares = shares_ && axis.step == 1 && axis.taps - tap % axis.taps >= OuterLimits::kSharedTaps;
    count = shares ? OuterLimits::kSharedTaps : 1;
    const RowTaps row(shape_, block.phase, tap, count);
    args.add = add;
    multiply_runs(tap, count, [&](const Stretch& stretch, auto&& found) { found(row.shared(stretch)); });
    args.add = true;
    for (int64_t t = 0; shares && t < count; ++t)
      multiply_runs(tap + t, 1, [&](const Stretch& stretch, auto&& found) {
        for (const Range& range : row.others(stretch, t)) found(range);
      });
  }
}

// Where the sums of a task's first tap are, and of how many columns.
template <typename T>
void WeightGradient<T>::point_sums(const Task& task, int64_t panel, const Call& call,
                                   OuterArgs<T>& args) const {
  const Plan& plan = plans_[task.phase];
  if (direct_) {
    args.ldc = shape_.in_stride;
    args.columns = panels_.used(panel);
    args.out = call.kernel + plan.kernel_tap[0] * shape_.tap_stride +
               task.first_group * shape_.group_stride + panels_.first(panel);
  } else {
    args.ldc = args.columns = panels_.padded(panel);
    args.out = call.sums + task.piece * sums_size_ +
               taps_ * shape_.groups * rows_ * panels_.first(panel) +
               (plan.taps_before * shape_.groups + task.first_group) * rows_ * args.ldc;
  }
}

// All rows of a tap, or of `count` that share the input.
template <typename T>
void WeightGradient<T>::multiply(const Task& task, int64_t panel, int64_t tap, int64_t count, OuterArgs<T> args,
                                 const Call& call) const {
  const std::vector<int64_t>& taps = plans_[task.phase].kernel_tap;
  point_sums(task, panel, call, args);
  const auto from = [&](int64_t first, int64_t last) {
    return direct_ ? (taps[last] - taps[first]) * shape_.tap_stride : (last - first) * shape_.groups * rows_ * args.ldc;
  };
  args.out += from(0, tap);
  args.out_tap = from(tap, tap + count - 1) / std::max<int64_t>(1, count - 1);
  if (joined_) return of_channels(count > 1 ? outer_.shared_groups : outer_.groups, rows_)(args);
  args.out += task.first_row * args.ldc;
  outer_.all_rows(args, task.last_row - task.first_row, panels_.grains(panel));
}

// The pieces' sums, in order, to where they belong.
template <typename T>
void WeightGradient<T>::finish(const T* sums, T* kernel) const {
  const int64_t rows = taps_ * shape_.groups * rows_;
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
      for (int64_t k = 0; k < rows_; ++k)
        finish_row((plan.taps_before * shape_.groups + task) * rows_ + k,
                   kernel + plan.kernel_tap[tap] * shape_.tap_stride + g * shape_.group_stride +
                       k * shape_.in_stride);
    });
}

template <typename T>
void WeightGradient<T>::run(const T* input, const T* output, T* kernel, void* workspace) const {
  if (depthwise_) return depthwise_->run(input, output, kernel, workspace);
  // Not every tap need be one of a phase.
  if (work_ == 0 || taps_ * shape_.groups * rows_ * shape_.out_channels < kernel_size_)
    std::fill_n(kernel, kernel_size_, T(0));
  if (work_ == 0) return;
  T* sums = static_cast<T*>(workspace);
  if (winograd_ && winograd_->run(input, output, kernel, sums)) return;
  const Call call{input, output, kernel, sums};
  parallel_for(static_cast<int64_t>(tasks_.size()), kMultiplyTime * work_, [&](int64_t i) {
    few_ ? compute_few(tasks_[i], call) : compute(tasks_[i], call);
  });
  if (!direct_) finish(sums, kernel);
}

template class WeightGradient<float>;
template class WeightGradient<double>;

}  // namespace convnet
