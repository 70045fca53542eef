#include "strip_correlation.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "joined_groups.h"
#include "joined_phases.h"

namespace convnet {

using detail::CorrelationBox;
using detail::cut_boxes;
using detail::plan_strips;
using detail::plan_taps;
using detail::StripPlan;
using detail::StripWalk;
using detail::TapColumns;

namespace {

constexpr int kPasses = 8;             // that a strip makes while it is in cache
constexpr int64_t kFewChannels = 8;    // with fewer, or short rows, a pointer to each row costs more
constexpr int64_t kShortRows = 144;    // than it is worth
constexpr int64_t kShortBytes = 128;   // of a row, or of channels: fewer with short vectors

bool is_dots(PackLayout kind) { return kind == PackLayout::dots || kind == PackLayout::joined_dots; }

std::vector<ColumnPanel> dot_panels(int64_t columns) {
  std::vector<ColumnPanel> panels;
  int64_t first = 0;
  for (int64_t left = divide_up(columns, GemmLimits::kDotColumns); left > 0; --left) {
    const int count = static_cast<int>(divide_up(columns - first, left));
    panels.push_back({first, count, count, 0});
    first += count;
  }
  return panels;
}

template <typename T>
std::vector<ColumnPanel> strip_panels(const CorrelationShape& shape, PackLayout kind) {
  if (kind == PackLayout::panels) return column_panels<T>(shape.out_channels);
  if (is_dots(kind)) return dot_panels(shape.out_channels);
  const int lanes = gemm<T>().lanes;
  return {{0, lanes, lanes, 0}};
}

template <typename T>
CorrelationShape joined_as(const CorrelationShape& shape, PackLayout kind) {
  return kind == PackLayout::groups ? join_groups(shape, groups_together(shape, gemm<T>().lanes))
         : is_dots(kind)            ? join_phases(shape, GemmLimits::kDotColumns)
                                    : shape;
}

template <typename T>
PackLayout kind_of(const CorrelationShape& shape) {
  if (StripCorrelation<T>::suits_groups(shape)) return PackLayout::groups;
  if (!StripCorrelation<T>::suits_dots(shape)) return PackLayout::panels;
  return joined_as<T>(shape, PackLayout::dots).together > 1 ? PackLayout::joined_dots : PackLayout::dots;
}

// Elements that a tap of one column is packed with.
template <typename T>
int64_t strip_depth(const CorrelationShape& shape, PackLayout kind) {
  const int64_t lanes = gemm<T>().lanes;
  return is_dots(kind) ? divide_up(shape.in_channels, lanes) * lanes : shape.in_channels;
}

}  // namespace

template <typename T>
bool StripCorrelation<T>::suits(const CorrelationShape& shape) {
  const int64_t K = shape.in_channels, size = static_cast<int64_t>(sizeof(T));
  if (K < kFewChannels) return true;
  int64_t longest = 0;
  for (const CorrelationPhase& phase : shape.phases) longest = std::max(longest, phase.taps() * K);
  const int64_t channels = gemm<T>().lanes * size < 64 ? kShortBytes * 3 / 4 : kShortBytes;
  if (shape.groups > 1) return K == kFewChannels && longest * size <= kShortBytes;
  return longest * size <= kShortBytes || (longest <= kShortRows && K * size <= channels);
}

// As measured beside tiles and Scatter. The size of images does not matter: a kernel is packed
// once for all of them.
template <typename T>
bool StripCorrelation<T>::suits_dots(const CorrelationShape& shape) {
  const int64_t K = shape.in_channels, N = shape.out_channels, lanes = gemm<T>().lanes;
  if (K < kFewChannels || K % gemm<T>().dot_channels != 0) return false;
  const int64_t phases = static_cast<int64_t>(shape.phases.size());
  int64_t taps = 0;
  bool apart = shape.groups > 1;
  for (const CorrelationPhase& phase : shape.phases) {
    taps += phase.taps();
    apart = apart || phase.axis[2].out_step > 1;
  }
  const bool narrow = 2 * N <= lanes, masks = gemm<T>().dot_channels == 1;
  const CorrelationShape joined = join_phases(shape, GemmLimits::kDotColumns);
  if (joined.together > 1) return narrow && (masks || taps > phases || joined.out_channels == 2);
  if (apart) {
    // What storing results one by one is worth.
    if (masks) return narrow && taps * K >= 40 * (N - 1) * phases;
    return narrow && (N == 1 ? taps * K >= 32 * phases : taps >= 6 * phases);
  }
  if (taps <= 1) return narrow && K >= N * N;
  return narrow || (4 * N <= 3 * lanes && K >= 2 * lanes && K % lanes == 0);
}

template <typename T>
bool StripCorrelation<T>::suits_groups(const CorrelationShape& shape) {
  return groups_together(shape, gemm<T>().lanes) > 1;
}

template <typename T>
StripCorrelation<T>::StripCorrelation(const CorrelationShape& shape)
    : StripCorrelation(shape, joined_as<T>(shape, kind_of<T>(shape)), kind_of<T>(shape)) {}

template <typename T>
StripCorrelation<T>::StripCorrelation(const CorrelationShape& shape, const CorrelationShape& joined, PackLayout kind)
    : PackedCorrelation<T>(joined, strip_panels<T>(joined, kind), strip_depth<T>(shape, kind),
                           true, kind == PackLayout::panels),
      kind_(kind) {
  std::vector<typename PackedCorrelation<T>::Plan> plans;
  for (const CorrelationBox& box : cut_boxes(shape_)) {
    const CorrelationPhase& whole = shape_.phases[box.phase];
    plans.push_back({box, kind_ == PackLayout::panels ? plan_strips(shape_, box, whole)
                                                      : plan_taps(shape_, box, whole, depth_)});
  }
  this->set_plans(std::move(plans));
}

// For dots [k / lanes][column][k % lanes], for groups as they take it.
template <typename T>
void StripCorrelation<T>::pack_tap(const T* from, int64_t tap, const TapColumns& columns,
                                   const ColumnPanel& panel, T* to) const {
  if (kind_ == PackLayout::panels) return PackedCorrelation<T>::pack_tap(from, tap, columns, panel, to);
  if (kind_ == PackLayout::groups) return pack_groups(from + tap * shape_.tap_stride, to);
  const int64_t channels = shape_.out_channels / shape_.together;
  for (int64_t first = 0; first < depth_; first += gemm_.lanes)
    for (int64_t n = 0; n < panel.used; ++n) {
      const bool there = n >= columns.first && n < columns.first + columns.count;
      const int64_t at = (tap + n / channels) * shape_.tap_stride + n % channels * shape_.out_stride;
      for (int64_t k = first; k < first + gemm_.lanes; ++k)
        *to++ = there && k < shape_.in_channels ? from[k * shape_.in_stride + at] : T(0);
    }
}

template <typename T>
void StripCorrelation<T>::pack_groups(const T* from, T* to) const {
  const int64_t N = depth_, next_group = shape_.group_stride * N / shape_.out_channels;
  const bool pairs = groups_by_pairs<T>(N, shape_.out_channels);
  for (int64_t i = 0; i < N * shape_.out_channels; ++i) {
    const int64_t group = pairs ? i / (N * N) : i / N % (shape_.out_channels / N);
    const int64_t k = pairs ? i / (2 * N) % (N / 2) * 2 + i % 2 : i / shape_.out_channels;
    const int64_t n = pairs ? i / 2 % N : i % N;
    to[i] = from[group * next_group + k * shape_.in_stride + n * shape_.out_stride];
  }
}

// What a strip is multiplied by in one go: a chunk of the terms, for one panel of one group.
template <typename T>
struct StripCorrelation<T>::StripPass {
  StripArgs<T> args;
  int64_t in, out;  // where the group's channels begin, and the panel's
  int size;         // of the panel
  DotEnds<T> ends;
  T bias[GemmLimits::kDotColumns];  // of outputs that are written together
};

template <typename T>
const T* StripCorrelation<T>::repeat(const T* bias, T* columns) const {
  for (int64_t n = 0; n < shape_.out_channels; ++n) columns[n] = bias[n % (shape_.out_channels / shape_.together)];
  return columns;
}

// Of the segments from `first` on, `count` at most.
template <typename T>
void StripCorrelation<T>::set_pass(const Task& task, int64_t group, const ColumnPanel& panel, int64_t first,
                                   int64_t count, const Call& call, StripPass& pass) const {
  const StripPlan& plan = plans_[task.plan].strips;
  const Epilogue<T> last = call.epilogue.from(group * shape_.out_channels);
  const int64_t left = static_cast<int64_t>(plan.segments.size()) - first;
  const bool ends = count >= left;
  const T* bias = ends ? last.from(panel.first).bias : nullptr;
  if (bias && shape_.together > 1) bias = repeat(bias, pass.bias);
  pass.in = group * shape_.in_channels;
  pass.out = group * shape_.out_channels + panel.first;
  pass.size = panel.size;
  pass.args = {plan.axis[3].in_step, plan.segments.data() + first, std::min(count, left), plan.length,
               call.packed + this->panel_at(plans_[task.plan].box.phase, group, panel),
               plan.axis[3].out_step, panel.used, first > 0,
               bias, ends && last.relu, shape_.groups > 1, plan.taps.data() + first, plan.tap_step, plan.tap_ends, &pass.ends};
  if (is_dots(kind_)) gemm_.place_dots(pass.args, pass.ends);
}

// All groups of a strip follow each other: what lies side by side is read and written while it is in cache.
template <typename T>
void StripCorrelation<T>::compute(int64_t index, const Call& call) const {
  const Task task = this->task(index);
  const StripPlan& plan = plans_[task.plan].strips;
  const int64_t terms = static_cast<int64_t>(plan.segments.size());
  const int64_t most = is_dots(kind_) ? gemm_.lanes * GemmLimits::kChunk / 4 : GemmLimits::kChunk;
  const int64_t chunk = std::max<int64_t>(1, most / plan.terms);
  StripPass passes[kPasses];
  int count = 0;
  for (int64_t group = task.first_group; group < task.last_group; ++group)
    for (int64_t p = task.first_panel; p < task.last_panel; ++p)
      for (int64_t first = 0; first == 0 || first < terms; first += chunk) {
        if (count == kPasses) pass_over(task, passes, std::exchange(count, 0), call);
        set_pass(task, group, panels_[p], first, chunk, call, passes[count++]);
      }
  pass_over(task, passes, count, call);
  if (call.epilogue.finisher) finish(task, call);
}

// Few strips run across the rows, at the margins.
template <typename T>
void StripCorrelation<T>::finish(const Task& task, const Call& call) const {
  const int64_t channels = shape_.groups * shape_.out_channels, step = plans_[task.plan].strips.axis[3].out_step;
  StripWalk walk(plans_[task.plan].strips, task.first_position);
  for (int64_t q = 0, length; q < task.positions; q += length, walk.advance(length)) {
    length = std::min(walk.left_in_strip(), task.positions - q);
    const int64_t together = step == channels ? length : 1;
    for (int64_t i = 0; i < length; i += together)
      call.epilogue.finish(call.output + walk.out() + i * step, together * channels);
  }
}

template <typename T>
void StripCorrelation<T>::pass_over(const Task& task, const StripPass* passes, int count,
                                    const Call& call) const {
  const auto groups = kind_ == PackLayout::groups ? of_channels(gemm_.groups, depth_) : nullptr;
  StripWalk walk(plans_[task.plan].strips, task.first_position);
  for (int64_t q = 0, length; q < task.positions; q += length, walk.advance(length)) {
    length = std::min(walk.left_in_strip(), task.positions - q);
    for (int i = 0; i < count; ++i) {
      const StripPass& pass = passes[i];
      const auto multiply = groups ? groups : is_dots(kind_) ? gemm_.dot : gemm_.strip[pass.size];
      multiply(pass.args, call.input + walk.in() + pass.in, call.output + walk.out() + pass.out, length);
    }
  }
}

template class StripCorrelation<float>;
template class StripCorrelation<double>;

}  // namespace convnet
