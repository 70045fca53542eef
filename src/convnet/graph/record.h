#pragma once
#include <memory>
#include <string>
#include <vector>

#include "../ops/op.h"

namespace convnet {

// One row of a record, as R writes it. op is the name of an operation, or
//   input     a fed tensor (slot; type may have unknown extents)
//   variable  stored state (slot, type)
//   constant  (value)
//   gradient  d sum(inputs[0]) / d inputs[1]
//   update    variable row inputs[0] <- inputs[1]; the row stands for the new value
//   scan      runs a body once for each step; inputs: `sequences` tensors
//             (samples, steps, ...), then `states` initial states, then what the body
//             reads of the record around it; `backwards` begins with the last step
//   output    result number `index` (from 1) of a scan: each of the things that the body
//             makes, put together along axis 1 in the order of the steps taken; the
//             last of each; the last states
struct Body;

struct Row {
  std::string op;
  Attrs attrs;
  std::vector<int> inputs;
  std::string where;
  int slot = -1;
  TensorType type;
  std::shared_ptr<const Tensor> value;
  std::shared_ptr<const Body> body;
};

using Record = std::vector<Row>;

// What a scan does in one step. Inputs by slot: the steps of its sequences (without
// axis 1), the states, then the rest of the inputs of the scan. Outputs: rows of
// what it makes, then those of the new states.
struct Body {
  Record rows;
  std::vector<int> outputs;
};

}  // namespace convnet
