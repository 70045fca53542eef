#include "plan.h"

#include <algorithm>
#include <cstring>

#include "../core/memory.h"
#include "memory_plan.h"

namespace convnet {

Plan::Plan(const Graph& graph, const std::vector<Value>& outputs,
           const std::vector<Update>& updates) {
  std::vector<Value> roots = outputs;
  for (const Update& update : updates) roots.push_back(update.value);
  lay_out(graph, live_nodes(graph, roots), roots, updates);
  for (Value v : outputs) {
    outputs_.push_back(location_[v]);
    output_types_.push_back(graph.type(v));
  }
  for (const Update& update : updates)
    writes_.push_back({update.variable, location_[update.value], graph.type(update.value).bytes()});
  location_.clear();
  arguments_.resize(max_inputs_);
}

std::vector<Value> Plan::live_nodes(const Graph& graph, const std::vector<Value>& roots) const {
  std::vector<char> live(graph.size(), 0);
  for (Value v : roots) live[v] = 1;
  for (Value v = graph.size() - 1; v >= 0; --v)
    if (live[v])
      for (Value in : graph[v].inputs) live[in] = 1;
  std::vector<Value> nodes;
  for (Value v = 0; v < graph.size(); ++v)
    if (live[v]) nodes.push_back(v);
  return nodes;
}

void Plan::lay_out(const Graph& graph, const std::vector<Value>& live,
                   const std::vector<Value>& roots, const std::vector<Update>& updates) {
  // A view shares the memory of its owner, whose life it prolongs.
  std::vector<Value> owner(graph.size());
  std::vector<int> last_use(graph.size(), -1);
  for (int order = 0; order < static_cast<int>(live.size()); ++order) {
    const Value v = live[order];
    const Node& node = graph[v];
    const bool view = node.kind == NodeKind::operation && !node.op->prepare;
    owner[v] = view ? owner[node.inputs[0]] : v;
    last_use[owner[v]] = order;
    for (Value in : node.inputs) last_use[owner[in]] = order;
  }
  for (Value v : roots) last_use[owner[v]] = static_cast<int>(live.size());

  OffsetAllocator memory;
  location_.resize(graph.size());
  for (int order = 0; order < static_cast<int>(live.size()); ++order) {
    const Value v = live[order];
    const Node& node = graph[v];
    Location& place = location_[v];
    if (node.kind == NodeKind::input || node.kind == NodeKind::variable) {
      place = {node.kind == NodeKind::input ? Place::input : Place::variable,
               static_cast<size_t>(node.slot)};
      continue;
    }
    if (node.kind == NodeKind::constant) {
      place = {Place::constant, constants_.size()};
      constants_.push_back(node.value);
      continue;
    }
    // The arena tensors whose last reader this node is.
    std::vector<Value> ending;
    for (Value in : node.inputs) {
      const Value o = owner[in];
      if (last_use[o] == order && location_[o].place == Place::arena &&
          std::find(ending.begin(), ending.end(), o) == ending.end())
        ending.push_back(o);
    }
    if (owner[v] != v) {
      place = location_[owner[v]];
      continue;
    }
    OpCall call{node.attrs, {}, node.type};
    for (Value in : node.inputs) call.in.push_back(graph.type(in));
    Prepared prepared;
    try {
      prepared = node.op->prepare(call);
    } catch (Error& error) {
      if (!node.where.empty()) error.with("where", node.where);
      throw;
    }
    const size_t bytes = node.type.bytes();
    auto reused = ending.end();
    if (node.op->in_place)
      reused = std::find_if(ending.begin(), ending.end(),
                            [&](Value o) {
                              return graph.type(o).dtype == node.type.dtype &&
                                    graph.type(o).bytes() == bytes;
                            });
    if (reused != ending.end()) {
      place = location_[*reused];
      ending.erase(reused);
    } else {
      place = {Place::arena, memory.allocate(bytes)};
    }
    Step step{std::move(prepared.run), {}, place, 0};
    for (Value in : node.inputs) step.in.push_back(location_[in]);
    max_inputs_ = std::max(max_inputs_, step.in.size());
    if (prepared.workspace) {
      step.workspace = memory.allocate(prepared.workspace);
      memory.free(step.workspace);
    }
    for (Value o : ending) memory.free(location_[o].at);
    steps_.push_back(std::move(step));
  }
  // What is read of a variable that changes is copied: reads precede writes.
  for (Value v : roots) {
    const Location from = location_[v];
    const bool changes = from.place == Place::variable &&
                         std::any_of(updates.begin(), updates.end(), [&](const Update& update) {
                           return update.variable == static_cast<int>(from.at);
                         });
    if (!changes) continue;
    const size_t bytes = graph.type(v).bytes();
    location_[v] = {Place::arena, memory.allocate(bytes)};
    Runner copy = [bytes](const void* const* in, void* out, const RunContext&) {
      std::memcpy(out, in[0], bytes);
    };
    steps_.push_back({std::move(copy), {from}, location_[v], 0});
    max_inputs_ = std::max<size_t>(max_inputs_, 1);
  }
  arena_bytes_ = memory.extent();
  // The arena that there is makes way for a larger one.
  require_memory(arena_bytes_ - std::min(arena_bytes_, shared_arena().bytes()));
}

const void* Plan::pointer_of(const Location& location) const {
  switch (location.place) {
    case Place::arena: return arena_ + location.at;
    case Place::input: return (*inputs_)[location.at];
    case Place::variable: return (*variables_)[location.at];
    default: return constants_[location.at]->data();
  }
}

void Plan::run(const std::vector<const void*>& inputs, const std::vector<void*>& variables,
               uint64_t key, uint32_t step_count) {
  arena_ = shared_arena().reserve(arena_bytes_);
  inputs_ = &inputs;
  variables_ = &variables;
  for (const Step& step : steps_) {
    for (size_t i = 0; i < step.in.size(); ++i) arguments_[i] = pointer_of(step.in[i]);
    step.run(arguments_.data(), const_cast<void*>(pointer_of(step.out)),
             RunContext{key, step_count, arena_ + step.workspace});
  }
  for (const Write& write : writes_)
    std::memcpy(variables[write.variable], pointer_of(write.value), write.bytes);
}

}  // namespace convnet
