#pragma once
#include <vector>

#include "graph.h"

namespace convnet {

// variable <- value, carried out when everything else has been computed.
struct Update {
  int variable;  // slot
  Value value;
};

// One thing to do: an operation, or the packing of a value for those that read it.
struct Task {
  Value out;
  std::vector<Value> in;
  Prepared prepared;
  bool in_place;
};

// What has to be done for some values of a graph, in order. Packed forms of values
// are values, too: they are numbered after those of the graph.
struct Schedule {
  std::vector<Value> leaves;
  std::vector<Task> tasks;
  size_t prologue = 0;        // tasks, the first ones, whose results are settled
  std::vector<Value> owner;   // of a value's memory: itself, or what it is a view of
  std::vector<size_t> bytes;  // of each value
};

// Which values are settled: they depend on constants and on variables other than the
// changing ones (slots), and are no larger than what they are made of.
std::vector<char> settled_values(const Graph& graph, const std::vector<int>& changing);

// settled: of each value, whether to compute it ahead of all that is not.
Schedule make_schedule(const Graph& graph, const std::vector<Value>& roots,
                       const std::vector<char>& settled);

}  // namespace convnet
