#pragma once
#include "correlation.h"

namespace convnet {

// One channel in and one out for each group: vector lanes run along the groups,
// and nothing is packed.
inline bool is_depthwise(const CorrelationShape& shape) {
  return shape.groups > 1 && shape.in_channels == 1 && shape.out_channels == 1;
}

// Bytes that a core's own cache keeps. Of larger tensors the next rows are fetched while others are computed: they come
// from a cache that is shared, or from memory.
constexpr int64_t kOwnCache = 1 << 20;
// Bytes from which they are fetched where rows after each other share few.
constexpr int64_t kLarge = 8 << 20;
template <typename T>
int64_t tensor_bytes(const CorrelationShape& shape) {
  return (shape.in_pixels() + shape.out_pixels()) * shape.groups * static_cast<int64_t>(sizeof(T));
}

template <typename T>
void depthwise_correlation(const CorrelationShape& shape, const T* input, const T* kernel,
                           T* output, const Epilogue<T>& epilogue);

// One channel on one side of each group, several neighbours on the other: a
// depthwise shape once the first are repeated, or the products of the second
// added up.
bool has_multiplier(const CorrelationShape& shape);
CorrelationShape without_multiplier(CorrelationShape shape);
template <typename T>
void repeat_channels(const T* values, int64_t count, int64_t times, T* repeated);
template <typename T>
void sum_channels(const T* values, int64_t pixels, int64_t channels, int64_t times, T* sums,
                  const Epilogue<T>& epilogue);

}  // namespace convnet
