#pragma once
#include <cstdint>

#include "../core/tensor.h"

namespace convnet {

// Memory that its owner keeps from run to run as long as there is room: all together
// keep up to kBound bytes, or the one used last more than that alone.
class KeptMemory {
 public:
  KeptMemory() = default;
  KeptMemory(const KeptMemory&) = delete;
  ~KeptMemory() { release(); }

  // What was reserved last, as it was left; null once others have needed the room.
  char* find();
  // Of unknown content.
  char* reserve(size_t bytes);

  static size_t total_bytes();
  static void release_all();
  static constexpr size_t kBound = size_t{256} << 20;

 private:
  void release();

  Buffer buffer_;
  uint64_t used_ = 0;  // the count of uses by then
};

}  // namespace convnet
