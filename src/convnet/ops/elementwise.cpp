// Several operations by element in one pass over memory: see steps.h.
#include "../core/threads.h"
#include "steps.h"

namespace convnet {

namespace {

StepList list_of(const Attrs& attrs) { return StepList::read(attrs.text("steps")); }

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  return infer_steps(list_of(attrs), in);
}

Prepared prepare(const OpCall& call) {
  const Steps steps(list_of(call.attrs), call.in);
  const Dim n = call.out.shape.size();
  const size_t size = size_of(call.out.dtype);
  return {[=](const void* const* in, void* out, const RunContext&) {
    parallel_ranges(n, steps.time(), [&](Dim begin, Dim end) {
      steps.run(in, static_cast<char*>(out) + begin * size, begin, end - begin);
    });
  }};
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value, Value grad) {
  return steps_vjp(g, list_of(call.attrs), in, grad);
}

}  // namespace

extern const Op op_elementwise{"elementwise", 1, -1, infer, prepare, vjp, true};

}  // namespace convnet
