// When a second thread begins to pay, as a Markdown table: work of growing size on one thread and on two.
//   threshold [PATTERN [ROUNDS]]
// Times are those of the best of many short runs, one after the other: the helper is awake. The last column says
// whether the core calls up a team by itself.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/threads.h"
#include "graph/plan.h"
#include "train/optimizer.h"

using namespace convnet;

namespace {

using Run = std::function<void()>;
using Held = std::shared_ptr<Tensor>;
using Numbers = std::vector<double>;
using Clock = std::chrono::steady_clock;

double microseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// Microseconds of one run: the best of many groups, each long enough for the clock. The helper is woken before.
double best(const Run& run, double least = 100, int groups = 200) {
  run();
  const auto start = Clock::now();
  run();
  const int n = static_cast<int>(std::ceil(least / std::max(0.05, microseconds(start))));
  double fastest = std::numeric_limits<double>::infinity();
  for (int group = 0; group < groups; ++group) {
    parallel_for(2, kWakeTime, [](int64_t) {});
    const auto begin = Clock::now();
    for (int i = 0; i < n; ++i) run();
    fastest = std::min(fastest, microseconds(begin) / n);
  }
  return fastest;
}

Held filled(const Shape& shape) {
  const auto t = std::make_shared<Tensor>(TensorType{DType::f32, shape});
  for (Dim i = 0; i < shape.size(); ++i) t->as<float>()[i] = static_cast<float>(i % 17) / 16 + 0.1f;
  return t;
}

// The plan of one operation on tensors of these shapes.
Run operation(const std::string& name, const std::vector<Shape>& shapes, const Attrs& attrs = {}) {
  Graph g;
  std::vector<Held> tensors;
  std::vector<Value> inputs;
  std::vector<const void*> data;
  for (const Shape& shape : shapes) {
    tensors.push_back(filled(shape));
    inputs.push_back(g.input(static_cast<int>(inputs.size()), tensors.back()->type));
    data.push_back(tensors.back()->data());
  }
  const Value out = g.emit(name, inputs, attrs);
  const auto plan = std::make_shared<Plan>(g, std::vector<Value>{out}, std::vector<Update>{});
  return [=] { (void)tensors; plan->run(data, {}, 1, 0); };
}

Run adam(Dim n) {
  OptimizerConfig config;
  config.kind = OptimizerKind::adam;
  config.learning_rate = 1e-3;
  std::vector<Held> held;
  for (int i = 0; i < 2 + slots_per_variable(config); ++i) held.push_back(filled({n}));
  Parameter p{DType::f32, n, held[0]->data(), held[1]->data(), {}};
  for (size_t i = 2; i < held.size(); ++i) p.slots.push_back(held[i]->data());
  return [=] { (void)held; apply_optimizer(config, 1, {p}); };
}

struct Work {
  const char* name;
  Dim first;  // size
  std::function<Run(Dim)> make;
};

std::vector<Work> all_work() {
  const Attrs pooling{{"pool", Numbers{2, 2}}, {"strides", Numbers{2, 2}}, {"padding", std::string("valid")}};
  const Attrs conv{{"strides", Numbers{1, 1}}, {"dilation", Numbers{1, 1}}, {"padding", std::string("same")}};
  Attrs weights{{"strides", Numbers{1, 1}}, {"dilation", Numbers{1, 1}}, {"pad_lo", Numbers{1, 1}}, {"size", Numbers{3, 3}}};
  weights.set("groups", 1.0);
  return {
      {"Sum of two tensors, n values", 1 << 11, [](Dim n) { return operation("add", {{n}, {n}}); }},
      {"tanh, n values", 1 << 8, [](Dim n) { return operation("tanh", {{n}}); }},
      {"Copy with a border, n values", 1 << 11,
       [](Dim n) {
         return operation("pad", {{n / 64, 64}}, {{"lo", Numbers{1, 1}}, {"hi", Numbers{1, 1}}, {"value", Numbers{0}}});
       }},
      {"Transposition, n values", 1 << 11,
       [](Dim n) { return operation("transpose", {{n / 64, 64}}, {{"perm", Numbers{1, 0}}}); }},
      {"Sum over everything, n values", 1 << 11,
       [](Dim n) { return operation("sum", {{n}}, {{"axes", Numbers{0}}, {"keepdims", Numbers{0}}}); }},
      {"Sums of 64 columns, n values", 1 << 11,
       [](Dim n) { return operation("sum", {{n / 64, 64}}, {{"axes", Numbers{0}}, {"keepdims", Numbers{0}}}); }},
      {"Softmax of 16, n values", 1 << 8,
       [](Dim n) { return operation("softmax", {{n / 16, 16}}, {{"axis", Numbers{-1}}}); }},
      {"Dropout, n values", 1 << 8,
       [](Dim n) { return operation("dropout", {{n}}, {{"rate", Numbers{0.5}}, {"stream", Numbers{1}}}); }},
      {"Normal random numbers, n", 1 << 8,
       [](Dim n) {
         return operation("random", {}, {{"distribution", std::string("normal")}, {"shape", Numbers{static_cast<double>(n)}},
                                         {"dtype", std::string("float32")}, {"stream", Numbers{1}}});
       }},
      {"Maximum of 2 x 2, n values", 1 << 11,
       [=](Dim n) { return operation("max_pool", {{1, n / 512, 32, 16}}, pooling); }},
      {"Mean of 2 x 2, n values", 1 << 10,
       [=](Dim n) { return operation("average_pool", {{1, n / 512, 32, 16}}, pooling); }},
      {"Batch normalization, n values", 1 << 11,
       [](Dim n) { return operation("batch_normalization", {{n / 64, 64}, {64}, {64}, {64}, {64}}, {{"epsilon", Numbers{1e-3}}, {"axis", Numbers{-1}}}); }},
      {"Matrix product, n x 32 by 32 x 32", 4, [](Dim n) { return operation("matmul", {{n, 32}, {32, 32}}); }},
      {"Row by matrix, n x n", 64, [](Dim n) { return operation("matmul", {{1, n}, {n, n}}); }},
      {"Convolution 3 x 3, 16 to 16 channels, n x 16 pixels", 1,
       [=](Dim n) { return operation("conv", {{1, n, 16, 16}, {3, 3, 16, 16}}, conv); }},
      {"Its weights' gradient, n x 16 pixels", 1,
       [=](Dim n) { return operation("conv_backward_weights", {{1, n, 16, 16}, {1, n, 16, 16}}, weights); }},
      {"Convolution 3 x 3, depthwise 32, n x 16 pixels", 1,
       [=](Dim n) {
         Attrs depthwise = conv;
         return operation("conv", {{1, n, 16, 32}, {3, 3, 1, 32}}, depthwise.set("groups", 32.0));
       }},
      {"Adam, n values", 1 << 9, adam},
  };
}

// Whether a team is called up for this where work of so many nanoseconds is worth one.
bool has_team(const Run& run, double team_time) {
  set_team_time(team_time);
  threads_used();
  run();
  set_team_time(0);
  return threads_used() > 1;
}

struct Row {
  std::string work;
  Dim n;
  Run run;
  double one, two = std::numeric_limits<double>::infinity();
};

// Sizes that take one thread from 1 to 40 microseconds.
void add_rows(const Work& work, std::vector<Row>& rows) {
  set_thread_count(1);
  for (Dim n = work.first;; n *= 2) {
    const Run run = work.make(n);
    const double one = best(run);
    if (one > 1) rows.push_back({work.name, n, run, one});
    if (one > 20) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string pattern = argc > 1 ? argv[1] : "";
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 10;
  set_team_time(0);
  std::vector<Row> rows;
  for (const Work& work : all_work())
    if (std::string(work.name).find(pattern) != std::string::npos) add_rows(work, rows);
  for (int round = 0; round < rounds; ++round)
    for (Row& row : rows) {
      set_thread_count(1);
      row.one = std::min(row.one, best(row.run));
      set_thread_count(2);
      row.two = std::min(row.two, best(row.run));
    }
  std::puts("| Work | n | One thread, us | Two, us | A team |\n|---|---|---|---|---|");
  for (const Row& row : rows) {
    std::printf("| %s | %lld | %.1f | ", row.work.c_str(), static_cast<long long>(row.n), row.one);
    if (has_team(row.run, 0)) std::printf("%.1f | %s |\n", row.two, has_team(row.run, kTeamTime) ? "yes" : "no");
    else std::puts("one task | no |");
  }
}
