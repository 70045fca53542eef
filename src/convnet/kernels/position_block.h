#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "correlation_shape.h"
#include "outer.h"
#include "walk.h"

namespace convnet::detail {

// Positions of a block that follow each other along a row: x is where the pixel that the first tap reads
// begins, y where that of the output does, in elements; index is where the former lies along the outer axes.
struct Stretch {
  int64_t x, y, column, count, index[2];
};

struct Range {
  int64_t begin, end;
};

// Taps next to each other along a row, and the positions of a stretch where they lie in the input along it.
class RowTaps {
 public:
  RowTaps(const CorrelationShape& shape, const CorrelationPhase& phase, int64_t first, int64_t count)
      : count_(count), apart_(phase.axis[2].tap_step) {
    for (int64_t t = 0; t < count_; ++t)
      Walk::inside_range(phase.axis[2], (first + t) % phase.axis[2].taps * apart_, shape.in[2],
                         &columns_[t].begin, &columns_[t].end);
  }
  // Those of the first tap where all read the same pixel, with a stride of 1.
  Range shared(const Stretch& stretch) const {
    Range all = inside(stretch, 0);
    for (int64_t t = 1; t < count_; ++t) {
      const Range range = inside(stretch, t);
      all.begin = std::max(all.begin, range.begin + t * apart_);
      all.end = std::min(all.end, range.end + t * apart_);
    }
    return {all.begin, std::max(all.begin, all.end)};
  }
  // Those of tap t before and after them.
  std::array<Range, 2> others(const Stretch& stretch, int64_t t) const {
    const Range all = inside(stretch, t), of_all = shared(stretch);
    const int64_t begin = std::clamp(of_all.begin - t * apart_, all.begin, all.end);
    return {{{all.begin, begin}, {std::clamp(of_all.end - t * apart_, begin, all.end), all.end}}};
  }

 private:
  Range inside(const Stretch& stretch, int64_t t) const {
    const int64_t begin = std::max<int64_t>(0, columns_[t].begin - stretch.column);
    return {begin, std::max(begin, std::min(stretch.count, columns_[t].end - stretch.column))};
  }

  int64_t count_, apart_;
  Range columns_[OuterLimits::kSharedTaps];
};

// Positions of a phase that one call of a micro-kernel adds up.
struct PositionBlock {
  static constexpr int64_t kMost = 256;

  const CorrelationPhase& phase;
  int64_t count, stretch_count = 0;
  Stretch stretches[kMost];

  PositionBlock(const CorrelationShape& shape, const CorrelationPhase& of, int64_t begin, int64_t end)
      : phase(of), count(end - begin) {
    Walk walk(shape, phase, begin);
    for (int64_t q = begin; q < end;) {
      Stretch& stretch = stretches[stretch_count++];
      stretch = {walk.in_pixel() * shape.groups * shape.in_channels,
                 walk.out_pixel() * shape.groups * shape.out_channels, walk.column(),
                 std::min(walk.left_in_row(), end - q), {walk.index(0), walk.index(1)}};
      q += stretch.count;
      walk.advance(stretch.count);
    }
  }
  // The runs of the positions where a tap lies in the input, of those that ranges(stretch, add) adds of each
  // stretch.
  template <typename T, typename F>
  void find_runs(const CorrelationShape& shape, int64_t tap, bool packed, OuterArgs<T>& args, OuterRun* runs,
                 F&& ranges) const {
    const CorrelationAxis* axis = phase.axis;
    const int64_t a = tap / axis[2].taps / axis[1].taps * axis[0].tap_step;
    const int64_t b = tap / axis[2].taps % axis[1].taps * axis[1].tap_step;
    int64_t x = 0, y = 0;  // of the stretch
    args.runs = runs;
    args.run_count = 0;
    const auto add = [&](const Range& range) {
      if (range.begin >= range.end) return;
      const OuterRun run{x + range.begin * args.x_next, y + range.begin * args.y_next, range.end - range.begin};
      OuterRun* before = args.run_count > 0 ? runs + args.run_count - 1 : nullptr;
      if (before && run.x == before->x + before->count * args.x_next &&
          run.y == before->y + before->count * args.y_next)
        before->count += run.count;
      else
        runs[args.run_count++] = run;
    };
    int64_t point = 0;
    for (int64_t s = 0; s < stretch_count; point += stretches[s++].count) {
      const Stretch& stretch = stretches[s];
      const int64_t i = stretch.index[0] + a, j = stretch.index[1] + b;
      if (i < 0 || i >= shape.in[0] || j < 0 || j >= shape.in[1]) continue;
      x = stretch.x;
      y = packed ? point * args.y_next : stretch.y;
      ranges(stretch, add);
    }
  }
};

}  // namespace convnet::detail
