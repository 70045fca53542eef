#pragma once
#include <cstdint>

namespace convnet::detail {

// Memory that is going to be used soon, fetched a few cache lines at a time while
// something else is computed. What does not fit the list is not fetched.
class Ahead {
 public:
  void add(const void* begin, int64_t bytes) {
    if (count_ == kMost || bytes <= 0) return;
    ranges_[count_++] = {static_cast<const char*>(begin), static_cast<const char*>(begin) + bytes};
    lines_ += (bytes + kLine - 1) / kLine;
  }
  // In how many calls of fetch() all shall have been fetched.
  void spread(int64_t calls) {
    if (calls > 0) lines_a_call_ = (lines_ + calls - 1) / calls;
  }
  void fetch() {
    for (int64_t line = 0; line < lines_a_call_ && current_ < count_; ++line) {
      Range& range = ranges_[current_];
      __builtin_prefetch(range.at, 0, 2);
      range.at += kLine;
      if (range.at >= range.end) ++current_;
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  static constexpr int kMost = 64;
  struct Range {
    const char *at, *end;
  };
  Range ranges_[kMost];
  int count_ = 0, current_ = 0;
  int64_t lines_ = 0, lines_a_call_ = 0;
};

}  // namespace convnet::detail
