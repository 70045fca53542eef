// Fused nodes compute the bits of the separate ones, and only what nobody else
// reads is fused. Gates that move change no bits either.
#include <algorithm>
#include <cstring>
#include <vector>

#include "graph/fuse.h"
#include "graph/gates.h"
#include "graph/join.h"
#include "graph/plan.h"
#include "ops/build.h"
#include "test.h"

using namespace convnet;

namespace {

constexpr DType kType = DType::f32;

std::vector<float> numbers(Dim n, float scale) {
  std::vector<float> values(n);
  for (Dim i = 0; i < n; ++i) values[i] = scale * static_cast<float>((i * 37) % 101 - 50);
  return values;
}

Graph joined_and_fused(const Graph& graph, std::vector<Value>& roots) {
  const Graph joined = join(graph, roots, std::vector<char>(graph.size(), 0));
  return fuse(joined, roots, std::vector<char>(joined.size(), 0));
}

// A product of two inputs, a bias added, and its relu; what is wanted are `wanted`
// of the three, by position.
struct Network {
  Graph graph;
  std::vector<Value> nodes;
  std::vector<std::vector<float>> data;

  Network(const std::string& op, const Shape& x, const Shape& kernel, Dim columns, const Attrs& attrs,
          bool bias_first) {
    for (const Shape& shape : {x, kernel, Shape{columns}}) {
      const int slot = static_cast<int>(data.size());
      nodes.push_back(graph.input(slot, {kType, shape}));
      data.push_back(numbers(shape.size(), 0.01f * static_cast<float>(slot + 1)));
    }
    const Value product = graph.emit(op, {nodes[0], nodes[1]}, attrs);
    const Value sum = bias_first ? graph.emit("add", {nodes[2], product})
                                 : graph.emit("add", {product, nodes[2]});
    nodes = {product, sum, graph.emit("relu", {sum})};
  }

  std::vector<float> run(const Graph& g, const std::vector<Value>& outputs) const {
    Plan plan(g, outputs, {});
    std::vector<const void*> inputs;
    for (const auto& values : data) inputs.push_back(values.data());
    plan.run(inputs, {}, 0, 0);
    std::vector<float> all;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const auto* values = static_cast<const float*>(plan.output(static_cast<int>(i)));
      all.insert(all.end(), values, values + plan.output_type(static_cast<int>(i)).shape.size());
    }
    return all;
  }

  void check(const std::vector<int>& wanted, int operations) const {
    std::vector<Value> outputs;
    for (int i : wanted) outputs.push_back(nodes[i]);
    const auto expected = run(graph, outputs);
    const Graph fused = joined_and_fused(graph, outputs);
    const auto found = run(fused, outputs);
    int found_operations = 0;
    for (Value v = 0; v < fused.size(); ++v)
      found_operations += fused[v].kind == NodeKind::operation;
    CHECK_EQ(found_operations, operations);
    CHECK_EQ(found.size(), expected.size());
    CHECK(std::memcmp(found.data(), expected.data(), expected.size() * sizeof(float)) == 0);
  }
};

std::vector<Network> networks(bool bias_first) {
  const Attrs same{{"strides", number_list({2, 2})}, {"dilation", number_list({1, 1})}, {"padding", "same"}};
  Attrs transposed = same;
  transposed.set("output_padding", number_list({-1, -1}));
  std::vector<Network> all;
  for (Dim channels : {1, 3, 17}) {
    all.emplace_back("conv", Shape{2, 7, 6, 3}, Shape{3, 3, 3, channels}, channels, same, bias_first);
    all.emplace_back("conv_backward_data", Shape{2, 5, 4, 3}, Shape{3, 3, channels, 3}, channels,
                     transposed, bias_first);
    all.emplace_back("matmul", Shape{5, 9}, Shape{9, channels}, channels, Attrs(), bias_first);
  }
  return all;
}

}  // namespace

TEST(product_bias_and_relu_are_one_step) {
  for (bool bias_first : {false, true})
    for (const Network& network : networks(bias_first)) {
      network.check({2}, 1);
      network.check({1}, 1);
    }
}

// Every product may be a gradient that passes the relu of what it belongs to.
TEST(gradient_and_the_relu_it_passes_are_one_step) {
  for (Network network : networks(false)) {
    const Value product = network.nodes[0];
    const Shape shape = network.graph.shape(product);
    const Value gate = network.graph.input(3, {kType, shape});
    network.data.push_back(numbers(shape.size(), 0.02f));
    network.nodes = {product, network.graph.emit("relu_gate", {gate, product}),
                     network.graph.emit("relu_gate", {product, gate})};
    network.check({1}, 1);
    network.check({0, 1}, 2);
    network.check({2}, 1);
  }
}

namespace {

struct Activation {
  const char* op;
  double alpha;  // its attribute, none if 0

  Attrs attrs() const { return alpha == 0 ? Attrs() : Attrs().set("alpha", alpha); }
};
const std::vector<Activation> kActivations = {{"relu", 0},  {"relu", 0.3},  {"elu", 0.7}, {"tanh", 0},
                                              {"sigmoid", 0}, {"softplus", 0}, {"exp", 0}};

}  // namespace

TEST(activations_are_taken_with_products) {
  for (const Activation& activation : kActivations)
    for (Network network : networks(false)) {
      Graph& g = network.graph;
      const Value sum = network.nodes[1];
      const Value y = g.emit(activation.op, {sum}, activation.attrs());
      const Value silu = multiply(g, sum, g.emit("sigmoid", {sum}));  // reads the sum twice
      network.nodes = {sum, y, silu};
      network.check({1}, 1);
      network.check({2}, 1);
      network.check({0, 1}, 2);
      network.check({1, 2}, 3);
    }
}

// A product that is the cotangent of an activation's result.
TEST(slopes_of_activations_are_taken_with_products) {
  for (const Activation& activation : kActivations)
    for (Network network : networks(false)) {
      Graph& g = network.graph;
      const Value product = network.nodes[0];
      const Shape shape = g.shape(product);
      network.data.push_back(numbers(shape.size(), 0.02f));
      const Value x = g.input(3, {kType, shape});
      const Value y = g.emit(activation.op, {x}, activation.attrs());
      const OpCall call{activation.attrs(), {g.type(x)}, g.type(y)};
      network.nodes = {y, find_op(activation.op)->vjp(g, call, {x}, y, product)[0], product};
      network.check({0, 1}, 2);
      network.check({0, 1, 2}, 3);
    }
}

TEST(sums_of_products_are_taken_with_the_last_one) {
  const std::vector<Network> plain = networks(false);
  for (Network network : plain) {
    Graph& g = network.graph;
    const Value one = network.nodes[1], shortcut = g.input(3, {kType, g.shape(one)});
    network.data.push_back(numbers(g.shape(one).size(), 0.02f));
    const Node& product = g[network.nodes[0]];
    const Value other = g.emit(product.op->name, {g.emit("tanh", {product.inputs[0]}), product.inputs[1]},
                               product.attrs);
    network.nodes = {g.emit("relu", {add(g, shortcut, one)}), g.emit("relu", {add(g, other, one)})};
    network.check({0}, 1);
    network.check({1}, 3);
  }
}

namespace {

// Vectors x and y, and whatever is made of them.
struct Elements {
  Network network{"matmul", {1, 1}, {1, 1}, 1, Attrs(), false};
  Graph& g = network.graph;
  Value x = input({5, 700}), y = input({5, 700}), row = input({700});

  Value input(const Shape& shape) {
    const int slot = static_cast<int>(network.data.size());
    network.data.push_back(numbers(shape.size(), 0.03f * static_cast<float>(slot)));
    return g.input(slot, {kType, shape});
  }
  void check(const std::vector<Value>& wanted, int operations) {
    network.nodes = wanted;
    std::vector<int> all(wanted.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    network.check(all, operations);
  }
};

}  // namespace

TEST(operations_by_element_are_joined) {
  Elements e;
  Graph& g = e.g;
  // Booleans and single values lie between, and a value is read again.
  const Value larger = g.emit("greater", {e.x, e.y});
  const Value chosen = select(g, larger, scale(g, e.x, 2), negative(g, e.y));
  const Value curve = g.emit("tanh", {add(g, chosen, e.x)});
  e.check({curve}, 1);
  e.check({curve, cast(g, larger, kType)}, 3);
  e.check({curve, chosen}, 2);
  // A row is not by element.
  e.check({g.emit("exp", {add(g, curve, e.row)})}, 3);
  e.check({g.emit("exp", {multiply(g, e.row, e.row)})}, 1);
  // One value is computed by itself.
  const Value mean = g.emit("mean", {e.x}, {{"axes", number_list({0, 1})}, {"keepdims", number_list(0.0)}});
  e.check({multiply(g, e.y, g.emit("exp", {mean}))}, 3);
  // What two operations read that are not joined.
  e.check({g.emit("exp", {curve}), g.emit("sin", {curve})}, 3);
  Value long_chain = e.x;
  for (int i = 0; i < 40; ++i) long_chain = g.emit(i % 2 ? "sin" : "tanh", {add(g, long_chain, e.y)});
  e.check({long_chain}, 5);
}

// Many values that wait make stretches short.
TEST(joined_operations_keep_many_values) {
  Elements e;
  std::vector<Value> values;
  for (int i = 0; i < 8; ++i) values.push_back(scale(e.g, i % 2 ? e.x : e.y, i + 0.5));
  while (values.size() > 1) {
    values.push_back(multiply(e.g, values[0], values[1]));
    values.erase(values.begin(), values.begin() + 2);
  }
  e.check(values, 1);
}

TEST(what_is_computed_once_joins_nothing_else) {
  Elements e;
  const Value once = e.g.emit("exp", {e.x}), again = multiply(e.g, once, e.y);
  std::vector<char> settled(e.g.size(), 0);
  settled[e.x] = settled[once] = 1;
  for (bool apart : {false, true}) {
    std::vector<Value> roots = {again};
    const Graph joined = join(e.g, roots, apart ? settled : std::vector<char>(e.g.size(), 0));
    CHECK_EQ(static_cast<int>(joined[roots[0]].inputs.size()), 2);
    CHECK_EQ(joined[roots[0]].op->name, std::string(apart ? "multiply" : "elementwise"));
  }
}

namespace {

// relu(x), pooled, some dropped, as rows times a matrix; the gradient by x, and by relu(x).
struct Pooled {
  Network network{"matmul", {1, 1}, {1, 1}, 1, Attrs(), false};
  Graph& g = network.graph;
  std::vector<Value> roots;

  Value input(const Shape& shape) {
    const int slot = static_cast<int>(network.data.size());
    network.data.push_back(numbers(shape.size(), 0.02f));
    return g.input(slot, {kType, shape});
  }

  Pooled(Dim pool, const std::string& padding, bool matmul) {
    const Value x = input({2, 9, 8, 3});
    const Value open = g.emit("relu", {x});
    const auto pool_by = [&](Dim extent) {
      return g.emit("max_pool", {open}, {{"strides", number_list({2, 2})}, {"padding", padding},
                                         {"pool", number_list({extent, extent})}});
    };
    const Value other = pool_by(5 - pool);  // whose gradient nobody wants
    const Value pooled = pool == 0 ? g.emit("max", {open}, {{"axes", number_list({1, 2})}}) : pool_by(pool);
    Value rows = g.emit("dropout", {pooled}, {{"rate", number_list(0.3)}, {"stream", number_list(5)}});
    const Dim columns = g.shape(pooled).size() / 2;
    rows = g.emit("reshape", {rows}, Attrs().set("shape", Shape{2, columns}));
    const Value loss = matmul ? g.emit("matmul", {rows, input({columns, 7})})
                              : g.emit("multiply", {rows, input({2, columns})});
    const Value grad = g.gradients(loss, {x})[0];
    roots = {other, loss, grad, g[grad].inputs[1]};
  }

  int gates_of(const Graph& graph, Dim size) const {
    int count = 0;
    for (Value v = 0; v < graph.size(); ++v)
      count += graph[v].kind == NodeKind::operation && graph[v].op->name == std::string("relu_gate") &&
               graph.shape(v).size() == size;
    return count;
  }

  void check(const std::vector<Value>& wanted, int gates) {
    std::vector<Value> outputs = wanted;
    const auto expected = network.run(g, outputs);
    CHECK(std::count(expected.begin(), expected.end(), 0.0f) < static_cast<long>(expected.size()));
    const auto same = [&](const Graph& graph) {
      const auto found = network.run(graph, outputs);
      CHECK(std::memcmp(found.data(), expected.data(), expected.size() * sizeof(float)) == 0);
      CHECK_EQ(gates_of(graph, 2 * 9 * 8 * 3), gates);
    };
    const Graph gated = move_gates(g, outputs);
    same(gated);
    same(joined_and_fused(gated, outputs));
  }
};

}  // namespace

TEST(gates_move_before_what_pools_drops_or_reshapes) {
  for (const char* padding : {"valid", "same"})
    for (Dim pool : {2, 3})
      for (bool matmul : {false, true}) {
        Pooled p(pool, padding, matmul);
        p.check({p.roots[0], p.roots[1], p.roots[2]}, 0);
        p.check(p.roots, 1);         // what others read stays
        p.check({p.roots[2]}, 1);    // nothing is pooled for it
      }
  for (bool matmul : {false, true}) {
    Pooled p(0, "same", matmul);
    p.check({p.roots[0], p.roots[1], p.roots[2]}, 0);
    p.check(p.roots, 1);
  }
}

TEST(what_others_read_is_not_fused) {
  for (const Network& network : networks(false)) {
    // One column's bias is one value, which is added by element.
    network.check({0, 2}, network.data[2].size() == 1 ? 2 : 3);
    network.check({1, 2}, 2);
    network.check({0, 1, 2}, 3);
  }
}

namespace {

// What a product, a bias, a normalization and a relu are one node of.
struct Normalized {
  Graph graph;
  std::vector<std::vector<float>> data;
  std::vector<Value> outputs;

  Value variable(const Shape& shape, float scale, float offset) {
    const int slot = static_cast<int>(data.size());
    data.push_back(numbers(shape.size(), scale));
    for (float& value : data.back()) value += offset;
    return graph.variable(slot, {kType, shape});
  }

  Normalized(const std::string& op, const Shape& x, const Shape& kernel, const Attrs& attrs, bool bias,
             int axis = -1) {
    Value sum = graph.emit(op, {graph.input(0, {kType, x}), variable(kernel, 0.01f, 0.1f)}, attrs);
    const Dim channels = graph.shape(sum).back();
    if (bias) sum = graph.emit("add", {sum, variable({channels}, 0.02f, 0)});
    const Dim along = graph.shape(sum)[axis < 0 ? graph.shape(sum).rank() + axis : axis];
    const Value mean = variable({along}, 0.03f, 0.5f), variance = variable({along}, 0.01f, 1),
                gamma = variable({along}, 0.02f, 0), beta = variable({along}, 0.01f, 1);
    outputs = {graph.emit("relu", {graph.emit("batch_normalization", {sum, mean, variance, gamma, beta},
                                              {{"axis", number_list(axis)}, {"epsilon", number_list(1e-3)}})})};
  }

  std::vector<char> settled() const { return settled_values(graph, {}); }

  std::vector<float> run(const Graph& g, const std::vector<Value>& roots, const std::vector<float>& x,
                         bool steady) {
    Plan plan(g, roots, {}, steady ? settled_values(g, {}) : std::vector<char>(g.size(), 0));
    uint64_t stamp = 1;
    std::vector<Variable> variables;
    for (auto& values : data) variables.push_back({values.data(), &stamp});
    std::vector<float> found;
    for (bool again : {false, true}) {
      plan.run({x.data()}, variables, 0, 0);
      const auto* values = static_cast<const float*>(plan.output(0));
      std::vector<float> all(values, values + plan.output_type(0).shape.size());
      CHECK(!again || all == found);
      found = all;
    }
    return found;
  }

  bool folds(const std::vector<char>& settled) const {
    std::vector<Value> roots = outputs;
    const Graph fused = fuse(graph, roots, settled);
    for (Value v = 0; v < fused.size(); ++v)
      if (fused[v].kind == NodeKind::operation && fused[v].op->name == std::string("batch_normalization"))
        return false;
    return true;
  }
  bool folds() const { return folds(settled()); }

  void check(const Shape& shape) {
    CHECK(folds());
    const std::vector<float> x = numbers(shape.size(), 0.02f);
    std::vector<Value> roots = outputs;
    const Graph fused = fuse(graph, roots, settled());
    const auto expected = run(graph, outputs, x, false), found = run(fused, roots, x, true);
    CHECK_CLOSE(std::vector<double>(found.begin(), found.end()),
                std::vector<double>(expected.begin(), expected.end()), 1e-5);
    CHECK(std::count(found.begin(), found.end(), 0.0f) < static_cast<long>(found.size()));
  }
};

const Attrs kStrides{{"strides", number_list({2, 1})}, {"dilation", number_list({1, 1})}, {"padding", "same"}};

Attrs with(const Attrs& attrs, const char* name, double value) { return Attrs(attrs).set(name, value); }
Attrs transposed() { return Attrs(kStrides).set("output_padding", number_list({-1, -1})); }

}  // namespace

TEST(normalization_is_folded_into_settled_products) {
  for (bool bias : {false, true}) {
    const Shape image{3, 9, 8, 4}, rows{40, 9};
    Normalized("conv", image, {3, 3, 4, 5}, kStrides, bias).check(image);
    Normalized("conv", image, {3, 3, 1, 8}, with(kStrides, "groups", 4), bias).check(image);
    Normalized("conv_backward_data", image, {3, 3, 5, 4}, transposed(), bias).check(image);
    Normalized("matmul", rows, {9, 7}, Attrs(), bias).check(rows);
    Normalized("matmul", rows, {7, 9}, with(Attrs(), "transpose_b", 1), bias).check(rows);
  }
}

TEST(normalization_is_not_folded_elsewhere) {
  const Shape image{3, 9, 8, 4};
  CHECK(!Normalized("conv", image, {3, 3, 4, 8}, kStrides, true, 1).folds());
  CHECK(!Normalized("conv_backward_data", image, {3, 3, 2, 4}, with(transposed(), "groups", 2), true).folds());
  // Scaling the kernel would be more work than normalizing.
  CHECK(!Normalized("matmul", {2, 90}, {90, 7}, Attrs(), true).folds());
  // What this very plan changes, or a training loop.
  const Normalized n("conv", image, {3, 3, 4, 5}, kStrides, true);
  for (int slot = 0; slot < 6; ++slot) CHECK(!n.folds(settled_values(n.graph, {slot})));
  CHECK(!n.folds(std::vector<char>(n.graph.size(), 0)));
}
