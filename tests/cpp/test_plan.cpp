// What a plan computes once for many runs, what it packs once for many readers, and
// that a run allocates nothing.
#include <algorithm>
#include <vector>

#include "graph/arena.h"
#include "graph/fuse.h"
#include "graph/plan.h"
#include "test.h"
#include "train/loop.h"

using namespace convnet;

namespace {

using Floats = std::vector<float>;

TensorType f32(const Shape& shape) { return {DType::f32, shape}; }

Floats numbers(Dim n, float scale, int seed) {
  Floats values(n);
  for (Dim i = 0; i < n; ++i) values[i] = scale * static_cast<float>((i * 37 + seed * 11) % 101 - 50);
  return values;
}

Floats output(const Plan& plan, int i) {
  const auto* values = static_cast<const float*>(plan.output(i));
  return Floats(values, values + plan.output_type(i).shape.size());
}

const Attrs kSame{{"strides", number_list({1, 1})}, {"dilation", number_list({1, 1})},
                  {"padding", std::string("same")}};
const Shape kImage{2, 9, 7, 16}, kKernel{3, 3, 16, 24};

// The mean over the columns of a variable, times the input, plus the variable.
struct Scaled {
  Graph graph;
  Value x = graph.input(0, f32({3, 4}));
  Value w = graph.variable(0, f32({5, 4}));
  Value mean = graph.emit("mean", {w}, {{"axes", number_list(0)}});
  Value product = graph.emit("multiply", {x, mean});
  Floats input = numbers(12, 0.1f, 1), weights = numbers(20, 0.1f, 2);
  uint64_t stamp = 0;

  Scaled() { variable().changed(); }
  Variable variable() { return {weights.data(), &stamp}; }
  Floats found(Plan& plan) {
    plan.run({input.data()}, {variable()}, 0, 0);
    return output(plan, 0);
  }

  Floats expected() const {
    Floats result(12);
    for (int c = 0; c < 4; ++c) {
      float sum = 0;
      for (int r = 0; r < 5; ++r) sum += weights[r * 4 + c];
      for (int r = 0; r < 3; ++r) result[r * 4 + c] = input[r * 4 + c] * (sum / 5);
    }
    return result;
  }
};

void check_near(const Floats& found, const Floats& expected, double tolerance) {
  CHECK_CLOSE(std::vector<double>(found.begin(), found.end()),
              std::vector<double>(expected.begin(), expected.end()), tolerance);
}

}  // namespace

TEST(what_depends_on_variables_alone_is_settled) {
  Scaled s;
  Plan plan(s.graph, {s.product}, {}, settled_values(s.graph, {}));
  CHECK_EQ(plan.prologue(), 1u);
  CHECK_EQ(Plan(s.graph, {s.product}, {}).prologue(), 0u);
  // A variable that changes settles nothing.
  CHECK_EQ(Plan(s.graph, {s.product}, {}, settled_values(s.graph, {0})).prologue(), 0u);
  check_near(s.found(plan), s.expected(), 1e-6);
  s.input = numbers(12, 0.2f, 5);
  check_near(s.found(plan), s.expected(), 1e-6);
  // What was settled is used until the variable is said to have changed.
  const Floats before = s.expected();
  s.weights = numbers(20, 0.3f, 7);
  check_near(s.found(plan), before, 1e-6);
  s.variable().changed();
  check_near(s.found(plan), s.expected(), 1e-6);
  // One without a stamp may have changed at any time.
  s.weights = numbers(20, 0.2f, 3);
  plan.run({s.input.data()}, {s.weights.data()}, 0, 0);
  check_near(output(plan, 0), s.expected(), 1e-6);
}

TEST(what_was_settled_outlasts_other_runs) {
  Scaled s;
  Plan plan(s.graph, {s.product}, {}, settled_values(s.graph, {}));
  const Floats before = s.expected();
  check_near(s.found(plan), before, 1e-6);
  s.weights = numbers(20, 0.3f, 7);
  Graph other;
  const Floats ones(1000, 1);
  Plan between(other, {other.emit("exp", {other.input(0, f32({1000}))})}, {});
  between.run({ones.data()}, {}, 0, 0);
  check_near(s.found(plan), before, 1e-6);
  shared_arena().release();
  check_near(s.found(plan), before, 1e-6);
  KeptMemory::release_all();
  check_near(s.found(plan), s.expected(), 1e-6);
}

TEST(updates_change_what_others_have_settled) {
  Scaled s;
  Plan plan(s.graph, {s.product}, {}, settled_values(s.graph, {}));
  check_near(s.found(plan), s.expected(), 1e-6);
  Graph g;
  const Value w = g.variable(0, f32({5, 4}));
  Plan doubling(g, {}, {{0, g.emit("add", {w, w})}});
  const Floats before = s.expected();
  doubling.run({}, {s.variable()}, 0, 0);
  const Floats found = s.found(plan);
  check_near(found, s.expected(), 1e-6);
  CHECK(found != before);
}

TEST(kept_memory_has_a_bound) {
  KeptMemory::release_all();
  constexpr size_t kHalf = KeptMemory::kBound / 2;
  KeptMemory first, second, third;
  CHECK(!first.find());
  char* held = first.reserve(kHalf);
  second.reserve(kHalf);
  CHECK(first.find() == held);
  third.reserve(kHalf / 2);
  CHECK(first.find() == held);
  CHECK(!second.find());
  CHECK_EQ(KeptMemory::total_bytes(), kHalf + kHalf / 2);
  {
    KeptMemory large;
    CHECK(large.reserve(3 * kHalf));
    CHECK(!first.find());
    CHECK_EQ(KeptMemory::total_bytes(), 3 * kHalf);
  }
  CHECK_EQ(KeptMemory::total_bytes(), 0u);
}

TEST(an_arena_that_is_too_large_shrinks) {
  Scaled s;
  Plan plan(s.graph, {s.product}, {});
  shared_arena().release();
  shared_arena().reserve(1 << 20);
  for (int i = 0; i < 1200; ++i) check_near(s.found(plan), s.expected(), 1e-6);
  CHECK(shared_arena().bytes() < (1 << 20));
}

TEST(settled_values_do_not_grow_and_are_not_random) {
  Graph g;
  const Value w = g.variable(0, f32({4}));
  const Value wide = g.emit("broadcast_to", {w}, {{"shape", number_list({100, 4})}});
  const Value dropped = g.emit("dropout", {w}, {{"rate", number_list(0.5)}, {"stream", number_list(1)}});
  const std::vector<Value> results = {g.emit("exp", {wide}), g.emit("exp", {dropped})};
  CHECK_EQ(Plan(g, results, {}, settled_values(g, {})).prologue(), 0u);
}

TEST(one_packing_serves_all_that_read_a_kernel_alike) {
  Graph g;
  const Value x = g.input(0, f32(kImage)), small = g.input(1, f32({1, 4, 4, 16}));
  const Value w = g.variable(0, f32(kKernel));
  const Value a = g.emit("conv", {x, w}, kSame), b = g.emit("conv", {small, w}, kSame);
  const Value back = g.emit("conv_backward_data", {g.emit("relu", {a}), w},
                            Attrs(kSame).set("output_padding", number_list({-1, -1})));
  CHECK_EQ(Plan(g, {a}, {}).steps(), 2u);
  CHECK_EQ(Plan(g, {a, b}, {}).steps(), 3u);
  Plan plan(g, {a, b, back}, {}), steady(g, {a, b, back}, {}, settled_values(g, {}));
  CHECK_EQ(plan.steps(), 6u);  // the transposed kernel is packed otherwise
  CHECK_EQ(steady.prologue(), 2u);
  CHECK_EQ(plan.prologue(), 0u);
  for (int seed : {1, 2}) {
    const Floats image = numbers(g.shape(x).size(), 0.01f, seed), other = numbers(256, 0.02f, seed);
    Floats kernel = numbers(g.shape(w).size(), 0.01f, seed + 3);
    plan.run({image.data(), other.data()}, {kernel.data()}, 0, 0);
    const std::vector<Floats> expected = {output(plan, 0), output(plan, 1), output(plan, 2)};
    uint64_t stamp = seed;
    for (int run = 0; run < 3; ++run) {
      steady.run({image.data(), other.data()}, {{kernel.data(), &stamp}}, 0, 0);
      for (int i = 0; i < 3; ++i) CHECK(output(steady, i) == expected[i]);
    }
    Plan alone(g, {b}, {});
    alone.run({image.data(), other.data()}, {kernel.data()}, 0, 0);
    CHECK(output(alone, 0) == expected[1]);
  }
}

namespace {

Row row(const char* op, std::vector<int> inputs, Attrs attrs = {}) {
  Row made;
  made.op = op;
  made.inputs = std::move(inputs);
  made.attrs = std::move(attrs);
  return made;
}

Row leaf(const char* op, int slot, const Shape& shape) {
  Row made = row(op, {});
  made.slot = slot;
  made.type = f32(shape);
  return made;
}

// Images to a convolution with bias and relu, a transposed one, and their mean square.
Record small_network(bool gradients) {
  Record record = {leaf("input", 0, {kUnknown, 7, 7, 3}), leaf("variable", 0, {3, 3, 3, 16}),
                   leaf("variable", 1, {16}), leaf("variable", 2, {3, 3, 3, 16}),
                   row("conv", {0, 1}, kSame), row("add", {4, 2}), row("relu", {5}),
                   row("conv_backward_data", {6, 3},
                       Attrs(kSame).set("output_padding", number_list({-1, -1}))),
                   row("square", {7}), row("mean", {8})};
  if (gradients)
    for (int variable : {1, 2, 3}) record.push_back(row("gradient", {9, variable}));
  return record;
}

// Runs over so many rows, in an order that has to be copied.
struct Loop {
  std::vector<Floats> weights, state;
  uint64_t stamp = 1;
  Floats images = numbers(40 * 147, 0.01f, 1);

  Loop() {
    for (Dim n : {432, 16, 432}) {
      weights.push_back(numbers(n, 0.002f, static_cast<int>(n)));
      state.emplace_back(n, 0.0f);
      state.emplace_back(n, 0.0f);
    }
  }

  LoopResult run(Program& program, Dim rows, const OptimizerConfig* optimizer) {
    Rows data{{{f32({40, 7, 7, 3}), images.data()}}, {}, 5};
    data.order.resize(rows);
    for (Dim i = 0; i < rows; ++i) data.order[i] = (i * 7) % 40;
    std::vector<Variable> variables;
    for (Floats& values : weights) variables.push_back({values.data(), &stamp});
    Training training;
    if (optimizer) {
      training.optimizer = *optimizer;
      training.iteration = 0;
      training.variables = {0, 1, 2};
      for (int i = 0; i < 3; ++i) training.slots.push_back({state[2 * i].data(), state[2 * i + 1].data()});
    }
    return run_batches(program, variables, data, 0, 1, 1e9, 0, optimizer ? &training : nullptr);
  }

  long allocations(Program& program, Dim rows, const OptimizerConfig* optimizer) {
    const long before = test::allocations();
    CHECK_EQ(run(program, rows, optimizer).rows, rows);
    return test::allocations() - before;
  }
};

}  // namespace

// The kernels are packed forward, the second one for its data gradient, too.
TEST(what_is_not_trained_is_settled) {
  const auto prologue = [](std::vector<int> trained) {
    std::vector<Row> record = small_network(false);
    std::vector<int> outputs = {9};
    for (int variable : trained) {
      outputs.push_back(static_cast<int>(record.size()));
      record.push_back(row("gradient", {9, variable}));
    }
    return Program(record, outputs).plan({Shape{5, 7, 7, 3}}).prologue();
  };
  CHECK_EQ(prologue({}), 2u);
  const size_t of_constants = prologue({1, 2, 3});
  CHECK_EQ(prologue({3}), of_constants + 1);
  CHECK_EQ(prologue({1}), of_constants + 2);
}

TEST(a_step_allocates_nothing) {
  Program training(small_network(true), {9, 10, 11, 12}), evaluation(small_network(false), {9});
  OptimizerConfig adam;
  adam.kind = OptimizerKind::adam;
  adam.clip_norm = 1;
  adam.global_clip_norm = 1;
  Loop loop;
  loop.run(training, 40, &adam);
  loop.run(evaluation, 40, nullptr);
  const double loss = loop.run(evaluation, 40, nullptr).sums[0];
  loop.run(training, 40, &adam);
  CHECK(loop.run(evaluation, 40, nullptr).sums[0] < loss);
  CHECK_EQ(loop.allocations(training, 40, &adam), loop.allocations(training, 20, &adam));
  CHECK_EQ(loop.allocations(evaluation, 40, nullptr), loop.allocations(evaluation, 20, nullptr));
}
