#pragma once
#include "correlation_shape.h"

namespace convnet {

// How many groups with as many channels in as out fill a vector together; 1 where none do.
inline int64_t groups_together(const CorrelationShape& shape, int64_t lanes) {
  const int64_t N = shape.out_channels;
  const bool fit = shape.in_channels == N && (N == 2 || N == 4 || N == 8) && N < lanes;
  return fit && shape.groups % (lanes / N) == 0 ? lanes / N : 1;
}

// The micro-kernel for groups of 2, 4 or 8 channels.
template <typename Kernel>
Kernel of_channels(const Kernel (&kernels)[3], int64_t channels) {
  return kernels[channels == 2 ? 0 : channels == 4 ? 1 : 2];
}

// So many groups as one; kernel elements of different ones are none of its.
inline CorrelationShape join_groups(CorrelationShape shape, int64_t together) {
  shape.groups /= together;
  shape.in_channels *= together;
  shape.out_channels *= together;
  shape.group_stride *= together;
  return shape;
}

}  // namespace convnet
