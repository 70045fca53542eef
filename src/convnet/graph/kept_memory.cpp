#include "kept_memory.h"

#include <algorithm>
#include <vector>

namespace convnet {

namespace {

uint64_t uses = 0;

// Those that have memory.
std::vector<KeptMemory*>& holders() {
  static std::vector<KeptMemory*> all;
  return all;
}

}  // namespace

char* KeptMemory::find() {
  used_ = ++uses;
  return buffer_.as<char>();
}

char* KeptMemory::reserve(size_t bytes) {
  release();
  const auto earlier = [](const KeptMemory* a, const KeptMemory* b) { return a->used_ < b->used_; };
  while (!holders().empty() && total_bytes() + bytes > kBound)
    (*std::min_element(holders().begin(), holders().end(), earlier))->release();
  buffer_ = Buffer(bytes);
  holders().push_back(this);
  return find();
}

void KeptMemory::release() {
  buffer_ = Buffer();
  holders().erase(std::remove(holders().begin(), holders().end(), this), holders().end());
}

size_t KeptMemory::total_bytes() {
  size_t bytes = 0;
  for (const KeptMemory* holder : holders()) bytes += holder->buffer_.bytes();
  return bytes;
}

void KeptMemory::release_all() {
  while (!holders().empty()) holders().back()->release();
}

}  // namespace convnet
