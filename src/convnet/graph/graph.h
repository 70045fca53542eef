#pragma once
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../ops/op.h"

namespace convnet {

enum class NodeKind { operation, input, variable, constant };

struct Node {
  NodeKind kind = NodeKind::operation;
  const Op* op = nullptr;  // kind operation only
  Attrs attrs;
  std::vector<Value> inputs;
  TensorType type;
  int slot = -1;                         // which input or variable
  std::shared_ptr<const Tensor> value;   // kind constant only
  std::string where;                     // the layer that asked for it, for messages
};

// Nodes in topological order: a node's inputs precede it.
class Graph final : public Emitter {
 public:
  Value input(int slot, TensorType type);
  Value variable(int slot, TensorType type);
  Value constant(std::shared_ptr<const Tensor> value);
  // An input, variable or constant as it is in another graph.
  Value copy_leaf(const Node& leaf);
  Value scalar(double value, DType dtype) override;
  Value emit(const std::string& op, std::vector<Value> inputs, Attrs attrs = {}) override;

  // d sum(loss) / d wrt[i] for each i, as nodes of this graph; zeros where loss
  // does not depend on wrt[i].
  std::vector<Value> gradients(Value loss, const std::vector<Value>& wrt);

  const Node& operator[](Value v) const { return nodes_[v]; }
  const TensorType& type(Value v) const override { return nodes_[v].type; }
  int size() const { return static_cast<int>(nodes_.size()); }
  // Names the layer that the nodes emitted from now on belong to.
  void set_where(std::string where) { where_ = std::move(where); }

 private:
  Value append(Node node);
  Value leaf(NodeKind kind, int slot, TensorType type);
  // A deque: references to nodes and their shapes stay good while nodes are added.
  std::deque<Node> nodes_;
  std::unordered_multimap<size_t, Value> index_;
  std::string where_;
};

}  // namespace convnet
