#include "variable.h"

namespace convnet {

void Variable::changed() const {
  static uint64_t last = 0;
  if (stamp) *stamp = ++last;
}

}  // namespace convnet
