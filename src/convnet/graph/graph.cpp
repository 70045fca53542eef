#include "graph.h"

#include "../ops/build.h"

namespace convnet {

namespace {

size_t hash_node(const std::string& op, const std::vector<Value>& inputs) {
  size_t h = std::hash<std::string>{}(op);
  for (Value v : inputs) h = h * 1000003u + static_cast<size_t>(v + 1);
  return h;
}

}  // namespace

Value Graph::append(Node node) {
  node.where = where_;
  nodes_.push_back(std::move(node));
  return size() - 1;
}

Value Graph::leaf(NodeKind kind, int slot, TensorType type) {
  Node node;
  node.kind = kind;
  node.type = type;
  node.slot = slot;
  return append(std::move(node));
}

Value Graph::input(int slot, TensorType type) { return leaf(NodeKind::input, slot, type); }

Value Graph::variable(int slot, TensorType type) { return leaf(NodeKind::variable, slot, type); }

Value Graph::constant(std::shared_ptr<const Tensor> value) {
  const Value v = leaf(NodeKind::constant, -1, value->type);
  nodes_[v].value = std::move(value);
  return v;
}

Value Graph::scalar(double value, DType dtype) {
  auto tensor = std::make_shared<Tensor>(TensorType{dtype, {}});
  dispatch_any(dtype, [&](auto tag) {
    using T = decltype(tag);
    *tensor->as<T>() = static_cast<T>(value);
  });
  return constant(std::move(tensor));
}

Value Graph::emit(const std::string& name, std::vector<Value> inputs, Attrs attrs) {
  const size_t key = hash_node(name, inputs);
  const auto [first, last] = index_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    const Node& node = nodes_[it->second];
    if (node.op->name == name && node.inputs == inputs && node.attrs == attrs) return it->second;
  }
  Node node;
  node.op = find_op(name);
  if (!node.op) throw Error("argument", "There is no operation named " + name + ".");
  std::vector<TensorType> in;
  for (Value v : inputs) in.push_back(nodes_[v].type);
  try {
    node.type = infer_type(*node.op, attrs, in);
  } catch (Error& error) {
    if (!where_.empty()) error.with("where", where_);
    throw;
  }
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  const Value v = append(std::move(node));
  index_.emplace(key, v);
  return v;
}

std::vector<Value> Graph::gradients(Value loss, const std::vector<Value>& wrt) {
  const std::string where = where_;
  // A node matters when loss depends on it and it depends on one of wrt.
  std::vector<char> matters(loss + 1, 0);
  for (Value v : wrt)
    if (v <= loss) matters[v] = 1;
  for (Value v = 0; v <= loss; ++v)
    for (Value in : nodes_[v].inputs) matters[v] = matters[v] || matters[in];

  std::vector<Value> cotangent(loss + 1, kNone);
  if (matters[loss] && is_float(type(loss).dtype))
    cotangent[loss] = broadcast_to(*this, scalar(1, type(loss).dtype), shape(loss));
  for (Value v = loss; v >= 0; --v) {
    if (cotangent[v] == kNone || !matters[v]) continue;
    const Node& node = nodes_[v];
    if (node.kind != NodeKind::operation || !node.op->vjp) continue;
    where_ = node.where;
    OpCall call{node.attrs, {}, node.type};
    for (Value in : node.inputs) call.in.push_back(type(in));
    const auto grads = node.op->vjp(*this, call, node.inputs, v, cotangent[v]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Value in = node.inputs[i];
      if (grads[i] == kNone || !matters[in]) continue;
      if (shape(grads[i]) != shape(in))
        throw std::logic_error(std::string("the gradient of ") + node.op->name +
                               " has another shape than its input");
      cotangent[in] = cotangent[in] == kNone ? grads[i] : add(*this, cotangent[in], grads[i]);
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
