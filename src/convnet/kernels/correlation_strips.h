#pragma once
#include <cstdint>
#include <vector>

#include "correlation_boxes.h"

namespace convnet::detail {

// The positions of a box in strips, neighbours along one axis: the last where that is no
// shorter than kLong. Each reads and writes a constant distance from the one before.
struct Strips {
  static constexpr int64_t kLong = 5;

  struct Axis {
    int64_t count, in_step, out_step;
  };
  Axis axis[4];      // that of strips is the last
  int64_t in, out;   // elements that the first position begins with
  int along;         // which one that was: 0 of images, 3 the width
};

Strips cut_strips(const CorrelationShape& shape, const CorrelationBox& box);

// Walks over positions, strip by strip.
class StripWalk {
 public:
  StripWalk(const Strips& strips, int64_t position)
      : strips_(strips), in_(strips.in), out_(strips.out) {
    for (int a = 3; a >= 0; --a) {
      index_[a] = position % strips.axis[a].count;
      position /= strips.axis[a].count;
      move(a, index_[a]);
    }
  }
  int64_t left_in_strip() const { return strips_.axis[3].count - index_[3]; }
  // By at most left_in_strip() positions.
  void advance(int64_t positions) {
    index_[3] += positions;
    move(3, positions);
    for (int a = 3; a > 0 && index_[a] == strips_.axis[a].count; --a) {
      move(a, -index_[a]);
      index_[a] = 0;
      ++index_[a - 1];
      move(a - 1, 1);
    }
  }
  int64_t in() const { return in_; }
  int64_t out() const { return out_; }

 private:
  void move(int a, int64_t positions) {
    in_ += positions * strips_.axis[a].in_step;
    out_ += positions * strips_.axis[a].out_step;
  }

  const Strips& strips_;
  int64_t in_, out_, index_[4];
};

// Strips that are multiplied as such: each element under their taps is a segment of its own, or,
// for dots, each run of elements that no other position of the strip reads; nothing is copied or padded.
struct StripPlan : Strips {
  // Of a task: positions at least, or products, about.
  static constexpr int64_t kBlock = 96, kProducts = 1 << 17;

  int64_t block = 0;   // positions a task
  int64_t length = 1;  // of a segment
  int64_t terms = 1;   // that it adds to a sum, at most
  std::vector<Segment> segments{};
  // Of these: taps that segments are repeated under lie tap_step apart in what they are multiplied by.
  std::vector<DotTaps> taps{};
  int64_t tap_step = 0;
  bool tap_ends = false;  // see StripArgs
};

// whole: the taps that the box's are packed with.
StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole);
// For dots and groups. depth: elements that a tap of one column is packed with.
StripPlan plan_taps(const CorrelationShape& shape, const CorrelationBox& box,
                    const CorrelationPhase& whole, int64_t depth);

}  // namespace convnet::detail
