#pragma once
#include <cstdint>
#include <vector>

#include "../core/divide.h"
#include "../graph/program.h"
#include "optimizer.h"

namespace convnet {

// The rows that a loop works through: datasets[k] feeds input k of the program,
// its first dimension counts rows. order[i] is the row (from 0) that comes i-th.
struct Rows {
  std::vector<TensorView> datasets;
  std::vector<Dim> order;
  Dim batch_size;

  Dim count() const { return static_cast<Dim>(order.size()); }
  Dim batches() const { return divide_up(count(), batch_size); }
};

// Copies the rows of one batch next to each other and points to them; rows that
// already are neighbours are not copied.
class BatchFeeder {
 public:
  explicit BatchFeeder(const Rows& rows);
  // Makes batch b current.
  void load(Dim b);
  const std::vector<const void*>& pointers() const { return pointers_; }
  const std::vector<Shape>& shapes() const { return shapes_; }
  Dim size() const { return size_; }

 private:
  const Rows& rows_;
  std::vector<Buffer> staging_;
  std::vector<const void*> pointers_;
  std::vector<Shape> shapes_;
  Dim size_ = 0;
};

// What training adds to running a program, whose last outputs are the gradients
// of the trainable variables.
struct Training {
  OptimizerConfig optimizer;
  int64_t iteration;                     // steps made before
  std::vector<int> variables;            // slots of the trainable variables in the program
  std::vector<std::vector<void*>> slots; // optimizer state of each
  Program* constraints = nullptr;        // run after each step, over its own variables
  std::vector<Variable> constraint_variables;
};

struct LoopResult {
  Dim batches = 0;           // done by this call
  Dim rows = 0;
  std::vector<double> sums;  // of each scalar output times the rows of its batch
};

// Runs batches first_batch, first_batch + 1, ... until all are done or budget
// milliseconds are over; at least one. The first `scalars` outputs are summed up.
LoopResult run_batches(Program& program, const std::vector<Variable>& variables, const Rows& rows,
                       Dim first_batch, int scalars, double budget, uint64_t key,
                       Training* training);

}  // namespace convnet
