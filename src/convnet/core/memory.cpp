#include "memory.h"

#include <fstream>
#include <new>
#include <string>

#include "error.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace convnet {

namespace {

// What Linux could hand out now, swap included; 0 where the system does not tell.
size_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  size_t kilobytes, available = 0, swap = 0;
  while (file >> name >> kilobytes && std::getline(file, unit)) {
    if (name == "MemAvailable:") available = kilobytes * 1024;
    if (name == "SwapFree:") swap = kilobytes * 1024;
  }
  return available ? available + swap : 0;
}

// 0 where the system does not tell.
size_t physical_memory() {
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page) : 0;
#else
  return 0;
#endif
}

constexpr size_t kAlwaysThere = size_t(1) << 28;  // not worth asking

constexpr size_t kHugePage = size_t(1) << 21;

std::align_val_t alignment_of(size_t bytes) { return std::align_val_t(bytes >= kHugePage ? kHugePage : 64); }

// "0.8 GB", "16.0 GB"
std::string gigabytes(size_t bytes) {
  const size_t tenths = bytes / 100000000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

}  // namespace

void require_memory(size_t bytes) {
  if (bytes < kAlwaysThere) return;
  static const size_t physical = physical_memory();
  const size_t available = available_memory();
  const size_t memory = available ? available : physical;
  if (memory && bytes > memory)
    throw Error("memory", "This does not fit in memory.",
                {{"expected", "at most " + gigabytes(memory)},
                 {"received", gigabytes(bytes)},
                 {"remedy", "Use a smaller batch_size, fewer filters or smaller inputs."}});
}

void* allocate(size_t bytes) {
  void* memory = ::operator new(bytes, alignment_of(bytes));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Advice that is not taken costs nothing else.
  if (bytes >= kHugePage) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}

void Release::operator()(void* memory) const { ::operator delete(memory, alignment_of(bytes)); }

}  // namespace convnet
