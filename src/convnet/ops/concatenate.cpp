// concatenate(x1, x2, ...; axis)
#include "build.h"
#include "check.h"
#include "copy.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  TensorType out = in[0];
  const int axis = normalize_axis(attrs.integer("axis"), out.shape.rank());
  for (size_t i = 1; i < in.size(); ++i) {
    const Shape& shape = in[i].shape;
    require_same_dtype(in[0], in[i]);
    bool fits = shape.rank() == out.shape.rank();
    for (int k = 0; fits && k < shape.rank(); ++k) {
      if (k == axis) continue;
      fits = may_equal(shape[k], out.shape[k]);
      if (out.shape[k] == kUnknown) out.shape[k] = shape[k];
    }
    if (!fits)
      shape_error("Tensors to concatenate have shapes that do not match.",
                  "equal shapes except along axis " + std::to_string(axis) + " (counted from 0)",
                  in[0].shape.to_string() + " and " + shape.to_string());
    Dim& total = out.shape[axis];
    total = total == kUnknown || shape[axis] == kUnknown ? kUnknown : total + shape[axis];
  }
  return out;
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.out.shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const Dim outer = shape.product(0, axis);
  const Dim inner = shape.product(axis + 1, shape.rank()) * static_cast<Dim>(size_of(call.out.dtype));
  std::vector<Dim> runs;  // bytes of each input in a row of the result
  for (const TensorType& type : call.in) runs.push_back(type.shape[axis] * inner);
  const Dim row = shape[axis] * inner;
  return {[=](const void* const* in, void* out, const RunContext&) {
    char* to = static_cast<char*>(out);
    for (size_t i = 0; i < runs.size(); ++i) {
      copy_rows(to, row, static_cast<const char*>(in[i]), runs[i], runs[i], outer);
      to += runs[i];
    }
  }};
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  const int rank = call.out.shape.rank();
  const int axis = normalize_axis(call.attrs.integer("axis"), rank);
  std::vector<Value> grads;
  std::vector<Dim> begin(rank, 0);
  for (const TensorType& type : call.in) {
    grads.push_back(g.emit("slice", {grad}, {{"begin", number_list(begin)},
                                             {"size", number_list(type.shape.dims())}}));
    begin[axis] += type.shape[axis];
  }
  return grads;
}

}  // namespace

extern const Op op_concatenate{"concatenate", 1, -1, infer, prepare, vjp};

}  // namespace convnet
