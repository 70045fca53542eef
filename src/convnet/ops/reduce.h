#pragma once
#include <array>

#include "op.h"

namespace convnet {

using AxisSet = std::array<bool, kMaxRank>;

// Adds up the marked axes of a tensor of this type.
Prepared prepare_sum(const TensorType& in, const AxisSet& reduced);

}  // namespace convnet
