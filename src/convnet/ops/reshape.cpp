// reshape(x, like; shape): the same elements in the same order. In the attribute, -1
// (one entry at most) is whatever makes the sizes agree, 0 copies the extent at the
// same position of x or, where it is given, of `like`, whose values do not matter.
#include <algorithm>

#include "build.h"
#include "check.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape& from = in[0].shape;
  const Shape& like = in.back().shape;
  const bool of_itself = in.size() == 1;
  Shape out = attrs.shape("shape");
  // Numbers of elements on either side, without the extents that x keeps.
  Dim have = 1, want = 1;
  bool known = true;
  int inferred = -1;
  const auto multiply = [](Dim* product, Dim extent) {
    if (__builtin_mul_overflow(*product, extent, product))
      throw Error("memory", "A tensor of this shape has more elements than memory can address.");
  };
  for (int axis = 0; axis < std::max(from.rank(), out.rank()); ++axis) {
    const bool copied = axis < std::min(like.rank(), out.rank()) && out[axis] == 0;
    if (copied) out[axis] = like[axis];
    if (copied && of_itself) continue;
    if (axis < from.rank()) {
      if (from[axis] == kUnknown) known = false;
      else multiply(&have, from[axis]);
    }
    if (axis >= out.rank()) continue;
    if (copied && out[axis] == kUnknown) {
      known = false;
    } else if (out[axis] >= 0) {
      multiply(&want, out[axis]);
    } else {
      if (out[axis] != -1 || inferred >= 0)
        argument_error("A target shape is not valid.", "positive sizes, and -1 at most once",
                       attrs.shape("shape").to_string());
      inferred = axis;
    }
  }
  if (!known) return {in[0].dtype, out};
  if (inferred >= 0 ? want == 0 || have % want != 0 : have != want)
    shape_error("A tensor cannot be reshaped: the number of elements differs.",
                "as many elements as " + out.to_string() + " has", from.to_string());
  if (inferred >= 0) out[inferred] = have / want;
  return {in[0].dtype, out};
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  std::vector<Value> grads(call.in.size(), kNone);
  grads[0] = reshape(g, grad, call.in[0].shape);
  return grads;
}

}  // namespace

extern const Op op_reshape{"reshape", 1, 2, infer, nullptr, vjp};

}  // namespace convnet
