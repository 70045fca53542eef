#pragma once
#include "graph.h"

namespace convnet {

// The same computation with operations by element joined to `elementwise` nodes (ops/steps.h),
// where nobody else reads what lies between. `roots` are what must be computed; they are
// renumbered. settled: see settled_values(); what is computed once joins nothing that is
// computed in every run.
Graph join(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled);

}  // namespace convnet
