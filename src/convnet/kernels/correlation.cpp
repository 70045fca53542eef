#include "correlation.h"

#include <algorithm>
#include <utility>

#include "depthwise.h"
#include "finite.h"
#include "scatter.h"
#include "tasks.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::copy_columns;
using detail::for_each_tap;
using detail::taps_are_runs;
using detail::Walk;

namespace {

constexpr int64_t kBlock = 96;        // positions a task: a multiple of every tile's rows
constexpr int64_t kChunk = 384;       // k that one accumulation may have: accuracy, and B in cache
constexpr int64_t kChunkSegments = 48;
constexpr size_t kColumnBytes = 49152;  // gathered rows of one task, on its stack
constexpr int64_t kFewTasks = 16;

// With fewer input channels, one pointer a tap costs more than the arithmetic.
constexpr int64_t kFewChannels = 8;

}  // namespace

// One task's positions, and where the results of its tiles go.
template <typename T>
struct Correlation<T>::Block {
  int64_t positions;
  T* out[kBlock + GemmLimits::kMaxRows];
  bool border[kBlock];
};

template <typename T>
Correlation<T>::Correlation(CorrelationShape shape)
    : shape_(std::move(shape)), gemm_(gemm<T>()) {
  if (is_depthwise(shape_)) return;
  if (has_multiplier(shape_)) {
    multiplied_ = std::make_unique<const CorrelationShape>(without_multiplier(shape_));
    const int64_t pixels = shape_.in_channels == 1 ? shape_.in_pixels() : shape_.out_pixels();
    workspace_ = static_cast<size_t>(pixels * multiplied_->groups) * sizeof(T);
    return;
  }
  if (Scatter<T>::suits(shape_)) {
    scatter_ = std::make_unique<const Scatter<T>>(shape_);
    packed_bytes_ = align_up(scatter_->packed_bytes());
    pack_key_ = make_pack_key();
    return;
  }
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  panels_ = Panels{N, gemm_.lanes};
  int64_t longest = 0;
  for (const CorrelationPhase& phase : shape_.phases) longest = std::max(longest, phase.taps() * K);
  dot_ = 2 * N <= gemm_.lanes && (K < kFewChannels ? longest : K) >= gemm_.lanes;

  int64_t blocks = 0;
  for (const CorrelationPhase& phase : shape_.phases) {
    Plan plan{};
    plan.taps = phase.taps();
    plan.length = plan.taps * K;
    plan_rows(phase, plan);
    plan_chunks(plan);
    blocks += (shape_.batch * phase.positions() + plan.block - 1) / plan.block * shape_.groups;
    plans_.push_back(std::move(plan));
  }

  const int64_t width = dot_ ? N : panels_.padded_columns();
  const int64_t panels = dot_ ? N : panels_.count();
  size_t elements = 0;
  for (Plan& plan : plans_) {
    plan.packed = elements;
    elements += static_cast<size_t>(shape_.groups * plan.length * width);
  }
  zeros_ = align_up(elements * sizeof(T));
  flags_ = zeros_ + align_up(static_cast<size_t>(K) * sizeof(T));

  parts_ = !dot_ && blocks < kFewTasks ? panels : 1;
  for (int p = 0; p < static_cast<int>(plans_.size()); ++p) {
    const int64_t positions = shape_.batch * shape_.phases[p].positions();
    tasks_ += (positions + plans_[p].block - 1) / plans_[p].block * shape_.groups * parts_;
    plans_[p].last_task = tasks_;
    work_ += positions * shape_.groups * N * (plans_[p].length + 1);
    if (plans_[p].length == 0) continue;
    for (int64_t g = 0; g < shape_.groups; ++g)
      for (int64_t panel = 0; panel < panels; ++panel) pack_tasks_.push_back({p, g, panel});
  }
  packed_bytes_ = align_up(flags_ + pack_tasks_.size());
  pack_key_ = make_pack_key();
}

template <typename T>
Correlation<T>::~Correlation() = default;

template <typename T>
void Correlation<T>::plan_rows(const CorrelationPhase& phase, Plan& plan) const {
  const int64_t K = shape_.in_channels;
  const CorrelationAxis& last = phase.axis[2];
  for_each_tap(shape_, phase, [&](int64_t, int64_t, int64_t, int64_t, int64_t offset, int64_t) {
    plan.tap_offset.push_back(offset);
  });
  plan.block = kBlock;
  plan.rows = Rows::taps;
  plan.segment = K;
  plan.segment_offset = plan.tap_offset;

  const size_t row_bytes = static_cast<size_t>(plan.length) * sizeof(T);
  if (K >= kFewChannels || plan.taps <= 1 || row_bytes * gemm_.rows > kColumnBytes) return;
  if (row_bytes * kBlock > kColumnBytes)
    plan.block = static_cast<int64_t>(kColumnBytes / row_bytes) / gemm_.rows * gemm_.rows;
  plan.segment_offset.clear();
  if (!dot_ && last.taps > 1 && taps_are_runs(shape_, phase)) {
    plan.rows = Rows::runs;
    plan.segment = last.taps * K;
    for (int64_t tap = 0; tap < plan.taps; tap += last.taps)
      plan.segment_offset.push_back(plan.tap_offset[tap]);
  } else {
    plan.rows = Rows::columns;
    plan.segment = plan.length;
    plan.segment_offset.push_back(0);
  }
}

// Equal pieces, of whole segments where these are short.
template <typename T>
void Correlation<T>::plan_chunks(Plan& plan) const {
  const int64_t segments = static_cast<int64_t>(plan.segment_offset.size());
  if (plan.length == 0) return;
  if (plan.segment >= kChunk) {
    const int64_t pieces = (plan.segment + kChunk - 1) / kChunk;
    const int64_t piece = (plan.segment + pieces - 1) / pieces;
    for (int64_t s = 0; s < segments; ++s)
      for (int64_t k = 0; k < plan.segment; k += piece)
        plan.chunks.push_back({s, 1, k, std::min(piece, plan.segment - k)});
    return;
  }
  const int64_t most = std::min(kChunkSegments, kChunk / plan.segment);
  const int64_t pieces = (segments + most - 1) / most, piece = (segments + pieces - 1) / pieces;
  for (int64_t s = 0; s < segments; s += piece)
    plan.chunks.push_back({s, std::min(piece, segments - s), 0, plan.segment});
}

template <typename T>
PackKey Correlation<T>::make_pack_key() const {
  PackKey key{static_cast<int64_t>(sizeof(T)), gemm_.lanes, scatter_ != nullptr, dot_,
              shape_.groups,     shape_.in_channels,  shape_.out_channels,
              shape_.tap_stride, shape_.group_stride, shape_.in_stride, shape_.out_stride};
  for (const CorrelationPhase& phase : shape_.phases)
    for (int a = 0; a < 3; ++a) {
      const CorrelationAxis& axis = phase.axis[a];
      key.insert(key.end(), {shape_.kernel[a], axis.taps, axis.tap_first, axis.tap_next});
    }
  return key;
}

template <typename T>
const T* Correlation<T>::packed_panel(const T* packed, const Plan& plan, int64_t group,
                                      int64_t panel) const {
  const int64_t width = dot_ ? shape_.out_channels : panels_.padded_columns();
  const int64_t first = dot_ ? panel : panels_.first(panel);
  return packed + plan.packed + (group * width + first) * plan.length;
}

// [tap][k][column]; false when there is an Inf or a NaN.
template <typename T>
bool Correlation<T>::pack_panel(const PackTask& task, const T* kernel, T* packed) const {
  const Plan& plan = plans_[task.phase];
  T* const begin = const_cast<T*>(packed_panel(packed, plan, task.group, task.panel));
  T* to = begin;
  const int used = dot_ ? 1 : panels_.used(task.panel);
  const int padded = dot_ ? 1 : panels_.padded(task.panel);
  const int64_t first = dot_ ? task.panel : panels_.first(task.panel);
  const int64_t K = shape_.in_channels, in_stride = shape_.in_stride, stride = shape_.out_stride;
  for_each_tap(shape_, shape_.phases[task.phase], [&](int64_t, int64_t, int64_t, int64_t, int64_t,
                                                      int64_t tap) {
    const T* from =
        kernel + tap * shape_.tap_stride + task.group * shape_.group_stride + first * stride;
    if (stride == 1 && used == padded) {
      gemm_.copy_runs({from, in_stride, to, padded, K, used});
      to += K * padded;
      return;
    }
    for (int64_t k = 0; k < K; ++k, from += in_stride, to += padded) {
      for (int n = 0; n < used; ++n) to[n] = from[n * stride];
      for (int n = used; n < padded; ++n) to[n] = 0;
    }
  });
  return all_finite(begin, plan.length * padded);
}

template <typename T>
typename Correlation<T>::Task Correlation<T>::task(int64_t index) const {
  const auto plan = std::upper_bound(
      plans_.begin(), plans_.end(), index,
      [](int64_t i, const Plan& p) { return i < p.last_task; });
  if (plan != plans_.begin()) index -= (plan - 1)->last_task;
  const int64_t panels = dot_ ? shape_.out_channels : panels_.count();
  const int64_t part = index % parts_, group = index / parts_ % shape_.groups;
  return {static_cast<int>(plan - plans_.begin()), group,
          index / parts_ / shape_.groups * plan->block, part, parts_ == 1 ? panels : 1};
}

// Adds one chunk to all rows of a block, for one panel. b: that panel from the
// chunk's first element.
template <typename T>
void Correlation<T>::multiply(const Block& block, const T* const* rows, const Chunk& chunk,
                              const T* b, int64_t panel, bool add,
                              const Epilogue<T>& epilogue) const {
  TileArgs<T> args{};
  args.segments = chunk.segments;
  args.first = chunk.first;
  args.length = chunk.length;
  args.b = b;
  args.column = dot_ ? panel : panels_.first(panel);
  args.column_count = dot_ ? 1 : panels_.used(panel);
  args.add = add;
  args.bias = epilogue.from(args.column).bias;
  args.relu = epilogue.relu();
  const auto kernel = dot_ ? gemm_.dot : gemm_.tile[panels_.wide(panel)];
  for (int64_t row = 0; row < block.positions; row += gemm_.rows) {
    args.rows = rows + row * chunk.segments;
    args.out = block.out + row;
    args.row_count = static_cast<int>(std::min<int64_t>(gemm_.rows, block.positions - row));
    kernel(args);
  }
}

template <typename T>
void Correlation<T>::compute(const Task& task, const Call& call) const {
  const Plan& plan = plans_[task.phase];
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t N = shape_.out_channels, out_channels = shape_.groups * N;
  Block block;
  block.positions =
      std::min(plan.block, shape_.batch * phase.positions() - task.first_position);
  bool border = false;
  Walk walk(shape_, phase, task.first_position);
  const int64_t beside = phase.axis[2].out_step * out_channels;
  for (int64_t q = 0, count; q < block.positions; q += count, walk.advance(count)) {
    T* out = call.output + walk.out_pixel() * out_channels + task.group * N;
    const bool interior = walk.interior();
    border |= !interior;
    count = interior ? std::min(walk.left_inside(), block.positions - q) : 1;
    for (int64_t i = q; i < q + count; ++i, out += beside) {
      block.out[i] = out;
      block.border[i] = !interior;
    }
  }
  // Zeros stand for taps outside the input. Against an infinite weight they
  // would make a NaN of what the definition leaves out.
  if (plan.length == 0 || (border && !call.finite)) return compute_clipped(task, block, call);

  alignas(16) T matrix[kColumnBytes / sizeof(T)];
  const T* pointers[(kBlock + GemmLimits::kMaxRows) * kChunkSegments];
  if (plan.rows != Rows::taps) gather(task, block, call, matrix);
  const Epilogue<T> none, last = call.epilogue.from(task.group * N);
  int64_t pointed = -1;
  for (const Chunk& chunk : plan.chunks) {
    if (pointed != chunk.first_segment) point(task, block, chunk, call, matrix, pointers);
    pointed = chunk.first_segment;
    for (int64_t panel = task.first_panel; panel < task.first_panel + task.panels; ++panel) {
      const int64_t padded = dot_ ? 1 : panels_.padded(panel);
      const T* b = packed_panel(call.packed, plan, task.group, panel) +
                   (chunk.first_segment * plan.segment + chunk.first) * padded;
      multiply(block, pointers, chunk, b, panel, &chunk != &plan.chunks.front(),
               &chunk == &plan.chunks.back() ? last : none);
    }
  }
}

// Adds only the taps that are inside, one by one.
template <typename T>
void Correlation<T>::compute_clipped(const Task& task, const Block& block,
                                     const Call& call) const {
  const Plan& plan = plans_[task.phase];
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  const int64_t column = dot_ ? task.first_panel : panels_.first(task.first_panel);
  const int64_t columns = std::min(task.panels * (dot_ ? 1 : panels_.width()), N - column);
  Walk walk(shape_, phase, task.first_position);
  for (int64_t q = 0; q < block.positions; ++q, walk.next()) {
    std::fill_n(block.out[q] + column, columns, T(0));
    Block one;
    one.positions = 1;
    one.out[0] = block.out[q];
    const T* first = call.input + task.group * K + walk.in_pixel() * shape_.groups * K;
    for_each_tap(shape_, phase, [&](int64_t tap, int64_t a, int64_t b, int64_t c, int64_t offset,
                                    int64_t) {
      if (!walk.inside(0, a) || !walk.inside(1, b) || !walk.inside(2, c)) return;
      const T* row[GemmLimits::kMaxRows];
      std::fill_n(row, gemm_.rows, first + offset);
      for (int64_t panel = task.first_panel; panel < task.first_panel + task.panels; ++panel) {
        const T* packed = packed_panel(call.packed, plan, task.group, panel);
        multiply(one, row, {0, 1, 0, K}, packed + tap * K * (dot_ ? 1 : panels_.padded(panel)),
                 panel, true, {});
      }
    });
    call.epilogue.from(task.group * N + column).apply(block.out[q] + column, columns);
  }
}

// Copies the rows that are not read where they lie.
template <typename T>
void Correlation<T>::gather(const Task& task, const Block& block, const Call& call,
                            T* matrix) const {
  const Plan& plan = plans_[task.phase];
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const T* base = call.input + task.group * shape_.in_channels;
  Walk walk(shape_, phase, task.first_position);
  for (int64_t q = 0; q < block.positions;) {
    int64_t count;
    if (plan.rows == Rows::runs && !block.border[q])
      count = std::min(walk.left_inside(), block.positions - q);
    else
      count = copy_columns(shape_, phase, gemm_, walk, plan.tap_offset.data(), base, 0, plan.taps,
                           block.positions - q, matrix + q * plan.length);
    walk.advance(count);
    q += count;
  }
}

// The pointers to a chunk's segments of every row; those of rows that a tile has
// too many are the last one's.
template <typename T>
void Correlation<T>::point(const Task& task, const Block& block, const Chunk& chunk,
                           const Call& call, const T* matrix, const T** pointers) const {
  const Plan& plan = plans_[task.phase];
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t K = shape_.in_channels, in_channels = shape_.groups * K, rows = gemm_.rows;
  const int64_t segments = chunk.segments, beside = phase.axis[2].step * in_channels;
  const int64_t* offset = plan.segment_offset.data() + chunk.first_segment;
  const T** row = pointers;  // of the next position, in its tile
  int64_t left = rows;       // in the tile
  const auto next = [&] {
    ++row;
    if (--left > 0) return;
    row += rows * (segments - 1);
    left = rows;
  };
  Walk walk(shape_, phase, task.first_position);
  for (int64_t q = 0, count; q < block.positions; q += count, walk.advance(count)) {
    const bool border = block.border[q];
    const T* first = call.input + task.group * K + walk.in_pixel() * in_channels;
    count = 1;
    if (plan.rows == Rows::columns || (border && plan.rows == Rows::runs)) {
      const T* copy = matrix + q * plan.length + chunk.first_segment * plan.segment;
      for (int64_t s = 0; s < segments; ++s) row[s * rows] = copy + s * plan.segment;
      next();
    } else if (!border) {
      count = std::min(walk.left_inside(), block.positions - q);
      for (int64_t i = 0; i < count; ++i, first += beside, next())
        for (int64_t s = 0; s < segments; ++s) row[s * rows] = first + offset[s];
    } else {
      for (int64_t s = 0; s < segments; ++s) {
        const int64_t tap = chunk.first_segment + s;
        const int64_t c = tap % phase.axis[2].taps, ab = tap / phase.axis[2].taps;
        const bool inside = walk.inside(0, ab / phase.axis[1].taps) &&
                            walk.inside(1, ab % phase.axis[1].taps) && walk.inside(2, c);
        row[s * rows] = inside ? first + offset[s] : call.zeros;
      }
      next();
    }
  }
  if (left == rows) return;
  for (; left > 0; --left, ++row)
    for (int64_t s = 0; s < segments; ++s) row[s * rows] = row[s * rows - 1];
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
void Correlation<T>::pack(const T* kernel, void* packed) const {
  if (packed_bytes_ == 0) return;
  if (scatter_) return scatter_->pack(kernel, static_cast<T*>(packed));
  char* bytes = static_cast<char*>(packed);
  char* finite = bytes + flags_;
  std::fill_n(reinterpret_cast<T*>(bytes + zeros_), shape_.in_channels, T(0));
  run_tasks(static_cast<int64_t>(pack_tasks_.size()), static_cast<int64_t>(zeros_ / sizeof(T)) * 16,
            [&](int64_t i) {
              finite[i] = pack_panel(pack_tasks_[i], kernel, reinterpret_cast<T*>(bytes));
            });
}

template <typename T>
void Correlation<T>::run(const T* input, const T* kernel, const void* packed, T* output,
                         void* workspace, const Epilogue<T>& epilogue) const {
  if (is_depthwise(shape_)) return depthwise_correlation(shape_, input, kernel, output, epilogue);
  if (multiplied_)
    return run_multiplied(input, kernel, output, static_cast<T*>(workspace), epilogue);
  if (scatter_) return scatter_->run(input, static_cast<const T*>(packed), output, epilogue);
  const char* bytes = static_cast<const char*>(packed);
  const char* finite = bytes + flags_;
  const bool all_finite = std::all_of(finite, finite + pack_tasks_.size(), [](char f) { return f; });
  const Call call{input, reinterpret_cast<const T*>(bytes),
                  reinterpret_cast<const T*>(bytes + zeros_), output, all_finite, epilogue};
  run_tasks(tasks_, work_, [&](int64_t i) { compute(task(i), call); });
}

template class Correlation<float>;
template class Correlation<double>;

}  // namespace convnet
