#include <algorithm>

#include "../ops/build.h"
#include "graph.h"

namespace convnet {

namespace {

// A slice's cotangent in its place: pad without interior, around zeros.
bool is_placed_slice(const Node& node) {
  if (node.kind != NodeKind::operation || node.op->name != std::string("pad")) return false;
  const std::vector<Dim> interior =
      node.attrs.has("interior") ? node.attrs.integers("interior") : std::vector<Dim>{};
  return node.attrs.number_or("value", 0) == 0 &&
         std::all_of(interior.begin(), interior.end(), [](Dim n) { return n == 0; });
}

// What a tensor receives from its readers.
class Received {
 public:
  bool empty() const { return sum_ == kNone && slices_.empty(); }

  void add(Graph& graph, Value part) {
    if (is_placed_slice(graph[part])) slices_.push_back(part);
    else sum_ = sum_ == kNone ? part : convnet::add(graph, sum_, part);
  }

  Value total(Graph& graph) {
    const Value joined = slices_.size() > 1 ? join(graph) : kNone;
    if (joined != kNone) slices_ = {joined};
    for (Value part : slices_) sum_ = sum_ == kNone ? part : convnet::add(graph, sum_, part);
    return sum_;
  }

 private:
  // Slices that lie side by side and make up the whole tensor, put together in one
  // pass; kNone where they do not.
  Value join(Graph& graph) const {
    const auto lo = [&](Value v) { return graph[v].attrs.integers("lo"); };
    const auto inside = [&](Value v) { return graph[v].inputs[0]; };
    const Shape whole = graph.shape(slices_[0]);
    int axis = 0;
    while (axis < whole.rank() && graph.shape(inside(slices_[0]))[axis] == whole[axis]) ++axis;
    if (axis == whole.rank()) return kNone;
    std::vector<Value> parts = slices_;
    std::sort(parts.begin(), parts.end(),
              [&](Value a, Value b) { return lo(a)[axis] < lo(b)[axis]; });
    Dim end = 0;
    for (Value& part : parts) {
      Shape across = graph.shape(inside(part));
      const Dim extent = across[axis];
      across[axis] = whole[axis];
      if (lo(part)[axis] != end || across != whole) return kNone;
      end += extent;
      part = inside(part);
    }
    if (end != whole[axis]) return kNone;
    return graph.emit("concatenate", std::move(parts), {{"axis", number_list(axis)}});
  }

  Value sum_ = kNone;
  std::vector<Value> slices_;
};

}  // namespace

std::vector<Value> Graph::gradients(Value loss, const std::vector<Value>& wrt) {
  const std::string where = where_;
  // A node matters when loss depends on it and it depends on one of wrt.
  std::vector<char> matters(loss + 1, 0);
  for (Value v : wrt)
    if (v <= loss) matters[v] = 1;
  for (Value v = 0; v <= loss; ++v)
    for (Value in : nodes_[v].inputs) matters[v] = matters[v] || matters[in];

  std::vector<Received> received(loss + 1);
  std::vector<Value> cotangent(loss + 1, kNone);
  if (matters[loss] && is_float(type(loss).dtype))
    received[loss].add(*this, broadcast_to(*this, scalar(1, type(loss).dtype), shape(loss)));
  for (Value v = loss; v >= 0; --v) {
    if (received[v].empty()) continue;
    const Node& node = nodes_[v];
    where_ = node.where;
    cotangent[v] = received[v].total(*this);
    if (node.kind != NodeKind::operation || !node.op->vjp) continue;
    OpCall call{node.attrs, {}, node.type};
    for (Value in : node.inputs) call.in.push_back(type(in));
    const auto grads = node.op->vjp(*this, call, node.inputs, v, cotangent[v]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value in = node.inputs[i];
      if (grads[i] == kNone || !matters[in]) continue;
      if (shape(grads[i]) != shape(in))
        throw std::logic_error(std::string("the gradient of ") + node.op->name +
                               " has another shape than its input");
      received[in].add(*this, grads[i]);
    }
  }
  where_ = where;
  std::vector<Value> result;
  for (Value v : wrt) {
    const bool reached = v <= loss && cotangent[v] != kNone;
    result.push_back(reached ? cotangent[v]
                             : broadcast_to(*this, scalar(0, type(v).dtype), shape(v)));
  }
  return result;
}

}  // namespace convnet
