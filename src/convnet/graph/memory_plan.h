#pragma once
#include <cstddef>
#include <map>
#include <vector>

namespace convnet {

// Hands out offsets of one growing block, smallest sufficient gap first.
// All sizes are rounded up to 64 bytes.
class OffsetAllocator {
 public:
  size_t allocate(size_t bytes);
  void free(size_t offset);
  // Bytes that the block needs.
  size_t extent() const { return extent_; }

 private:
  std::map<size_t, size_t> gaps_;  // offset -> bytes, disjoint, not adjacent
  std::map<size_t, size_t> live_;  // offset -> bytes
  size_t extent_ = 0;
};

}  // namespace convnet
