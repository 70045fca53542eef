#include "graph.h"

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

Value Graph::copy_leaf(const Node& leaf) {
  if (leaf.kind == NodeKind::input) return input(leaf.slot, leaf.type);
  if (leaf.kind == NodeKind::variable) return variable(leaf.slot, leaf.type);
  return constant(leaf.value);
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

}  // namespace convnet
