#pragma once
// The optional ends of an operation that adds up products of its first two inputs: a bias for
// each output channel; the attribute `activation`, "relu"; and the attribute `steps`, which are
// operations by element (steps.h) on the sums, their input 0, and on the last inputs.
#include <array>
#include <memory>

#include "../kernels/epilogue.h"
#include "build.h"
#include "check.h"
#include "steps.h"

namespace convnet {

struct Ends {
  size_t bias = 0;  // which input it is; 0 where there is none
  bool relu = false;
  StepList list;       // may be empty
  size_t others = 0;   // the first of its inputs but the sums

  // `count`: the operation's inputs.
  Ends(const Attrs& attrs, size_t count) {
    const std::string activation = attrs.has("activation") ? attrs.text("activation") : "";
    relu = activation == "relu";
    if (!relu && activation != "")
      argument_error("An operation cannot end in this activation.", "\"relu\" or none", activation);
    if (attrs.has("steps")) list = StepList::read(attrs.text("steps"));
    const size_t read = std::max<size_t>(1, list.inputs()) - 1;
    if (count < 2 + read || count > 3 + read)
      argument_error("An operation has the wrong number of inputs.",
                     std::to_string(2 + read) + ", and a bias at most", std::to_string(count));
    others = count - read;
    if (others == 3) bias = 2;
  }

  // The steps' inputs, from the sums and all inputs of the operation.
  template <typename V>
  std::vector<V> step_inputs(const V& sums, const std::vector<V>& in) const {
    std::vector<V> all{sums};
    all.insert(all.end(), in.begin() + others, in.end());
    return all;
  }
};

// For shape rules.
inline void check_ends(const Attrs& attrs, const std::vector<TensorType>& in, const Shape& out) {
  const Ends ends(attrs, in.size());
  const TensorType sums{in[0].dtype, out};
  if (ends.bias) {
    const Shape& bias = in[ends.bias].shape;
    require_same_dtype(in[0], in[ends.bias]);
    if (bias.rank() != 1 || !may_equal(bias[0], out.back()))
      shape_error("The bias does not belong to the output channels.",
                  "a vector of " + std::to_string(out.back()), bias.to_string());
  }
  if (ends.list.steps.empty()) return;
  const TensorType result = infer_steps(ends.list, ends.step_inputs(sums, in));
  require_same_dtype(sums, result);
  if (!may_equal(out, result.shape))
    shape_error("Steps change the shape of what they follow.", out.to_string(), result.shape.to_string());
}

namespace detail {

// Steps with their inputs, for one run.
class RunSteps final : public Finish {
 public:
  // others: the inputs after the sums, which the results take the place of.
  RunSteps(const Steps& steps, const void* results, const void* const* others, size_t count)
      : steps_(steps), in_{results} {
    std::copy_n(others, count, in_.begin() + 1);
  }
  void operator()(void* values, int64_t first, int64_t count) const override {
    steps_.run(in_.data(), values, first, count);
  }
  bool reads_others() const override { return steps_.reads_others(); }
  double time() const override { return steps_.time(); }

 private:
  const Steps& steps_;
  std::array<const void*, StepList::kMaxInputs> in_;
};

}  // namespace detail

// A kernel of two inputs, the second of which may be packed, that ends in an Epilogue.
template <typename T, typename Kernel>
Prepared prepare_with_ends(const OpCall& call, std::shared_ptr<const Kernel> kernel) {
  const Ends ends(call.attrs, call.in.size());
  std::shared_ptr<const Steps> steps;
  if (!ends.list.steps.empty())
    steps = std::make_shared<const Steps>(ends.list, ends.step_inputs(call.out, call.in));
  const size_t bias = ends.bias, others = ends.others, count = call.in.size() - others;
  const bool relu = ends.relu;
  Prepared prepared{[=](const void* const* in, void* out, const RunContext& context) {
                      const T* second = static_cast<const T*>(in[1]);  // or what pack() left
                      T* results = static_cast<T*>(out);
                      Epilogue<T> epilogue{bias ? static_cast<const T*>(in[bias]) : nullptr, relu};
                      const auto run = [&] {
                        kernel->run(static_cast<const T*>(in[0]), second, second, results,
                                    context.workspace, epilogue);
                      };
                      if (!steps) return run();
                      const detail::RunSteps finisher(*steps, results, in + others, count);
                      epilogue.finisher = &finisher;
                      epilogue.results = results;
                      run();
                    },
                    kernel->workspace()};
  if (kernel->packed_bytes() > 0)
    prepared.packing = {1, kernel->pack_key(), kernel->packed_bytes(),
                        [kernel](const void* const* in, void* packed, const RunContext&) {
                          kernel->pack(static_cast<const T*>(in[0]), packed);
                        }};
  return prepared;
}

// For vjp rules of operation `op`: what passes back to the sums, and the cotangents of the
// inputs after the first two.
struct EndsGradient {
  Value sums;
  std::vector<Value> others;

  // All cotangents, the first two being these.
  std::vector<Value> with(Value first, Value second) const {
    std::vector<Value> all{first, second};
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }
};

inline EndsGradient ends_vjp(Emitter& g, const char* op, const OpCall& call, const std::vector<Value>& in,
                             Value out, Value grad) {
  const Ends ends(call.attrs, in.size());
  EndsGradient gradient;
  if (!ends.list.steps.empty()) {
    out = g.emit(op, {in.begin(), in.begin() + ends.others}, call.attrs.without("steps"));
    gradient.others = steps_vjp(g, ends.list, ends.step_inputs(out, in), grad);
    grad = gradient.others.front();
    gradient.others.erase(gradient.others.begin());
  }
  if (ends.relu) grad = g.emit("relu_gate", {out, grad});
  gradient.sums = grad;
  if (ends.bias)
    gradient.others.insert(gradient.others.begin(), sum_to(g, grad, g.shape(in[ends.bias])));
  return gradient;
}

}  // namespace convnet
