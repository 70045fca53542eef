#pragma once
#include "../core/tensor.h"

namespace convnet {

// Memory that all plans share: each plan lays out its own tensors in it from
// offset 0, so what a run left there is gone with the next run of any plan.
class Arena {
 public:
  // At least `bytes` of memory. Grows at once; shrinks when none of the last
  // kWindow reservations needed a quarter of it.
  char* reserve(size_t bytes);
  void release();
  size_t bytes() const { return buffer_.bytes(); }

 private:
  void replace(size_t bytes);

  static constexpr int kWindow = 512;
  Buffer buffer_;
  size_t recent_peak_ = 0;
  int calls_ = 0;
};

Arena& shared_arena();

}  // namespace convnet
