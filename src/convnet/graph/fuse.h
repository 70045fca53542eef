#pragma once
#include "graph.h"

namespace convnet {

// The same computation with fewer passes over memory: a convolution, its bias and
// its activation become one node, where nobody else reads what lies between.
// `roots` are what must be computed; they are renumbered. Run after gradients have
// been taken: these are of the separate operations.
Graph fuse(const Graph& graph, std::vector<Value>& roots);

}  // namespace convnet
