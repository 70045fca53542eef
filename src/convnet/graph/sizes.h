#pragma once
#include "graph.h"

namespace convnet {

// Extents that a record has as tensors become numbers where shapes are concrete.

// What shape_of gives.
Value shape_constant(Graph& graph, const Shape& shape);

// The last inputs of an operation with the attribute `sizes` are entries of its attribute
// `shape`, at these positions. Puts them there, and leaves the other inputs. Throws where a
// size depends on data.
Attrs with_sizes(const Graph& graph, Attrs attrs, std::vector<Value>& in);

}  // namespace convnet
