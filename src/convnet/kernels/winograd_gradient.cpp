#include "winograd_gradient.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "../core/simd.h"
#include "../core/threads.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::kWinogradComponents;
using detail::kWinogradGap;
using detail::kWinogradOutputs;
using detail::kWinogradWeights;
using detail::WinogradPhase;

namespace {

constexpr int64_t kBlockBytes = 640 << 10;  // of what a block's products are taken of
constexpr int64_t kLeastBlock = 16, kMostBlock = 96;
// Rows, and columns, of a task: few tasks have fewer, though each adds up its own inputs and gradients.
constexpr int64_t kSide = 128, kShortSide = 64;
constexpr int64_t kTasks = 16, kFewTasks = 4;
constexpr double kSumTime = 20;  // in products, to finish a component's sum
constexpr int64_t kPiece = 256, kLeastPiece = 64;  // tiles worth a task of their own, and of few tasks

}  // namespace

template <typename T>
std::unique_ptr<const WinogradGradient<T>> WinogradGradient<T>::of(const CorrelationShape& shape) {
  std::vector<WinogradPhase> phases = detail::winograd_phases<T>(
      shape, winograd_transform<T>().lanes, shape.batch, kSumTime);
  if (phases.empty()) return nullptr;
  return std::unique_ptr<const WinogradGradient>(new WinogradGradient(shape, std::move(phases)));
}

template <typename T>
WinogradGradient<T>::WinogradGradient(const CorrelationShape& shape, std::vector<WinogradPhase> phases)
    : shape_(shape), outer_(outer<T>()), transform_(winograd_transform<T>()) {
  int64_t least = 0;
  for (WinogradPhase& phase : phases) {
    const int64_t tiles = phase.tiles() * shape_.batch, rows = phase.parts() * shape_.in_channels;
    const int64_t sums = phase.components() * rows * shape_.out_channels;
    least = least == 0 ? tiles : std::min(least, tiles);
    work_ += tiles * sums;
    plans_.push_back({std::move(phase), 0, sums});
  }
  const auto owners = [&] {
    int64_t count = 0;
    for (const Plan& plan : plans_)
      count += divide_up(plan.phase.parts() * shape_.in_channels, rows_) * divide_up(shape_.out_channels, columns_);
    return count;
  };
  rows_ = columns_ = kSide;
  while (owners() * pieces_ < kTasks && 2 * pieces_ * kPiece <= least) pieces_ *= 2;
  while (owners() * pieces_ < kFewTasks && 2 * pieces_ * kLeastPiece <= least) pieces_ *= 2;
  for (int64_t* side : {&columns_, &rows_})
    if (owners() * pieces_ < kFewTasks) *side = kShortSide;
  for (int p = 0; p < static_cast<int>(plans_.size()); ++p) {
    plans_[p].sums_at = sums_;
    sums_ += plans_[p].sums * pieces_;
    plan_tasks(p);
  }
  rooms_ = room_count(static_cast<int64_t>(tasks_.size()));
}

// Rows of whole parts, or some channels of one.
template <typename T>
void WinogradGradient<T>::plan_tasks(int plan) {
  const WinogradPhase& phase = plans_[plan].phase;
  const int64_t K = shape_.in_channels, N = shape_.out_channels, tiles = phase.tiles() * shape_.batch;
  const int64_t parts = std::max<int64_t>(1, rows_ / K), channels = std::min(K, rows_);
  for (int64_t piece = 0; piece < pieces_; ++piece) {
    const int64_t first = tiles * piece / pieces_, count = tiles * (piece + 1) / pieces_ - first;
    for (int64_t part = 0; part < phase.parts(); part += parts)
      for (int64_t k = 0; k < K; k += channels)
        for (int64_t n = 0; n < N; n += columns_) {
          const Task task{plan, piece, first, count, part, std::min(part + parts, phase.parts()),
                          k,    std::min(channels, K - k), n, std::min(columns_, N - n)};
          tasks_.push_back(task);
          const int64_t elements = block_of(task) * (task.rows() + task.columns) + 2 * kWinogradGap;
          room_ = std::max(room_, phase.components() * elements);
        }
  }
}

// Tiles that are taken at a time.
template <typename T>
int64_t WinogradGradient<T>::block_of(const Task& task) const {
  const int64_t elements = plans_[task.plan].phase.components() * (task.rows() + task.columns);
  return std::clamp(kBlockBytes / (elements * static_cast<int64_t>(sizeof(T))), kLeastBlock, kMostBlock);
}

template <typename T>
size_t WinogradGradient<T>::workspace() const {
  const int64_t zeros = std::max(shape_.in_channels, shape_.out_channels);
  return align_up(static_cast<size_t>(zeros) * sizeof(T)) + static_cast<size_t>(sums_ + rooms_ * room_) * sizeof(T);
}

template <typename T>
void WinogradGradient<T>::spread_gradients(const Task& task, int64_t first_tile, int64_t tiles, const Call& call,
                                           T* to, int64_t step) const {
  const WinogradPhase& phase = plans_[task.plan].phase;
  const auto transform = transform_.result_gradients[phase.axis[1].form()][phase.axis[2].form()];
  int64_t pixels[kWinogradOutputs];
  const T* from[kWinogradOutputs];
  detail::WinogradWalk walk(phase, first_tile);
  for (int64_t i = 0; i < tiles; ++i, to += task.columns, walk.advance()) {
    phase.out_pixels(shape_, walk.tile(), pixels);
    for (int o = 0; o < phase.outputs(); ++o)
      from[o] = pixels[o] < 0 ? call.zeros : call.output + pixels[o] * shape_.out_channels + task.first_column;
    transform({from, to, step, task.columns});
  }
}

template <typename T>
void WinogradGradient<T>::multiply(const Task& task, int64_t tiles, bool add, const T* inputs, int64_t input_step,
                                   const T* outputs, int64_t output_step, T* sums) const {
  const Plan& plan = plans_[task.plan];
  const Panels panels{task.columns, outer_.width, outer_.grain};
  const OuterRun run{0, 0, tiles};
  OuterArgs<T> args{};
  args.x_next = task.rows();
  args.y_next = task.columns;
  args.runs = &run;
  args.run_count = 1;
  args.ldc = shape_.out_channels;
  args.add = add;
  for (int c = 0; c < plan.phase.components(); ++c) {
    args.x = inputs + c * input_step;
    T* out = sums + ((c * plan.phase.parts() + task.first_part) * shape_.in_channels + task.first_channel) *
                        shape_.out_channels + task.first_column;
    for (int64_t panel = 0; panel < panels.count(); ++panel) {
      args.columns = panels.used(panel);
      args.y = outputs + c * output_step + panels.first(panel);
      args.out = out + panels.first(panel);
      outer_.all_rows(args, task.rows(), panels.grains(panel));
    }
  }
}

template <typename T>
void WinogradGradient<T>::compute(const Task& task, const Call& call, T* room) const {
  const Plan& plan = plans_[task.plan];
  const int64_t block = block_of(task);
  const int64_t input_step = block * task.rows() + kWinogradGap, output_step = block * task.columns + kWinogradGap;
  T* outputs = room + plan.phase.components() * input_step;
  T* sums = call.sums + plan.sums_at + task.piece * plan.sums;
  for (int64_t done = 0, tiles; done < task.tiles; done += tiles) {
    tiles = std::min(block, task.tiles - done);
    detail::sum_winograd_inputs<T>({shape_, plan.phase, task.first_tile + done, tiles, task.first_part, task.last_part,
                                    call.input + task.first_channel, call.zeros, task.channels},
                                   room, input_step);
    spread_gradients(task, task.first_tile + done, tiles, call, outputs, output_step);
    multiply(task, tiles, done > 0, room, input_step, outputs, output_step, sums);
  }
}

// The sums of all pieces, and of these the weights of one input channel under a part's taps; whether those
// are finite.
template <typename T>
bool WinogradGradient<T>::finish_row(const Plan& plan, int64_t part, int64_t k, const Call& call) const {
  constexpr int64_t kWidth = 32;
  const int64_t N = shape_.out_channels, step = plan.phase.parts() * shape_.in_channels * N;
  const T* row = call.sums + plan.sums_at + (part * shape_.in_channels + k) * N;
  alignas(64) T doubt[WinogradTransform<T>::kMostLanes] = {};
  T totals[kWinogradComponents * kWidth], weights[kWinogradWeights][kWidth], nowhere[kWidth];
  int64_t taps[kWinogradWeights];
  T* out[kWinogradWeights];
  plan.phase.kernel_taps(shape_, part, taps);
  WinogradResults<T> args{row, step, 0, out, 0, nullptr, false, doubt};
  const auto transform = transform_.weight_gradients[plan.phase.axis[1].form()][plan.phase.axis[2].form()];
  for (int64_t first = 0; first < N; first += kWidth) {
    args.channels = std::min(kWidth, N - first);
    if (pieces_ == 1) {
      args.products = row + first;
    } else {
      args.products = totals;
      args.step = kWidth;
      for (int c = 0; c < plan.phase.components(); ++c)
        add_pieces(row + c * step + first, plan.sums, args.channels, totals + c * kWidth);
    }
    T* const to = call.kernel + k * shape_.in_stride + first * shape_.out_stride;
    const bool in_place = shape_.out_stride == 1;
    for (int t = 0; t < plan.phase.weights(); ++t)
      out[t] = taps[t] < 0 ? nowhere : in_place ? to + taps[t] * shape_.tap_stride : weights[t];
    transform(args);
    for (int t = 0; t < plan.phase.weights() && !in_place; ++t)
      for (int64_t i = 0; taps[t] >= 0 && i < args.channels; ++i)
        to[taps[t] * shape_.tap_stride + i * shape_.out_stride] = weights[t][i];
  }
  return std::all_of(doubt, doubt + transform_.lanes, [](T x) { return x == 0; });
}

template <typename T>
void WinogradGradient<T>::add_pieces(const T* first, int64_t apart, int64_t count, T* totals) const {
  std::copy_n(first, count, totals);
  for (int64_t piece = 1; piece < pieces_; ++piece) {
    first += apart;
    CONVNET_SIMD
    for (int64_t i = 0; i < count; ++i) totals[i] += first[i];
  }
}

template <typename T>
bool WinogradGradient<T>::run(const T* input, const T* output, T* kernel, T* workspace) const {
  const size_t channels = static_cast<size_t>(std::max(shape_.in_channels, shape_.out_channels));
  const int64_t zeros = static_cast<int64_t>(align_up(channels * sizeof(T)) / sizeof(T));
  std::fill_n(workspace, zeros, T(0));
  T* sums = workspace + zeros;
  const Call call{input, output, kernel, workspace, sums};
  parallel_for_in_rooms(static_cast<int64_t>(tasks_.size()), kMultiplyTime * work_, rooms_,
                        [&](int64_t i, int room) { compute(tasks_[i], call, sums + sums_ + room * room_); });
  std::atomic<bool> finite{true};
  for (const Plan& plan : plans_)
    parallel_for(plan.phase.parts() * shape_.in_channels, kElementTime * plan.sums * pieces_, [&](int64_t row) {
      if (!finish_row(plan, row / shape_.in_channels, row % shape_.in_channels, call))
        finite.store(false, std::memory_order_relaxed);
    });
  return finite.load();
}

template class WinogradGradient<float>;
template class WinogradGradient<double>;

}  // namespace convnet
