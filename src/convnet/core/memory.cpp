#include "memory.h"

#include <string>

#include "error.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace convnet {

namespace {

// 0 where the system does not tell.
size_t physical_memory() {
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page) : 0;
#else
  return 0;
#endif
}

std::string gigabytes(size_t bytes) { return std::to_string(bytes / 1000000000) + " GB"; }

}  // namespace

void require_memory(size_t bytes) {
  static const size_t memory = physical_memory();
  if (memory && bytes > memory)
    throw Error("memory", "This does not fit in memory.",
                {{"expected", "at most " + gigabytes(memory)},
                 {"received", gigabytes(bytes)},
                 {"remedy", "Use a smaller batch_size, fewer filters or smaller inputs."}});
}

}  // namespace convnet
