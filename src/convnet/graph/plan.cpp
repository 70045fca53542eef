#include "plan.h"

#include <algorithm>
#include <cstring>

#include "../core/memory.h"
#include "arena.h"

namespace convnet {

Plan::Plan(const Graph& graph, const std::vector<Value>& outputs,
           const std::vector<Update>& updates, const std::vector<char>& settled) {
  std::vector<Value> roots = outputs;
  for (const Update& update : updates) roots.push_back(update.value);
  OffsetAllocator arena;
  lay_out(graph, make_schedule(graph, roots, settled), roots, arena);
  copy_changing_roots(graph, roots, updates, arena);
  arena_bytes_ = arena.extent();
  // The arena that there is makes way for a larger one.
  require_memory(kept_bytes_ + arena_bytes_ - std::min(arena_bytes_, shared_arena().bytes()));
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
                   OffsetAllocator& arena) {
  OffsetAllocator kept;
  const std::vector<size_t> last = last_readers(schedule, roots);
  location_.resize(schedule.owner.size());
  locate_leaves(graph, schedule);
  prologue_ = schedule.prologue;
  const auto location = [&](Value v) -> Location& { return location_[schedule.owner[v]]; };
  for (size_t i = 0; i < schedule.tasks.size(); ++i) {
    Task& task = schedule.tasks[i];
    const Place place = i < prologue_ ? Place::kept : Place::arena;
    OffsetAllocator& memory = i < prologue_ ? kept : arena;
    std::vector<Value> ending;  // the owners of this memory whose last reader this is
    Step step{std::move(task.prepared.run), {}, {}, 0};
    for (Value in : task.in) {
      const Value owner = schedule.owner[in];
      step.in.push_back(location(owner));
      if (i < prologue_ && location(owner).place == Place::variable)
        reads_.push_back({static_cast<int>(location(owner).at), 0});
      if (last[owner] == i && location(owner).place == place &&
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
      step.out = {place, memory.allocate(schedule.bytes[task.out])};
    }
    location(task.out) = step.out;
    if (task.prepared.workspace) {
      step.workspace = arena.allocate(task.prepared.workspace);
      arena.free(step.workspace);
    }
    for (Value o : ending) memory.free(location(o).at);
    steps_.push_back(std::move(step));
  }
  kept_bytes_ = kept.extent();
  if (kept_bytes_ > 0) kept_memory_ = std::make_unique<KeptMemory>();
  // Views are where their owners are.
  for (Value v = 0; v < graph.size(); ++v)
    if (schedule.owner[v] != kNone) location_[v] = location(v);
}

// What is read of a variable that changes is copied: reads precede writes.
void Plan::copy_changing_roots(const Graph& graph, const std::vector<Value>& roots,
                               const std::vector<Update>& updates, OffsetAllocator& arena) {
  for (Value v : roots) {
    const Location from = location_[v];
    const bool changes = from.place == Place::variable &&
                         std::any_of(updates.begin(), updates.end(), [&](const Update& update) {
                           return update.variable == static_cast<int>(from.at);
                         });
    if (!changes) continue;
    const size_t bytes = graph.type(v).bytes();
    location_[v] = {Place::arena, arena.allocate(bytes)};
    Runner copy = [bytes](const void* const* in, void* out, const RunContext&) {
      std::memcpy(out, in[0], bytes);
    };
    steps_.push_back({std::move(copy), {from}, location_[v], 0});
  }
}

const void* Plan::pointer_of(const Location& location) const {
  switch (location.place) {
    case Place::arena: return arena_ + location.at;
    case Place::kept: return kept_ + location.at;
    case Place::input: return (*inputs_)[location.at];
    case Place::variable: return (*variables_)[location.at].values;
    default: return constants_[location.at]->data();
  }
}

void Plan::run_steps(size_t begin, size_t end, uint64_t key, uint32_t step_count) {
  for (size_t s = begin; s < end; ++s) {
    const Step& step = steps_[s];
    for (size_t i = 0; i < step.in.size(); ++i) arguments_[i] = pointer_of(step.in[i]);
    step.run(arguments_.data(), const_cast<void*>(pointer_of(step.out)),
             RunContext{key, step_count, arena_ + step.workspace});
  }
}

// Runs the prologue unless all is there that it would compute.
void Plan::settle(uint64_t key, uint32_t step) {
  const auto stamp = [this](const Read& read) { return (*variables_)[read.variable].stamp; };
  kept_ = kept_memory_->find();
  if (!kept_) {
    settled_ = false;
    kept_ = kept_memory_->reserve(kept_bytes_);
  }
  settled_ = settled_ && std::all_of(reads_.begin(), reads_.end(), [&](const Read& read) {
               return stamp(read) && *stamp(read) == read.stamp;
             });
  if (settled_) return;
  run_steps(0, prologue_, key, step);
  for (Read& read : reads_) read.stamp = stamp(read) ? *stamp(read) : 0;
  settled_ = true;
}

void Plan::run(const std::vector<const void*>& inputs, const std::vector<Variable>& variables,
               uint64_t key, uint32_t step) {
  arena_ = shared_arena().reserve(arena_bytes_);
  inputs_ = &inputs;
  variables_ = &variables;
  if (prologue_ > 0) settle(key, step);
  run_steps(prologue_, steps_.size(), key, step);
  for (const Write& write : writes_) {
    const Variable& variable = variables[write.variable];
    std::memcpy(variable.values, pointer_of(write.value), write.bytes);
    variable.changed();
  }
}

}  // namespace convnet
