#include "loop.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "../core/threads.h"

namespace convnet {

BatchFeeder::BatchFeeder(const Rows& rows) : rows_(rows) {
  for (const TensorView& data : rows.datasets) {
    shapes_.push_back(data.type.shape);
    staging_.emplace_back();
    pointers_.push_back(data.data);
  }
}

void BatchFeeder::load(Dim b) {
  const Dim first = b * rows_.batch_size;
  size_ = std::min(rows_.batch_size, rows_.count() - first);
  const Dim* order = rows_.order.data() + first;
  bool neighbours = true;
  for (Dim i = 1; i < size_ && neighbours; ++i) neighbours = order[i] == order[i - 1] + 1;
  for (size_t k = 0; k < rows_.datasets.size(); ++k) {
    const TensorView& data = rows_.datasets[k];
    const Dim row = static_cast<Dim>(data.type.bytes()) / std::max<Dim>(data.type.shape[0], 1);
    const char* from = static_cast<const char*>(data.data);
    shapes_[k][0] = size_;
    if (neighbours) {
      pointers_[k] = from + order[0] * row;
      continue;
    }
    if (staging_[k].bytes() < static_cast<size_t>(row * size_)) staging_[k] = Buffer(row * size_);
    char* to = staging_[k].as<char>();
    parallel_ranges(size_, kByteTime * row, [=](Dim begin, Dim end) {
      for (Dim i = begin; i < end; ++i) std::memcpy(to + i * row, from + order[i] * row, row);
    });
    pointers_[k] = staging_[k].data();
  }
}

namespace {

double scalar_value(const Plan& plan, int output) {
  return dispatch_any(plan.output_type(output).dtype, [&](auto tag) {
    return static_cast<double>(*static_cast<const decltype(tag)*>(plan.output(output)));
  });
}

std::vector<Parameter> parameters_of(const Training& training, const std::vector<Variable>& variables,
                                     const Plan& plan, int scalars) {
  std::vector<Parameter> parameters;
  for (size_t i = 0; i < training.variables.size(); ++i) {
    const TensorType& type = plan.output_type(scalars + static_cast<int>(i));
    parameters.push_back({type.dtype, type.shape.size(), variables[training.variables[i]].values, nullptr,
                          training.slots[i]});
  }
  return parameters;
}

}  // namespace

LoopResult run_batches(Program& program, const std::vector<Variable>& variables, const Rows& rows,
                       Dim first_batch, int scalars, double budget, uint64_t key,
                       Training* training) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  LoopResult result;
  result.sums.assign(scalars, 0);
  BatchFeeder feeder(rows);
  Plan* constraints =
      training && training->constraints ? &training->constraints->plan({}) : nullptr;
  // The last batch may be smaller: what its shape forbids shows before anything changes.
  feeder.load(rows.batches() - 1);
  const Plan& last = program.plan(feeder.shapes());
  std::vector<Parameter> parameters;
  if (training) parameters = parameters_of(*training, variables, last, scalars);
  for (Dim b = first_batch; b < rows.batches(); ++b) {
    feeder.load(b);
    Plan& plan = program.plan(feeder.shapes());
    plan.run(feeder.pointers(), variables, key, static_cast<uint32_t>(b));
    for (int i = 0; i < scalars; ++i)
      result.sums[i] += scalar_value(plan, i) * static_cast<double>(feeder.size());
    if (training) {
      for (size_t i = 0; i < parameters.size(); ++i)
        parameters[i].gradient = plan.output(scalars + static_cast<int>(i));
      apply_optimizer(training->optimizer, training->iteration++, parameters);
      for (int variable : training->variables) variables[variable].changed();
      if (constraints) constraints->run({}, training->constraint_variables, key, 0);
    }
    ++result.batches;
    result.rows += feeder.size();
    const double elapsed = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (elapsed > budget) break;
  }
  return result;
}

}  // namespace convnet
