#pragma once
// The optional ends of an operation that adds up products: a third input, a bias
// for each output channel, and the attribute `activation`.
#include "../kernels/epilogue.h"
#include "build.h"
#include "check.h"

namespace convnet {

inline Activation activation_of(const Attrs& attrs) {
  if (!attrs.has("activation")) return Activation::none;
  if (attrs.text("activation") != "relu")
    argument_error("An operation cannot end in this activation.", "\"relu\", or none",
                   attrs.text("activation"));
  return Activation::relu;
}

// For shape rules. channels: of the result.
inline void check_ends(const Attrs& attrs, const std::vector<TensorType>& in, Dim channels) {
  activation_of(attrs);
  if (in.size() < 3) return;
  require_same_dtype(in[0], in[2]);
  if (in[2].shape.rank() != 1 || !may_equal(in[2].shape[0], channels))
    shape_error("The bias does not belong to the output channels.",
                "a vector of " + std::to_string(channels), in[2].shape.to_string());
}

// A kernel of two inputs, the second of which may be packed, that ends in a bias and
// an activation.
template <typename T, typename Kernel>
Prepared prepare_with_ends(const OpCall& call, std::shared_ptr<const Kernel> kernel) {
  const bool bias = call.in.size() > 2;
  const Activation activation = activation_of(call.attrs);
  Prepared prepared{[=](const void* const* in, void* out, const RunContext& context) {
                      const T* second = static_cast<const T*>(in[1]);  // or what pack() left
                      kernel->run(static_cast<const T*>(in[0]), second, second, static_cast<T*>(out),
                                  context.workspace,
                                  {bias ? static_cast<const T*>(in[2]) : nullptr, activation});
                    },
                    kernel->workspace()};
  if (kernel->packed_bytes() > 0)
    prepared.packing = {1, kernel->pack_key(), kernel->packed_bytes(),
                        [kernel](const void* const* in, void* packed, const RunContext&) {
                          kernel->pack(static_cast<const T*>(in[0]), packed);
                        }};
  return prepared;
}

// For vjp rules: what passes back through the activation to the sum, and the
// bias's cotangent, put last.
inline Value ends_vjp_sum(Emitter& g, const OpCall& call, Value out, Value grad) {
  return activation_of(call.attrs) == Activation::relu ? g.emit("relu_gate", {out, grad}) : grad;
}
inline std::vector<Value> ends_vjp(Emitter& g, const std::vector<Value>& in, Value sum_grad,
                                   std::vector<Value> grads) {
  if (in.size() > 2) grads.push_back(sum_to(g, sum_grad, g.shape(in[2])));
  return grads;
}

}  // namespace convnet
