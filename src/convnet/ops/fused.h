#pragma once
// The optional ends of an operation that adds up products of its first two inputs:
// a bias for each output channel, and the attribute `activation`: "relu", or its
// gradient "relu_gate" (see unary.cpp), whose gate is the last input.
#include "../kernels/epilogue.h"
#include "build.h"
#include "check.h"

namespace convnet {

// Which inputs these are; 0 where there is none.
struct Ends {
  size_t bias = 0, gate = 0;
  bool relu = false;
};

inline Ends ends_of(const Attrs& attrs, size_t inputs) {
  const std::string activation = attrs.has("activation") ? attrs.text("activation") : "";
  Ends ends;
  ends.relu = activation == "relu";
  if (activation == "relu_gate") {
    if (inputs < 3) argument_error("There is no gate.", "one more input", "two");
    ends.gate = --inputs;
  } else if (!ends.relu && activation != "") {
    argument_error("An operation cannot end in this activation.", "\"relu\", \"relu_gate\" or none",
                   activation);
  }
  if (inputs > 3) argument_error("There are too many inputs.", "a bias at most", "another one");
  if (inputs == 3) ends.bias = 2;
  return ends;
}

// For shape rules.
inline void check_ends(const Attrs& attrs, const std::vector<TensorType>& in, const Shape& out) {
  const Ends ends = ends_of(attrs, in.size());
  for (size_t i = 2; i < in.size(); ++i) require_same_dtype(in[0], in[i]);
  if (ends.bias && (in[ends.bias].shape.rank() != 1 || !may_equal(in[ends.bias].shape[0], out.back())))
    shape_error("The bias does not belong to the output channels.",
                "a vector of " + std::to_string(out.back()), in[ends.bias].shape.to_string());
  if (ends.gate && !may_equal(in[ends.gate].shape, out))
    shape_error("A gate and what passes it have different shapes.", out.to_string(),
                in[ends.gate].shape.to_string());
}

// A kernel of two inputs, the second of which may be packed, that ends in an Epilogue.
template <typename T, typename Kernel>
Prepared prepare_with_ends(const OpCall& call, std::shared_ptr<const Kernel> kernel) {
  const Ends ends = ends_of(call.attrs, call.in.size());
  Prepared prepared{[=](const void* const* in, void* out, const RunContext& context) {
                      const auto input = [&](size_t i) { return static_cast<const T*>(in[i]); };
                      const T* second = input(1);  // or what pack() left
                      T* results = static_cast<T*>(out);
                      kernel->run(input(0), second, second, results, context.workspace,
                                  {ends.bias ? input(ends.bias) : nullptr, ends.relu,
                                   ends.gate ? input(ends.gate) : nullptr, results});
                    },
                    kernel->workspace()};
  if (kernel->packed_bytes() > 0)
    prepared.packing = {1, kernel->pack_key(), kernel->packed_bytes(),
                        [kernel](const void* const* in, void* packed, const RunContext&) {
                          kernel->pack(static_cast<const T*>(in[0]), packed);
                        }};
  return prepared;
}

// For vjp rules: what passes back to the sum, and the cotangents of the other
// inputs, put last.
inline Value ends_vjp_sum(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value out,
                          Value grad) {
  const Ends ends = ends_of(call.attrs, in.size());
  if (!ends.relu && !ends.gate) return grad;
  return g.emit("relu_gate", {ends.gate ? in[ends.gate] : out, grad});
}
inline std::vector<Value> ends_vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in,
                                   Value sum_grad, std::vector<Value> grads) {
  const Ends ends = ends_of(call.attrs, in.size());
  if (ends.bias) grads.push_back(sum_to(g, sum_grad, g.shape(in[ends.bias])));
  if (ends.gate) grads.push_back(kNone);
  return grads;
}

}  // namespace convnet
