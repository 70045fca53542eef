#pragma once
#include <cstdint>
#include <vector>

#include "correlation_boxes.h"

namespace convnet::detail {

// The positions of a box in strips: neighbours along one axis, the longest where the last is
// short, or images. Each reads and writes a constant distance from the one before, and each
// element under its taps is a segment of its own: nothing is copied or padded.
struct StripPlan {
  // Of a task: positions at least, or products, about.
  static constexpr int64_t kBlock = 96, kProducts = 1 << 17;
  static constexpr int64_t kLong = 5;  // positions that make good tiles

  struct Axis {
    int64_t count, in_step, out_step;
  };
  Axis axis[4];     // that of strips is the last
  int64_t in, out;  // elements that the first position begins with
  int64_t block;    // positions a task
  std::vector<Segment> segments;
};

// Walks over the positions of a plan, strip by strip.
class StripWalk {
 public:
  StripWalk(const StripPlan& plan, int64_t position) : plan_(plan), in_(plan.in), out_(plan.out) {
    for (int a = 3; a >= 0; --a) {
      index_[a] = position % plan.axis[a].count;
      position /= plan.axis[a].count;
      move(a, index_[a]);
    }
  }
  int64_t left_in_strip() const { return plan_.axis[3].count - index_[3]; }
  // By at most left_in_strip() positions.
  void advance(int64_t positions) {
    index_[3] += positions;
    move(3, positions);
    for (int a = 3; a > 0 && index_[a] == plan_.axis[a].count; --a) {
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
    in_ += positions * plan_.axis[a].in_step;
    out_ += positions * plan_.axis[a].out_step;
  }

  const StripPlan& plan_;
  int64_t in_, out_, index_[4];
};

// whole: the taps that the box's are packed with.
StripPlan plan_strips(const CorrelationShape& shape, const CorrelationBox& box,
                      const CorrelationPhase& whole);

}  // namespace convnet::detail
