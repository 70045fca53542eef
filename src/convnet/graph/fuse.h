#pragma once
#include "graph.h"

namespace convnet {

// The same computation with fewer passes over memory: a product, its bias, its normalization
// and what follows by element become one node where nobody else reads what lies between: an
// activation, its slope that a gradient is multiplied by, or what join() has joined. `roots` are
// what must be computed; they are renumbered. Run after gradients have been taken: these are of
// the separate operations.
// settled: see settled_values(); normalization is taken in where all but its input is.
Graph fuse(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled);

}  // namespace convnet
