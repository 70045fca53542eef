// Scans: the same numbers as the loop that they stand for, derivatives of any order.
#include <cmath>

#include "core/rng.h"
#include "graph/program.h"
#include "test.h"

using namespace convnet;

namespace {

using Numbers = std::vector<double>;

constexpr Dim kRows = 2, kSteps = 3;

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
  made.type = {DType::f64, shape};
  return made;
}

// s' = tanh(w x + s), y = s' s'; rows 4 and 5 are all y and the last s, which is
// result 3 after the last y.
Record tanh_scan(bool backwards) {
  Body body;
  body.rows = {leaf("input", 0, {kUnknown}), leaf("input", 1, {kUnknown}), leaf("input", 2, {}),
               row("multiply", {0, 2}),      row("add", {3, 1}),           row("tanh", {4}),
               row("square", {5})};
  body.outputs = {6, 5};
  Row scan = row("scan", {0, 1, 2}, {{"sequences", number_list(1)},
                                     {"states", number_list(1)},
                                     {"backwards", number_list(backwards)}});
  scan.body = std::make_shared<Body>(body);
  return {leaf("input", 0, {kUnknown, kUnknown}), leaf("input", 1, {kUnknown}),
          leaf("input", 2, {}), scan, row("output", {3}, {{"index", number_list(1)}}),
          row("output", {3}, {{"index", number_list(3)}})};
}

Numbers run(const Record& record, int output, const std::vector<Numbers>& inputs) {
  Program program(record, {output});
  Plan& plan = program.plan({{kRows, kSteps}, {kRows}, {}});
  plan.run({inputs[0].data(), inputs[1].data(), inputs[2].data()}, {}, 7, 1);
  const double* values = static_cast<const double*>(plan.output(0));
  return Numbers(values, values + plan.output_type(0).shape.size());
}

const std::vector<Numbers> kInputs = {{0.1, -0.4, 0.7, 1.2, 0.3, -0.9}, {0.2, -0.5}, {0.8}};

// d sum(f) / d inputs[k] by differences, where f is output `output` of the record.
Numbers differences(const Record& record, int output, size_t k) {
  Numbers slopes;
  for (size_t i = 0; i < kInputs[k].size(); ++i) {
    const auto total = [&](double change) {
      std::vector<Numbers> inputs = kInputs;
      inputs[k][i] += change;
      double sum = 0;
      for (double v : run(record, output, inputs)) sum += v;
      return sum;
    };
    slopes.push_back((total(1e-5) - total(-1e-5)) / 2e-5);
  }
  return slopes;
}

}  // namespace

TEST(scan_is_its_loop) {
  for (bool backwards : {false, true}) {
    Numbers outputs(kRows * kSteps), states = kInputs[1];
    for (Dim t = 0; t < kSteps; ++t)
      for (Dim r = 0; r < kRows; ++r) {
        const double x = kInputs[0][r * kSteps + (backwards ? kSteps - 1 - t : t)];
        states[r] = std::tanh(kInputs[2][0] * x + states[r]);
        outputs[r * kSteps + t] = states[r] * states[r];
      }
    CHECK_CLOSE(run(tanh_scan(backwards), 4, kInputs), outputs, 1e-14);
    CHECK_CLOSE(run(tanh_scan(backwards), 5, kInputs), states, 1e-14);
  }
}

TEST(scan_derivatives) {
  for (bool backwards : {false, true})
    for (int k = 0; k < 3; ++k) {
      Record record = tanh_scan(backwards);
      record.push_back(row("gradient", {4, k}));
      CHECK_CLOSE(run(record, 6, kInputs), differences(record, 4, k), 1e-8);
      record.push_back(row("square", {6}));
      record.push_back(row("gradient", {7, 0}));
      CHECK_CLOSE(run(record, 8, kInputs), differences(record, 7, 0), 1e-8);
      record.push_back(row("square", {8}));
      record.push_back(row("gradient", {9, 2}));
      CHECK_CLOSE(run(record, 10, kInputs), differences(record, 9, 2), 1e-7);
    }
}

// Steps of the sequence receive their cotangents in one piece, without padding.
TEST(cotangents_of_slices_are_put_together) {
  Graph g;
  const Value x = g.input(0, {DType::f64, {2, 5}});
  const auto slice = [&](Dim begin, Dim size) {
    return g.emit("slice", {x}, {{"begin", number_list({0, begin})}, {"size", number_list({2, size})}});
  };
  const Value y = g.emit("concatenate", {slice(3, 2), slice(0, 3)}, {{"axis", number_list(1)}});
  const Value whole = g.gradients(g.emit("square", {y}), {x})[0];
  CHECK_EQ(std::string(g[whole].op->name), "concatenate");
  // A gap, and an overlap: added up.
  for (Dim begin : {2, 4}) {
    const Value part = g.emit("sum", {g.emit("square", {slice(begin, 1)})});
    const Value sum = g.emit("add", {g.emit("sum", {slice(0, 3)}), part});
    CHECK_EQ(std::string(g[g.gradients(sum, {x})[0]].op->name), "add");
  }
}

TEST(scan_errors) {
  Program program(tanh_scan(false), {4});
  CHECK_THROWS(program.plan({{2, 0}, {2}, {}}), "shape");
  CHECK_THROWS(program.plan({{2, 3}, {3}, {}}), "shape");
}

// Each step of a scan draws its own numbers, and none twice.
TEST(scan_steps_draw_anew) {
  Body body;
  body.rows = {leaf("input", 0, {kUnknown}),
               row("dropout", {0}, {{"rate", number_list(0.5)}, {"stream", number_list(2)}})};
  body.outputs = {1};
  Row scan = row("scan", {0}, {{"sequences", number_list(1)}, {"states", number_list(0.0)}});
  scan.body = std::make_shared<Body>(body);
  const Program random({leaf("input", 0, {kUnknown, kUnknown}), scan}, {1});
  CHECK(random.is_random());
  Program program({leaf("input", 0, {kUnknown, kUnknown}), scan,
                   row("output", {1}, {{"index", number_list(1)}})}, {2});
  const Dim rows = 64;
  Plan& plan = program.plan({{rows, 2}});
  const Numbers ones(rows * 2, 1);
  plan.run({ones.data()}, {}, 3, 0);
  const double* out = static_cast<const double*>(plan.output(0));
  int different = 0;
  for (Dim r = 0; r < rows; ++r) different += out[2 * r] != out[2 * r + 1];
  CHECK(different > 10 && different < 54);
}

// States that begin with zeros cost the first step no product.
TEST(zeros_need_no_arithmetic) {
  Body body;
  body.rows = {leaf("input", 0, {kUnknown, 2}), leaf("input", 1, {kUnknown, 2}),
               leaf("input", 2, {2, 2}),        row("matmul", {1, 2}),
               row("add", {0, 3}),              row("tanh", {4})};
  body.outputs = {4, 5};
  const auto program = [&](bool zeros) {
    Record record = {leaf("input", 0, {kUnknown, kUnknown, 2}), leaf("input", 1, {kUnknown, 2}),
                     leaf("input", 2, {2, 2}), row("fill_like", {1}, {{"value", number_list(0.0)}})};
    Row scan = row("scan", {0, zeros ? 3 : 1, 2},
                   {{"sequences", number_list(1)}, {"states", number_list(1)}});
    scan.body = std::make_shared<Body>(body);
    record.push_back(scan);
    record.push_back(row("output", {4}, {{"index", number_list(1)}}));
    return Program(record, {5});
  };
  const Numbers x = {0.3, -0.2, 0.9, 0.4, -0.7, 0.1}, state(2, 0), w = {0.5, -1, 0.25, 2};
  Program with = program(false), without = program(true);
  std::vector<Numbers> outputs;
  std::vector<size_t> steps;
  for (Program* p : {&with, &without}) {
    Plan& plan = p->plan({{1, 3, 2}, {1, 2}, {2, 2}});
    plan.run({x.data(), state.data(), w.data()}, {}, 0, 0);
    const double* values = static_cast<const double*>(plan.output(0));
    outputs.emplace_back(values, values + 6);
    steps.push_back(plan.steps());
  }
  CHECK_EQ(outputs[0], outputs[1]);
  CHECK_EQ(steps[1] + 1, steps[0]);
}
