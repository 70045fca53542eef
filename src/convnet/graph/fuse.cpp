#include "fuse.h"

#include <algorithm>

namespace convnet {

namespace {

class Fusion {
 public:
  Fusion(const Graph& graph, const std::vector<Value>& roots)
      : graph_(graph), readers_(graph.size(), 0), live_(graph.size(), 0), part_(graph.size()) {
    for (Value v : roots) {
      live_[v] = 1;
      ++readers_[v];
    }
    for (Value v = graph.size() - 1; v >= 0; --v)
      if (live_[v])
        for (Value in : graph[v].inputs) {
          live_[in] = 1;
          ++readers_[in];
        }
  }

  Graph run(std::vector<Value>& roots) {
    for (Value v = 0; v < graph_.size(); ++v)
      if (live_[v]) find(v);
    Graph fused;
    std::vector<Value> moved(graph_.size(), kNone);
    for (Value v = 0; v < graph_.size(); ++v)
      if (live_[v] && !part_[v].absorbed) moved[v] = copy(v, moved, fused);
    for (Value& v : roots) v = moved[v];
    return fused;
  }

 private:
  // What a node has taken in: the product it ends and the bias added to it.
  struct Part {
    Value product = kNone, bias = kNone;
    bool absorbed = false;  // by the node that reads it
  };

  bool is(Value v, const char* op) const {
    const Node& node = graph_[v];
    return node.kind == NodeKind::operation && op == std::string(node.op->name);
  }

  bool takes_bias(Value v) const {
    return (is(v, "conv") || is(v, "conv_backward_data") || is(v, "matmul")) &&
           graph_[v].inputs.size() == 2 && readers_[v] == 1;
  }

  bool is_bias_of(Value bias, Value product) const {
    const Shape& shape = graph_.type(bias).shape;
    return shape.rank() == 1 && shape[0] == graph_.type(product).shape.back();
  }

  void find(Value v) {
    if (is(v, "add")) {
      const Value a = graph_[v].inputs[0], b = graph_[v].inputs[1];
      for (const auto& [product, bias] : {std::pair(a, b), std::pair(b, a)})
        if (takes_bias(product) && is_bias_of(bias, product)) {
          part_[v] = {product, bias};
          part_[product].absorbed = true;
          return;
        }
    } else if (is(v, "relu")) {
      const Value sum = graph_[v].inputs[0];
      if (part_[sum].bias == kNone || readers_[sum] != 1) return;
      part_[v] = {part_[sum].product, part_[sum].bias};
      part_[sum].absorbed = true;
    }
  }

  Value copy(Value v, const std::vector<Value>& moved, Graph& fused) const {
    const Part& part = part_[v];
    const Node& node = graph_[part.product == kNone ? v : part.product];
    fused.set_where(node.where);
    switch (node.kind) {
      case NodeKind::input: return fused.input(node.slot, node.type);
      case NodeKind::variable: return fused.variable(node.slot, node.type);
      case NodeKind::constant: return fused.constant(node.value);
      default: break;
    }
    std::vector<Value> inputs;
    for (Value in : node.inputs) inputs.push_back(moved[in]);
    Attrs attrs = node.attrs;
    if (part.bias != kNone) inputs.push_back(moved[part.bias]);
    if (part.bias != kNone && is(v, "relu")) attrs.set("activation", Attrs::Value("relu"));
    return fused.emit(node.op->name, std::move(inputs), std::move(attrs));
  }

  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<char> live_;
  std::vector<Part> part_;
};

}  // namespace

Graph fuse(const Graph& graph, std::vector<Value>& roots) { return Fusion(graph, roots).run(roots); }

}  // namespace convnet
