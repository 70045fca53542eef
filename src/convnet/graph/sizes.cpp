#include "sizes.h"

#include <algorithm>

#include "plan.h"

namespace convnet {

namespace {

// Whether v can be computed now: from constants alone.
bool is_known(const Graph& graph, Value v) {
  std::vector<char> known(v + 1);
  for (Value k = 0; k <= v; ++k) {
    const Node& node = graph[k];
    known[k] = node.kind == NodeKind::constant ||
               (node.kind == NodeKind::operation && !node.attrs.has("stream") &&
                std::all_of(node.inputs.begin(), node.inputs.end(),
                            [&](Value in) { return known[in] != 0; }));
  }
  return known[v];
}

int32_t size_value(const Graph& graph, Value v) {
  if (!is_known(graph, v))
    argument_error("A shape depends on values of the data.",
                   "sizes computed from shapes, as by k_shape()", "a tensor computed from data");
  Plan plan(graph, {v}, {});
  plan.run({}, {}, 0, 0);
  return *static_cast<const int32_t*>(plan.output(0));
}

}  // namespace

Value shape_constant(Graph& graph, const Shape& shape) {
  auto extents = std::make_shared<Tensor>(TensorType{DType::i32, {shape.rank()}});
  std::copy(shape.begin(), shape.end(), extents->as<int32_t>());
  return graph.constant(std::move(extents));
}

Attrs with_sizes(const Graph& graph, Attrs attrs, std::vector<Value>& in) {
  if (!attrs.has("sizes")) return attrs;
  const std::vector<Dim> places = attrs.integers("sizes");
  std::vector<Dim> shape = attrs.integers("shape");
  const size_t first = in.size() - places.size();
  for (size_t i = 0; i < places.size(); ++i) {
    const int32_t size = size_value(graph, in[first + i]);
    if (size < 0)
      argument_error("A shape has a negative size.", "sizes of at least 0", std::to_string(size));
    shape[places[i]] = size;
  }
  in.resize(first);
  return attrs.without("sizes").set("shape", number_list(shape));
}

}  // namespace convnet
