// Fused nodes compute the bits of the separate ones, and only what nobody else
// reads is fused.
#include <cstring>
#include <vector>

#include "graph/fuse.h"
#include "graph/plan.h"
#include "test.h"

using namespace convnet;

namespace {

constexpr DType kType = DType::f32;

std::vector<float> numbers(Dim n, float scale) {
  std::vector<float> values(n);
  for (Dim i = 0; i < n; ++i) values[i] = scale * static_cast<float>((i * 37) % 101 - 50);
  return values;
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
    const Graph fused = fuse(graph, outputs);
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

TEST(what_others_read_is_not_fused) {
  for (const Network& network : networks(false)) {
    network.check({0, 2}, 3);
    network.check({1, 2}, 2);
    network.check({0, 1, 2}, 3);
  }
}
