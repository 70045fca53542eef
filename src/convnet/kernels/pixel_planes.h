#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "scatter_method.h"

namespace convnet {

// A correlation to few output channels, which would leave most vector lanes idle if
// these ran along them. They run along pixels: an input pixel is multiplied with the
// columns of the kernel, one for each tap along the last axis and channel, for each
// tap along the other axes. Products of a column are added up in a plane of their
// own, in rows of outputs; an output is the sum of planes, each shifted by its tap.
template <typename T>
class PixelPlanes final : public ScatterMethod<T> {
 public:
  // Whether a shape can be computed this way, and would leave lanes idle otherwise.
  static bool suits(const CorrelationShape& shape);

  explicit PixelPlanes(const CorrelationShape& shape);
  PackLayout layout() const override { return PackLayout::planes; }
  void pack(const T* kernel, T* packed) const override;

 private:
  // Columns that are multiplied together.
  struct Panel {
    int64_t first, count;
  };
  using typename ScatterMethod<T>::Task;
  using ScatterMethod<T>::shape_;
  using ScatterMethod<T>::axes_;
  using ScatterMethod<T>::tasks_;
  using ScatterMethod<T>::packed_;
  struct Planes;
  struct Tile;

  static int64_t widest_task(const std::vector<detail::ScatterAxis>& axes, int64_t channels);
  void add_terms();
  Planes planes(const Task& task, T* products, T* keep) const;
  void compute(const Task& task, const T* input, const T* packed, T* output,
               const Epilogue<T>& epilogue) const override;
  void multiply(const Task& task, const Planes& planes, int64_t first_y, int64_t last_y,
                const T* input, const T* packed) const;
  void multiply_tile(const Task& task, const Planes& planes, const Tile& tile,
                     const T* packed) const;
  int64_t row_at(const Task& task, int64_t row) const;
  void store(const Task& task, const Planes& planes, int64_t row, T* output,
             const Epilogue<T>& epilogue) const;
  void finish(const Task& task, int64_t first_row, int64_t last_row, T* output,
              const Epilogue<T>& epilogue) const;

  std::vector<Panel> panels_;
  int64_t columns_;  // of the kernel, for a tap of the other axes
  int64_t plane_;    // elements from plane to plane
  // For each residue of a column and channel the planes that are added up: from a row of the
  // first one, to where in each; and behind which of these offsets those of the next begin.
  std::vector<int64_t> terms_, term_ends_, no_terms_;
};

}  // namespace convnet
