#include "packed_correlation.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "../core/threads.h"
#include "walk.h"

namespace convnet {

using detail::for_each_tap;
using detail::RowPlan;
using detail::StripWalk;
using detail::tap_columns;
using detail::TapColumns;

namespace {

constexpr int64_t kFewTasks = 16;

}  // namespace

// The kernels of the phases follow each other.
template <typename T>
PackedCorrelation<T>::PackedCorrelation(const CorrelationShape& shape, std::vector<ColumnPanel> panels,
                                        int64_t depth, bool joins, bool splits)
    : shape_(shape),
      gemm_(gemm<T>()),
      panels_(std::move(panels)),
      depth_(depth),
      padded_columns_(panels_.back().first + panels_.back().width) {
  int64_t blocks = 0;
  bool apart = false;
  for (const CorrelationPhase& phase : shape_.phases) {
    phase_at_.push_back(packed_);
    packed_ += shape_.groups * phase.taps() * depth_ * padded_columns_;
    blocks += divide_up(shape_.batch * phase.positions(), RowPlan::kBlock);
    apart = apart || phase.axis[2].out_step > 1;
  }
  if (joins) groups_ = std::clamp<int64_t>(blocks * shape_.groups / kFewTasks, 1, shape_.groups);
  if (splits && blocks * shape_.groups < kFewTasks) parts_ = static_cast<int64_t>(panels_.size());
  scattered_ = groups_ < shape_.groups || parts_ > 1 || apart;
}

template <typename T>
PackedCorrelation<T>::~PackedCorrelation() = default;

// Blocks whose outputs are neighbours follow each other, whatever their box: they read
// and write the same cache lines.
template <typename T>
void PackedCorrelation<T>::set_plans(std::vector<Plan> plans) {
  plans_ = std::move(plans);
  for (int p = 0; p < static_cast<int>(plans_.size()); ++p) {
    const Plan& plan = plans_[p];
    const int64_t positions = shape_.batch * plan.box.part.positions();
    work_ += positions * shape_.groups * shape_.out_channels *
             (plan.box.part.taps() * std::min(depth_, shape_.in_channels) + 1);
    for (int64_t first = 0; first < positions; first += plan.strips.block)
      blocks_.push_back({StripWalk(plan.strips, first).out(), p, first});
  }
  std::sort(blocks_.begin(), blocks_.end(), [](const BlockStart& x, const BlockStart& y) {
    return std::tie(x.out, x.plan) < std::tie(y.out, y.plan);
  });
}

template <typename T>
int64_t PackedCorrelation<T>::panel_at(int phase, int64_t group, const ColumnPanel& panel) const {
  return phase_at_[phase] +
         (group * padded_columns_ + panel.first) * shape_.phases[phase].taps() * depth_;
}

template <typename T>
void PackedCorrelation<T>::pack_tap(const T* from, int64_t tap, const TapColumns&,
                                    const ColumnPanel& panel, T* to) const {
  from += tap * shape_.tap_stride;
  const int64_t K = shape_.in_channels, in_stride = shape_.in_stride, stride = shape_.out_stride;
  if (stride == 1 && panel.used == panel.width) {
    gemm_.copy_runs({from, in_stride, to, panel.width, K, panel.used});
    return;
  }
  for (int64_t k = 0; k < K; ++k, from += in_stride, to += panel.width) {
    for (int n = 0; n < panel.used; ++n) to[n] = from[n * stride];
    for (int n = panel.used; n < panel.width; ++n) to[n] = 0;
  }
}

// [phase][group][panel][tap], and of a tap what pack_tap() packs.
template <typename T>
void PackedCorrelation<T>::pack(const T* kernel, T* packed) const {
  const int64_t panels = static_cast<int64_t>(panels_.size());
  const int64_t tasks = static_cast<int64_t>(shape_.phases.size()) * shape_.groups * panels;
  parallel_for(tasks, kElementTime * packed_, [&](int64_t i) {
    const ColumnPanel& panel = panels_[i % panels];
    const int64_t group = i / panels % shape_.groups;
    const int phase = static_cast<int>(i / panels / shape_.groups);
    const T* from = kernel + group * shape_.group_stride + panel.first * shape_.out_stride;
    T* to = packed + panel_at(phase, group, panel);
    for_each_tap(shape_, shape_.phases[phase],
                 [&](int64_t c, int64_t, int64_t tap) {
                   pack_tap(from, tap, tap_columns(shape_, shape_.phases[phase].axis[2], c), panel, to);
                   to += depth_ * panel.width;
                 });
  });
}

// Blocks that share a panel follow each other: it stays in cache.
template <typename T>
typename PackedCorrelation<T>::Task PackedCorrelation<T>::task(int64_t index) const {
  const int64_t of_part = static_cast<int64_t>(blocks_.size()) * block_tasks();
  const int64_t part = index / of_part, rest = index % of_part;
  const BlockStart& start = blocks_[rest / block_tasks()];
  const int64_t group = rest % block_tasks() * groups_;
  const Plan& plan = plans_[start.plan];
  const int64_t left = shape_.batch * plan.box.part.positions() - start.position;
  return {start.plan, group, std::min(group + groups_, shape_.groups),
          start.position, std::min(plan.strips.block, left),
          part, parts_ == 1 ? static_cast<int64_t>(panels_.size()) : part + 1};
}

template <typename T>
void PackedCorrelation<T>::run(const T* input, const T*, const T* packed, T* output, T*,
                               const Epilogue<T>& epilogue) const {
  const Call call{input, packed, output, epilogue};
  parallel_for(tasks(), kMultiplyTime * work_, [&](int64_t i) { compute(i, call); });
}

template class PackedCorrelation<float>;
template class PackedCorrelation<double>;

}  // namespace convnet
