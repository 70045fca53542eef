#include "pixel_planes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../core/threads.h"
#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

using detail::scatter_axes;
using detail::ScatterAxis;
using detail::ScatterTap;

namespace {

constexpr int64_t kSlots = 64;       // pixels multiplied at a time
constexpr int64_t kMostColumns = 6;  // with them
constexpr int64_t kMostSlots = 1024; // of a row
constexpr int64_t kLanes = 16;       // the most that a vector has
constexpr int64_t kLeastChannels = 8;
constexpr int64_t kFewTasks = 16;

// On a task's stack: products, transposed pixels and a row of outputs.
template <typename T>
constexpr int64_t kPlaneElements = 65536 / sizeof(T);
template <typename T>
constexpr int64_t kValueElements = 16384 / sizeof(T);
template <typename T>
constexpr int64_t kRowElements = 16384 / sizeof(T);
// Channels that are multiplied at a time.
template <typename T>
constexpr int64_t kChunk = kValueElements<T> / kSlots;

// to[k * kSlots + s] = from[s][offset + k] for k < length, s < count or some more.
template <typename T>
struct TransposeArgs {
  const T* const* from;
  int64_t offset, count, length;
  T* to;
};

// to[c * to_step + s] += sum over k of w[k][c] * x[k * kSlots + s] where keep[s] has all
// bits and not none; for s < count and up to the end of a vector. For each k so many lines
// of memory are fetched, from `ahead` on.
template <typename T>
struct ProductArgs {
  const T *x, *w;
  int64_t length, count;
  const T* keep;
  T* to;
  int64_t to_step;
  const char* ahead;
  int64_t lines;
};

// Row q of `rows`: to[q * to_step + i] = sum of from[offset + i] over its offsets, which are
// those after the ones of the rows before, up to ends[q]; for i < count and up to the end
// of a vector. Then as in Epilogue, where row q has channel q % channels.
template <typename T>
struct SumArgs {
  const T* from;
  const int64_t *offsets, *ends;
  int64_t rows, channels, count;
  T* to;
  int64_t to_step;
  const T* bias;
  bool relu;
};

// to[i * rows + q] = from[q * from_step + i] for i < count, q < rows.
template <typename T>
struct WeaveArgs {
  const T* from;
  int64_t from_step, rows, count;
  T* to;
};

template <typename T>
struct Kernels {
  void (*transpose)(const TransposeArgs<T>&);
  void (*products[kMostColumns])(const ProductArgs<T>&);  // for 1, 2, .. columns
  void (*sum)(const SumArgs<T>&);
  void (*weave)(const WeaveArgs<T>&);
};

#define CONVNET_BODY "pixel_planes_body.inc"
#include "each_isa.inc"

template <typename T>
const Kernels<T>& kernels() {
  return CONVNET_OF_ISA(kKernels<T>);
}

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t low_shift(const ScatterAxis& axis) { return axis.taps.front().shift; }
int64_t high_shift(const ScatterAxis& axis) { return axis.taps.back().shift; }
int64_t shift_range(const ScatterAxis& axis) { return high_shift(axis) - low_shift(axis); }

// In an array with room for kLanes more.
template <typename T>
T* aligned(T* array) {
  return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(array) + 63) / 64 * 64);
}

// All bits, or none.
template <typename T>
T bits(bool set) {
  T value;
  std::memset(&value, set ? 0xff : 0, sizeof(T));
  return value;
}

}  // namespace

// Rows of the planes have gaps of zeros behind them, which serve the next row, too: what
// is read beyond either end.
template <typename T>
struct PixelPlanes<T>::Planes {
  const Kernels<T>& kernels;
  T* products;                  // of first_row and first_x in the first plane
  int64_t first_x, last_x;      // inputs
  int64_t pitch, front;         // of rows; zeros before the first one
  int64_t rows;                 // that there is room for
  const T* keep;                // which slots of a row are no gaps, and of the next ones
  int64_t first_row, last_row;  // those that are there
};

// Pixels that are multiplied at a time.
template <typename T>
struct PixelPlanes<T>::Tile {
  const T* const* pixels;
  int64_t count;
  const T* keep;
  T* products;    // in the first plane, where shifts are 0
  const T* next;  // what is read after them, or null
};

// Of a task's outputs: as many as leave room for some rows of products.
template <typename T>
int64_t PixelPlanes<T>::widest_task(const std::vector<ScatterAxis>& axes, int64_t channels) {
  const ScatterAxis &height = axes[1], &width = axes[2];
  const int64_t planes = height.step * static_cast<int64_t>(width.taps.size()) * channels;
  const int64_t span = shift_range(height), halo = shift_range(width);
  const int64_t slots = kPlaneElements<T> / planes - kSlots - 2 * kLanes - halo;
  const int64_t rows = span + std::min(height.in, span + 1);
  const int64_t inputs = std::min(slots / rows, kMostSlots) - 2 * halo;
  return std::min(
      {width.out, inputs * width.step, kRowElements<T> / channels - kLanes * width.step});
}

// Where it was measured to be faster than what a correlation does otherwise: transposing
// has to be worth it, and Scatter is no slower where columns fill vectors.
template <typename T>
bool PixelPlanes<T>::suits(const CorrelationShape& shape) {
  const int64_t N = shape.out_channels, K = shape.in_channels, lanes = gemm<T>().lanes;
  if (2 * N > lanes || K < kLeastChannels) return false;
  const std::vector<ScatterAxis> axes = scatter_axes(shape);
  if (axes.empty()) return false;
  const ScatterAxis &height = axes[1], &width = axes[2];
  if (height.taps.size() * width.taps.size() == 1) {
    if (N <= 2 ? K > 2 * lanes * N : K < lanes && 2 * N == lanes) return false;
  } else if (N > 1 && (N > 4 || height.taps.size() < 3)) {
    return false;
  }
  // What is read beyond the ends has to fit the gaps.
  const int64_t halo = shift_range(width);
  if (high_shift(width) > halo ||
      (width.out - 1) / width.step - low_shift(width) >= width.in + halo)
    return false;
  return widest_task(axes, N) >= std::min<int64_t>(width.out, 2 * kLanes);
}

template <typename T>
PixelPlanes<T>::PixelPlanes(const CorrelationShape& shape)
    : batch_(shape.batch),
      groups_(shape.groups),
      in_channels_(shape.in_channels),
      out_channels_(shape.out_channels),
      tap_stride_(shape.tap_stride),
      group_stride_(shape.group_stride),
      in_stride_(shape.in_stride),
      out_stride_(shape.out_stride),
      kernel_{shape.kernel[0], shape.kernel[1], shape.kernel[2]},
      axes_(scatter_axes(shape)) {
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  columns_ = static_cast<int64_t>(width.taps.size()) * out_channels_;
  for (int64_t first = 0, left = divide_up(columns_, kMostColumns); left > 0; --left) {
    panels_.push_back({first, divide_up(columns_ - first, left)});
    first += panels_.back().count;
  }
  packed_ = static_cast<int64_t>(axes_[0].taps.size() * height.taps.size()) * groups_ *
            in_channels_ * columns_;
  plane_ = kPlaneElements<T> / (height.step * columns_) / kLanes * kLanes;
  add_terms();

  // A task's first column has residue 0.
  const int64_t widest = widest_task(axes_, out_channels_);
  task_columns_ = widest < width.out ? widest / width.step * width.step : width.out;
  column_tasks_ = divide_up(width.out, task_columns_);
  const int64_t others = batch_ * groups_ * axes_[0].out * column_tasks_;
  task_rows_ = height.out;
  if (others < kFewTasks)
    task_rows_ = std::min(task_rows_, std::max(divide_up(height.out, divide_up(kFewTasks, others)),
                                               4 * shift_range(height) * height.step + 1));
  row_tasks_ = divide_up(height.out, task_rows_);
  tasks_ = others * row_tasks_;
  work_ = batch_ * axes_[0].in * height.in * width.in * packed_;
}

template <typename T>
void PixelPlanes<T>::add_terms() {
  const ScatterAxis& width = axes_[2];
  for (int64_t r = 0; r < width.step; ++r)
    for (int64_t n = 0; n < out_channels_; ++n) {
      int64_t plane = n;
      for (const ScatterTap& tap : width.taps) {
        if (tap.residue == r) terms_.push_back(plane * plane_ - tap.shift);
        plane += out_channels_;
      }
      term_ends_.push_back(static_cast<int64_t>(terms_.size()));
    }
  no_terms_.assign(term_ends_.size(), 0);
}

template <typename T>
typename PixelPlanes<T>::Task PixelPlanes<T>::task(int64_t index) const {
  const auto next = [&](int64_t count) {
    const int64_t part = index % count;
    index /= count;
    return part;
  };
  Task task;
  task.first_column = next(column_tasks_) * task_columns_;
  task.last_column = std::min(axes_[2].out, task.first_column + task_columns_);
  task.first_row = next(row_tasks_) * task_rows_;
  task.last_row = std::min(axes_[1].out, task.first_row + task_rows_);
  task.depth = next(axes_[0].out);
  task.group = next(groups_);
  task.image = index;
  return task;
}

// [group][depth tap][row tap][panel][k][column], columns in the order of the last taps
// and channels.
template <typename T>
void PixelPlanes<T>::pack(const T* kernel, T* packed) const {
  const int64_t N = out_channels_;
  for (int64_t g = 0; g < groups_; ++g)
    for (const ScatterTap& depth : axes_[0].taps)
      for (const ScatterTap& height : axes_[1].taps)
        for (const Panel& panel : panels_) {
          for (int64_t c = 0; c < panel.count; ++c) {
            const int64_t column = panel.first + c, width = axes_[2].taps[column / N].kernel;
            const int64_t tap = (depth.kernel * kernel_[1] + height.kernel) * kernel_[2] + width;
            const T* from =
                kernel + tap * tap_stride_ + g * group_stride_ + column % N * out_stride_;
            for (int64_t k = 0; k < in_channels_; ++k)
              packed[k * panel.count + c] = from[k * in_stride_];
          }
          packed += in_channels_ * panel.count;
        }
}

template <typename T>
typename PixelPlanes<T>::Planes PixelPlanes<T>::planes(const Task& task, T* products,
                                                       T* keep) const {
  const ScatterAxis& width = axes_[2];
  int64_t first_x, last_x;
  width.inputs(task.first_column, task.last_column, &first_x, &last_x);
  const int64_t low = task.first_column / width.step - high_shift(width);
  const int64_t high = (task.last_column - 1) / width.step - low_shift(width);
  const int64_t inputs = last_x - first_x;
  const int64_t gap = std::max<int64_t>({inputs == 0, first_x - low, high + 1 - last_x});
  const int64_t pitch = inputs + gap, front = divide_up(gap, kLanes) * kLanes;
  std::fill_n(keep, inputs, bits<T>(true));
  std::fill_n(keep + inputs, gap, bits<T>(false));
  for (int64_t i = pitch; i < pitch + kSlots; ++i) keep[i] = keep[i - pitch];
  const int64_t rows = (plane_ - front - kSlots) / pitch;
  return {kernels<T>(), products + front, first_x, last_x, pitch, front, rows, keep, 0, 0};
}

// Adds the products of rows first_y to last_y - 1.
template <typename T>
void PixelPlanes<T>::multiply(const Task& task, const Planes& planes, int64_t first_y,
                              int64_t last_y, const T* input, const T* packed) const {
  T keep[kSlots];
  const T* pixels[kSlots];
  const int64_t channels = groups_ * in_channels_, line = axes_[2].in * channels;
  const int64_t inputs = planes.last_x - planes.first_x;
  const int64_t slots = (last_y - first_y) * planes.pitch;
  const T* row = input + (task.image * axes_[0].in * axes_[1].in + first_y) * line +
                 planes.first_x * channels + task.group * in_channels_;
  Tile tile{pixels, 0, nullptr, planes.products + (first_y - planes.first_row) * planes.pitch,
            nullptr};
  for (int64_t first = 0, x = 0; first < slots; first += kSlots, tile.products += kSlots) {
    tile.count = std::min(kSlots, slots - first);
    tile.keep = planes.keep + x;
    if (tile.count < kSlots) {
      std::fill(std::copy_n(tile.keep, tile.count, keep), keep + kSlots, bits<T>(false));
      tile.keep = keep;
    }
    for (int64_t s = 0, count; s < kSlots; s += count) {
      count = std::min(planes.pitch - x, kSlots - s);
      const int64_t real = std::clamp<int64_t>(inputs - x, 0, s < tile.count ? count : 0);
      for (int64_t i = 0; i < real; ++i) pixels[s + i] = row + (x + i) * channels;
      std::fill_n(pixels + s + real, count - real, input);  // any that is there
      x += count;
      if (x < planes.pitch) continue;
      x = 0;
      row += line;
    }
    if (groups_ == 1) tile.next = row + x * channels;
    multiply_tile(task, planes, tile, packed);
  }
}

template <typename T>
void PixelPlanes<T>::multiply_tile(const Task& task, const Planes& planes, const Tile& tile,
                                   const T* packed) const {
  T room[kValueElements<T> + kLanes];
  T* const values = aligned(room);
  const ScatterAxis &depth = axes_[0], &height = axes_[1];
  const int64_t image = height.in * axes_[2].in * groups_ * in_channels_;
  packed += task.group * (packed_ / groups_);
  const int64_t calls = static_cast<int64_t>(height.taps.size() * panels_.size());
  ProductArgs<T> args{};
  args.x = values;
  args.count = tile.count;
  args.keep = tile.keep;
  args.to_step = plane_;
  for (const ScatterTap& deep : depth.taps) {
    const T* weights = packed;
    packed += static_cast<int64_t>(height.taps.size()) * in_channels_ * columns_;
    const int64_t z = task.depth / depth.step - deep.shift;
    if (z < 0 || z >= depth.in || task.depth % depth.step != deep.residue) continue;
    for (int64_t k = 0; k < in_channels_; k += kChunk<T>) {
      args.length = std::min(kChunk<T>, in_channels_ - k);
      planes.kernels.transpose({tile.pixels, z * image + k, tile.count, args.length, values});
      // The next pixels are fetched by as many calls as there are lines of theirs for each k; for
      // the first tap, that of the greatest depth, as the others' were read before.
      int64_t lines = 0;
      if (tile.next && &deep == depth.taps.data()) {
        lines = kSlots * static_cast<int64_t>(sizeof(T)) / 64;
        args.ahead = reinterpret_cast<const char*>(tile.next + z * image + k * kSlots);
      }
      args.lines = divide_up(lines, calls);
      const T* w = weights;
      for (const ScatterTap& tap : height.taps)
        for (const Panel& panel : panels_) {
          args.w = w + k * panel.count;
          args.to = tile.products + (tap.residue * columns_ + panel.first) * plane_ +
                    tap.shift * planes.pitch;
          planes.kernels.products[panel.count - 1](args);
          w += in_channels_ * panel.count;
          args.ahead += args.length * args.lines * 64;
          lines -= args.lines;
          args.lines = std::min(args.lines, lines);
        }
    }
  }
}

// Where a row of a task's outputs begins.
template <typename T>
int64_t PixelPlanes<T>::row_at(const Task& task, int64_t row) const {
  const int64_t line = (task.image * axes_[0].out + task.depth) * axes_[1].out + row;
  return ((line * axes_[2].out + task.first_column) * groups_ + task.group) * out_channels_;
}

template <typename T>
void PixelPlanes<T>::store(const Task& task, const Planes& planes, int64_t row, T* output,
                           const Epilogue<T>& epilogue) const {
  T room[kRowElements<T> + kLanes];
  T* const sums = aligned(room);
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  const int64_t N = out_channels_, count = task.last_column - task.first_column;
  const int64_t whole = count / width.step, residues = width.step * N;
  const int64_t step = divide_up(whole + 1, kLanes) * kLanes;
  const int64_t from = row / height.step, residue = row - from * height.step;
  const bool there = from >= planes.first_row && from < planes.last_row;
  planes.kernels.sum({planes.products + residue * columns_ * plane_ +
                          (from - planes.first_row) * planes.pitch +
                          task.first_column / width.step - planes.first_x,
                      terms_.data(), (there ? term_ends_ : no_terms_).data(), residues, N,
                      whole + (whole * width.step < count), sums, step, epilogue.bias,
                      epilogue.relu});

  const int64_t out_step = groups_ * N;
  T* to = output + row_at(task, row);
  const int64_t woven = groups_ == 1 ? whole : 0;
  if (residues == 1) std::copy_n(sums, woven, to);
  else planes.kernels.weave({sums, step, residues, woven, to});
  for (int64_t i = woven * width.step; i < count; ++i)
    for (int64_t n = 0; n < N; ++n)
      to[i * out_step + n] = sums[(i % width.step * N + n) * step + i / width.step];
}

// What follows rows that are stored.
template <typename T>
void PixelPlanes<T>::finish(const Task& task, int64_t first_row, int64_t last_row, T* output,
                            const Epilogue<T>& epilogue) const {
  const int64_t N = out_channels_, rows = last_row - first_row;
  const int64_t columns = task.last_column - task.first_column;
  const int64_t together = columns == axes_[2].out ? std::max<int64_t>(1, rows) : 1;
  for (int64_t row = first_row; row < last_row; row += together)
    epilogue.finish(output + row_at(task, row), together * columns * N);
}

// Rows of inputs one lot after the other, and after each of them the outputs that are
// complete. What is left of the planes' rows moves to their beginning.
template <typename T>
void PixelPlanes<T>::compute(const Task& task, const T* input, const T* packed, T* output,
                             const Epilogue<T>& epilogue) const {
  T room[kPlaneElements<T> + kLanes], keep[kMostSlots + kSlots];
  const ScatterAxis& height = axes_[1];
  const Epilogue<T> last = epilogue.from(task.group * out_channels_);
  const int64_t planes_count = height.step * columns_, span = shift_range(height);
  Planes planes = this->planes(task, aligned(room), keep);
  int64_t y, last_y;
  height.inputs(task.first_row, task.last_row, &y, &last_y);
  if (planes.first_x == planes.last_x) last_y = y;
  for (int64_t p = 0; p < planes_count; ++p)
    std::fill_n(planes.products + p * plane_ - planes.front, planes.front, T(0));
  for (int64_t row = task.first_row, kept = 0, next; row < task.last_row; y = next) {
    next = std::min(last_y, y + planes.rows - span);
    planes.first_row = y + low_shift(height);
    planes.last_row = next + high_shift(height);
    const int64_t used = (next - y + span) * planes.pitch;
    for (int64_t p = 0; p < planes_count; ++p) {
      T* plane = planes.products + p * plane_;
      std::fill(plane + kept, plane + used + kSlots, T(0));
    }
    multiply(task, planes, y, next, input, packed);
    const bool all = next == last_y;
    const int64_t first_row = row;
    while (row < task.last_row && (all || row / height.step < next + low_shift(height)))
      store(task, planes, row++, output, last);
    if (last.finisher) finish(task, first_row, row, output, last);
    kept = span * planes.pitch;
    for (int64_t p = 0; !all && p < planes_count; ++p) {
      T* plane = planes.products + p * plane_;
      std::copy_n(plane + used - kept, kept, plane);
    }
  }
}

template <typename T>
void PixelPlanes<T>::run(const T* input, const T* packed, T* output,
                         const Epilogue<T>& epilogue) const {
  parallel_for(tasks_, kMultiplyTime * work_,
               [&](int64_t i) { compute(task(i), input, packed, output, epilogue); });
}

template class PixelPlanes<float>;
template class PixelPlanes<double>;

}  // namespace convnet
