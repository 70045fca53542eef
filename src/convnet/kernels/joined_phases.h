#pragma once
#include "correlation_shape.h"

namespace convnet {

// The same correlation with the phases that share rows of outputs as one, whose positions write
// the neighbours that they had one each (see CorrelationShape::together); unchanged where these
// are not whole, or would be more than `most` columns.
CorrelationShape join_phases(const CorrelationShape& shape, int64_t most);

}  // namespace convnet
