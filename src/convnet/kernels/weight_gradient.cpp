#include "weight_gradient.h"

#include <algorithm>
#include <utility>

#include "../core/threads.h"
#include "depthwise.h"
#include "finite.h"
#include "tasks.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::copy_columns;
using detail::for_each_tap;
using detail::Walk;

namespace {

constexpr int64_t kPoints = 128;        // positions that one call adds up
constexpr size_t kColumnBytes = 49152;  // gathered rows, on the task's stack
constexpr int64_t kFewTasks = 16;
constexpr int64_t kPiece = 1024;        // positions worth a task of their own

}  // namespace

template <typename T>
WeightGradient<T>::WeightGradient(CorrelationShape shape)
    : shape_(std::move(shape)), gemm_(gemm<T>()), outer_(outer<T>()) {
  const int64_t K = shape_.in_channels;
  panels_ = Panels{shape_.out_channels, gemm_.lanes};
  columns_ = K < gemm_.rows;
  kernel_size_ = shape_.kernel[0] * shape_.kernel[1] * shape_.kernel[2] * K *
                 shape_.out_channels * shape_.groups;
  if (has_multiplier(shape_) && shape_.in_channels == 1) {
    repeats_ = shape_.out_channels;
    repeated_ = align_up(static_cast<size_t>(shape_.in_pixels() * shape_.groups * repeats_) * sizeof(T));
    shape_ = without_multiplier(std::move(shape_));
  }
  if (is_depthwise(shape_)) {
    pieces_ = depthwise_pieces(shape_);
    workspace_ = repeated_;
    if (pieces_ > 1) workspace_ += static_cast<size_t>(pieces_ * kernel_size_) * sizeof(T);
    return;
  }
  const int64_t row = static_cast<int64_t>(kColumnBytes / sizeof(T)) / kPoints;
  const int64_t most = columns_ ? std::max<int64_t>(1, row / std::max<int64_t>(K, 1)) : 1;

  int64_t positions = 0;
  for (int p = 0; p < static_cast<int>(shape_.phases.size()); ++p) {
    const CorrelationPhase& phase = shape_.phases[p];
    Plan plan;
    for_each_tap(shape_, phase,
                 [&](int64_t, int64_t, int64_t, int64_t, int64_t offset, int64_t tap) {
                   plan.tap_offset.push_back(offset);
                   plan.kernel_tap.push_back(tap);
                 });
    plans_.push_back(std::move(plan));
    positions = std::max(positions, shape_.batch * phase.positions());
    work_ += shape_.batch * phase.positions() * phase.taps() * K * shape_.out_channels *
             shape_.groups;
    for (int64_t g = 0; g < shape_.groups; ++g)
      for (int64_t tap = 0; tap < phase.taps(); tap += most)
        for (int64_t panel = 0, panels; panel < panels_.count(); panel += panels) {
          panels = columns_ ? panels_.count() : 1;
          tasks_.push_back({p, g, tap, std::min(tap + most, phase.taps()), panel, panel + panels, 0});
        }
  }
  const int64_t owners = static_cast<int64_t>(tasks_.size());
  if (owners > 0 && owners < kFewTasks)
    pieces_ = std::max<int64_t>(1, std::min(kFewTasks / owners, positions / kPiece));
  for (int64_t piece = 1; piece < pieces_; ++piece)
    for (int64_t i = 0; i < owners; ++i) {
      tasks_.push_back(tasks_[i]);
      tasks_.back().piece = piece;
    }
  if (pieces_ > 1) workspace_ = static_cast<size_t>(pieces_ * kernel_size_) * sizeof(T);
}

// Adds count points to the rows of `length` (tap, k) that begin at first_tap.
template <typename T>
void WeightGradient<T>::accumulate(const Task& task, int64_t panel, int64_t first_tap,
                                   int64_t length, const T* const* points, const T* packed,
                                   int64_t count, T* kernel) const {
  const int64_t K = shape_.in_channels;
  const Plan& plan = plans_[task.phase];
  const int rows = gemm_.rows, used = panels_.used(panel);
  const bool wide = panels_.wide(panel);
  T* column = kernel + task.group * shape_.group_stride +
              panels_.first(panel) * shape_.out_stride;
  // Rows of several taps are a matrix too where taps follow each other.
  const int64_t taps = length / std::max<int64_t>(K, 1);
  const bool matrix = taps <= 1 ||
                      (shape_.tap_stride == K * shape_.in_stride &&
                       plan.kernel_tap[first_tap + taps - 1] == plan.kernel_tap[first_tap] + taps - 1);
  const bool direct = shape_.out_stride == 1 && matrix;
  T tile[GemmLimits::kMaxRows * GemmLimits::kMaxWidth];

  OuterArgs<T> args{};
  args.points = points;
  args.count = count;
  args.b = packed;
  args.column_count = used;
  for (int64_t row = 0; row < length; row += rows) {
    // The last tile reaches back rather than past the end of a pixel, unless
    // the rows are our own.
    const bool own = columns_;
    args.first = own ? row : std::min(row, length - rows);
    args.skip = static_cast<int>(row - args.first);
    args.row_count = static_cast<int>(std::min<int64_t>(rows, length - args.first));
    if (direct) {
      args.out = column + plan.kernel_tap[first_tap] * shape_.tap_stride +
                 args.first * shape_.in_stride;
      args.ldc = shape_.in_stride;
      args.add = true;
      outer_.outer[wide](args);
      continue;
    }
    args.out = tile;
    args.ldc = GemmLimits::kMaxWidth;
    args.add = false;
    outer_.outer[wide](args);
    for (int r = args.skip; r < args.row_count; ++r) {
      const int64_t tap = first_tap + (args.first + r) / K, k = (args.first + r) % K;
      T* out = column + plan.kernel_tap[tap] * shape_.tap_stride + k * shape_.in_stride;
      for (int n = 0; n < used; ++n)
        out[n * shape_.out_stride] += tile[r * GemmLimits::kMaxWidth + n];
    }
  }
}

template <typename T>
void WeightGradient<T>::compute(const Task& task, const Call& call) const {
  const int64_t positions = shape_.batch * shape_.phases[task.phase].positions();
  const int64_t begin = positions * task.piece / pieces_;
  const int64_t end = positions * (task.piece + 1) / pieces_;
  for (int64_t first = begin; first < end; first += kPoints) {
    const int64_t last = std::min(end, first + kPoints);
    if (columns_ && !call.clip) {
      compute_columns(task, call, first, last);
      continue;
    }
    for (int64_t tap = task.first_tap; tap < task.last_tap; ++tap)
      compute_tap(task, call, tap, first, last);
  }
}

// All taps at once, zeros standing for those outside the input.
template <typename T>
void WeightGradient<T>::compute_columns(const Task& task, const Call& call, int64_t first,
                                        int64_t last) const {
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t length = (task.last_tap - task.first_tap) * shape_.in_channels;
  const int64_t out_channels = shape_.groups * shape_.out_channels, count = last - first;
  alignas(16) T packed[kPoints * GemmLimits::kMaxWidth];
  alignas(16) T matrix[kColumnBytes / sizeof(T) + GemmLimits::kMaxRows];
  const T* points[kPoints];
  for (int64_t i = 0; i < count; ++i) points[i] = matrix + i * length;
  Walk columns(shape_, phase, first);
  for (int64_t i = 0, copied; i < count; i += copied) {
    copied = copy_columns(shape_, phase, gemm_, columns, plans_[task.phase].tap_offset.data(),
                          call.input + task.group * shape_.in_channels, task.first_tap,
                          task.last_tap, count - i, matrix + i * length);
    columns.advance(copied);
  }
  std::fill_n(matrix + count * length, GemmLimits::kMaxRows, T(0));

  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    const int64_t padded = panels_.padded(panel);
    CopyRunsArgs<T> args{};
    args.from_step = phase.axis[2].out_step * out_channels;
    args.to_step = padded;
    args.length = panels_.used(panel);
    if (args.length < padded) std::fill_n(packed, count * padded, T(0));
    Walk walk(shape_, phase, first);
    for (int64_t i = 0; i < count; i += args.count) {
      args.from = call.output + walk.out_pixel() * out_channels +
                  task.group * shape_.out_channels + panels_.first(panel);
      args.to = packed + i * padded;
      args.count = std::min(walk.left_in_row(), count - i);
      gemm_.copy_runs(args);
      walk.advance(args.count);
    }
    accumulate(task, panel, task.first_tap, length, points, packed, count, call.kernel);
  }
}

// One tap, from the positions where it reads inside the input.
template <typename T>
void WeightGradient<T>::compute_tap(const Task& task, const Call& call, int64_t tap, int64_t first,
                                    int64_t last) const {
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t K = shape_.in_channels, in_channels = shape_.groups * K;
  const int64_t out_channels = shape_.groups * shape_.out_channels;
  const CorrelationAxis& axis = phase.axis[2];
  const int64_t c = tap % axis.taps, ab = tap / axis.taps;
  const int64_t a = ab / phase.axis[1].taps, b = ab % phase.axis[1].taps;
  const T* base = call.input + task.group * K + plans_[task.phase].tap_offset[tap];
  alignas(16) T packed[kPoints * GemmLimits::kMaxWidth];
  alignas(16) T matrix[kPoints * GemmLimits::kMaxRows + GemmLimits::kMaxRows];
  const T* points[kPoints];
  int64_t from, to;  // the part of a row where the tap is inside
  Walk::inside_range(axis, c * axis.tap_step, shape_.in[2], &from, &to);

  for (int64_t panel = task.first_panel; panel < task.last_panel; ++panel) {
    const int64_t padded = panels_.padded(panel);
    CopyRunsArgs<T> args{};
    args.from_step = axis.out_step * out_channels;
    args.to_step = padded;
    args.length = panels_.used(panel);
    if (args.length < padded) std::fill_n(packed, kPoints * padded, T(0));
    int64_t count = 0;
    Walk walk(shape_, phase, first);
    for (int64_t q = first; q < last;) {
      const int64_t row = std::min(walk.left_in_row(), last - q);
      const int64_t begin = std::max<int64_t>(0, from - walk.column());
      const int64_t end = std::min(row, to - walk.column());
      if (begin < end && walk.inside(0, a) && walk.inside(1, b)) {
        const T* x = base + (walk.in_pixel() + begin * axis.step) * in_channels;
        for (int64_t i = count; i < count + end - begin; ++i, x += axis.step * in_channels) {
          points[i] = columns_ ? matrix + i * K : x;
          if (columns_) std::copy_n(x, K, matrix + i * K);
        }
        args.from = call.output + (walk.out_pixel() + begin * axis.out_step) * out_channels +
                    task.group * shape_.out_channels + panels_.first(panel);
        args.to = packed + count * padded;
        args.count = end - begin;
        gemm_.copy_runs(args);
        count += args.count;
      }
      walk.advance(row);
      q += row;
    }
    if (columns_) std::fill_n(matrix + count * K, GemmLimits::kMaxRows, T(0));
    if (count > 0) accumulate(task, panel, tap, K, points, packed, count, call.kernel);
  }
}

template <typename T>
void WeightGradient<T>::add_up(const Call& call) const {
  std::fill_n(call.kernel, pieces_ * kernel_size_, T(0));
  run_tasks(static_cast<int64_t>(tasks_.size()), work_, [&](int64_t i) {
    Call own = call;
    own.kernel += tasks_[i].piece * kernel_size_;
    compute(tasks_[i], own);
  });
}

template <typename T>
void WeightGradient<T>::run(const T* input, const T* output, T* kernel, void* workspace) const {
  T* room = reinterpret_cast<T*>(static_cast<char*>(workspace) + repeated_);
  T* sums = pieces_ > 1 ? room : kernel;
  if (repeats_ > 1) {
    T* repeated = static_cast<T*>(workspace);
    repeat_channels(input, shape_.in_pixels() * shape_.groups / repeats_, repeats_, repeated);
    input = repeated;
  }
  if (is_depthwise(shape_)) {
    depthwise_weight_gradient(shape_, pieces_, input, output, sums);
  } else {
    add_up({input, output, sums, false});
    // An Inf times a zero that stands for no term would have made a NaN.
    if (columns_ && !all_finite(sums, pieces_ * kernel_size_)) add_up({input, output, sums, true});
  }
  if (pieces_ == 1) return;
  parallel_ranges(kernel_size_, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T sum = sums[i];
      for (int64_t piece = 1; piece < pieces_; ++piece) sum += sums[piece * kernel_size_ + i];
      kernel[i] = sum;
    }
  });
}

template class WeightGradient<float>;
template class WeightGradient<double>;

}  // namespace convnet
