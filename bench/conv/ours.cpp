// The convolutions of this package as a peer of the benchmark: prepared operations, without a graph; and with bias and
// activation as the graph runs them.
//   ours [ISA]
#include <memory>
#include <utility>

#include "core/threads.h"
#include "graph/fuse.h"
#include "graph/plan.h"
#include "kernels/isa.h"
#include "ops/op.h"
#include "peak.h"
#include "peer.h"

namespace {

using namespace convnet;

class Ours final : public Peer {
 public:
  std::string hello() override { return std::string("convnet ") + isa_name(); }

  void threads(int count) override {
    threads_ = count;
    set_thread_count(count);
  }

  double peak(double seconds) override { return peak::best(threads_, seconds); }

  std::vector<Work> setup(const Problem& p) override {
    tensors_.clear();
    Shape x{p.batch}, y{p.batch}, k;
    std::vector<double> strides, dilation, pad_lo, in, out, kernel;
    for (const Axis& a : p.axes) {
      x.push_back(a.in);
      y.push_back(a.out);
      k.push_back(a.kernel);
      strides.push_back(a.stride);
      dilation.push_back(a.dilation);
      pad_lo.push_back(a.pad_lo);
      in.push_back(a.in);
      out.push_back(a.out);
      kernel.push_back(a.kernel);
    }
    x.push_back(p.in_channels);
    y.push_back(p.out_channels);
    k.push_back((p.transpose ? p.out_channels : p.in_channels) / p.groups);
    k.push_back(p.transpose ? p.in_channels : p.out_channels);
    const auto attrs = [&](const std::vector<double>& size) {
      Attrs a{{"strides", strides}, {"dilation", dilation}, {"pad_lo", pad_lo}, {"size", size}};
      return a.set("groups", static_cast<double>(p.groups));
    };
    const auto input = tensor(x), weights = tensor(k), grad = tensor(y), bias = tensor(Shape{p.out_channels});
    const char* forward = p.transpose ? "conv_backward_data" : "conv";
    const char* backward = p.transpose ? "conv" : "conv_backward_data";
    std::vector<Work> works;
    works.push_back(with_weights("forward", forward, attrs(out), input, weights));
    works.push_back(with_weights("backward_data", backward, attrs(in), grad, weights));
    works.push_back(p.transpose ? backward_weights(attrs(kernel), grad, input)
                                : backward_weights(attrs(kernel), input, grad));
    works.push_back(with_bias_and_relu(forward, attrs(out), input, weights, bias));
    return works;
  }

  void fill(bool ones) override {
    for (const auto& t : tensors_) fill_values(t->as<float>(), t->type.shape.size(), ones);
    Variable(nullptr, &filled_).changed();
  }

 private:
  using Held = std::shared_ptr<Tensor>;

  // One whose values fill() sets.
  Held tensor(const Shape& shape) {
    tensors_.push_back(std::make_shared<Tensor>(TensorType{DType::f32, shape}));
    return tensors_.back();
  }

  // Weights are variables that do not change from run to run, as in predict(): what
  // is packed of them is packed once.
  Work with_weights(const char* name, const char* op, const Attrs& attrs, const Held& x, const Held& k) {
    Graph g;
    const Value y = g.emit(op, {g.input(0, x->type), g.variable(0, k->type)}, attrs);
    return planned(name, Plan(g, {y}, {}, settled_values(g, {})), {x->data()}, {{k->data(), &filled_}});
  }

  Work backward_weights(const Attrs& attrs, const Held& x, const Held& grad) {
    Graph g;
    const Value k = g.emit("conv_backward_weights", {g.input(0, x->type), g.input(1, grad->type)}, attrs);
    return planned("backward_weights", Plan(g, {k}, {}), {x->data(), grad->data()}, {});
  }

  Work with_bias_and_relu(const char* op, const Attrs& attrs, const Held& x, const Held& k, const Held& b) {
    Graph g;
    const Value conv = g.emit(op, {g.input(0, x->type), g.variable(0, k->type)}, attrs);
    std::vector<Value> y = {g.emit("relu", {g.emit("add", {conv, g.variable(1, b->type)})})};
    const Graph fused = fuse(g, y, std::vector<char>(g.size(), 0));
    return planned("forward_bias_relu", Plan(fused, y, {}, settled_values(fused, {})), {x->data()},
                   {{k->data(), &filled_}, {b->data(), &filled_}});
  }

  Work planned(const char* name, Plan made, const std::vector<const void*>& inputs,
               const std::vector<Variable>& variables) {
    const auto plan = std::make_shared<Plan>(std::move(made));
    Work w;
    w.name = name;
    w.run = [=] { plan->run(inputs, variables, 1, 0); };
    w.sum = [=] {
      return sum_values(static_cast<const float*>(plan->output(0)), plan->output_type(0).shape.size());
    };
    return w;
  }

  std::vector<Held> tensors_;
  int threads_ = 1;
  uint64_t filled_ = 0;  // the stamp of all values
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) convnet::set_isa(argv[1]);
  Ours ours;
  return serve(ours);
}
