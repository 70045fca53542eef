#pragma once
#include "correlation.h"

namespace convnet::detail {

// Walks over the positions (n, q0, q1, q2) of a phase in row-major order.
class Walk {
 public:
  Walk(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t position)
      : shape_(shape), phase_(phase) {
    for (int a = 2; a >= 0; --a) {
      q_[a] = position % phase.axis[a].count;
      position /= phase.axis[a].count;
    }
    n_ = position;
    for (int a = 0; a < 3; ++a) settle(a);
  }
  void next() {
    for (int a = 2; a >= 0; --a) {
      if (++q_[a] < phase_.axis[a].count) return settle(a);
      q_[a] = 0;
      settle(a);
    }
    ++n_;
  }
  // Pixel that the first tap reads; may lie outside when !interior().
  int64_t in_pixel() const {
    return ((n_ * shape_.in[0] + start_[0]) * shape_.in[1] + start_[1]) * shape_.in[2] + start_[2];
  }
  int64_t out_pixel() const {
    int64_t pixel = n_;
    for (int a = 0; a < 3; ++a) {
      const CorrelationAxis& axis = phase_.axis[a];
      pixel = pixel * shape_.out[a] + axis.out_start + q_[a] * axis.out_step;
    }
    return pixel;
  }
  // All taps read inside the input.
  bool interior() const { return interior_[0] && interior_[1] && interior_[2]; }
  bool inside(int a, int64_t j) const {
    const int64_t i = start_[a] + j * phase_.axis[a].tap_step;
    return i >= 0 && i < shape_.in[a];
  }

 private:
  void settle(int a) {
    const CorrelationAxis& axis = phase_.axis[a];
    start_[a] = q_[a] * axis.step + axis.base;
    interior_[a] = inside(a, 0) && inside(a, axis.taps - 1);
  }

  const CorrelationShape& shape_;
  const CorrelationPhase& phase_;
  int64_t n_, q_[3], start_[3];
  bool interior_[3];
};

// Calls f(tap, its index along each axis, offset, kernel element): offset is in input
// elements, from the one that the first tap reads at the same position.
template <typename F>
void for_each_tap(const CorrelationShape& shape, const CorrelationPhase& phase, F&& f) {
  const CorrelationAxis* axis = phase.axis;
  int64_t tap = 0;
  for (int64_t a = 0; a < axis[0].taps; ++a)
    for (int64_t b = 0; b < axis[1].taps; ++b)
      for (int64_t c = 0; c < axis[2].taps; ++c, ++tap) {
        const int64_t pixel = (a * axis[0].tap_step * shape.in[1] + b * axis[1].tap_step) *
                                  shape.in[2] + c * axis[2].tap_step;
        const int64_t kernel = ((axis[0].tap_first + a * axis[0].tap_next) * shape.kernel[1] +
                                axis[1].tap_first + b * axis[1].tap_next) * shape.kernel[2] +
                               axis[2].tap_first + c * axis[2].tap_next;
        f(tap, a, b, c, pixel * shape.groups * shape.in_channels, kernel);
      }
}

// Zeros where the taps of one position that lie outside the input would be.
template <typename T>
void copy_columns(const CorrelationShape& shape, const CorrelationPhase& phase, const Walk& walk,
                  const int64_t* tap_offset, const T* first, int64_t first_tap, int64_t last_tap,
                  T* columns) {
  const int64_t K = shape.in_channels;
  if (walk.interior()) {
    for (int64_t tap = first_tap; tap < last_tap; ++tap)
      for (int64_t k = 0; k < K; ++k) *columns++ = first[tap_offset[tap] + k];
    return;
  }
  const CorrelationAxis* axis = phase.axis;
  int64_t c = first_tap % axis[2].taps, b = first_tap / axis[2].taps % axis[1].taps,
          a = first_tap / axis[2].taps / axis[1].taps;
  for (int64_t tap = first_tap; tap < last_tap; ++tap) {
    const bool inside = walk.inside(0, a) && walk.inside(1, b) && walk.inside(2, c);
    for (int64_t k = 0; k < K; ++k) *columns++ = inside ? first[tap_offset[tap] + k] : T(0);
    if (++c == axis[2].taps) {
      c = 0;
      if (++b == axis[1].taps) b = 0, ++a;
    }
  }
}

inline size_t align_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace convnet::detail
