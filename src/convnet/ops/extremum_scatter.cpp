// extremum_scatter(x, m, g): the gradient of m, the largest or smallest elements of x along the axes
// where its extent is 1. Each value of g goes to the elements of x equal to m, in equal shares.
#include "../core/divide.h"
#include "build.h"
#include "check.h"
#include "elementwise.h"
#include "reduce_layout.h"

namespace convnet {

namespace {

constexpr Dim kColumns = 256;  // side by side, whose rows should stay in cache from the count to the shares

TensorType infer(const Attrs&, const std::vector<TensorType>& in) {
  require_float(in[0]);
  require_same_dtype(in[0], in[1]);
  require_same_dtype(in[0], in[2]);
  const Shape &x = in[0].shape, &m = in[1].shape;
  bool reduced = x.rank() == m.rank();
  for (int axis = 0; reduced && axis < x.rank(); ++axis) reduced = m[axis] == 1 || may_equal(x[axis], m[axis]);
  if (!reduced)
    shape_error("An extremum and what it is of do not belong together.",
                "the extents of " + x.to_string() + ", or 1 where that is reduced", m.to_string());
  if (!may_equal(m, in[2].shape))
    shape_error("The gradient of an extremum has another shape than it.", m.to_string(), in[2].shape.to_string());
  return in[0];
}

// Of one value of m and g, whose elements of x follow each other.
template <typename T>
Dim count_equal(const T* x, T m, Dim n) {
  Dim count = 0;
  CONVNET_SIMD_SUM(count)
  for (Dim i = 0; i < n; ++i) count += x[i] == m;
  return count;
}
template <typename T>
void share(const T* x, T m, T part, T* out, Dim n) {
  CONVNET_SIMD
  for (Dim i = 0; i < n; ++i) out[i] = x[i] == m ? part : T(0);
}

// Of a row of them.
template <typename T>
void count_equal(const T* x, const T* m, T* count, Dim n) {
  CONVNET_SIMD
  for (Dim i = 0; i < n; ++i) count[i] += x[i] == m[i] ? T(1) : T(0);
}
template <typename T>
void share(const T* x, const T* m, const T* part, T* out, Dim n) {
  CONVNET_SIMD
  for (Dim i = 0; i < n; ++i) {
    const T value = part[i];  // a loop that loads under a condition is not vectorised
    out[i] = x[i] == m[i] ? value : T(0);
  }
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  AxisSet reduced{};
  for (int axis = 0; axis < shape.rank(); ++axis) reduced[axis] = call.in[1].shape[axis] == 1;
  const ReduceLayout layout(shape, reduced);
  const Dim columns = layout.columns, tile = std::max<Dim>(1, std::min(columns, kColumns));
  const Dim tiles = divide_up(columns, tile);
  const Dim rows = layout.rows, blocks = layout.reduced.size, rows_at_once = columns == 1 ? rows : 1;
  const Dim units = call.in[1].shape.size() == 0 || shape.size() == 0 ? 0 : layout.kept.size * tiles;
  const double time = kElementTime * (2 * rows * blocks * tile);  // of a unit
  return dispatch_float(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    return {[=](const void* const* in, void* result, const RunContext&) {
      const T *x = static_cast<const T*>(in[0]), *m = static_cast<const T*>(in[1]), *g = static_cast<const T*>(in[2]);
      T* out = static_cast<T*>(result);
      parallel_ranges(units, time, [&](Dim begin, Dim end) {
        for (Dim unit = begin; unit < end; ++unit) {
          const Dim column = unit % tiles * tile, width = std::min(tile, columns - column);
          const Dim from = layout.kept.offset(unit / tiles) + column, kept = unit / tiles * columns + column;
          const auto each_row = [&](auto&& f) {
            for (Dim block = 0; block < blocks; ++block) {
              const Dim at = from + layout.reduced.offset(block);
              for (Dim row = 0; row < rows; row += rows_at_once) f(at + row * columns);
            }
          };
          if (columns == 1) {
            Dim count = 0;
            each_row([&](Dim at) { count += count_equal(x + at, m[kept], rows); });
            const T part = g[kept] / static_cast<T>(count);
            each_row([&](Dim at) { share(x + at, m[kept], part, out + at, rows); });
          } else {
            T part[kColumns] = {};
            each_row([&](Dim at) { count_equal(x + at, m + kept, part, width); });
            for (Dim i = 0; i < width; ++i) part[i] = g[kept + i] / part[i];
            each_row([&](Dim at) { share(x + at, m + kept, part, out + at, width); });
          }
        }
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value, Value grad) {
  const DType dtype = call.out.dtype;
  const Shape& kept = call.in[1].shape;
  const Value winner = g.emit("equal", {in[0], in[1]});
  const Value winners = sum_to(g, cast(g, winner, dtype), kept);
  const Value sum = sum_to(g, select(g, winner, grad, g.scalar(0, dtype)), kept);
  return {kNone, kNone, divide(g, sum, g.emit("maximum", {winners, g.scalar(1, dtype)}))};
}

}  // namespace

extern const Op op_extremum_scatter{"extremum_scatter", 3, 3, infer, prepare, vjp, true};

}  // namespace convnet
