#include "pixel_planes.h"

#include <algorithm>
#include <cstring>

#include "../core/divide.h"
#include "gemm.h"
#include "pixel_planes_kernels.h"

namespace convnet {

using detail::scatter_axes;
using detail::ScatterAxis;
using detail::ScatterTap;

namespace {

constexpr int64_t kSlots = PlaneLimits::kSlots, kMostColumns = PlaneLimits::kMostColumns;
constexpr int64_t kLanes = PlaneLimits::kLanes;
constexpr int64_t kMostSlots = 1024;  // of a row
constexpr int64_t kLeastChannels = 8;

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
  const PlaneKernels<T>& kernels;
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
    if (K < lanes && 2 * N == lanes) return false;
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
    : ScatterMethod<T>(shape) {
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  columns_ = static_cast<int64_t>(width.taps.size()) * shape_.out_channels;
  for (int64_t first = 0, left = divide_up(columns_, kMostColumns); left > 0; --left) {
    panels_.push_back({first, divide_up(columns_ - first, left)});
    first += panels_.back().count;
  }
  packed_ = static_cast<int64_t>(axes_[0].taps.size() * height.taps.size()) * shape_.groups *
            shape_.in_channels * columns_;
  plane_ = kPlaneElements<T> / (height.step * columns_) / kLanes * kLanes;
  add_terms();

  const int64_t widest = widest_task(axes_, shape_.out_channels);
  // A task's first column has residue 0.
  const int64_t columns = widest < width.out ? widest / width.step * width.step : width.out;
  tasks_ = {shape, height.out, columns, 4 * shift_range(height) * height.step + 1};
}

template <typename T>
void PixelPlanes<T>::add_terms() {
  const ScatterAxis& width = axes_[2];
  for (int64_t r = 0; r < width.step; ++r)
    for (int64_t n = 0; n < shape_.out_channels; ++n) {
      int64_t plane = n;
      for (const ScatterTap& tap : width.taps) {
        if (tap.residue == r) terms_.push_back(plane * plane_ - tap.shift);
        plane += shape_.out_channels;
      }
      term_ends_.push_back(static_cast<int64_t>(terms_.size()));
    }
  no_terms_.assign(term_ends_.size(), 0);
}

// [group][depth tap][row tap][panel][k][column], columns in the order of the last taps
// and channels.
template <typename T>
void PixelPlanes<T>::pack(const T* kernel, T* packed) const {
  const int64_t N = shape_.out_channels;
  for (int64_t g = 0; g < shape_.groups; ++g)
    for (const ScatterTap& depth : axes_[0].taps)
      for (const ScatterTap& height : axes_[1].taps)
        for (const Panel& panel : panels_) {
          for (int64_t c = 0; c < panel.count; ++c) {
            const int64_t column = panel.first + c, width = axes_[2].taps[column / N].kernel;
            const T* from = kernel + shape_.tap(depth.kernel, height.kernel, width) * shape_.tap_stride +
                            g * shape_.group_stride + column % N * shape_.out_stride;
            for (int64_t k = 0; k < shape_.in_channels; ++k)
              packed[k * panel.count + c] = from[k * shape_.in_stride];
          }
          packed += shape_.in_channels * panel.count;
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
  return {plane_kernels<T>(), products + front, first_x, last_x, pitch, front, rows, keep, 0, 0};
}

// Adds the products of rows first_y to last_y - 1.
template <typename T>
void PixelPlanes<T>::multiply(const Task& task, const Planes& planes, int64_t first_y,
                              int64_t last_y, const T* input, const T* packed) const {
  T keep[kSlots];
  const T* pixels[kSlots];
  const int64_t channels = shape_.groups * shape_.in_channels, line = axes_[2].in * channels;
  const int64_t inputs = planes.last_x - planes.first_x;
  const int64_t slots = (last_y - first_y) * planes.pitch;
  const T* row = input + (task.image * axes_[0].in * axes_[1].in + first_y) * line +
                 planes.first_x * channels + task.group * shape_.in_channels;
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
    if (shape_.groups == 1) tile.next = row + x * channels;
    multiply_tile(task, planes, tile, packed);
  }
}

template <typename T>
void PixelPlanes<T>::multiply_tile(const Task& task, const Planes& planes, const Tile& tile,
                                   const T* packed) const {
  T room[kValueElements<T> + kLanes];
  T* const values = aligned(room);
  const ScatterAxis &depth = axes_[0], &height = axes_[1];
  const int64_t image = height.in * axes_[2].in * shape_.groups * shape_.in_channels;
  packed += task.group * (packed_ / shape_.groups);
  const int64_t calls = static_cast<int64_t>(height.taps.size() * panels_.size());
  PlaneProductArgs<T> args{};
  args.x = values;
  args.count = tile.count;
  args.keep = tile.keep;
  args.to_step = plane_;
  for (const ScatterTap& deep : depth.taps) {
    const T* weights = packed;
    packed += static_cast<int64_t>(height.taps.size()) * shape_.in_channels * columns_;
    const int64_t z = task.depth / depth.step - deep.shift;
    if (z < 0 || z >= depth.in || task.depth % depth.step != deep.residue) continue;
    for (int64_t k = 0; k < shape_.in_channels; k += kChunk<T>) {
      args.length = std::min(kChunk<T>, shape_.in_channels - k);
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
          w += shape_.in_channels * panel.count;
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
  return ((line * axes_[2].out + task.first_column) * shape_.groups + task.group) * shape_.out_channels;
}

template <typename T>
void PixelPlanes<T>::store(const Task& task, const Planes& planes, int64_t row, T* output,
                           const Epilogue<T>& epilogue) const {
  T room[kRowElements<T> + kLanes];
  T* const sums = aligned(room);
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  const int64_t N = shape_.out_channels, count = task.columns();
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

  const int64_t out_step = shape_.groups * N;
  T* to = output + row_at(task, row);
  const int64_t woven = shape_.groups == 1 ? whole : 0;
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
  const int64_t N = shape_.out_channels, rows = last_row - first_row;
  const int64_t columns = task.columns();
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
  const Epilogue<T> last = epilogue.from(task.group * shape_.out_channels);
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

template class PixelPlanes<float>;
template class PixelPlanes<double>;

}  // namespace convnet
