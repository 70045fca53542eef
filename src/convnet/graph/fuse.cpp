#include "fuse.h"

#include <algorithm>

#include "../ops/build.h"

namespace convnet {

namespace {

class Fusion {
 public:
  Fusion(const Graph& graph, const std::vector<Value>& roots, const std::vector<char>& settled)
      : graph_(graph), settled_(settled), readers_(graph.size(), 0), live_(graph.size(), 0), part_(graph.size()) {
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
  // What a node has taken in: the product it ends, the bias added to it, the
  // normalization of that.
  struct Part {
    Value product = kNone, bias = kNone, normalization = kNone;
    bool absorbed = false;  // by the node that reads it
  };

  bool is(Value v, const char* op) const {
    const Node& node = graph_[v];
    return node.kind == NodeKind::operation && op == std::string(node.op->name);
  }

  // What ends in v and nobody else reads; `product` is none where it cannot go on.
  Part part_of(Value v) const {
    if (readers_[v] != 1) return {};
    if (part_[v].product != kNone) return part_[v];
    const bool product = is(v, "conv") || is(v, "conv_backward_data") || is(v, "matmul");
    return product && graph_[v].inputs.size() == 2 ? Part{v} : Part{};
  }

  bool is_bias_of(Value bias, Value product) const {
    const Shape& shape = graph_.type(bias).shape;
    return shape.rank() == 1 && shape[0] == graph_.type(product).shape.back();
  }

  void absorb(Value v, Value by, const Part& part) {
    part_[v].absorbed = true;
    part_[by] = part;
  }

  void find(Value v) {
    const std::vector<Value>& in = graph_[v].inputs;
    if (is(v, "add")) {
      for (const auto& [sum, bias] : {std::pair(in[0], in[1]), std::pair(in[1], in[0])}) {
        Part part = part_of(sum);
        if (part.product != sum || !is_bias_of(bias, sum)) continue;
        part.bias = bias;
        return absorb(sum, v, part);
      }
    } else if (is(v, "batch_normalization")) {
      Part part = part_of(in[0]);
      if (part.product == kNone || part.normalization != kNone || is(in[0], "relu")) return;
      part.normalization = v;
      if (folds(part)) absorb(in[0], v, part);
    } else if (is(v, "relu")) {
      const Part part = part_of(in[0]);
      if (part.product != kNone) absorb(in[0], v, part);
    } else if (is(v, "relu_gate")) {
      const Part part = part_of(in[1]);
      if (part.product == in[1] && graph_.type(in[0]).shape == graph_.type(v).shape)
        absorb(in[1], v, part);
    }
  }

  // A kernel is not scaled for less than its own size.
  bool folds(const Part& part) const {
    const Node &norm = graph_[part.normalization], &product = graph_[part.product];
    const Shape& out = product.type.shape;
    const Value kernel = product.inputs[1];
    return std::all_of(norm.inputs.begin() + 1, norm.inputs.end(), [&](Value v) { return settled_[v]; }) &&
           settled_[kernel] && (part.bias == kNone || settled_[part.bias]) &&
           normalize_axis(norm.attrs.integer("axis"), out.rank()) == out.rank() - 1 &&
           out.size() >= graph_.type(kernel).shape.size() &&
           !(is(part.product, "conv_backward_data") && product.attrs.number_or("groups", 1) != 1);
  }

  // ((x w + b) - mean) s + beta = x (w s) + ((b - mean) s + beta), s = gamma / sqrt(variance + epsilon)
  // for each output channel. Where w s overflows or s is not a number the results
  // are not finite either way, but may be Inf here and NaN there.
  void fold(const Part& part, const std::vector<Value>& moved, Graph& fused, Value& kernel,
            Value& bias) const {
    const Node& norm = graph_[part.normalization];
    const auto statistic = [&](int i) { return moved[norm.inputs[i]]; };
    const Value mean = statistic(1), variance = statistic(2), gamma = statistic(3), beta = statistic(4);
    const Value deviation =
        fused.emit("sqrt", {offset(fused, variance, norm.attrs.number("epsilon"))});
    const Value slope = divide(fused, gamma, deviation);
    const Value centre = bias == kNone ? negative(fused, mean) : subtract(fused, bias, mean);
    bias = add(fused, multiply(fused, centre, slope), beta);
    // The output channels of a transposed kernel are its last dimension but one.
    const bool transposed = is(part.product, "conv_backward_data") ||
                            (is(part.product, "matmul") &&
                             graph_[part.product].attrs.number_or("transpose_b", 0) != 0);
    kernel = multiply(fused, kernel,
                      transposed ? reshape(fused, slope, {fused.shape(slope)[0], 1}) : slope);
  }

  Value copy(Value v, const std::vector<Value>& moved, Graph& fused) const {
    const Part& part = part_[v];
    const Node& node = graph_[part.product == kNone ? v : part.product];
    fused.set_where(node.where);
    if (node.kind != NodeKind::operation) return fused.copy_leaf(node);
    std::vector<Value> inputs;
    for (Value in : node.inputs) inputs.push_back(moved[in]);
    Attrs attrs = node.attrs;
    Value bias = part.bias == kNone ? kNone : moved[part.bias];
    if (part.normalization != kNone) fold(part, moved, fused, inputs[1], bias);
    if (bias != kNone) inputs.push_back(bias);
    if (part.product != kNone && (is(v, "relu") || is(v, "relu_gate")))
      attrs.set("activation", Attrs::Value(graph_[v].op->name));
    if (part.product != kNone && is(v, "relu_gate")) inputs.push_back(moved[graph_[v].inputs[0]]);
    return fused.emit(node.op->name, std::move(inputs), std::move(attrs));
  }

  const Graph& graph_;
  const std::vector<char>& settled_;
  std::vector<int> readers_;
  std::vector<char> live_;
  std::vector<Part> part_;
};

}  // namespace

Graph fuse(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled) {
  return Fusion(graph, roots, settled).run(roots);
}

}  // namespace convnet
