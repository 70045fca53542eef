#pragma once
#include <algorithm>

#include "../core/divide.h"
#include "correlation_shape.h"

namespace convnet::detail {

// Walks over the positions (n, q0, q1, q2) of a phase in row-major order; a row
// is what n, q0 and q1 have in common.
class Walk {
 public:
  Walk(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t position)
      : shape_(shape), phase_(phase) {
    for (int a = 2; a >= 0; --a) {
      q_[a] = position % phase.axis[a].count;
      position /= phase.axis[a].count;
    }
    n_ = position;
    settle();
  }
  // By at most left_in_row() positions.
  void advance(int64_t positions) {
    const CorrelationAxis& axis = phase_.axis[2];
    q_[2] += positions;
    in_pixel_ += positions * axis.step;
    out_pixel_ += positions * axis.out_step;
    if (q_[2] < axis.count) return;
    q_[2] = 0;
    if (++q_[1] == phase_.axis[1].count) {
      q_[1] = 0;
      if (++q_[0] == phase_.axis[0].count) {
        q_[0] = 0;
        ++n_;
      }
    }
    settle();
  }
  int64_t column() const { return q_[2]; }
  int64_t left_in_row() const { return phase_.axis[2].count - q_[2]; }
  // Pixel that the first tap reads; may lie outside.
  int64_t in_pixel() const { return in_pixel_; }
  int64_t out_pixel() const { return out_pixel_; }
  // Where the first tap reads along an outer axis.
  int64_t index(int a) const { return q_[a] * phase_.axis[a].step + phase_.axis[a].base; }
  // The positions of an axis for which q * step + base + offset is in [0, in).
  static void inside_range(const CorrelationAxis& axis, int64_t offset, int64_t in, int64_t* first,
                           int64_t* last) {
    const int64_t start = axis.base + offset, room = in - start;
    *first = start >= 0 ? 0 : divide_up(-start, axis.step);
    *last = room <= 0 ? 0 : std::min(axis.count, divide_up(room, axis.step));
  }

  // Those where both the first and the last tap are inside.
  static void interior_range(const CorrelationAxis& axis, int64_t in, int64_t* first, int64_t* last) {
    const int64_t reach = (axis.taps - 1) * axis.tap_step;
    inside_range(axis, std::min<int64_t>(0, reach), in, first, last);
    int64_t from, to;
    inside_range(axis, std::max<int64_t>(0, reach), in, &from, &to);
    *first = std::max(*first, from);
    *last = std::min(*last, to);
  }

 private:
  void settle() {
    in_pixel_ = out_pixel_ = n_;
    for (int a = 0; a < 3; ++a) {
      const CorrelationAxis& axis = phase_.axis[a];
      in_pixel_ = in_pixel_ * shape_.in[a] + q_[a] * axis.step + axis.base;
      out_pixel_ = out_pixel_ * shape_.out[a] + axis.out_start + q_[a] * axis.out_step;
    }
  }

  const CorrelationShape& shape_;
  const CorrelationPhase& phase_;
  int64_t n_, q_[3], in_pixel_, out_pixel_;
};

// Pixels from what the first tap reads to what tap (a, b, c) does.
inline int64_t tap_pixel(const CorrelationShape& shape, const CorrelationAxis* axis, int64_t a,
                         int64_t b, int64_t c) {
  return (a * axis[0].tap_step * shape.in[1] + b * axis[1].tap_step) * shape.in[2] +
         c * axis[2].tap_step;
}

// Calls f(c, offset, kernel element) for each tap, c being its index along the last axis: offset is in
// input elements, from the one that the first tap reads at the same position.
template <typename F>
void for_each_tap(const CorrelationShape& shape, const CorrelationPhase& phase, F&& f) {
  const CorrelationAxis* axis = phase.axis;
  for (int64_t a = 0; a < axis[0].taps; ++a)
    for (int64_t b = 0; b < axis[1].taps; ++b)
      for (int64_t c = 0; c < axis[2].taps; ++c) {
        const int64_t kernel = shape.tap(axis[0].tap_first + a * axis[0].tap_next,
                                         axis[1].tap_first + b * axis[1].tap_next,
                                         axis[2].tap_first + c * axis[2].tap_next);
        f(c, tap_pixel(shape, axis, a, b, c) * shape.groups * shape.in_channels, kernel);
      }
}

// Taps of an axis, from the first one to before the last one.
struct TapRange {
  int64_t first, last;
};

// Those that read inside the input at position q; {0, 0} where none does.
inline TapRange taps_inside(const CorrelationAxis& axis, int64_t q, int64_t in) {
  const int64_t start = q * axis.step + axis.base;
  const int64_t first = std::max<int64_t>(0, divide_up(-start, axis.tap_step));
  const int64_t last = std::min(axis.taps, divide_up(in - start, axis.tap_step));
  return first < last ? TapRange{first, last} : TapRange{0, 0};
}

// Whether taps that follow each other along the last axis read neighbours.
inline bool taps_are_runs(const CorrelationShape& shape, const CorrelationPhase& phase) {
  return shape.groups == 1 && phase.axis[2].tap_step == 1;
}

inline size_t align_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace convnet::detail
