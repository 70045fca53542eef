#include "gates.h"

#include <string>

#include "../ops/build.h"
#include "../ops/max_pool.h"
#include "rewrite.h"

namespace convnet {

namespace {

class Mover : Rewrite {
 public:
  Mover(const Graph& graph, const std::vector<Value>& roots) : Rewrite(graph, roots) {}

  Graph run(std::vector<Value>& roots) {
    for (Value v = 0; v < graph_.size(); ++v)
      if (live(v)) moved_[v] = is_gate(v) ? pass(v) : copy(v);
    return finish(roots);
  }

 private:
  // With a slope for negative values sums would be rounded elsewhere.
  bool is_gate(Value v) const { return is(v, "relu_gate") && !graph_[v].attrs.has("alpha"); }

  Value pass(Value v) {
    const Value gate = graph_[v].inputs[0], grad = graph_[v].inputs[1];
    if (graph_.shape(gate) != graph_.shape(grad)) return copy(v);
    out_.set_where(graph_[v].where);
    return pass(moved_[gate], grad);
  }

  // What of v passes the gate, a value of the new graph.
  Value pass(Value gate, Value v) {
    const Node& node = graph_[v];
    const Value from = node.inputs.empty() ? kNone : node.inputs.back();
    if (readers_[v] == 1) {
      if (is(v, "reshape"))
        return reshape(out_, pass(reshape(out_, gate, graph_.shape(from)), from), node.type.shape);
      if (is(v, "dropout")) return out_.emit("dropout", {pass(gate, from)}, node.attrs);
      if (is(v, "extremum_scatter") && moved_[node.inputs[0]] == gate) {
        const Value extremum = moved_[node.inputs[1]];
        return out_.emit("extremum_scatter", {gate, extremum, pass(extremum, from)}, node.attrs);
      }
      if (is(v, "max_pool_scatter") && moved_[node.inputs[0]] == gate) {
        // The winner of a window is what it is pooled to.
        const Value pooled = find_pooled(v);
        if (pooled != kNone)
          return out_.emit("max_pool_scatter", {gate, pass(pooled, from)}, node.attrs);
      }
    }
    return out_.emit("relu_gate", {gate, moved_[v]});
  }

  // Where the new graph has what `scatter` is the gradient of.
  Value find_pooled(Value scatter) const {
    const Node& node = graph_[scatter];
    for (Value v = 0; v < scatter; ++v)
      if (moved_[v] != kNone && is(v, "max_pool") && graph_[v].inputs[0] == node.inputs[0] &&
          pool_attrs(graph_[v].attrs) == node.attrs)
        return moved_[v];
    return kNone;
  }
};

}  // namespace

Graph move_gates(const Graph& graph, std::vector<Value>& roots) { return Mover(graph, roots).run(roots); }

}  // namespace convnet
