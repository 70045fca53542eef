#include "join.h"

#include <algorithm>

#include "../ops/steps.h"
#include "rewrite.h"

namespace convnet {

namespace {

class Join : Rewrite {
 public:
  Join(const Graph& graph, const std::vector<Value>& roots, const std::vector<char>& settled)
      : Rewrite(graph, roots), settled_(settled), members_(graph.size()), group_(graph.size(), kNone) {
    find_groups(roots);
  }

  Graph run(std::vector<Value>& roots) {
    for (Value v = 0; v < graph_.size(); ++v)
      if (live(v) && (group_[v] == kNone || group_[v] == v))
        moved_[v] = members_[v].size() > 1 ? join(v) : copy(v);
    return finish(roots);
  }

 private:
  // A group is that of its last node, which nodes join that only the group reads.
  void find_groups(const std::vector<Value>& roots) {
    constexpr Value kUnread = -1, kOthers = -2;
    std::vector<Value> reader(graph_.size(), kUnread);  // the group, if one group has all readers
    for (Value v : roots) reader[v] = kOthers;
    for (Value v = graph_.size() - 1; v >= 0; --v) {
      if (!live(v)) continue;
      if (is_by_element(v) && product_and_bias(v).first == kNone) {
        const Value by = reader[v];
        const bool joins = by >= 0 && graph_.shape(by) == graph_.shape(v) && settled_[by] == settled_[v] &&
                           members_[by].size() < StepList::kMaxSteps;
        group_[v] = joins ? by : v;
        members_[group_[v]].push_back(v);
      }
      const Value group = group_[v] == kNone ? kOthers : group_[v];
      for (Value in : graph_[v].inputs)
        reader[in] = reader[in] == kUnread || reader[in] == group ? group : kOthers;
    }
  }

  Value join(Value v) {
    std::vector<Value>& steps = members_[v];
    std::sort(steps.begin(), steps.end());
    std::vector<Value> inputs;
    StepList list;
    const auto operand = [&](Value in) {
      if (group_[in] == v)
        return -1 - static_cast<int>(std::find(steps.begin(), steps.end(), in) - steps.begin());
      const auto found = std::find(inputs.begin(), inputs.end(), in);
      const int place = static_cast<int>(found - inputs.begin());
      if (found == inputs.end()) inputs.push_back(in);
      return place;
    };
    for (Value step : steps) {
      const Node& node = graph_[step];
      list.steps.push_back({node.op, {}, node.attrs.number_or("alpha", 0)});
      for (Value in : node.inputs) list.steps.back().operands.push_back(operand(in));
    }
    out_.set_where(graph_[v].where);
    return out_.emit("elementwise", moved(inputs), {{"steps", list.text()}});
  }

  const std::vector<char>& settled_;
  std::vector<std::vector<Value>> members_;  // of the group that a node is the last of
  std::vector<Value> group_;                 // its last node
};

}  // namespace

Graph join(const Graph& graph, std::vector<Value>& roots, const std::vector<char>& settled) {
  return Join(graph, roots, settled).run(roots);
}

}  // namespace convnet
