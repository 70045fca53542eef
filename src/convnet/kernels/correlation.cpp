#include "correlation.h"

#include <algorithm>
#include <utility>

#include "correlation_boxes.h"
#include "depthwise.h"
#include "scatter.h"
#include "tasks.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::CorrelationBox;
using detail::cut_boxes;
using detail::for_each_segment;
using detail::for_each_tap;
using detail::RowSegments;
using detail::taps_are_runs;
using detail::Walk;

namespace {

constexpr int64_t kBlock = 96;        // positions a task: a multiple of every tile's rows
constexpr int64_t kChunk = 384;       // k that one accumulation may have: accuracy, and B in cache
constexpr int64_t kChunkSegments = 64;
constexpr size_t kCopyBytes = 49152;  // copied rows of one task, on its stack
constexpr int64_t kFewTasks = 16;

// With fewer input channels, one segment a tap costs more than the arithmetic.
constexpr int64_t kFewChannels = 8;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

// How the positions of a box are computed.
template <typename T>
struct Correlation<T>::Plan {
  CorrelationBox box;
  int packing;
  int64_t length;         // of a row
  bool copied;            // rows are copied into a small matrix
  RowSegments segments;   // of a row, as the micro-kernels read it
  int64_t segment;        // elements of one
  // A chunk is what one accumulation has: `piece` segments, or elements of a segment
  // that is cut into `pieces`.
  int64_t pieces, piece;
  int64_t block;          // positions a task
  int64_t last_block;     // of this box, plus one

  bool cut() const { return segment > kChunk; }
  int64_t chunks() const { return cut() ? segments.count * pieces : pieces; }
};

// One or all panels of one block of positions of one box and group.
template <typename T>
struct Correlation<T>::Task {
  const Plan& plan;
  int64_t group, first_position, positions, first_panel, last_panel;
};

// One task's positions: their rows, and where the results go.
template <typename T>
struct Correlation<T>::Block {
  int64_t positions;
  const T* row[kBlock + GemmLimits::kMaxRows];
  T* out[kBlock + GemmLimits::kMaxRows];
};

template <typename T>
Correlation<T>::Correlation(CorrelationShape shape) : shape_(std::move(shape)), gemm_(gemm<T>()) {
  if (shape_.out_channels == 0 || by_other_means()) return;
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  int64_t longest = 0, blocks = 0;
  for (const CorrelationPhase& phase : shape_.phases) {
    longest = std::max(longest, phase.taps() * K);
    blocks += divide_up(shape_.batch * phase.positions(), kBlock) * shape_.groups;
  }
  dot_ = 2 * N <= gemm_.lanes && (K < kFewChannels ? longest : K) >= gemm_.lanes;
  if (dot_)
    for (int64_t n = 0; n < N; ++n) panels_.push_back({n, 1, 1, 0});
  else
    panels_ = column_panels<T>(N);
  padded_columns_ = panels_.back().first + panels_.back().width;
  parts_ = !dot_ && blocks < kFewTasks ? static_cast<int64_t>(panels_.size()) : 1;
  add_packings(cut_boxes(shape_));
  pack_key_ = make_pack_key();
}

template <typename T>
Correlation<T>::~Correlation() = default;

template <typename T>
bool Correlation<T>::by_other_means() {
  if (is_depthwise(shape_)) return true;
  if (has_multiplier(shape_)) {
    multiplied_ = std::make_unique<const CorrelationShape>(without_multiplier(shape_));
    const int64_t pixels = shape_.in_channels == 1 ? shape_.in_pixels() : shape_.out_pixels();
    workspace_ = static_cast<size_t>(pixels * multiplied_->groups) * sizeof(T);
    return true;
  }
  if (!Scatter<T>::suits(shape_)) return false;
  scatter_ = std::make_unique<const Scatter<T>>(shape_);
  packed_bytes_ = align_up(scatter_->packed_bytes());
  pack_key_ = make_pack_key();
  return true;
}

// Taps are packed with the others of their phase; of copied rows where lanes run
// along k, which have to be one segment, for each box.
template <typename T>
void Correlation<T>::add_packings(const std::vector<CorrelationBox>& boxes) {
  const bool for_each_box = dot_ && shape_.in_channels < kFewChannels;
  if (!for_each_box)
    for (const CorrelationPhase& phase : shape_.phases) packings_.push_back({phase, 0, 0});
  for (CorrelationBox box : boxes) {
    if (for_each_box) {
      packings_.push_back({box.part, 0, 0});
      std::fill_n(box.first_tap, 3, 0);
    }
    add_plan(box, for_each_box ? static_cast<int>(packings_.size()) - 1 : box.phase);
  }
  int64_t elements = 0;
  for (Packing& packing : packings_) {
    packing.at = elements;
    packing.length = packing.part.taps() * shape_.in_channels;
    elements += shape_.groups * packing.length * padded_columns_;
  }
  packed_bytes_ = align_up(static_cast<size_t>(elements) * sizeof(T));
}

template <typename T>
void Correlation<T>::add_plan(const CorrelationBox& box, int packing) {
  const int64_t K = shape_.in_channels, taps = box.part.taps();
  const CorrelationAxis *axis = box.part.axis, *all = packings_[packing].part.axis;
  const bool runs = taps_are_runs(shape_, box.part);
  Plan plan{box, packing, taps * K, false, {0, runs ? axis[2].taps : 1}, 0, 0, 0, kBlock, 0};
  const size_t row_bytes = static_cast<size_t>(plan.length) * sizeof(T);
  plan.copied = K < kFewChannels && taps > 1 && (dot_ || !runs) &&
                row_bytes * gemm_.rows <= kCopyBytes;
  if (plan.copied) {
    if (row_bytes * kBlock > kCopyBytes)
      plan.block = static_cast<int64_t>(kCopyBytes / row_bytes) / gemm_.rows * gemm_.rows;
    plan.segments.taps = axis[2].taps;
    for (int a = 2; a > 0 && axis[a].taps == all[a].taps; --a)
      plan.segments.taps *= axis[a - 1].taps;
  }
  if (plan.length > 0) {
    plan.segments.count = taps / plan.segments.taps;
    plan.segment = plan.segments.taps * K;
    const int64_t parts = plan.cut() ? plan.segment : plan.segments.count;
    const int64_t most = plan.cut() ? kChunk : std::min(kChunkSegments, kChunk / plan.segment);
    plan.pieces = divide_up(parts, most);
    plan.piece = divide_up(parts, plan.pieces);
  }
  const int64_t positions = shape_.batch * box.part.positions();
  blocks_ += divide_up(positions, plan.block) * shape_.groups;
  plan.last_block = blocks_;
  work_ += positions * shape_.groups * shape_.out_channels * (plan.length + 1);
  plans_.push_back(plan);
}

template <typename T>
PackKey Correlation<T>::make_pack_key() const {
  PackKey key{static_cast<int64_t>(sizeof(T)), gemm_.lanes,         scatter_ != nullptr,
              dot_,                            shape_.groups,       shape_.in_channels,
              shape_.out_channels,             shape_.tap_stride,   shape_.group_stride,
              shape_.in_stride,                shape_.out_stride,   shape_.kernel[1],
              shape_.kernel[2]};
  const auto add = [&](const CorrelationPhase& part) {
    for (const CorrelationAxis& axis : part.axis)
      key.insert(key.end(), {axis.taps, axis.tap_first, axis.tap_next});
  };
  if (scatter_) std::for_each(shape_.phases.begin(), shape_.phases.end(), add);
  for (const Packing& packing : packings_) add(packing.part);
  return key;
}

template <typename T>
int64_t Correlation<T>::panel_at(int packing, int64_t group, const ColumnPanel& panel) const {
  const Packing& p = packings_[packing];
  return p.at + (group * padded_columns_ + panel.first) * p.length;
}

// [tap][k][column]
template <typename T>
void Correlation<T>::pack_panel(int packing, int64_t group, const ColumnPanel& panel,
                                const T* kernel, T* to) const {
  const int64_t K = shape_.in_channels, in_stride = shape_.in_stride, stride = shape_.out_stride;
  kernel += group * shape_.group_stride + panel.first * stride;
  for_each_tap(shape_, packings_[packing].part, [&](int64_t, int64_t, int64_t, int64_t, int64_t,
                                                    int64_t tap) {
    const T* from = kernel + tap * shape_.tap_stride;
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
void Correlation<T>::pack(const T* kernel, void* packed) const {
  if (packed_bytes_ == 0) return;
  if (scatter_) return scatter_->pack(kernel, static_cast<T*>(packed));
  const int64_t panels = static_cast<int64_t>(panels_.size());
  const int64_t tasks = static_cast<int64_t>(packings_.size()) * shape_.groups * panels;
  run_tasks(tasks, static_cast<int64_t>(packed_bytes_ / sizeof(T)) * 16, [&](int64_t i) {
    const ColumnPanel& panel = panels_[i % panels];
    const int64_t group = i / panels % shape_.groups;
    const int packing = static_cast<int>(i / panels / shape_.groups);
    pack_panel(packing, group, panel, kernel,
               static_cast<T*>(packed) + panel_at(packing, group, panel));
  });
}

// Blocks that share a panel follow each other: it stays in cache.
template <typename T>
typename Correlation<T>::Task Correlation<T>::task(int64_t index) const {
  const int64_t part = index / blocks_;
  int64_t block = index % blocks_;
  const auto plan = std::upper_bound(plans_.begin(), plans_.end(), block,
                                     [](int64_t i, const Plan& p) { return i < p.last_block; });
  if (plan != plans_.begin()) block -= (plan - 1)->last_block;
  const int64_t first = block / shape_.groups * plan->block;
  return {*plan, block % shape_.groups, first,
          std::min(plan->block, shape_.batch * plan->box.part.positions() - first), part,
          parts_ == 1 ? static_cast<int64_t>(panels_.size()) : part + 1};
}

template <typename T>
void Correlation<T>::place(const Task& task, const Call& call, T* copies, Block& block) const {
  const Plan& plan = task.plan;
  const CorrelationPhase& part = plan.box.part;
  const int64_t K = shape_.in_channels, in_channels = shape_.groups * K;
  const int64_t out_channels = shape_.groups * shape_.out_channels;
  const int64_t in_step = part.axis[2].step * in_channels;
  const int64_t out_step = part.axis[2].out_step * out_channels;
  const int64_t run = taps_are_runs(shape_, part) ? part.axis[2].taps : 1;
  block.positions = task.positions;
  Walk walk(shape_, part, task.first_position);
  for (int64_t q = 0, count; q < task.positions; q += count, walk.advance(count)) {
    count = std::min(walk.left_in_row(), task.positions - q);
    T* out = call.output + walk.out_pixel() * out_channels + task.group * shape_.out_channels;
    const T* first = call.input + walk.in_pixel() * in_channels + task.group * K;
    for (int64_t i = q; i < q + count; ++i, out += out_step) block.out[i] = out;
    if (!plan.copied) {
      for (int64_t i = q; i < q + count; ++i, first += in_step) block.row[i] = first;
      continue;
    }
    T* to = copies + q * plan.length;
    for (int64_t i = 0; i < count; ++i) block.row[q + i] = to + i * plan.length;
    for_each_segment(shape_, plan.box, part, {plan.length / (run * K), run}, 0,
                     plan.length / (run * K), [&](int64_t s, int64_t pixel, int64_t) {
                       gemm_.copy_runs({first + pixel * in_channels, in_step, to + s * run * K,
                                        plan.length, count, run * K});
                     });
  }
  // A tile's rows that are too many repeat the last one.
  std::fill_n(block.row + task.positions, gemm_.rows, block.row[task.positions - 1]);
  std::fill_n(block.out + task.positions, gemm_.rows, block.out[task.positions - 1]);
}

// Its segments, whose number it returns, and their length.
template <typename T>
int64_t Correlation<T>::chunk(const Plan& plan, int64_t index, Segment* segments,
                              int64_t* length) const {
  const int64_t K = shape_.in_channels, in_channels = shape_.groups * K;
  const int64_t first = plan.cut() ? index / plan.pieces : index * plan.piece;
  const int64_t last = plan.cut() ? first + 1 : std::min(first + plan.piece, plan.segments.count);
  const int64_t skip = plan.cut() ? index % plan.pieces * plan.piece : 0;
  *length = plan.cut() ? std::min(plan.piece, plan.segment - skip) : plan.segment;
  for_each_segment(shape_, plan.box, packings_[plan.packing].part, plan.segments, first, last,
                   [&](int64_t s, int64_t pixel, int64_t tap) {
                     const int64_t row = plan.copied ? s * plan.segment : pixel * in_channels;
                     segments[s - first] = {row + skip, tap * K + skip};
                   });
  return last - first;
}

// Adds a chunk to all rows of a block, for one panel.
template <typename T>
void Correlation<T>::multiply(const Block& block, const ColumnPanel& panel,
                              TileArgs<T> args) const {
  args.column = panel.first;
  args.column_count = panel.used;
  for (int64_t row = 0; row < block.positions; row += args.row_count) {
    const int height = dot_ ? 0 : gemm_.height_for(block.positions - row);
    const int rows = gemm_.tile_rows[height];
    args.rows = block.row + row;
    args.out = block.out + row;
    args.row_count = static_cast<int>(std::min<int64_t>(rows, block.positions - row));
    (dot_ ? gemm_.dot : gemm_.tile[height][panel.size])(args);
  }
}

template <typename T>
void Correlation<T>::compute(const Task& task, const Call& call) const {
  const Plan& plan = task.plan;
  const Epilogue<T> last = call.epilogue.from(task.group * shape_.out_channels);
  alignas(16) T copies[kCopyBytes / sizeof(T)];
  Block block;
  place(task, call, copies, block);
  if (plan.length == 0) {
    const int64_t column = panels_[task.first_panel].first;
    const ColumnPanel& end = panels_[task.last_panel - 1];
    for (int64_t q = 0; q < block.positions; ++q) {
      std::fill_n(block.out[q] + column, end.first + end.used - column, T(0));
      last.from(column).apply(block.out[q] + column, end.first + end.used - column);
    }
  }
  Segment segments[kChunkSegments];
  TileArgs<T> args{};
  args.segments = segments;
  for (int64_t c = 0, chunks = plan.chunks(); c < chunks; ++c) {
    args.segment_count = chunk(plan, c, segments, &args.length);
    args.add = c > 0;
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const ColumnPanel& panel = panels_[p];
      args.b = call.packed + panel_at(plan.packing, task.group, panel);
      if (c == chunks - 1) {
        args.bias = last.from(panel.first).bias;
        args.relu = last.relu();
      }
      multiply(block, panel, args);
    }
  }
}

template <typename T>
void Correlation<T>::run_multiplied(const T* input, const T* kernel, T* output, T* room,
                                    const Epilogue<T>& epilogue) const {
  const int64_t G = shape_.groups;
  if (shape_.in_channels == 1) {
    repeat_channels(input, shape_.in_pixels() * G, shape_.out_channels, room);
    depthwise_correlation<T>(*multiplied_, room, kernel, output, epilogue);
  } else {
    depthwise_correlation<T>(*multiplied_, input, kernel, room, {});
    sum_channels(room, shape_.out_pixels(), G, shape_.in_channels, output, epilogue);
  }
}

template <typename T>
void Correlation<T>::run(const T* input, const T* kernel, const void* packed, T* output,
                         void* workspace, const Epilogue<T>& epilogue) const {
  if (is_depthwise(shape_)) return depthwise_correlation(shape_, input, kernel, output, epilogue);
  if (multiplied_)
    return run_multiplied(input, kernel, output, static_cast<T*>(workspace), epilogue);
  if (scatter_) return scatter_->run(input, static_cast<const T*>(packed), output, epilogue);
  const Call call{input, static_cast<const T*>(packed), output, epilogue};
  run_tasks(blocks_ * parts_, work_, [&](int64_t i) { compute(task(i), call); });
}

template class Correlation<float>;
template class Correlation<double>;

}  // namespace convnet
