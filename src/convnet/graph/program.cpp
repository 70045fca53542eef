#include "program.h"

#include <algorithm>
#include <stdexcept>

#include "../kernels/isa.h"
#include "../kernels/winograd.h"
#include "fuse.h"
#include "gates.h"
#include "join.h"
#include "lower.h"

namespace convnet {

namespace {

bool draws(const Record& record) {
  return std::any_of(record.begin(), record.end(), [](const Row& row) {
    return row.attrs.has("stream") || (row.body && draws(row.body->rows));
  });
}

// Rows read rows that precede them; those that are wanted exist.
void check_record(const Record& record, const std::vector<int>& outputs) {
  for (size_t i = 0; i < record.size(); ++i) {
    for (int input : record[i].inputs)
      if (input < 0 || input >= static_cast<int>(i))
        throw std::logic_error("a row of a record reads a row that does not precede it");
    if (record[i].body) check_record(record[i].body->rows, record[i].body->outputs);
  }
  for (int row : outputs)
    if (row < 0 || row >= static_cast<int>(record.size()))
      throw std::logic_error("a record lacks a row that is to be returned");
}

}  // namespace

Program::Program(Record record, std::vector<int> outputs)
    : record_(std::move(record)), outputs_(std::move(outputs)) {
  for (size_t i = 0; i < record_.size(); ++i) {
    const Row& row = record_[i];
    if (row.op == "input") {
      input_rows_.resize(std::max<size_t>(input_rows_.size(), row.slot + 1));
      input_rows_[row.slot] = static_cast<int>(i);
    } else if (row.op == "variable") {
      variable_rows_.resize(std::max<size_t>(variable_rows_.size(), row.slot + 1), -1);
      variable_rows_[row.slot] = static_cast<int>(i);
    }
  }
  random_ = draws(record_);
  check_record(record_, outputs_);
  for (const Row& row : record_)
    if (row.op == "gradient" && record_[row.inputs[1]].op == "variable")
      trained_.push_back(record_[row.inputs[1]].slot);
}

const TensorType* Program::variable_type(size_t slot) const {
  return slot < variable_rows_.size() && variable_rows_[slot] >= 0 ? &record_[variable_rows_[slot]].type : nullptr;
}

Plan& Program::plan(const std::vector<Shape>& input_shapes) {
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const Cached& cached) {
    return cached.shapes == input_shapes && cached.isa == isa_name() && cached.winograd == winograd_allowed();
  });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
  } else {
    plans_.push_front({input_shapes, isa_name(), winograd_allowed(), build(input_shapes)});
    if (plans_.size() > kPlans) plans_.pop_back();
  }
  return *plans_.front().plan;
}

std::unique_ptr<Plan> Program::build(const std::vector<Shape>& input_shapes) const {
  Lowered lowered = lower(record_, outputs_, input_shapes);
  std::vector<Value> roots = lowered.outputs;
  for (const Update& update : lowered.updates) roots.push_back(update.value);
  std::vector<int> changing = trained_;
  for (const Update& update : lowered.updates) changing.push_back(update.variable);
  const auto settled = [&](const Graph& graph) { return settled_values(graph, changing); };
  const Graph gated = move_gates(lowered.graph, roots);
  const Graph joined = join(gated, roots, settled(gated));
  const Graph graph = fuse(joined, roots, settled(joined));
  const auto end_of_outputs = roots.begin() + outputs_.size();
  for (size_t i = 0; i < lowered.updates.size(); ++i) lowered.updates[i].value = end_of_outputs[i];
  return std::make_unique<Plan>(graph, std::vector<Value>(roots.begin(), end_of_outputs),
                                lowered.updates, settled(graph));
}

}  // namespace convnet
