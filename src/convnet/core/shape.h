#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "error.h"

namespace convnet {

using Dim = int64_t;
constexpr Dim kUnknown = -1;
constexpr int kMaxRank = 8;

// Extents of a tensor, outermost first (row-major). kUnknown stands for an
// extent that only a concrete batch of data will tell.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Dim> dims) : Shape(std::vector<Dim>(dims)) {}
  explicit Shape(const std::vector<Dim>& dims) {
    for (Dim d : dims) push_back(d);
  }

  int rank() const { return rank_; }
  Dim operator[](int axis) const { return dims_[axis]; }
  Dim& operator[](int axis) { return dims_[axis]; }
  Dim back() const { return dims_[rank_ - 1]; }
  const Dim* begin() const { return dims_.data(); }
  const Dim* end() const { return dims_.data() + rank_; }

  void push_back(Dim d);
  bool known() const;
  // Number of elements; throws when unknown or when it would overflow.
  Dim size() const;
  // Product of the extents first..last-1.
  Dim product(int first, int last) const;
  std::vector<Dim> dims() const { return std::vector<Dim>(begin(), end()); }
  // "(None, 28, 28, 1)", as Keras prints it.
  std::string to_string() const;

  bool operator==(const Shape& other) const;
  bool operator!=(const Shape& other) const { return !(*this == other); }

 private:
  int rank_ = 0;
  std::array<Dim, kMaxRank> dims_{};
};

// NumPy's broadcasting rule; an unknown extent meets 1 or an equal one later.
Shape broadcast(const Shape& a, const Shape& b);

// axis counted from 0, negative from the end; throws when out of range.
int normalize_axis(Dim axis, int rank);

}  // namespace convnet
