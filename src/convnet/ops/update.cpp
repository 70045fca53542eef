// update(variable, value): the plan carries it out when everything else is computed.
#include "check.h"
#include "op.h"

namespace convnet {

namespace {

TensorType infer(const Attrs&, const std::vector<TensorType>& in) {
  require_same_dtype(in[0], in[1]);
  if (!may_equal(in[0].shape, in[1].shape))
    shape_error("A variable and its new value have different shapes.", in[0].shape.to_string(),
                in[1].shape.to_string());
  return in[0];
}

}  // namespace

extern const Op op_update{"update", 2, 2, infer, nullptr, nullptr};

}  // namespace convnet
