// recurrence(a, b; axis, start, reverse): s_k = b_k + a_k s_(k-1) along an axis, from its other
// end where reverse is set; s_(-1) = start, 0 unless given. Cumulative sums have a = 1,
// cumulative products b = 0 and start = 1. Its derivative is a recurrence the other way round:
//   t_k = g_k + a_(k+1) t_(k+1),  db = t,  da_k = t_k s_(k-1).
#include "../core/divide.h"
#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_number(in[0]);
  require_same_dtype(in[0], in[1]);
  normalize_axis(attrs.integer("axis"), in[0].shape.rank());
  if (!may_equal(in[0].shape, in[1].shape))
    shape_error("Factors and terms of a recurrence have different shapes.",
                in[0].shape.to_string(), in[1].shape.to_string());
  return {in[0].dtype, broadcast(in[0].shape, in[1].shape)};
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.out.shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const bool reverse = call.attrs.flag("reverse");
  const Dim n = shape[axis], outer = shape.product(0, axis);
  const Dim inner = shape.product(axis + 1, shape.rank());
  const double start = call.attrs.number_or("start", 0);
  constexpr Dim kTile = 64;  // columns computed side by side
  const Dim tiles = divide_up(inner, kTile);
  const Dim cost = n * std::min(inner, kTile) + 1;
  return dispatch_number(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    // Floats in double, integers modulo 2^32.
    using Acc = std::conditional_t<std::is_integral_v<T>, uint32_t, double>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
      T* result = static_cast<T*>(out);
      parallel_ranges(outer * tiles, kElementTime * cost, [&](Dim begin, Dim end) {
        for (Dim unit = begin; unit < end; ++unit) {
          const Dim first = unit % tiles * kTile, width = std::min(kTile, inner - first);
          Acc s[kTile];
          std::fill_n(s, width, static_cast<Acc>(start));
          for (Dim k = 0; k < n; ++k) {
            const Dim at = (unit / tiles * n + (reverse ? n - 1 - k : k)) * inner + first;
            for (Dim c = 0; c < width; ++c) {
              s[c] = static_cast<Acc>(b[at + c]) + static_cast<Acc>(a[at + c]) * s[c];
              result[at + c] = static_cast<T>(s[c]);
            }
          }
        }
      });
    }};
  });
}

// x moved along the axis by one place, `value` coming in; forward: element k gets x_(k-1).
Value shifted(Emitter& g, Value x, int axis, bool forward, double value) {
  const Shape shape = g.shape(x);
  const std::vector<Dim> none(shape.rank(), 0);
  std::vector<Dim> begin = none, size = shape.dims(), lo = none, hi = none;
  begin[axis] = forward ? 0 : 1;
  size[axis] -= 1;
  (forward ? lo : hi)[axis] = 1;
  const Value part = g.emit("slice", {x}, {{"begin", number_list(begin)}, {"size", number_list(size)}});
  return g.emit("pad", {part}, {{"lo", number_list(lo)}, {"hi", number_list(hi)},
                          {"value", number_list(value)}});
}

Values vjp(Emitter& g, const OpCall& call, const Values& in, Value out, Value grad) {
  const int axis = normalize_axis(call.attrs.integer("axis"), call.out.shape.rank());
  if (call.out.shape[axis] == 0) return {kNone, kNone};
  const bool reverse = call.attrs.flag("reverse");
  const Value t = g.emit("recurrence", {shifted(g, in[0], axis, reverse, 0), grad},
                         {{"axis", number_list(axis)}, {"reverse", number_list(!reverse)}});
  const double start = call.attrs.number_or("start", 0);
  return {multiply(g, t, shifted(g, out, axis, !reverse, start)), t};
}

}  // namespace

extern const Op op_recurrence{"recurrence", 2, 2, infer, prepare, vjp};

}  // namespace convnet
