#pragma once
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph.h"

namespace convnet {

// What passes over a graph have in common: who reads what, and a new graph that grows.
class Rewrite {
 protected:
  Rewrite(const Graph& graph, const std::vector<Value>& roots)
      : graph_(graph), readers_(graph.size(), 0), moved_(graph.size(), kNone) {
    for (Value v : roots) ++readers_[v];
    for (Value v = graph.size() - 1; v >= 0; --v)
      if (live(v))
        for (Value in : graph[v].inputs) ++readers_[in];
  }

  bool live(Value v) const { return readers_[v] > 0; }
  bool is(Value v, const char* op) const {
    const Node& node = graph_[v];
    return node.kind == NodeKind::operation && op == std::string(node.op->name);
  }
  bool is_product(Value v) const {
    return (is(v, "conv") || is(v, "conv_backward_data") || is(v, "matmul")) && graph_[v].inputs.size() == 2;
  }
  // The product that v adds a bias of its columns to, and this; kNone if it does not.
  std::pair<Value, Value> product_and_bias(Value v) const {
    if (is(v, "add")) {
      const std::vector<Value>& in = graph_[v].inputs;
      for (const auto& both : {std::pair(in[0], in[1]), std::pair(in[1], in[0])}) {
        const Shape& bias = graph_.shape(both.second);
        if (is_product(both.first) && readers_[both.first] == 1 && bias.rank() == 1 &&
            bias[0] == graph_.shape(both.first).back())
          return both;
      }
    }
    return {kNone, kNone};
  }
  // Whether v is made of one value of each input, or of its one value.
  bool is_by_element(Value v) const {
    const Node& node = graph_[v];
    if (node.kind != NodeKind::operation) return false;
    return is(v, "elementwise") ||
           (node.op->by_element && std::all_of(node.inputs.begin(), node.inputs.end(), [&](Value in) {
              return graph_.shape(in) == node.type.shape || graph_.shape(in).size() == 1;
            }));
  }
  std::vector<Value> moved(const std::vector<Value>& values) const {
    std::vector<Value> result;
    for (Value v : values) result.push_back(moved_[v]);
    return result;
  }
  // The same node of the new graph.
  Value copy(Value v) {
    const Node& node = graph_[v];
    out_.set_where(node.where);
    if (node.kind != NodeKind::operation) return out_.copy_leaf(node);
    return out_.emit(node.op->name, moved(node.inputs), node.attrs);
  }
  // The new graph; roots are renumbered.
  Graph finish(std::vector<Value>& roots) {
    for (Value& v : roots) v = moved_[v];
    return std::move(out_);
  }

  const Graph& graph_;
  std::vector<int> readers_;  // and how often each value is wanted as a root
  Graph out_;
  std::vector<Value> moved_;  // where values are in the new graph
};

}  // namespace convnet
