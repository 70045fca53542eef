#pragma once
#include <cstddef>

namespace convnet {

// Throws Error when this many bytes are more than the machine can give now, instead
// of leaving it to the operating system to end the process later.
void require_memory(size_t bytes);

// Aligned for the widest vector unit; throws std::bad_alloc. Large blocks are of huge pages where the
// system has them: what lies megabytes apart is then found without walking through page tables, and
// the hardware fetches ahead across more than 4 KB.
void* allocate(size_t bytes);
// Of what was allocated with so many bytes.
struct Release {
  size_t bytes = 0;
  void operator()(void* memory) const;
};

}  // namespace convnet
