#pragma once
#include <memory>
#include <vector>

#include "../core/variable.h"
#include "kept_memory.h"
#include "memory_plan.h"
#include "schedule.h"

namespace convnet {

// A graph of concrete shapes made ready to run: its live nodes in order, each
// specialised, with memory laid out so that tensors which never live together
// share bytes.
class Plan {
 public:
  // settled: see settled_values(); those are computed once and kept until a variable that
  // they depend on changes.
  Plan(const Graph& graph, const std::vector<Value>& outputs, const std::vector<Update>& updates,
       const std::vector<char>& settled);
  // Nothing is kept from run to run.
  Plan(const Graph& graph, const std::vector<Value>& outputs, const std::vector<Update>& updates)
      : Plan(graph, outputs, updates, std::vector<char>(graph.size(), 0)) {}

  // inputs[slot], variables[slot]: row-major values. Reads precede writes:
  // variables change only after every output and update has been computed.
  void run(const std::vector<const void*>& inputs, const std::vector<Variable>& variables,
           uint64_t key, uint32_t step);

  // The i-th output of the last run; gone with the next run of any plan. It may
  // lie in the memory of an input or a variable.
  const void* output(int i) const { return pointer_of(outputs_[i]); }
  const TensorType& output_type(int i) const { return output_types_[i]; }
  size_t steps() const { return steps_.size(); }
  // How many of them are left out while what they computed is kept.
  size_t prologue() const { return prologue_; }

 private:
  enum class Place : uint8_t { arena, kept, input, variable, constant };
  struct Location {
    Place place;
    size_t at;  // offset, slot, or index of the constant
  };
  struct Step {
    Runner run;
    std::vector<Location> in;
    Location out;
    size_t workspace;  // arena offset
  };
  struct Read {
    int variable;
    uint64_t stamp;  // when it was read last
  };
  struct Write {
    int variable;
    Location value;
    size_t bytes;
  };

  const void* pointer_of(const Location& location) const;
  void run_steps(size_t begin, size_t end, uint64_t key, uint32_t step);
  void settle(uint64_t key, uint32_t step);
  void locate_leaves(const Graph& graph, const Schedule& schedule);
  void lay_out(const Graph& graph, Schedule schedule, const std::vector<Value>& roots,
               OffsetAllocator& arena);
  void copy_changing_roots(const Graph& graph, const std::vector<Value>& roots,
                           const std::vector<Update>& updates, OffsetAllocator& arena);

  std::vector<Step> steps_;
  size_t prologue_ = 0;
  std::vector<Location> location_;  // of each value, while planning
  std::vector<Location> outputs_;
  std::vector<TensorType> output_types_;
  std::vector<Write> writes_;
  std::vector<std::shared_ptr<const Tensor>> constants_;
  std::vector<const void*> arguments_;  // reused by run()
  size_t arena_bytes_ = 0, kept_bytes_ = 0;

  std::unique_ptr<KeptMemory> kept_memory_;
  std::vector<Read> reads_;  // by the prologue
  bool settled_ = false;     // what it computed is that of the variables it read

  char* arena_ = nullptr;
  char* kept_ = nullptr;
  const std::vector<const void*>* inputs_ = nullptr;
  const std::vector<Variable>* variables_ = nullptr;
};

}  // namespace convnet
