#pragma once
#include "graph.h"

namespace convnet {

// The same computation with gates of relu earlier on the way of gradients: before
// what only moves values or drops them, so that less passes, and next to the product
// the gradient comes from, which fuse() then takes together. `roots` are what must be
// computed; they are renumbered.
Graph move_gates(const Graph& graph, std::vector<Value>& roots);

}  // namespace convnet
