#include "fuse.h"

#include <algorithm>

#include "../ops/build.h"
#include "../ops/steps.h"
#include "rewrite.h"

namespace convnet {

namespace {

// The last value first.
std::vector<Value> sorted(std::vector<Value> values) {
  std::sort(values.rbegin(), values.rend());
  return values;
}

StepList one_step(const Node& node) {
  StepList list;
  list.steps.push_back({node.op, {}, node.attrs.number_or("alpha", 0)});
  for (size_t i = 0; i < node.inputs.size(); ++i) list.steps[0].operands.push_back(static_cast<int>(i));
  return list;
}

class Fusion : Rewrite {
 public:
  Fusion(const Graph& graph, const std::vector<Value>& roots, const std::vector<char>& settled)
      : Rewrite(graph, roots), settled_(settled), part_(graph.size()) {}

  Graph run(std::vector<Value>& roots) {
    for (Value v = 0; v < graph_.size(); ++v)
      if (live(v)) find(v);
    for (Value v = 0; v < graph_.size(); ++v)
      if (live(v) && !part_[v].absorbed) moved_[v] = part_[v].product == kNone ? copy(v) : join(v);
    return finish(roots);
  }

 private:
  // What a node has taken in: the product it ends, the bias added to it, the normalization
  // of that, and what follows by element.
  struct Part {
    Value product = kNone, bias = kNone, normalization = kNone, end = kNone;
    bool absorbed = false;  // by the node that reads it
  };

  // What ends in v and nobody else reads; `product` is none where it cannot go on.
  Part part_of(Value v) const {
    if (readers_[v] != 1) return {};
    if (part_[v].product != kNone) return part_[v].end == kNone ? part_[v] : Part{};
    return is_product(v) ? Part{v} : Part{};
  }

  void absorb(Value v, Value by, const Part& part) {
    part_[v].absorbed = true;
    part_[by] = part;
  }

  void find(Value v) {
    const std::vector<Value>& in = graph_[v].inputs;
    const auto [product, bias] = product_and_bias(v);
    if (product != kNone) return absorb(product, v, {product, bias});
    if (is(v, "batch_normalization")) {
      Part part = part_of(in[0]);
      if (part.product == kNone || part.normalization != kNone) return;
      part.normalization = v;
      if (folds(part)) return absorb(in[0], v, part);
    }
    if (!is_by_element(v)) return;
    // The last one to be computed finds the others there.
    for (Value sum : sorted(in)) {
      Part part = part_of(sum);
      if (part.product == kNone || !(graph_.type(sum) == graph_.type(v)) || settled_[sum] != settled_[v]) continue;
      part.end = v;
      return absorb(sum, v, part);
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
  void fold(const Part& part, Value& kernel, Value& bias) {
    const Node& norm = graph_[part.normalization];
    const auto statistic = [&](int i) { return moved_[norm.inputs[i]]; };
    const Value mean = statistic(1), variance = statistic(2), gamma = statistic(3), beta = statistic(4);
    const Value deviation =
        out_.emit("sqrt", {offset(out_, variance, norm.attrs.number("epsilon"))});
    const Value slope = divide(out_, gamma, deviation);
    const Value centre = bias == kNone ? negative(out_, mean) : subtract(out_, bias, mean);
    bias = add(out_, multiply(out_, centre, slope), beta);
    // The output channels of a transposed kernel are its last dimension but one.
    const bool transposed = is(part.product, "conv_backward_data") ||
                            (is(part.product, "matmul") &&
                             graph_[part.product].attrs.number_or("transpose_b", 0) != 0);
    kernel = multiply(out_, kernel,
                      transposed ? reshape(out_, slope, {out_.shape(slope)[0], 1}) : slope);
  }

  // What follows the sums, which are one of the end's inputs.
  void add_end(Value end, Attrs& attrs, std::vector<Value>& inputs) const {
    const Node& node = graph_[end];
    if (is(end, "relu") && !node.attrs.has("alpha")) {
      attrs.set("activation", std::string("relu"));
      return;
    }
    StepList list = is(end, "elementwise") ? StepList::read(node.attrs.text("steps"))
                                           : one_step(node);
    std::vector<int> place;
    int others = 0;
    for (Value in : node.inputs) {
      const bool sums = part_[in].absorbed;
      place.push_back(sums ? 0 : ++others);
      if (!sums) inputs.push_back(moved_[in]);
    }
    for (StepList::Step& step : list.steps)
      for (int& operand : step.operands)
        if (operand >= 0) operand = place[operand];
    attrs.set("steps", list.text());
  }

  // An end and all it has taken in.
  Value join(Value v) {
    const Part& part = part_[v];
    const Node& product = graph_[part.product];
    out_.set_where(product.where);
    std::vector<Value> inputs = moved(product.inputs);
    Attrs attrs = product.attrs;
    Value bias = part.bias == kNone ? kNone : moved_[part.bias];
    if (part.normalization != kNone) fold(part, inputs[1], bias);
    if (bias != kNone) inputs.push_back(bias);
    if (part.end != kNone) add_end(part.end, attrs, inputs);
    return out_.emit(product.op->name, std::move(inputs), std::move(attrs));
  }

  const std::vector<char>& settled_;
  std::vector<Part> part_;
};

}  // namespace

Graph fuse(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled) {
  return Fusion(graph, roots, settled).run(roots);
}

}  // namespace convnet
