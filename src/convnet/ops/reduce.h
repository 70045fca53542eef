#pragma once
#include "op.h"
#include "reduce_layout.h"

namespace convnet {

// Adds up the marked axes of a tensor of this type.
Prepared prepare_sum(const TensorType& in, const AxisSet& reduced);

}  // namespace convnet
