#pragma once
#include "graph.h"

namespace convnet {

// The same computation with fewer passes over memory: a convolution, its bias, its
// normalization and its activation become one node, and so do a gradient and the relu
// that it passes, where nobody else reads what lies between. `roots` are what must be computed; they are renumbered. Run after gradients
// have been taken: these are of the separate operations.
// settled: see settled_values(); normalization is taken in where all but its input is.
Graph fuse(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled);

}  // namespace convnet
