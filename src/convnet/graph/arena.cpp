#include "arena.h"

#include <algorithm>

namespace convnet {

char* Arena::reserve(size_t bytes) {
  recent_peak_ = std::max(recent_peak_, bytes);
  if (bytes > buffer_.bytes()) {
    buffer_ = Buffer();  // freed first: the old values are not needed
    buffer_ = Buffer(bytes);
  }
  if (++calls_ == kWindow) {
    if (recent_peak_ < buffer_.bytes() / 4) buffer_ = Buffer(recent_peak_);
    calls_ = 0;
    recent_peak_ = bytes;
  }
  return buffer_.as<char>();
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
