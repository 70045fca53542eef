#pragma once
#include <algorithm>
#include <cstdint>

#include "../core/divide.h"
#include "gemm.h"

namespace convnet::detail {

// Memory that is going to be used soon, fetched a cache line at a time while something
// else is computed. What does not fit the list is not fetched.
class Ahead {
 public:
  void add(const void* begin, int64_t bytes) {
    if (count_ == kMost || bytes <= 0) return;
    ranges_[count_++] = {static_cast<const char*>(begin), static_cast<const char*>(begin) + bytes};
  }
  // For a micro-kernel that adds up so many products for each result.
  template <typename T>
  void take(int64_t products, TileArgs<T>& args) {
    args.ahead = args.ahead_end = nullptr;
    if (current_ == count_) return;
    Range& range = ranges_[current_];
    args.ahead = range.at;
    range.at += std::min(divide_up(range.end - range.at, kLine), products / 2) * kLine;
    args.ahead_end = range.at;
    if (range.at >= range.end) ++current_;
  }

 private:
  static constexpr int64_t kLine = 64;
  static constexpr int kMost = 64;
  struct Range {
    const char *at, *end;
  };
  Range ranges_[kMost];
  int count_ = 0, current_ = 0;
};

}  // namespace convnet::detail
