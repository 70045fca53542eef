#include "memory_plan.h"

#include <algorithm>

namespace convnet {

size_t OffsetAllocator::allocate(size_t bytes) {
  bytes = std::max<size_t>((bytes + 63) / 64 * 64, 64);
  auto best = gaps_.end();
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap)
    if (gap->second >= bytes && (best == gaps_.end() || gap->second < best->second)) best = gap;
  size_t offset;
  if (best != gaps_.end()) {
    offset = best->first;
    const size_t left = best->second - bytes;
    gaps_.erase(best);
    if (left) gaps_[offset + bytes] = left;
  } else {
    // The last gap grows when it touches the end.
    offset = extent_;
    if (!gaps_.empty()) {
      const auto last = std::prev(gaps_.end());
      if (last->first + last->second == extent_) {
        offset = last->first;
        gaps_.erase(last);
      }
    }
    extent_ = offset + bytes;
  }
  live_[offset] = bytes;
  return offset;
}

void OffsetAllocator::free(size_t offset) {
  const auto block = live_.find(offset);
  size_t bytes = block->second;
  live_.erase(block);
  auto next = gaps_.lower_bound(offset);
  if (next != gaps_.end() && offset + bytes == next->first) {
    bytes += next->second;
    next = gaps_.erase(next);
  }
  if (next != gaps_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += bytes;
      return;
    }
  }
  gaps_[offset] = bytes;
}

}  // namespace convnet
