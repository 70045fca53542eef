#pragma once
#include "plan.h"
#include "record.h"

namespace convnet {

struct Lowered {
  Graph graph;
  std::vector<Value> outputs;
  std::vector<Update> updates;
};

// A record as a graph of the shapes of these inputs: scans taken step by step, then
// gradients. `outputs` are the rows that are wanted.
Lowered lower(const Record& record, const std::vector<int>& outputs,
              const std::vector<Shape>& input_shapes);

}  // namespace convnet
