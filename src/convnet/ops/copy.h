#pragma once
// Moving elements without looking at them: by their width alone.
#include <cstring>

#include "../core/tensor.h"
#include "../core/threads.h"

namespace convnet {

using Word1 = uint8_t;
using Word4 __attribute__((may_alias)) = uint32_t;
using Word8 __attribute__((may_alias)) = uint64_t;

// Calls f with a pointer to a word as wide as an element of `type`.
template <typename F>
auto dispatch_width(DType type, F&& f) {
  switch (size_of(type)) {
    case 1: return f(static_cast<Word1*>(nullptr));
    case 8: return f(static_cast<Word8*>(nullptr));
    default: return f(static_cast<Word4*>(nullptr));
  }
}

// What a run of so many bytes takes, among others.
inline double copy_time(Dim bytes) { return 2 + kByteTime * static_cast<double>(bytes); }

// Copies `rows` runs of `run` bytes between strided places (strides in bytes).
inline void copy_rows(char* to, Dim to_stride, const char* from, Dim from_stride, Dim run,
                      Dim rows) {
  if (run == 0 || rows == 0) return;
  if (rows == 1 || (to_stride == run && from_stride == run)) {
    parallel_ranges(run * rows, kByteTime, [&](Dim begin, Dim end) {
      std::memcpy(to + begin, from + begin, end - begin);
    });
    return;
  }
  parallel_ranges(rows, copy_time(run), [&](Dim begin, Dim end) {
    for (Dim row = begin; row < end; ++row)
      std::memcpy(to + row * to_stride, from + row * from_stride, run);
  });
}

}  // namespace convnet
