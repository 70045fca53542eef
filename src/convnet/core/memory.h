#pragma once
#include <cstddef>

namespace convnet {

// Throws Error when this many bytes are more than the machine can give now, instead
// of leaving it to the operating system to end the process later.
void require_memory(size_t bytes);

}  // namespace convnet
