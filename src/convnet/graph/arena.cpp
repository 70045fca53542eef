#include "arena.h"

#include <algorithm>

namespace convnet {

char* Arena::reserve(size_t bytes) {
  recent_peak_ = std::max(recent_peak_, bytes);
  if (bytes > buffer_.bytes()) replace(bytes);
  if (++calls_ == kWindow) {
    if (recent_peak_ < buffer_.bytes() / 4) replace(recent_peak_);
    calls_ = 0;
    recent_peak_ = bytes;
  }
  return buffer_.as<char>();
}

// Frees first: the old values are not needed.
void Arena::replace(size_t bytes) {
  buffer_ = Buffer();
  buffer_ = Buffer(bytes);
}

void Arena::release() {
  buffer_ = Buffer();
  recent_peak_ = 0;
  calls_ = 0;
}

Arena& shared_arena() {
  static Arena arena;
  return arena;
}

}  // namespace convnet
