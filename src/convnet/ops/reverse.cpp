// reverse(x; axes): the elements in the opposite order along some axes. Its own adjoint.
#include "build.h"
#include "check.h"
#include "copy.h"

namespace convnet {

namespace {

std::vector<bool> reversed_axes(const Attrs& attrs, int rank) {
  std::vector<bool> reversed(rank, false);
  for (Dim axis : attrs.integers("axes")) reversed[normalize_axis(axis, rank)] = true;
  return reversed;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  reversed_axes(attrs, in[0].shape.rank());
  return in[0];
}

Prepared prepare(const OpCall& call) {
  const Shape shape = call.out.shape;
  const std::vector<bool> reversed = reversed_axes(call.attrs, shape.rank());
  // Trailing axes that stay as they are make up one run.
  int last = shape.rank();
  while (last > 0 && !reversed[last - 1]) --last;
  const Dim run = shape.product(last, shape.rank()), runs = shape.product(0, last);
  if (run * runs == 0) return {[](const void* const*, void*, const RunContext&) {}};
  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]);
      W* result = static_cast<W*>(out);
      parallel_ranges(runs, copy_time(run * sizeof(W)), [&](Dim begin, Dim end) {
        for (Dim r = begin; r < end; ++r) {
          Dim from = 0, rest = r, step = 1;
          for (int axis = last - 1; axis >= 0; --axis) {
            const Dim at = rest % shape[axis];
            from += (reversed[axis] ? shape[axis] - 1 - at : at) * step;
            rest /= shape[axis];
            step *= shape[axis];
          }
          std::copy_n(x + from * run, run, result + r * run);
        }
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  return {g.emit("reverse", {grad}, call.attrs)};
}

}  // namespace

extern const Op op_reverse{"reverse", 1, 1, infer, prepare, vjp};

}  // namespace convnet
