// broadcast_to(x; shape) repeats x along axes of extent 1 and new leading axes;
// sum_to(x; shape) adds those axes up: each is the other's adjoint.
#include "build.h"
#include "check.h"
#include "copy.h"
#include "elementwise.h"
#include "reduce.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

[[noreturn]] void not_broadcastable(const Shape& small, const Shape& large) {
  shape_error("A tensor does not broadcast to the shape asked for.",
              "dimensions equal to those of " + large.to_string() + ", or 1, counted from the last",
              small.to_string());
}

// kUnknown in the attribute: the extent of x along that axis.
TensorType infer_broadcast_to(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape& shape = in[0].shape;
  Shape out = attrs.shape("shape");
  const int lead = out.rank() - shape.rank();
  if (lead < 0) not_broadcastable(shape, out);
  for (int axis = 0; axis < out.rank(); ++axis) {
    if (axis < lead) {
      if (out[axis] == kUnknown) not_broadcastable(shape, out);
      continue;
    }
    const Dim own = shape[axis - lead];
    if (out[axis] == kUnknown) out[axis] = own;
    else if (own != 1 && !may_equal(own, out[axis])) not_broadcastable(shape, out);
  }
  return {in[0].dtype, out};
}

Prepared prepare_broadcast_to(const OpCall& call) {
  const Alignment<1> aligned(call.out.shape, {call.in[0].shape});
  // The whole of x again and again, a short one as a longer tile.
  const bool repeats = aligned.rank == 2 && aligned.varies(0);
  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]);
      W* result = static_cast<W*>(out);
      constexpr Dim kTile = 512;
      const Dim inner = aligned.extent[aligned.rank - 1];
      if (repeats && inner <= kTile / 8) {
        const Dim period = kTile / inner * inner;
        W tile[kTile];
        for (Dim i = 0; i < period; ++i) tile[i] = x[i % inner];
        parallel_ranges(aligned.size, kByteTime * sizeof(W), [&](Dim begin, Dim end) {
          for (Dim at = begin; at < end; at += period)
            std::copy_n(tile, std::min(period, end - at), result + at);
        }, period);
        return;
      }
      parallel_ranges(aligned.size, kByteTime * sizeof(W), [&](Dim begin, Dim end) {
        aligned.runs(begin, end, [&](Dim at, const std::array<Dim, 1>& start, Dim count) {
          if (aligned.varies(0)) std::copy_n(x + start[0], count, result + at);
          else std::fill_n(result + at, count, x[start[0]]);
        });
      });
    }};
  });
}

Values broadcast_to_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {sum_to(g, grad, call.in[0].shape)};
}

TensorType infer_sum_to(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_number(in[0]);
  const Shape& shape = in[0].shape;
  const Shape out = attrs.shape("shape");
  const int lead = shape.rank() - out.rank();
  if (lead < 0) not_broadcastable(out, shape);
  for (int axis = 0; axis < out.rank(); ++axis)
    if (out[axis] != 1 && !may_equal(out[axis], shape[axis + lead])) not_broadcastable(out, shape);
  return {in[0].dtype, out};
}

Prepared prepare_sum_to(const OpCall& call) {
  const Shape &shape = call.in[0].shape, &out = call.out.shape;
  const int lead = shape.rank() - out.rank();
  AxisSet reduced{};
  for (int axis = 0; axis < shape.rank(); ++axis)
    reduced[axis] = axis < lead || (out[axis - lead] == 1 && shape[axis] != 1);
  return prepare_sum(call.in[0], reduced);
}

Values sum_to_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {broadcast_to(g, grad, call.in[0].shape)};
}

}  // namespace

extern const Op op_broadcast_to{"broadcast_to", 1, 1, infer_broadcast_to, prepare_broadcast_to,
                                broadcast_to_vjp};
extern const Op op_sum_to{"sum_to", 1, 1, infer_sum_to, prepare_sum_to, sum_to_vjp};

}  // namespace convnet
