#include "scatter.h"

#include <algorithm>

#include "../core/divide.h"
#include "../core/threads.h"

namespace convnet {

using detail::scatter_axes;
using detail::ScatterAxis;
using detail::ScatterTap;

namespace {

constexpr size_t kSumBytes = 49152;      // outputs of one task, on its stack
constexpr size_t kProductBytes = 32768;  // pixels times columns, too
constexpr int64_t kMostPixels = 48;      // a multiple of every tile's rows
constexpr int64_t kLeastChannels = 8;
constexpr int64_t kOverrun = 4;          // elements that adding a run may touch past its end

int64_t padded(const std::vector<ColumnPanel>& panels) {
  return panels.back().first + panels.back().width;
}

}  // namespace

template <typename T>
bool Scatter<T>::suits(const CorrelationShape& shape) {
  const int64_t N = shape.out_channels, lanes = gemm<T>().lanes;
  if ((shape.groups > 1 ? 4 : 2) * N > lanes || shape.in_channels < kLeastChannels) return false;
  const std::vector<ScatterAxis> parts = scatter_axes(shape);
  if (parts.empty()) return false;
  const int64_t columns = static_cast<int64_t>(parts[1].taps.size() * parts[2].taps.size()) * N;
  const int64_t reach = parts[2].reach();
  return columns > N && 2 * columns >= lanes &&
         static_cast<size_t>(padded(column_panels<T>(columns)) * gemm<T>().rows + kOverrun) * sizeof(T) <=
             kProductBytes &&
         static_cast<size_t>(6 * reach * N + kOverrun) * sizeof(T) <= kSumBytes / 8;
}

template <typename T>
Scatter<T>::Scatter(const CorrelationShape& shape)
    : shape_(shape), gemm_(gemm<T>()), axes_(scatter_axes(shape)) {
  const int64_t N = shape_.out_channels;
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  for (size_t t = 0; t < width.taps.size(); ++t) {
    const int64_t offset = width.taps[t].offset;
    if (t > 0 && offset == width.taps[t - 1].offset + 1) runs_.back().length += N;
    else runs_.push_back({offset, static_cast<int64_t>(t) * N, N});
  }
  panels_ = column_panels<T>(static_cast<int64_t>(height.taps.size() * width.taps.size()) * N);
  pitch_ = padded(panels_);
  packed_ = static_cast<int64_t>(axes_[0].taps.size()) * shape_.groups * shape_.in_channels *
            pitch_;
  const int64_t fit = (static_cast<int64_t>(kProductBytes / sizeof(T)) - kOverrun) /
                      pitch_;
  pixels_ = std::min(kMostPixels, fit) / gemm_.rows * gemm_.rows;

  // Whole rows where eight of them fit; with few images, blocks of fewer rows.
  const int64_t sums = static_cast<int64_t>(kSumBytes / sizeof(T)) - kOverrun;
  const int64_t columns = std::min(width.out, sums / 8 / N - 2 * width.reach());
  const int64_t rows = std::min(height.out, sums / ((columns + 2 * width.reach()) * N));
  tasks_ = {shape, rows, columns, 3 * height.reach() + 1};
}

template <typename T>
void Scatter<T>::run(const T* input, const T*, const T* packed, T* output, T*,
                     const Epilogue<T>& epilogue) const {
  parallel_for(tasks_.count(), kMultiplyTime * shape_.in_pixels() * packed_, [&](int64_t i) {
    compute(tasks_.at(i), input, packed, output, epilogue);
  });
}

// Of rows of sums, which have margins for what other tasks own.
template <typename T>
int64_t Scatter<T>::sums_pitch(const Task& task) const {
  return (task.columns() + 2 * axes_[2].reach()) * shape_.out_channels;
}

// [group][depth tap][panel][k][column], columns in the order of the other taps
// and channels.
template <typename T>
void Scatter<T>::pack(const T* kernel, T* packed) const {
  std::fill_n(packed, packed_, T(0));
  const int64_t N = shape_.out_channels, width = static_cast<int64_t>(axes_[2].taps.size());
  for (int64_t g = 0; g < shape_.groups; ++g)
    for (const ScatterTap& depth : axes_[0].taps) {
      for (const ColumnPanel& panel : panels_)
        for (int n = 0; n < panel.used; ++n) {
          const int64_t column = panel.first + n, tap = column / N;
          const int64_t y = axes_[1].taps[tap / width].kernel, x = axes_[2].taps[tap % width].kernel;
          const T* from = kernel + shape_.tap(depth.kernel, y, x) * shape_.tap_stride +
                          g * shape_.group_stride + column % N * shape_.out_stride;
          T* to = packed + panel.first * shape_.in_channels + n;
          for (int64_t k = 0; k < shape_.in_channels; ++k)
            to[k * panel.width] = from[k * shape_.in_stride];
        }
      packed += shape_.in_channels * pitch_;
    }
}

// products[pixel][column]; tiles are whole, for `products` has room.
template <typename T>
void Scatter<T>::multiply(const T* input, int64_t pixels, const T* b, T* products) const {
  const T* rows[kMostPixels];
  T* out[kMostPixels];
  const int64_t tiles = divide_up(pixels, gemm_.rows);
  for (int64_t p = 0; p < tiles * gemm_.rows; ++p) {
    rows[p] = input + std::min(p, pixels - 1) * shape_.groups * shape_.in_channels;
    out[p] = products + p * pitch_;
  }
  for (const ColumnPanel& panel : panels_)
    gemm_.product(rows, 0, shape_.in_channels, b + panel.first * shape_.in_channels, panel, out, panel.first, pixels);
}

// Adds the products of `count` inputs of row y from x on.
template <typename T>
void Scatter<T>::add(const Task& task, int64_t y, int64_t x, int64_t count, const T* products,
                     T* sums) const {
  const ScatterAxis &height = axes_[1], &width = axes_[2];
  const int64_t N = shape_.out_channels, row_columns = static_cast<int64_t>(width.taps.size()) * N;
  const int64_t pitch = sums_pitch(task);
  AddRunsArgs<T> args{};
  args.from_step = pitch_;
  args.to_step = width.step * N;
  args.count = count;
  for (const ScatterTap& tap : height.taps) {
    const int64_t row = y * height.step + tap.offset - task.first_row;
    if (row >= 0 && row < task.rows())
      for (const Run& run : runs_) {
        args.from = products + run.first_column;
        args.to = sums + row * pitch +
                  (x * width.step + run.offset - task.first_column + width.reach()) * N;
        args.length = run.length;
        gemm_.add_runs(args);
      }
    products += row_columns;
  }
}

template <typename T>
void Scatter<T>::compute(const Task& task, const T* input, const T* packed, T* output,
                         const Epilogue<T>& epilogue) const {
  alignas(16) T sums[kSumBytes / sizeof(T)];
  alignas(16) T products[kProductBytes / sizeof(T)];
  const ScatterAxis &depth = axes_[0], &height = axes_[1], &width = axes_[2];
  const int64_t N = shape_.out_channels, pitch = sums_pitch(task), columns = pitch_;
  const int64_t depth_taps = static_cast<int64_t>(depth.taps.size());
  std::fill_n(sums, (task.rows()) * pitch, T(0));

  int64_t first_y, last_y, first_x, last_x;
  height.inputs(task.first_row, task.last_row, &first_y, &last_y);
  width.inputs(task.first_column, task.last_column, &first_x, &last_x);
  const int64_t row = std::max<int64_t>(0, last_x - first_x);
  const int64_t rows = std::max<int64_t>(0, last_y - first_y);
  // Whole rows follow each other: tiles need not end with them.
  const int64_t stretch = row == width.in ? rows * row : row;
  for (int64_t t = 0; t < depth_taps; ++t) {
    const int64_t z = divide_down(task.depth - depth.taps[t].offset, depth.step);
    if (z < 0 || z >= depth.in || z * depth.step + depth.taps[t].offset != task.depth) continue;
    const T* b = packed + (task.group * depth_taps + t) * shape_.in_channels * columns;
    const int64_t plane = (task.image * depth.in + z) * height.in;
    for (int64_t start = 0; start < rows * row; start += stretch)
      for (int64_t first = start; first < start + stretch; first += pixels_) {
        const int64_t last = std::min(first + pixels_, start + stretch);
        const int64_t pixel = (plane + first_y + first / row) * width.in + first_x + first % row;
        multiply(input + (pixel * shape_.groups + task.group) * shape_.in_channels, last - first, b, products);
        for (int64_t i = first, count; i < last; i += count) {
          count = std::min(last - i, row - i % row);
          add(task, first_y + i / row, first_x + i % row, count, products + (i - first) * columns,
              sums);
        }
      }
  }

  const int64_t out_channels = shape_.groups * N;
  const int64_t count = task.columns();
  // Of a whole row: channels are too few for loops of their own.
  Epilogue<T> last = epilogue.from(task.group * N);
  if (last.bias) {
    for (int64_t x = 0; x < count; ++x) std::copy_n(last.bias, N, products + x * N);
    last.bias = products;
  }
  for (int64_t row = task.first_row; row < task.last_row; ++row) {
    T* from = sums + (row - task.first_row) * pitch + width.reach() * N;
    T* to = output + (((task.image * depth.out + task.depth) * height.out + row) * width.out +
                      task.first_column) * out_channels + task.group * N;
    last.apply(from, count * N);
    if (shape_.groups == 1) std::copy_n(from, count * N, to);
    else
      for (int64_t x = 0; x < count; ++x) std::copy_n(from + x * N, N, to + x * out_channels);
    last.finish(to, count * N);
  }
}

template class Scatter<float>;
template class Scatter<double>;

}  // namespace convnet
