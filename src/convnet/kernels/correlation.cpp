#include "correlation.h"

#include <algorithm>
#include <utility>

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

constexpr int64_t kBlock = 96;        // positions a task: a multiple of every tile's rows
constexpr int64_t kChunk = 384;       // k that one accumulation may have: accuracy, and B in cache
constexpr int64_t kChunkTaps = 48;
constexpr size_t kColumnBytes = 49152;  // gathered rows of one task, on its stack
constexpr int64_t kFewTasks = 16;

// With fewer input channels, one pointer a tap costs more than the arithmetic.
constexpr int64_t kFewChannels = 8;

}  // namespace

// Where the results of a task's tiles go.
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
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  panels_ = Panels{N, gemm_.lanes};

  size_t elements = 0;
  int64_t blocks = 0, longest = 0;
  for (const CorrelationPhase& phase : shape_.phases) {
    Plan plan{};
    plan.taps = phase.taps();
    plan.length = plan.taps * K;
    longest = std::max(longest, plan.length);
    plan.block = kBlock;
    const size_t row_bytes = static_cast<size_t>(plan.length) * sizeof(T);
    plan.columns = K < kFewChannels && plan.taps > 1 && row_bytes * gemm_.rows <= kColumnBytes;
    if (plan.columns && row_bytes * kBlock > kColumnBytes)
      plan.block = static_cast<int64_t>(kColumnBytes / row_bytes) / gemm_.rows * gemm_.rows;

    for_each_tap(shape_, phase, [&](int64_t, int64_t, int64_t, int64_t, int64_t offset, int64_t) {
      plan.tap_offset.push_back(offset);
    });
    // Equal pieces, of whole taps where a tap is short.
    if (K >= kChunk) {
      const int64_t pieces = (K + kChunk - 1) / kChunk, piece = (K + pieces - 1) / pieces;
      for (int64_t tap = 0; tap < plan.taps; ++tap)
        for (int64_t k = 0; k < K; k += piece)
          plan.chunks.push_back({tap, 1, k, std::min(piece, K - k)});
    } else if (K > 0) {
      const int64_t most = std::min(kChunkTaps, kChunk / K);
      const int64_t pieces = (plan.taps + most - 1) / most;
      const int64_t piece = pieces ? (plan.taps + pieces - 1) / pieces : 1;
      for (int64_t tap = 0; tap < plan.taps; tap += piece)
        plan.chunks.push_back({tap, std::min(piece, plan.taps - tap), 0, K});
    }
    if (plan.columns) {
      const int64_t pieces = (plan.length + kChunk - 1) / kChunk;
      const int64_t piece = (plan.length + pieces - 1) / pieces;
      for (int64_t k = 0; k < plan.length; k += piece)
        plan.column_chunks.push_back({0, 1, k, std::min(piece, plan.length - k)});
    }
    blocks += (shape_.batch * phase.positions() + plan.block - 1) / plan.block * shape_.groups;
    plans_.push_back(std::move(plan));
  }

  const int64_t segment = plans_.empty() ? 0 : std::max(K, K < kFewChannels ? longest : 0);
  dot_ = 2 * N <= gemm_.lanes && segment >= gemm_.lanes;
  const int64_t width = dot_ ? N : panels_.padded_columns();
  const int64_t panels = dot_ ? N : panels_.count();
  for (Plan& plan : plans_) {
    plan.packed = elements;
    elements += static_cast<size_t>(shape_.groups * plan.length * width);
  }
  packed_ = align_up(elements * sizeof(T));
  flags_ = packed_ + align_up(static_cast<size_t>(K) * sizeof(T));

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
  workspace_ = flags_ + pack_tasks_.size();
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
bool Correlation<T>::pack(const PackTask& task, const T* kernel, T* packed) const {
  const Plan& plan = plans_[task.phase];
  T* const begin = const_cast<T*>(packed_panel(packed, plan, task.group, task.panel));
  T* to = begin;
  const int used = dot_ ? 1 : panels_.used(task.panel);
  const int padded = dot_ ? 1 : panels_.padded(task.panel);
  const int64_t first = dot_ ? task.panel : panels_.first(task.panel);
  const int64_t K = shape_.in_channels, in_stride = shape_.in_stride, stride = shape_.out_stride;
  for_each_tap(shape_, shape_.phases[task.phase],
               [&](int64_t, int64_t, int64_t, int64_t, int64_t, int64_t tap) {
                 const T* from = kernel + tap * shape_.tap_stride +
                                 task.group * shape_.group_stride + first * stride;
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
                              const T* b, int64_t panel, bool add) const {
  TileArgs<T> args{};
  args.segments = chunk.taps;
  args.first = chunk.first;
  args.length = chunk.length;
  args.b = b;
  args.column = dot_ ? panel : panels_.first(panel);
  args.column_count = dot_ ? 1 : panels_.used(panel);
  args.add = add;
  const auto kernel = dot_ ? gemm_.dot : gemm_.tile[panels_.wide(panel)];
  for (int64_t row = 0; row < block.positions; row += gemm_.rows) {
    args.rows = rows + row * chunk.taps;
    args.out = block.out + row;
    args.row_count = static_cast<int>(std::min<int64_t>(gemm_.rows, block.positions - row));
    kernel(args);
  }
}

template <typename T>
void Correlation<T>::compute(const Task& task, const T* input, const T* packed, const T* zeros,
                             bool finite, T* output) const {
  const Plan& plan = plans_[task.phase];
  const CorrelationPhase& phase = shape_.phases[task.phase];
  const int64_t K = shape_.in_channels, N = shape_.out_channels;
  const int64_t in_channels = shape_.groups * K, out_channels = shape_.groups * N;
  const int64_t column = dot_ ? task.first_panel : panels_.first(task.first_panel);
  const int64_t columns = std::min(task.panels * (dot_ ? 1 : panels_.width()), N - column);
  const int rows = gemm_.rows;

  Block block;
  block.positions =
      std::min(plan.block, shape_.batch * phase.positions() - task.first_position);
  const int64_t tiles = (block.positions + rows - 1) / rows;
  bool border = false;
  {
    Walk walk(shape_, phase, task.first_position);
    for (int64_t q = 0; q < block.positions; ++q, walk.next()) {
      block.out[q] = output + walk.out_pixel() * out_channels + task.group * N;
      border |= block.border[q] = !walk.interior();
    }
  }
  // A zero row stands for taps outside the input. Against an infinite weight it
  // would make a NaN of what the definition leaves out: then only taps inside
  // are added, one by one.
  const bool clip = border && !finite;
  if (plan.length == 0 || clip)
    for (int64_t q = 0; q < block.positions; ++q)
      std::fill_n(block.out[q] + column, columns, T(0));
  if (plan.length == 0) return;

  const T* base = input + task.group * K;
  if (plan.columns && !clip) {
    alignas(16) T matrix[kColumnBytes / sizeof(T)];
    const T* pointers[kBlock + GemmLimits::kMaxRows];
    Walk walk(shape_, phase, task.first_position);
    for (int64_t q = 0; q < tiles * rows; ++q) {
      pointers[q] = matrix + std::min(q, block.positions - 1) * plan.length;
      if (q >= block.positions) continue;
      copy_columns(shape_, phase, walk, plan.tap_offset.data(), base + walk.in_pixel() * in_channels,
                   0, plan.taps, matrix + q * plan.length);
      walk.next();
    }
    for (int64_t panel = task.first_panel; panel < task.first_panel + task.panels; ++panel) {
      const T* b = packed_panel(packed, plan, task.group, panel);
      for (const Chunk& chunk : plan.column_chunks) {
        multiply(block, pointers, chunk, b, panel, chunk.first > 0);
        b += chunk.length * (dot_ ? 1 : panels_.padded(panel));
      }
    }
    return;
  }

  const T* pointers[(kBlock + GemmLimits::kMaxRows) * kChunkTaps];
  int64_t filled = -1;
  for (const Chunk& chunk : plan.chunks) {
    if (filled != chunk.first_tap) {
      filled = chunk.first_tap;
      Walk walk(shape_, phase, task.first_position);
      for (int64_t q = 0; q < tiles * rows; ++q) {
        const T** row = pointers + q / rows * rows * chunk.taps + q % rows;
        const int64_t* offset = plan.tap_offset.data() + chunk.first_tap;
        const T* first = base + walk.in_pixel() * in_channels;
        if (walk.interior()) {
          for (int64_t t = 0; t < chunk.taps; ++t) row[t * rows] = first + offset[t];
        } else {
          for (int64_t t = 0; t < chunk.taps; ++t) {
            const int64_t tap = chunk.first_tap + t;
            const int64_t c = tap % phase.axis[2].taps, ab = tap / phase.axis[2].taps;
            const bool inside = walk.inside(0, ab / phase.axis[1].taps) &&
                                walk.inside(1, ab % phase.axis[1].taps) && walk.inside(2, c);
            row[t * rows] = inside ? first + offset[t] : zeros;
          }
        }
        if (q + 1 < block.positions) walk.next();
      }
    }
    for (int64_t panel = task.first_panel; panel < task.first_panel + task.panels; ++panel) {
      const int64_t padded = dot_ ? 1 : panels_.padded(panel);
      const T* b = packed_panel(packed, plan, task.group, panel) +
                   (chunk.first_tap * K + chunk.first) * padded;
      if (!clip) {
        multiply(block, pointers, chunk, b, panel,
                 chunk.first_tap > 0 || chunk.first > 0);
        continue;
      }
      for (int64_t q = 0; q < block.positions; ++q)
        for (int64_t t = 0; t < chunk.taps; ++t) {
          const T* row = pointers[q / rows * rows * chunk.taps + q % rows + t * rows];
          if (row == zeros) continue;
          const T* same[GemmLimits::kMaxRows];
          std::fill_n(same, rows, row);
          Block one;
          one.positions = 1;
          one.out[0] = block.out[q];
          multiply(one, same, {0, 1, chunk.first, chunk.length}, b + t * K * padded, panel, true);
        }
    }
  }
}

template <typename T>
void Correlation<T>::run(const T* input, const T* kernel, T* output, void* workspace) const {
  if (is_depthwise(shape_)) return depthwise_correlation(shape_, input, kernel, output);
  char* bytes = static_cast<char*>(workspace);
  T* packed = reinterpret_cast<T*>(bytes);
  T* zeros = reinterpret_cast<T*>(bytes + packed_);
  char* finite = bytes + flags_;
  std::fill_n(zeros, shape_.in_channels, T(0));
  run_tasks(static_cast<int64_t>(pack_tasks_.size()),
            static_cast<int64_t>(packed_ / sizeof(T)) * 16,
            [&](int64_t i) { finite[i] = pack(pack_tasks_[i], kernel, packed); });
  const bool kernel_finite = std::all_of(finite, finite + pack_tasks_.size(), [](char f) { return f; });
  run_tasks(tasks_, work_, [&](int64_t i) {
    compute(task(i), input, packed, zeros, kernel_finite, output);
  });
}

template class Correlation<float>;
template class Correlation<double>;

}  // namespace convnet
