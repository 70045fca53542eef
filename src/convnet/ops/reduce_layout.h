#pragma once
#include <algorithm>
#include <array>

#include "../core/shape.h"

namespace convnet {

using AxisSet = std::array<bool, kMaxRank>;

// A walk through some axes of a tensor: position n of the walk is offset(n).
struct AxesWalk {
  int rank = 0;
  Dim size = 1;
  std::array<Dim, kMaxRank> extent{}, stride{};

  void prepend(Dim n, Dim step) {
    std::copy_backward(extent.begin(), extent.begin() + rank, extent.begin() + rank + 1);
    std::copy_backward(stride.begin(), stride.begin() + rank, stride.begin() + rank + 1);
    extent[0] = n;
    stride[0] = step;
    ++rank;
    size *= n;
  }
  Dim offset(Dim n) const {
    Dim at = 0;
    for (int axis = rank - 1; axis >= 0; --axis) {
      at += n % extent[axis] * stride[axis];
      n /= extent[axis];
    }
    return at;
  }
};

// The axes of a reduction, neighbours merged. The innermost run of kept axes is
// `columns` wide (1 when the last axis is reduced); the innermost run of reduced
// axes is `rows` long, its rows `columns` apart.
struct ReduceLayout {
  Dim columns = 1, rows = 1;
  AxesWalk kept, reduced;  // the axes further out

  ReduceLayout(const Shape& shape, const AxisSet& marked) {
    Dim step = 1;
    bool inner_kept = true, inner_reduced = true;
    bool first = true, last = false;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const Dim n = shape[axis];
      if (n == 1) continue;
      const bool is_reduced = marked[axis];
      if (!first && is_reduced != last) (last ? inner_reduced : inner_kept) = false;
      if (first && is_reduced) inner_kept = false;
      AxesWalk& walk = is_reduced ? reduced : kept;
      if (is_reduced && inner_reduced) rows *= n;
      else if (!is_reduced && inner_kept) columns *= n;
      else if (!first && is_reduced == last) walk.extent[0] *= n, walk.size *= n;
      else walk.prepend(n, step);
      step *= n;
      first = false;
      last = is_reduced;
    }
  }
};

}  // namespace convnet
