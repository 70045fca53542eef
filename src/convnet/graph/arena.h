#pragma once
#include "../core/tensor.h"

namespace convnet {

// Memory that all plans share: each plan lays out its own tensors in it from
// offset 0, so what a run left there is gone with the next run of any plan.
class Arena {
 public:
  // At least `bytes` of memory. Grows at once; shrinks when none of the last
  // kWindow reservations needed a quarter of it.
  char* reserve(size_t bytes, const void* tenant);
  // Whether the last reservation found what its tenant had left there, nobody else
  // having been in between.
  bool kept() const { return kept_; }
  void release();
  size_t bytes() const { return buffer_.bytes(); }

 private:
  void replace(size_t bytes);

  static constexpr int kWindow = 512;
  Buffer buffer_;
  const void* tenant_ = nullptr;
  bool kept_ = false;
  size_t recent_peak_ = 0;
  int calls_ = 0;
};

Arena& shared_arena();

}  // namespace convnet
