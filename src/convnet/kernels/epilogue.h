#pragma once
#include <cstdint>

#include "../core/simd.h"

namespace convnet {

// What becomes of results, element by element, when they are final: `values` holds `count`
// of them, from the one numbered `first` on.
class Finish {
 public:
  virtual ~Finish() = default;
  virtual void operator()(void* values, int64_t first, int64_t count) const = 0;
  // Whether it reads other tensors of as many values.
  virtual bool reads_others() const = 0;
  virtual double time() const = 0;  // of a value; see core/threads.h
};

// What happens to a sum before it is stored: a bias for its channel is added, then relu
// taken; and what happens after that. The bits are those of separate operations.
template <typename T>
struct Epilogue {
  const T* bias = nullptr;  // of all output channels, or none
  bool relu = false;
  const Finish* finisher = nullptr;
  const T* results = nullptr;  // where all of them begin, for the finisher

  // Nothing to do.
  bool empty() const { return !bias && !relu && !finisher; }
  // Of the channels from `first` on.
  Epilogue from(int64_t first) const {
    return {bias ? bias + first : nullptr, relu, finisher, results};
  }
  // For sums of neighbouring channels, in place.
  void apply(T* sums, int64_t count) const {
    if (bias) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] += bias[i];
    }
    if (relu) {
      CONVNET_SIMD
      for (int64_t i = 0; i < count; ++i) sums[i] = sums[i] < 0 ? T(0) : sums[i];  // NaN stays
    }
  }
  // For results that follow each other.
  void finish(T* values, int64_t count) const {
    if (finisher) (*finisher)(values, values - results, count);
  }
};

}  // namespace convnet
