#include "plan.h"

#include <algorithm>
#include <cstring>

#include "../core/memory.h"

namespace convnet {

Plan::Plan(const Graph& graph, const std::vector<Value>& outputs,
           const std::vector<Update>& updates, bool steady) {
  std::vector<Value> roots = outputs;
  for (const Update& update : updates) roots.push_back(update.value);
  OffsetAllocator memory;
  lay_out(graph,
          make_schedule(graph, roots,
                        steady ? settled_values(graph, updates) : std::vector<char>(graph.size(), 0)),
          roots, memory);
  copy_changing_roots(graph, roots, updates, memory);
  arena_bytes_ = memory.extent();
  // The arena that there is makes way for a larger one.
  require_memory(arena_bytes_ - std::min(arena_bytes_, shared_arena().bytes()));
  for (Value v : outputs) {
    outputs_.push_back(location_[v]);
    output_types_.push_back(graph.type(v));
  }
  for (const Update& update : updates)
    writes_.push_back({update.variable, location_[update.value], graph.type(update.value).bytes()});
  location_.clear();
  for (const Step& step : steps_)
    arguments_.resize(std::max(arguments_.size(), step.in.size()));
}

void Plan::locate_leaves(const Graph& graph, const Schedule& schedule) {
  for (Value v : schedule.leaves) {
    const Node& node = graph[v];
    if (node.kind == NodeKind::constant) {
      location_[v] = {Place::constant, constants_.size()};
      constants_.push_back(node.value);
    } else {
      location_[v] = {node.kind == NodeKind::input ? Place::input : Place::variable,
                      static_cast<size_t>(node.slot)};
    }
  }
}

namespace {

// The last task that reads each value's memory. What the prologue leaves to others
// is read in every run.
std::vector<size_t> last_readers(const Schedule& schedule, const std::vector<Value>& roots) {
  const size_t never = schedule.tasks.size();
  std::vector<size_t> last(schedule.owner.size(), 0);
  std::vector<char> settled(schedule.owner.size(), 0);
  for (size_t i = 0; i < schedule.tasks.size(); ++i) {
    const Task& task = schedule.tasks[i];
    settled[task.out] = i < schedule.prologue;
    for (Value in : task.in) {
      const Value owner = schedule.owner[in];
      last[owner] = settled[owner] && i >= schedule.prologue ? never : std::max(last[owner], i);
    }
  }
  for (Value v : roots) last[schedule.owner[v]] = never;
  return last;
}

}  // namespace

void Plan::lay_out(const Graph& graph, Schedule schedule, const std::vector<Value>& roots,
                   OffsetAllocator& memory) {
  const std::vector<size_t> last = last_readers(schedule, roots);
  location_.resize(schedule.owner.size());
  locate_leaves(graph, schedule);
  prologue_ = schedule.prologue;
  const auto location = [&](Value v) -> Location& { return location_[schedule.owner[v]]; };
  for (size_t i = 0; i < schedule.tasks.size(); ++i) {
    Task& task = schedule.tasks[i];
    std::vector<Value> ending;  // the owners of memory whose last reader this is
    Step step{std::move(task.prepared.run), {}, {}, 0};
    for (Value in : task.in) {
      const Value owner = schedule.owner[in];
      step.in.push_back(location(owner));
      if (last[owner] == i && location(owner).place == Place::arena &&
          std::find(ending.begin(), ending.end(), owner) == ending.end())
        ending.push_back(owner);
    }
    const auto reused = std::find_if(ending.begin(), ending.end(), [&](Value o) {
      return task.in_place && graph.type(o).dtype == graph.type(task.out).dtype &&
             schedule.bytes[o] == schedule.bytes[task.out];
    });
    if (reused != ending.end()) {
      step.out = location(*reused);
      ending.erase(reused);
    } else {
      step.out = {Place::arena, memory.allocate(schedule.bytes[task.out])};
    }
    location(task.out) = step.out;
    if (task.prepared.workspace) {
      step.workspace = memory.allocate(task.prepared.workspace);
      memory.free(step.workspace);
    }
    for (Value o : ending) memory.free(location(o).at);
    steps_.push_back(std::move(step));
  }
  // Views are where their owners are.
  for (Value v = 0; v < graph.size(); ++v)
    if (schedule.owner[v] != kNone) location_[v] = location(v);
}

// What is read of a variable that changes is copied: reads precede writes.
void Plan::copy_changing_roots(const Graph& graph, const std::vector<Value>& roots,
                               const std::vector<Update>& updates, OffsetAllocator& memory) {
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
  }
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
               uint64_t key, uint32_t step_count, bool again) {
  arena_ = shared_arena().reserve(arena_bytes_, this);
  inputs_ = &inputs;
  variables_ = &variables;
  for (size_t s = again && shared_arena().kept() ? prologue_ : 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    for (size_t i = 0; i < step.in.size(); ++i) arguments_[i] = pointer_of(step.in[i]);
    step.run(arguments_.data(), const_cast<void*>(pointer_of(step.out)),
             RunContext{key, step_count, arena_ + step.workspace});
  }
  for (const Write& write : writes_)
    std::memcpy(variables[write.variable], pointer_of(write.value), write.bytes);
}

}  // namespace convnet
