// Fixed small work whose instructions bench/counts.sh counts.
//   counts ISA          the names of all cases
//   counts ISA CASE     runs one of them
// What is counted happens in counted_region() alone; everything before has warmed up.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/threads.h"
#include "graph/plan.h"
#include "kernels/isa.h"
#include "ops/op.h"
#include "train/optimizer.h"

using namespace convnet;

extern "C" __attribute__((noinline)) void counted_region(const std::function<void()>& run) {
  run();
  asm volatile("" ::: "memory");
}

namespace {

using Run = std::function<void()>;
using Held = std::shared_ptr<Tensor>;

Held random_tensor(const Shape& shape, uint32_t state) {
  const auto t = std::make_shared<Tensor>(TensorType{DType::f32, shape});
  for (Dim i = 0; i < shape.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    t->as<float>()[i] = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  }
  return t;
}

struct Case {
  std::string name;
  std::function<Run()> make;
};

// A square convolution by its name in the graph; `small` is the extent on the side of the channels `outer`.
Run single(const char* op_name, Dim batch, Dim large, Dim inner, Dim small, Dim outer, Dim kernel, Dim stride, Dim pad,
           Dim groups) {
  const std::string name = op_name;
  const Shape x{batch, large, large, inner}, y{batch, small, small, outer}, k{kernel, kernel, inner / groups, outer};
  const bool data = name == "conv_backward_data", weights = name == "conv_backward_weights";
  const auto first = random_tensor(data ? y : x, 1), second = random_tensor(weights ? y : k, 2);
  const double size = static_cast<double>(data ? large : weights ? kernel : small);
  const std::vector<double> steps(2, static_cast<double>(stride)), ones(2, 1), pads(2, static_cast<double>(pad));
  Attrs attrs{{"strides", steps}, {"dilation", ones}, {"pad_lo", pads}, {"size", std::vector<double>(2, size)}};
  attrs.set("groups", static_cast<double>(groups));
  Graph g;
  const Value out = g.emit(name, {g.input(0, first->type), g.input(1, second->type)}, attrs);
  const auto plan = std::make_shared<Plan>(g, std::vector<Value>{out}, std::vector<Update>{});
  return [=] { plan->run({first->data(), second->data()}, {}, 1, 0); };
}

// Convolution down, transposed convolution up, with biases, batch normalization's place taken by relu; mean square; Adam.
Run training_step() {
  Graph g;
  const Dim batch = 8;
  const auto x = random_tensor({batch, 12, 12, 3}, 1), y = random_tensor({batch, 12, 12, 3}, 2);
  std::vector<Held> variables = {random_tensor({3, 3, 3, 16}, 3),   random_tensor({16}, 4),
                                 random_tensor({3, 3, 16, 32}, 5),  random_tensor({32}, 6),
                                 random_tensor({4, 4, 16, 32}, 7),  random_tensor({16}, 8),
                                 random_tensor({4, 4, 3, 16}, 9),   random_tensor({3}, 10)};
  std::vector<Value> v;
  for (size_t i = 0; i < variables.size(); ++i) v.push_back(g.variable(static_cast<int>(i), variables[i]->type));
  const auto layer = [&](const char* op, Value in, int at, double stride, const char* activation) {
    const std::vector<double> steps(2, stride), ones(2, 1);
    const Value conv = g.emit(op, {in, v[at]}, {{"strides", steps}, {"dilation", ones}, {"padding", "same"}});
    return g.emit(activation, {g.emit("add", {conv, v[at + 1]})});
  };
  Value h = layer("conv", g.input(0, x->type), 0, 2, "relu");
  h = layer("conv", h, 2, 2, "relu");
  h = layer("conv_backward_data", h, 4, 2, "relu");
  h = layer("conv_backward_data", h, 6, 2, "sigmoid");
  const Value error = g.emit("square", {g.emit("subtract", {h, g.input(1, y->type)})});
  const std::vector<double> all{0, 1, 2, 3};
  const Value loss = g.emit("mean", {error}, {{"axes", all}, {"keepdims", std::vector<double>{0}}});
  std::vector<Value> outputs{loss};
  for (Value gradient : g.gradients(loss, v)) outputs.push_back(gradient);
  const auto plan = std::make_shared<Plan>(g, outputs, std::vector<Update>{});
  OptimizerConfig config;
  config.kind = OptimizerKind::adam;
  config.learning_rate = 1e-3;
  std::vector<Held> states;
  const int slots = slots_per_variable(config);
  for (const Held& variable : variables)
    for (int s = 0; s < slots; ++s) {
      states.push_back(std::make_shared<Tensor>(variable->type));
      for (Dim i = 0; i < variable->type.shape.size(); ++i) states.back()->as<float>()[i] = 0;
    }
  const auto iteration = std::make_shared<int64_t>(0);
  return [=] {
    std::vector<Variable> values;
    for (const Held& variable : variables) values.push_back(variable->data());
    plan->run({x->data(), y->data()}, values, 1, 0);
    std::vector<Parameter> parameters;
    for (size_t i = 0; i < variables.size(); ++i) {
      Parameter p{DType::f32, variables[i]->type.shape.size(), values[i].values, plan->output(static_cast<int>(i) + 1), {}};
      for (int s = 0; s < slots; ++s) p.slots.push_back(states[i * slots + s]->data());
      parameters.push_back(p);
    }
    apply_optimizer(config, (*iteration)++, parameters);
  };
}

std::vector<Case> cases() {
  std::vector<Case> all{{"training step", training_step}};
  const struct {
    const char* name;
    Dim batch, large, inner, small, outer, kernel, stride, pad, groups;
  } shapes[] = {
      {"3x3 s1 32-32", 2, 12, 32, 12, 32, 3, 1, 1, 1},  {"4x4 s2 32-64", 2, 16, 32, 8, 64, 4, 2, 1, 1},
      {"5x5 s2 3-64", 2, 16, 3, 8, 64, 5, 2, 1, 1},     {"2x2 s2 16-32", 2, 16, 16, 8, 32, 2, 2, 0, 1},
      {"1x1 64-32", 2, 12, 64, 12, 32, 1, 1, 0, 1},     {"3x3 s1 1-32", 2, 20, 1, 20, 32, 3, 1, 1, 1},
      {"3x3 s1 17-23", 2, 11, 17, 11, 23, 3, 1, 1, 1},  {"3x3 depthwise 32", 2, 12, 32, 12, 32, 3, 1, 1, 32},
      {"9x9 s3 1-56", 1, 24, 1, 8, 56, 9, 3, 3, 1},
  };
  for (const auto& s : shapes)
    for (const char* op : {"conv", "conv_backward_data", "conv_backward_weights"})
      all.push_back({std::string(op) + " " + s.name, [=] {
                       return single(op, s.batch, s.large, s.inner, s.small, s.outer, s.kernel, s.stride, s.pad,
                                     s.groups);
                     }});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  set_isa(argv[1]);
  set_thread_count(1);
  for (const Case& c : cases()) {
    if (argc == 2) {
      std::puts(c.name.c_str());
    } else if (c.name == argv[2]) {
      const Run run = c.make();
      run();
      run();
      counted_region(run);
      return 0;
    }
  }
  return argc == 2 ? 0 : 1;
}
