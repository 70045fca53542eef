// What it gains to join operations by element and to take them with the product they follow, as a Markdown table: a
// data gradient of a 3 x 3 convolution alone, with the slope of an activation as separate nodes, and as one.
//   joined [ROUNDS]
// Milliseconds of one thread, the best of rounds in turns. The tensors of all together are larger than caches.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/threads.h"
#include "graph/fuse.h"
#include "graph/join.h"
#include "graph/plan.h"
#include "ops/build.h"

using namespace convnet;

namespace {

constexpr Dim kBatch = 32, kExtent = 32;
constexpr DType kType = DType::f32;

// The plan of one variant, with data of its own.
class Variant {
 public:
  // slope: the activation whose slope the gradient is multiplied by, or none.
  Variant(Dim channels, Dim stride, const std::string& slope, bool join_nodes) {
    const Dim small = kExtent / stride;
    const Value grad = input({kBatch, small, small, channels}), kernel = input({3, 3, channels, channels});
    const Value result = input({kBatch, kExtent, kExtent, channels});  // of the activation
    Value wanted = graph_.emit("conv_backward_data", {grad, kernel},
                               {{"strides", number_list({stride, stride})}, {"dilation", number_list({1, 1})},
                                {"padding", "same"}, {"output_padding", number_list({-1, -1})}});
    if (!slope.empty()) {
      const OpCall call{slope == "elu" ? Attrs().set("alpha", 1.0) : Attrs(), {graph_.type(result)}, graph_.type(result)};
      wanted = find_op(slope)->vjp(graph_, call, {result}, result, wanted)[0];
    }
    std::vector<Value> roots{wanted};
    if (join_nodes) {
      const auto nothing = [](const Graph& graph) { return std::vector<char>(graph.size(), 0); };
      graph_ = join(graph_, roots, nothing(graph_));
      graph_ = fuse(graph_, roots, nothing(graph_));
    }
    plan_ = std::make_unique<Plan>(graph_, roots, std::vector<Update>{});
  }

  double milliseconds() {
    std::vector<const void*> inputs;
    for (const auto& values : data_) inputs.push_back(values.data());
    const auto start = std::chrono::steady_clock::now();
    plan_->run(inputs, {}, 0, 0);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  Value input(const Shape& shape) {
    data_.emplace_back(shape.size(), 0.5f);
    return graph_.input(static_cast<int>(data_.size()) - 1, {kType, shape});
  }

  Graph graph_;
  std::vector<std::vector<float>> data_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 60;
  set_thread_count(1);
  std::printf("| Data gradient | Slope of | Alone | Separate nodes | One node |\n|---|---|---|---|---|\n");
  for (Dim stride : {1, 2})
    for (Dim channels : {16, 32, 64})
      for (const char* slope : {"relu", "tanh", "elu"}) {
        Variant variants[] = {{channels, stride, "", false}, {channels, stride, slope, false}, {channels, stride, slope, true}};
        double best[3];
        std::fill_n(best, 3, std::numeric_limits<double>::infinity());
        for (int round = 0; round < rounds; ++round)
          for (int i = 0; i < 3; ++i) best[i] = std::min(best[i], variants[i].milliseconds());
        std::printf("| stride %d, %d channels | %s | %.2f | %.2f | %.2f |\n", static_cast<int>(stride),
                    static_cast<int>(channels), slope, best[0], best[1], best[2]);
      }
}
