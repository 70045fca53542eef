#include "tiled_correlation.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "ahead.h"

namespace convnet {

using detail::Ahead;
using detail::chunk_segments;
using detail::CorrelationBox;
using detail::cut_boxes;
using detail::cut_strips;
using detail::plan_rows;
using detail::RowPlan;
using detail::Strips;
using detail::StripWalk;

namespace {

constexpr int64_t kLargeBytes = 1 << 21;  // of data that does not stay in a core's cache
constexpr int64_t kPixelBytes = 128;      // of smaller ones the hardware sees what comes next
constexpr int64_t kLineProducts = 320;    // that hide fetching a cache line

}  // namespace

// One task's positions: their rows, and where the results go.
template <typename T>
struct TiledCorrelation<T>::Block {
  int64_t positions;
  const T* row[RowPlan::kBlock + GemmLimits::kMaxRows];
  T* out[RowPlan::kBlock + GemmLimits::kMaxRows];
};

template <typename T>
TiledCorrelation<T>::TiledCorrelation(const CorrelationShape& shape)
    : PackedCorrelation<T>(shape, column_panels<T>(shape.out_channels), shape.in_channels, false, true) {
  std::vector<typename PackedCorrelation<T>::Plan> plans;
  for (const CorrelationBox& box : cut_boxes(shape_)) {
    const Strips strips = cut_strips(shape_, box);
    rows_.push_back({plan_rows(shape_, box), strips.along == 3 && fetches(box.part)});
    plans.push_back({box, {strips, RowPlan::kBlock}});
  }
  this->set_plans(std::move(plans));
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
  return shape_.groups > 1 || lines * kLineProducts <= part.taps() * K * padded_columns_;
}

// What the tasks of a block read that those before it did not, and what they write: its share.
template <typename T>
void TiledCorrelation<T>::look_ahead(const Task& task, const Call& call, Ahead& ahead) const {
  if (!rows_[task.plan].fetches) return;
  const CorrelationAxis* axis = plans_[task.plan].box.part.axis;
  const int64_t in_bytes = shape_.groups * shape_.in_channels * static_cast<int64_t>(sizeof(T));
  const int64_t out_bytes = shape_.groups * shape_.out_channels * static_cast<int64_t>(sizeof(T));
  const auto add = [&](const T* begin, int64_t bytes) {
    ahead.add(reinterpret_cast<const char*>(begin) + bytes * task.first_group / shape_.groups,
              divide_up(bytes, shape_.groups));
  };
  const int64_t line = shape_.in[2] * shape_.groups * shape_.in_channels;
  const int64_t depth = (axis[0].taps - 1) * axis[0].tap_step * shape_.in[1];
  StripWalk walk(plans_[task.plan].strips, task.first_position);
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
  const Strips& strips = plans_[task.plan].strips;
  const int64_t in_step = strips.axis[3].in_step, out_step = strips.axis[3].out_step;
  block.positions = task.positions;
  StripWalk walk(strips, task.first_position);
  for (int64_t q = 0, count; q < task.positions; q += count, walk.advance(count)) {
    count = std::min(walk.left_in_strip(), task.positions - q);
    const T* row = call.input + walk.in() + task.first_group * shape_.in_channels;
    T* out = call.output + walk.out() + task.first_group * shape_.out_channels;
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
  gemm_.tiles(args, block.row, block.out, block.positions, panel.size,
              [&](TileArgs<T>& tile) { ahead.take(products, tile); });
}

template <typename T>
void TiledCorrelation<T>::compute(int64_t index, const Call& call) const {
  const Task task = this->task(index);
  const CorrelationBox& box = plans_[task.plan].box;
  const RowPlan& plan = rows_[task.plan].plan;
  const Epilogue<T> last = call.epilogue.from(task.first_group * shape_.out_channels);
  Block block;
  place(task, call, block);
  if (plan.length == 0) {
    const int64_t column = panels_[task.first_panel].first;
    const ColumnPanel& end = panels_[task.last_panel - 1];
    for (int64_t q = 0; q < block.positions; ++q) {
      std::fill_n(block.out[q] + column, end.first + end.used - column, T(0));
      last.from(column).apply(block.out[q] + column, end.first + end.used - column);
    }
  }
  Ahead ahead;
  if (index + shape_.groups < this->tasks()) look_ahead(this->task(index + shape_.groups), call, ahead);
  Segment segments[RowPlan::kChunkSegments];
  TileArgs<T> args{};
  args.segments = segments;
  for (int64_t c = 0, chunks = plan.chunks(); c < chunks; ++c) {
    args.segment_count = chunk_segments(shape_, box, shape_.phases[box.phase], plan, c, segments,
                                        &args.length);
    args.add = c > 0;
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const ColumnPanel& panel = panels_[p];
      args.b = call.packed + this->panel_at(box.phase, task.first_group, panel);
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

template class TiledCorrelation<float>;
template class TiledCorrelation<double>;

}  // namespace convnet
