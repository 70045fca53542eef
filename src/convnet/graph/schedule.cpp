#include "schedule.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace convnet {

namespace {

class Scheduler {
 public:
  Scheduler(const Graph& graph, const std::vector<char>& settled) : graph_(graph), settled_(settled) {
    made_.owner.resize(graph.size(), kNone);
    made_.bytes.resize(graph.size(), 0);
  }

  Schedule run(const std::vector<Value>& roots) {
    std::vector<char> live(graph_.size(), 0);
    for (Value v : roots) live[v] = 1;
    for (Value v = graph_.size() - 1; v >= 0; --v)
      if (live[v])
        for (Value in : graph_[v].inputs) live[in] = 1;
    for (Value v = 0; v < graph_.size(); ++v)
      if (live[v]) add(v);
    made_.prologue = made_.tasks.size();
    std::move(others_.begin(), others_.end(), std::back_inserter(made_.tasks));
    return std::move(made_);
  }

 private:
  void add(Value v) {
    const Node& node = graph_[v];
    made_.owner[v] = v;
    made_.bytes[v] = node.type.bytes();
    if (node.kind != NodeKind::operation) {
      made_.leaves.push_back(v);
    } else if (!node.op->prepare) {
      made_.owner[v] = made_.owner[node.inputs[0]];
    } else {
      Task task{v, node.inputs, prepared(node), node.op->in_place};
      const Packing& packing = task.prepared.packing;
      if (packing.pack) task.in[packing.input] = packed(task.in[packing.input], packing);
      place(std::move(task), settled_[v]);
    }
  }

  Prepared prepared(const Node& node) const {
    // No operation needs to know how nothing is computed.
    if (node.type.shape.size() == 0) return {[](const void* const*, void*, const RunContext&) {}};
    OpCall call{node.attrs, {}, node.type};
    for (Value in : node.inputs) call.in.push_back(graph_.type(in));
    try {
      return node.op->prepare(call);
    } catch (Error& error) {
      if (!node.where.empty()) error.with("where", node.where);
      throw;
    }
  }

  // Made for the first task that asks for it.
  Value packed(Value v, const Packing& packing) {
    const Value owner = made_.owner[v];
    const auto [found, added] =
        packed_.try_emplace({owner, packing.key}, static_cast<Value>(made_.owner.size()));
    if (added) {
      made_.owner.push_back(found->second);
      made_.bytes.push_back(packing.bytes);
      place({found->second, {owner}, {packing.pack, 0, {}}, false}, settled_[owner]);
    }
    return found->second;
  }

  void place(Task task, bool settled) {
    (settled ? made_.tasks : others_).push_back(std::move(task));
  }

  const Graph& graph_;
  const std::vector<char>& settled_;
  std::map<std::pair<Value, std::vector<int64_t>>, Value> packed_;
  Schedule made_;
  std::vector<Task> others_;  // those that are not settled
};

}  // namespace

std::vector<char> settled_values(const Graph& graph, const std::vector<int>& changing) {
  std::vector<char> settled(graph.size(), 0);
  for (Value v = 0; v < graph.size(); ++v) {
    const Node& node = graph[v];
    switch (node.kind) {
      case NodeKind::input: break;
      case NodeKind::constant: settled[v] = 1; break;
      case NodeKind::variable:
        settled[v] = std::find(changing.begin(), changing.end(), node.slot) == changing.end();
        break;
      case NodeKind::operation: {
        size_t bytes = 0;
        bool all = !node.attrs.has("stream");
        for (Value in : node.inputs) {
          all = all && settled[in];
          bytes += graph.type(in).bytes();
        }
        settled[v] = all && node.type.bytes() <= bytes;
      }
    }
  }
  return settled;
}

Schedule make_schedule(const Graph& graph, const std::vector<Value>& roots,
                       const std::vector<char>& settled) {
  return Scheduler(graph, settled).run(roots);
}

}  // namespace convnet
