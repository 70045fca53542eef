#include "tiled_correlation.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "../core/divide.h"
#include "../core/threads.h"
#include "ahead.h"
#include "correlation_boxes.h"
#include "correlation_strips.h"
#include "walk.h"

namespace convnet {

using detail::Ahead;
using detail::chunk_segments;
using detail::CorrelationBox;
using detail::cut_boxes;
using detail::cut_strips;
using detail::for_each_tap;
using detail::kChunk;
using detail::plan_rows;
using detail::plan_strips;
using detail::RowPlan;
using detail::StripPlan;
using detail::StripWalk;
using detail::tap_pixel;

namespace {

constexpr int64_t kFewTasks = 16;
constexpr int kStripPasses = 8;           // that a strip makes while it is in cache
constexpr int64_t kFewChannels = 8;       // with fewer, or short rows, a pointer to each row costs more
constexpr int64_t kShortRows = 144;       // than it is worth
constexpr int64_t kLargeBytes = 1 << 21;  // of data that does not stay in a core's cache
constexpr int64_t kPixelBytes = 128;      // of smaller ones the hardware sees what comes next
constexpr int64_t kLineProducts = 320;    // that hide fetching a cache line

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

}  // namespace

// How the positions of a box are computed.
template <typename T>
struct TiledCorrelation<T>::Plan {
  CorrelationBox box;
  RowPlan rows;
  StripPlan strips;  // of few channels with what they are multiplied by, instead of rows
  bool fetches;      // ahead, what the next task reads and writes
};

// One or all panels of one block of positions of one box and group.
template <typename T>
struct TiledCorrelation<T>::Task {
  const Plan& plan;
  int64_t group, first_position, positions, first_panel, last_panel;
};

// One task's positions: their rows, and where the results go.
template <typename T>
struct TiledCorrelation<T>::Block {
  int64_t positions;
  const T* row[RowPlan::kBlock + GemmLimits::kMaxRows];
  T* out[RowPlan::kBlock + GemmLimits::kMaxRows];
};

// As measured beside tiles and Scatter. The size of images does not matter: a kernel is packed
// once for all of them.
template <typename T>
bool TiledCorrelation<T>::suits_dots(const CorrelationShape& shape) {
  const int64_t K = shape.in_channels, N = shape.out_channels, lanes = gemm<T>().lanes;
  if (K < kFewChannels || K % gemm<T>().dot_channels != 0) return false;
  const int64_t phases = static_cast<int64_t>(shape.phases.size());
  int64_t taps = 0;
  bool apart = shape.groups > 1;
  for (const CorrelationPhase& phase : shape.phases) {
    taps += phase.taps();
    apart = apart || phase.axis[2].out_step > 1;
  }
  const bool narrow = 2 * N <= lanes;
  if (apart) {
    // What storing results one by one is worth.
    if (gemm<T>().dot_channels == 1) return narrow && taps * K >= 40 * (N - 1) * phases;
    return narrow && (N == 1 ? taps * K >= 32 * phases : taps >= 6 * phases);
  }
  if (taps <= 1) return narrow && K >= N * N;
  return narrow || (4 * N <= 3 * lanes && K >= 2 * lanes && K % lanes == 0);
}

template <typename T>
TiledCorrelation<T>::TiledCorrelation(const CorrelationShape& shape) : shape_(shape), gemm_(gemm<T>()) {
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  int64_t longest = 0, blocks = 0;
  for (const CorrelationPhase& phase : shape_.phases) {
    longest = std::max(longest, phase.taps() * K);
    blocks += divide_up(shape_.batch * phase.positions(), RowPlan::kBlock) * shape_.groups;
  }
  dot_ = suits_dots(shape);
  depth_ = dot_ ? divide_up(K, gemm_.lanes) * gemm_.lanes : K;
  const int64_t size = static_cast<int64_t>(sizeof(T));
  const bool is_short =
      longest * size <= kPixelBytes || (longest <= kShortRows && K * size < kPixelBytes);
  in_strips_ = dot_ || K < kFewChannels || (is_short && shape_.groups == 1);
  panels_ = dot_ ? dot_panels(N) : column_panels<T>(N);
  padded_columns_ = panels_.back().first + panels_.back().width;
  parts_ = !dot_ && blocks < kFewTasks ? static_cast<int64_t>(panels_.size()) : 1;
  scattered_ = shape_.groups > 1 || parts_ > 1 ||
               std::any_of(shape_.phases.begin(), shape_.phases.end(),
                           [](const CorrelationPhase& phase) { return phase.axis[2].out_step > 1; });
  place_panels();
  for (const CorrelationBox& box : cut_boxes(shape_)) add_plan(box);
  add_blocks();
}

template <typename T>
TiledCorrelation<T>::~TiledCorrelation() = default;

// The kernels of the phases follow each other.
template <typename T>
void TiledCorrelation<T>::place_panels() {
  for (const CorrelationPhase& phase : shape_.phases) {
    phase_at_.push_back(packed_);
    packed_ += shape_.groups * phase.taps() * depth_ * padded_columns_;
  }
}

template <typename T>
void TiledCorrelation<T>::add_plan(const CorrelationBox& box) {
  const RowPlan rows = plan_rows(shape_, box);
  StripPlan strips = in_strips_ ? plan_strips(shape_, box, shape_.phases[box.phase], dot_ ? depth_ : 0)
                                : StripPlan{cut_strips(shape_, box), RowPlan::kBlock, 0, 0, 0, {}};
  const bool fetches = strips.along == 3 && this->fetches(box.part);
  plans_.push_back({box, rows, std::move(strips), fetches});
  work_ += shape_.batch * box.part.positions() * shape_.groups * shape_.out_channels *
           (rows.length + 1);
}

template <typename T>
int64_t TiledCorrelation<T>::panel_at(int phase, int64_t group, const ColumnPanel& panel) const {
  return phase_at_[phase] +
         (group * padded_columns_ + panel.first) * shape_.phases[phase].taps() * depth_;
}

// [tap][k][column], for dots [tap][k / lanes][column][k % lanes]
template <typename T>
void TiledCorrelation<T>::pack_panel(int phase, int64_t group, const ColumnPanel& panel,
                                const T* kernel, T* to) const {
  const int64_t K = shape_.in_channels, in_stride = shape_.in_stride, stride = shape_.out_stride;
  kernel += group * shape_.group_stride + panel.first * stride;
  for_each_tap(shape_, shape_.phases[phase], [&](int64_t, int64_t, int64_t, int64_t, int64_t,
                                                 int64_t tap) {
    const T* from = kernel + tap * shape_.tap_stride;
    if (dot_) {
      for (int64_t k = 0; k < depth_; k += gemm_.lanes)
        for (int n = 0; n < panel.used; ++n)
          for (int64_t lane = k; lane < k + gemm_.lanes; ++lane)
            *to++ = lane < K ? from[lane * in_stride + n * stride] : T(0);
      return;
    }
    if (stride == 1 && panel.used == panel.width) {
      gemm_.copy_runs({from, in_stride, to, panel.width, K, panel.used});
      to += K * panel.width;
      return;
    }
    for (int64_t k = 0; k < K; ++k, from += in_stride, to += panel.width) {
      for (int n = 0; n < panel.used; ++n) to[n] = from[n * stride];
      for (int n = panel.used; n < panel.width; ++n) to[n] = 0;
    }
  });
}

template <typename T>
void TiledCorrelation<T>::pack(const T* kernel, T* packed) const {
  const int64_t panels = static_cast<int64_t>(panels_.size());
  const int64_t tasks = static_cast<int64_t>(shape_.phases.size()) * shape_.groups * panels;
  parallel_for(tasks, kElementTime * packed_, [&](int64_t i) {
    const ColumnPanel& panel = panels_[i % panels];
    const int64_t group = i / panels % shape_.groups;
    const int phase = static_cast<int>(i / panels / shape_.groups);
    pack_panel(phase, group, panel, kernel, packed + panel_at(phase, group, panel));
  });
}

// Blocks whose outputs are neighbours follow each other, whatever their box: they read
// and write the same cache lines.
template <typename T>
void TiledCorrelation<T>::add_blocks() {
  for (int p = 0; p < static_cast<int>(plans_.size()); ++p) {
    const Plan& plan = plans_[p];
    const int64_t positions = shape_.batch * plan.box.part.positions();
    for (int64_t first = 0; first < positions; first += plan.strips.block) {
      blocks_.push_back({StripWalk(plan.strips, first).out(), p, first});
    }
  }
  std::sort(blocks_.begin(), blocks_.end(), [](const BlockStart& x, const BlockStart& y) {
    return std::tie(x.out, x.plan) < std::tie(y.out, y.plan);
  });
}

// Blocks that share a panel follow each other: it stays in cache.
template <typename T>
typename TiledCorrelation<T>::Task TiledCorrelation<T>::task(int64_t index) const {
  const int64_t blocks = static_cast<int64_t>(blocks_.size());
  const int64_t part = index / (blocks * shape_.groups), rest = index % (blocks * shape_.groups);
  const BlockStart& start = blocks_[rest / shape_.groups];
  const Plan& plan = plans_[start.plan];
  return {plan, rest % shape_.groups, start.position,
          std::min(plan.strips.block, shape_.batch * plan.box.part.positions() - start.position), part,
          parts_ == 1 ? static_cast<int64_t>(panels_.size()) : part + 1};
}

// Whether data that is too much for a core's cache is worth fetching ahead.
template <typename T>
bool TiledCorrelation<T>::fetches(const CorrelationPhase& part) const {
  const int64_t K = shape_.groups * shape_.in_channels, N = shape_.groups * shape_.out_channels;
  const int64_t size = static_cast<int64_t>(sizeof(T));
  const int64_t bytes = (shape_.in_pixels() * K + shape_.out_pixels() * N) * size;
  if (bytes < kLargeBytes || K * size < kPixelBytes) return false;
  const CorrelationAxis* axis = part.axis;
  const int64_t new_pixels = std::min(axis[1].step, axis[1].taps) * axis[2].step;
  const int64_t lines = divide_up((new_pixels * K + axis[2].out_step * N) * size, 64);
  return lines * kLineProducts <= part.taps() * K * padded_columns_;
}

// What the tasks of a block read that those before it did not, and what they write: its share.
template <typename T>
void TiledCorrelation<T>::look_ahead(const Task& task, const Call& call, Ahead& ahead) const {
  if (!task.plan.fetches) return;
  const CorrelationAxis* axis = task.plan.box.part.axis;
  const int64_t in_bytes = shape_.groups * shape_.in_channels * static_cast<int64_t>(sizeof(T));
  const int64_t out_bytes = shape_.groups * shape_.out_channels * static_cast<int64_t>(sizeof(T));
  const auto add = [&](const T* begin, int64_t bytes) {
    ahead.add(reinterpret_cast<const char*>(begin) + bytes * task.group / shape_.groups,
              divide_up(bytes, shape_.groups));
  };
  const int64_t line = shape_.in[2] * shape_.groups * shape_.in_channels;
  const int64_t depth = (axis[0].taps - 1) * axis[0].tap_step * shape_.in[1];
  StripWalk walk(task.plan.strips, task.first_position);
  for (int64_t q = 0, count; q < task.positions; q += count, walk.advance(count)) {
    count = std::min(walk.left_in_strip(), task.positions - q);
    const int64_t pixels = (count - 1) * axis[2].step + (axis[2].taps - 1) * axis[2].tap_step + 1;
    for (int64_t b = std::max<int64_t>(0, axis[1].taps - axis[1].step); b < axis[1].taps; ++b)
      add(call.input + walk.in() + (depth + b * axis[1].tap_step) * line, pixels * in_bytes);
    add(call.output + walk.out(), ((count - 1) * axis[2].out_step + 1) * out_bytes);
  }
}

template <typename T>
void TiledCorrelation<T>::place(const Task& task, const Call& call, Block& block) const {
  const StripPlan& strips = task.plan.strips;
  const int64_t in_step = strips.axis[3].in_step, out_step = strips.axis[3].out_step;
  block.positions = task.positions;
  StripWalk walk(strips, task.first_position);
  for (int64_t q = 0, count; q < task.positions; q += count, walk.advance(count)) {
    count = std::min(walk.left_in_strip(), task.positions - q);
    const T* row = call.input + walk.in() + task.group * shape_.in_channels;
    T* out = call.output + walk.out() + task.group * shape_.out_channels;
    for (int64_t i = q; i < q + count; ++i, row += in_step) block.row[i] = row;
    for (int64_t i = q; i < q + count; ++i, out += out_step) block.out[i] = out;
  }
  // A tile's rows that are too many repeat the last one.
  std::fill_n(block.row + task.positions, gemm_.rows, block.row[task.positions - 1]);
  std::fill_n(block.out + task.positions, gemm_.rows, block.out[task.positions - 1]);
}

// Adds a chunk to all rows of a block, for one panel.
template <typename T>
void TiledCorrelation<T>::multiply(const Block& block, const ColumnPanel& panel,
                              TileArgs<T> args, Ahead& ahead) const {
  args.column = panel.first;
  args.column_count = panel.used;
  const int64_t products = args.length * args.segment_count;
  for (int64_t row = 0; row < block.positions; row += args.row_count) {
    const int height = gemm_.height_for(block.positions - row);
    ahead.take(products, args);
    args.rows = block.row + row;
    args.out = block.out + row;
    args.row_count = static_cast<int>(std::min<int64_t>(gemm_.tile_rows[height], block.positions - row));
    gemm_.tile[height][panel.size](args);
  }
}

template <typename T>
void TiledCorrelation<T>::compute(int64_t index, const Call& call) const {
  const Task task = this->task(index);
  const Plan& plan = task.plan;
  const Epilogue<T> last = call.epilogue.from(task.group * shape_.out_channels);
  Block block;
  place(task, call, block);
  if (plan.rows.length == 0) {
    const int64_t column = panels_[task.first_panel].first;
    const ColumnPanel& end = panels_[task.last_panel - 1];
    for (int64_t q = 0; q < block.positions; ++q) {
      std::fill_n(block.out[q] + column, end.first + end.used - column, T(0));
      last.from(column).apply(block.out[q] + column, end.first + end.used - column);
    }
  }
  Ahead ahead;
  if (index + shape_.groups < tasks()) look_ahead(this->task(index + shape_.groups), call, ahead);
  Segment segments[RowPlan::kChunkSegments];
  TileArgs<T> args{};
  args.segments = segments;
  for (int64_t c = 0, chunks = plan.rows.chunks(); c < chunks; ++c) {
    args.segment_count = chunk_segments(shape_, plan.box, shape_.phases[plan.box.phase], plan.rows, c,
                                        segments, &args.length);
    args.add = c > 0;
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const ColumnPanel& panel = panels_[p];
      args.b = call.packed + panel_at(plan.box.phase, task.group, panel);
      if (c == chunks - 1) {
        args.bias = last.from(panel.first).bias;
        args.relu = last.relu;
      }
      multiply(block, panel, args, ahead);
    }
  }
  if (call.epilogue.finisher) finish(block, call.epilogue);
}

// Pixels that follow each other together; a task has all their channels.
template <typename T>
void TiledCorrelation<T>::finish(const Block& block, const Epilogue<T>& epilogue) const {
  const int64_t channels = shape_.out_channels;
  for (int64_t q = 0, next; q < block.positions; q = next) {
    for (next = q + 1; next < block.positions && block.out[next] == block.out[next - 1] + channels;)
      ++next;
    epilogue.finish(block.out[q], (next - q) * channels);
  }
}

// What a strip is multiplied by in one go: a chunk of the terms, for one panel.
template <typename T>
struct TiledCorrelation<T>::StripPass {
  StripArgs<T> args;
  const ColumnPanel* panel;
  DotEnds<T> ends;
};

template <typename T>
void TiledCorrelation<T>::compute_strips(int64_t index, const Call& call) const {
  const Task task = this->task(index);
  const StripPlan& plan = task.plan.strips;
  const Epilogue<T> last = call.epilogue.from(task.group * shape_.out_channels);
  const int64_t terms = static_cast<int64_t>(plan.segments.size());
  const int64_t segment = plan.length * plan.taps;
  const int64_t chunk = dot_ ? std::max<int64_t>(1, gemm_.lanes * kChunk / 4 / segment) : kChunk;
  StripPass passes[kStripPasses];
  int count = 0;
  for (int64_t p = task.first_panel; p < task.last_panel; ++p)
    for (int64_t first = 0; first == 0 || first < terms; first += chunk) {
      const ColumnPanel& panel = panels_[p];
      const bool ends = first + chunk >= terms;
      StripPass& pass = passes[count++];
      pass.panel = &panel;
      pass.args = {plan.axis[3].in_step, plan.segments.data() + first,
                   std::min(chunk, terms - first), plan.length,
                   call.packed + panel_at(task.plan.box.phase, task.group, panel),
                   plan.axis[3].out_step, panel.used, first > 0,
                   ends ? last.from(panel.first).bias : nullptr, ends && last.relu, plan.taps,
                   plan.tap_step, &pass.ends};
      if (dot_) gemm_.place_dots(pass.args, pass.ends);
      if (count < kStripPasses && !(ends && p + 1 == task.last_panel)) continue;
      pass_strips(task, passes, count, call);
      count = 0;
    }
  if (call.epilogue.finisher) finish_strips(task, call);
}

// Few strips run across the rows, at the margins.
template <typename T>
void TiledCorrelation<T>::finish_strips(const Task& task, const Call& call) const {
  const int64_t channels = shape_.out_channels, step = task.plan.strips.axis[3].out_step;
  StripWalk walk(task.plan.strips, task.first_position);
  for (int64_t q = 0, length; q < task.positions; q += length, walk.advance(length)) {
    length = std::min(walk.left_in_strip(), task.positions - q);
    const int64_t together = step == channels ? length : 1;
    for (int64_t i = 0; i < length; i += together)
      call.epilogue.finish(call.output + walk.out() + i * step, together * channels);
  }
}

template <typename T>
void TiledCorrelation<T>::pass_strips(const Task& task, const StripPass* passes, int count,
                                 const Call& call) const {
  const T* input = call.input + task.group * shape_.in_channels;
  T* output = call.output + task.group * shape_.out_channels;
  StripWalk walk(task.plan.strips, task.first_position);
  for (int64_t q = 0, length; q < task.positions; q += length, walk.advance(length)) {
    length = std::min(walk.left_in_strip(), task.positions - q);
    for (int i = 0; i < count; ++i) {
      const ColumnPanel& panel = *passes[i].panel;
      (dot_ ? gemm_.dot : gemm_.strip[panel.size])(passes[i].args, input + walk.in(), output + walk.out() + panel.first, length);
    }
  }
}

template <typename T>
void TiledCorrelation<T>::run(const T* input, const T*, const T* packed, T* output, T*,
                              const Epilogue<T>& epilogue) const {
  const Call call{input, packed, output, epilogue};
  parallel_for(tasks(), kMultiplyTime * work_, [&](int64_t i) {
    in_strips_ ? compute_strips(i, call) : compute(i, call);
  });
}

template class TiledCorrelation<float>;
template class TiledCorrelation<double>;

}  // namespace convnet
