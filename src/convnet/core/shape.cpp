#include "shape.h"

#include <algorithm>

namespace convnet {

void Shape::push_back(Dim d) {
  if (rank_ == kMaxRank)
    shape_error("A tensor has too many dimensions.", "at most " + std::to_string(kMaxRank),
                std::to_string(rank_ + 1) + " or more");
  dims_[rank_++] = d;
}

bool Shape::known() const {
  return std::none_of(begin(), end(), [](Dim d) { return d < 0; });
}

Dim Shape::product(int first, int last) const {
  Dim n = 1;
  for (int axis = first; axis < last; ++axis) {
    if (dims_[axis] < 0)
      shape_error("The size of a tensor is not known yet.", "known dimensions", to_string());
    if (__builtin_mul_overflow(n, dims_[axis], &n))
      throw Error("memory", "A tensor of this shape has more elements than memory can address.",
                  {{"received", to_string()}, {"remedy", "Use smaller sizes or fewer filters."}});
  }
  return n;
}

Dim Shape::size() const { return product(0, rank_); }

std::string Shape::to_string() const {
  std::string text = "(";
  for (int axis = 0; axis < rank_; ++axis) {
    if (axis) text += ", ";
    text += dims_[axis] < 0 ? "None" : std::to_string(dims_[axis]);
  }
  return text + ")";
}

bool Shape::operator==(const Shape& other) const {
  return rank_ == other.rank_ && std::equal(begin(), end(), other.begin());
}

Shape broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int axis = 0; axis < rank; ++axis) {
    const int ia = axis - (rank - a.rank()), ib = axis - (rank - b.rank());
    const Dim da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
    if (da == db || db == 1) out.push_back(da);
    else if (da == 1) out.push_back(db);
    else if (da == kUnknown) out.push_back(db);
    else if (db == kUnknown) out.push_back(da);
    else
      shape_error("Two tensors have shapes that do not combine.",
                  "equal dimensions, or 1, counted from the last",
                  a.to_string() + " and " + b.to_string());
  }
  return out;
}

int normalize_axis(Dim axis, int rank) {
  const Dim normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank)
    argument_error("An axis is out of range.",
                   "an axis of a tensor with " + std::to_string(rank) + " dimensions",
                   std::to_string(axis) + " (counted from 0)");
  return static_cast<int>(normal);
}

}  // namespace convnet
