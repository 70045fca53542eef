// Matrix product over the last two axes; leading axes are a batch.
// Optional: bias [columns], and what follows the sums; see fused.h.
#include "../kernels/matmul.h"

#include "fused.h"

namespace convnet {

namespace {

struct Sides {
  bool transpose_a, transpose_b;
  Dim batch, m, n, k, k_of_b;
};

Sides sides(const Attrs& attrs, const Shape& a, const Shape& b) {
  Sides s{attrs.flag("transpose_a"), attrs.flag("transpose_b"), 1, 0, 0, 0, 0};
  const int last = a.rank() - 1;
  s.m = a[s.transpose_a ? last : last - 1];
  s.k = a[s.transpose_a ? last - 1 : last];
  s.n = b[s.transpose_b ? last - 1 : last];
  s.k_of_b = b[s.transpose_b ? last : last - 1];
  return s;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  require_float(in[0]);
  require_same_dtype(in[0], in[1]);
  if (a.rank() < 2 || a.rank() != b.rank())
    shape_error("A matrix product needs two matrices, or two equally long batches of them.",
                "equal numbers of dimensions, at least 2", a.to_string() + " and " + b.to_string());
  const Sides s = sides(attrs, a, b);
  Shape out;
  for (int axis = 0; axis < a.rank() - 2; ++axis) {
    if (!may_equal(a[axis], b[axis]))
      shape_error("The batches of a matrix product differ.",
                  "equal dimensions before the last two", a.to_string() + " and " + b.to_string());
    out.push_back(a[axis] == kUnknown ? b[axis] : a[axis]);
  }
  if (!may_equal(s.k, s.k_of_b))
    shape_error("The inner dimensions of a matrix product differ.",
                "a second matrix with " + std::to_string(s.k) +
                    (s.transpose_b ? " columns" : " rows"),
                b.to_string());
  out.push_back(s.m);
  out.push_back(s.n);
  check_ends(attrs, in, out);
  return {in[0].dtype, out};
}

Prepared prepare(const OpCall& call) {
  const Shape& a = call.in[0].shape;
  const Sides s = sides(call.attrs, a, call.in[1].shape);
  const Dim batch = a.product(0, a.rank() - 2);
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    return prepare_with_ends<T>(call, std::make_shared<const Matmul<T>>(
                                          batch, s.m, s.n, s.k, s.transpose_a, s.transpose_b));
  });
}

Value product(Emitter& g, Value a, Value b, bool transpose_a, bool transpose_b) {
  return g.emit("matmul", {a, b},
                {{"transpose_a", number_list(transpose_a)}, {"transpose_b", number_list(transpose_b)}});
}

// With A = op(a), B = op(b): dA = G B^T, dB = A^T G; transposed once more where
// a or b is stored transposed.
std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value out,
                       Value grad) {
  const EndsGradient ends = ends_vjp(g, "matmul", call, in, out, grad);
  const Value sums = ends.sums;
  const bool ta = call.attrs.flag("transpose_a"), tb = call.attrs.flag("transpose_b");
  return ends.with(ta ? product(g, in[1], sums, tb, true) : product(g, sums, in[1], false, !tb),
                   tb ? product(g, sums, in[0], true, ta) : product(g, in[0], sums, !ta, false));
}

}  // namespace

extern const Op op_matmul = {"matmul", 2, -1, infer, prepare, vjp};

}  // namespace convnet
