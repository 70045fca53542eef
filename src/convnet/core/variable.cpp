#include "variable.h"

#include <chrono>

namespace convnet {

namespace {

// Not to be met again, in other processes neither, whose variables come here by files: they
// count on from the nanosecond in which they began.
uint64_t new_stamp() {
  static uint64_t last =
      static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
  return ++last;
}

}  // namespace

void Variable::changed() const {
  if (stamp) *stamp = new_stamp();
}

}  // namespace convnet
