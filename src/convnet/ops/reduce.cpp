// sum, mean, max and min over some axes, or all.
#include "reduce.h"

#include <algorithm>
#include <limits>

#include "../core/divide.h"
#include "../kernels/sum_rows.h"
#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

// Elements that one task adds up. A longer reduction is cut into chunks whose
// results are combined in order: the order of summation depends on shapes alone.
constexpr Dim kChunk = 16384;
constexpr double kFoldTime = 0.25;  // of an element
// Columns that are added up side by side, in the first-level cache.
constexpr Dim kColumns = 512;

// Folds values into an accumulator. Sums of floats are accumulated in double: a
// float32 sum over millions of elements then is exact to the last bit or two.
template <typename T>
struct Sum {
  using Acc = std::conditional_t<std::is_integral_v<T>, uint32_t, double>;
  static Acc start() { return 0; }
  static Acc load(T x) { return static_cast<Acc>(x); }
  static Acc join(Acc a, Acc b) { return a + b; }
};
template <typename T>
struct Max {
  using Acc = T;
  static Acc start() {
    return std::is_integral_v<T> ? std::numeric_limits<T>::min()
                                 : -std::numeric_limits<T>::infinity();
  }
  static Acc load(T x) { return x; }
  static Acc join(Acc a, Acc b) { return scalar::Maximum{}(a, b); }
};
template <typename T>
struct Min {
  using Acc = T;
  static Acc start() {
    return std::is_integral_v<T> ? std::numeric_limits<T>::max()
                                 : std::numeric_limits<T>::infinity();
  }
  static Acc load(T x) { return x; }
  static Acc join(Acc a, Acc b) { return scalar::Minimum{}(a, b); }
};

// All of a contiguous run.
template <typename F, typename T>
typename F::Acc fold_run(const T* x, Dim n) {
  constexpr int kLanes = 8;
  using Acc = typename F::Acc;
  Acc total = F::start();
  Dim i = 0;
  if (n >= 2 * kLanes) {
    Acc lane[kLanes];
    for (int j = 0; j < kLanes; ++j) lane[j] = F::start();
    for (; i + kLanes <= n; i += kLanes) {
      CONVNET_SIMD
      for (int j = 0; j < kLanes; ++j) lane[j] = F::join(lane[j], F::load(x[i + j]));
    }
    for (int j = 0; j < kLanes; ++j) total = F::join(total, lane[j]);
  }
  for (; i < n; ++i) total = F::join(total, F::load(x[i]));
  return total;
}

// acc[c] gathers column c of `rows` rows; four rows a pass, to load acc less often.
template <typename F, typename T>
void fold_rows(typename F::Acc* acc, const T* x, Dim rows, Dim stride, Dim columns) {
  if constexpr (std::is_same_v<F, Sum<T>> && std::is_floating_point_v<T>)
    return sum_rows(acc, x, rows, stride, columns);
  Dim row = 0;
  for (; row + 4 <= rows; row += 4, x += 4 * stride) {
    const T *x1 = x + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    CONVNET_SIMD
    for (Dim c = 0; c < columns; ++c)
      acc[c] = F::join(acc[c], F::join(F::join(F::load(x[c]), F::load(x1[c])),
                                       F::join(F::load(x2[c]), F::load(x3[c]))));
  }
  for (; row < rows; ++row, x += stride) {
    CONVNET_SIMD
    for (Dim c = 0; c < columns; ++c) acc[c] = F::join(acc[c], F::load(x[c]));
  }
}

// Reduces with F; Finish turns an accumulator into the result.
template <template <typename> class Fold, typename T, typename Finish>
Prepared prepare_reduction(const Shape& shape, const AxisSet& marked, Finish finish) {
  using F = Fold<T>;
  using Acc = typename F::Acc;
  const ReduceLayout layout(shape, marked);
  const Dim columns = layout.columns, rows = layout.rows;
  const Dim total_rows = rows * layout.reduced.size;
  const Dim tile = std::max<Dim>(1, std::min(columns, kColumns));
  const Dim tiles = divide_up(columns, tile);
  // Rows of a chunk; chunks of one tile of one block of the result follow each other.
  const Dim chunk = std::max<Dim>(1, kChunk / tile);
  const Dim chunks = std::max<Dim>(1, divide_up(total_rows, chunk));
  const Dim outputs = layout.kept.size * columns;
  const Dim units = outputs == 0 ? 0 : layout.kept.size * tiles * chunks;
  const Dim unit_cost = std::max<Dim>(1, std::min(chunk, total_rows) * tile);
  const bool whole_rows = columns == 1 && chunks == 1 && layout.reduced.rank == 0 &&
                          layout.kept.rank <= 1;
  // Short rows are added up several at a time, side by side.
  const Dim side_by_side = std::max<Dim>(1, columns > 1 && rows > 1 ? 64 / columns : 1);

  Prepared prepared;
  prepared.workspace = chunks > 1 ? outputs * chunks * sizeof(Acc) : 0;
  prepared.run = [=](const void* const* in, void* out, const RunContext& context) {
    const T* x = static_cast<const T*>(in[0]);
    T* result = static_cast<T*>(out);
    Acc* partial = static_cast<Acc*>(context.workspace);

    if (whole_rows) {
      parallel_ranges(outputs, kFoldTime * unit_cost, [&](Dim begin, Dim end) {
        for (Dim at = begin; at < end; ++at) result[at] = finish(fold_run<F>(x + at * rows, rows));
      });
      return;
    }
    auto run_unit = [&](Dim unit) {
      const Dim part = unit % chunks, at_tile = unit / chunks % tiles, block = unit / chunks / tiles;
      const Dim first_column = at_tile * tile, width = std::min(tile, columns - first_column);
      const T* from = x + layout.kept.offset(block) + first_column;
      const Dim last_row = std::min(total_rows, (part + 1) * chunk);
      Acc acc[kColumns];
      std::fill_n(acc, side_by_side > 1 ? side_by_side * columns : width, F::start());
      for (Dim row = part * chunk; row < last_row;) {
        const Dim inner = row % rows, count = std::min(rows - inner, last_row - row);
        const T* start = from + layout.reduced.offset(row / rows) + inner * columns;
        if (columns == 1) {
          acc[0] = F::join(acc[0], fold_run<F>(start, count));
        } else {
          const Dim wide = count / side_by_side, step = side_by_side * columns;
          if (side_by_side > 1) fold_rows<F>(acc, start, wide, step, step);
          const Dim done = side_by_side > 1 ? wide * side_by_side : 0;
          fold_rows<F>(acc, start + done * columns, count - done, columns, width);
        }
        row += count;
      }
      for (Dim j = 1; j < side_by_side; ++j)
        for (Dim c = 0; c < columns; ++c) acc[c] = F::join(acc[c], acc[j * columns + c]);
      if (chunks == 1) {
        for (Dim c = 0; c < width; ++c) result[block * columns + first_column + c] = finish(acc[c]);
      } else {
        std::copy_n(acc, width, partial + (block * chunks + part) * columns + first_column);
      }
    };
    parallel_ranges(units, kFoldTime * unit_cost, [&](Dim begin, Dim end) {
      for (Dim unit = begin; unit < end; ++unit) run_unit(unit);
    });
    if (chunks == 1) return;
    parallel_ranges(outputs, kFoldTime * chunks, [&](Dim begin, Dim end) {
      for (Dim at = begin; at < end; ++at) {
        const Acc* first = partial + at / columns * chunks * columns + at % columns;
        Acc acc = *first;
        for (Dim part = 1; part < chunks; ++part) acc = F::join(acc, first[part * columns]);
        result[at] = finish(acc);
      }
    });
  };
  return prepared;
}

AxisSet marked_axes(const Attrs& attrs, int rank) {
  AxisSet marked{};
  const std::vector<Dim> axes = attrs.has("axes") ? attrs.integers("axes") : std::vector<Dim>{};
  if (axes.empty()) std::fill_n(marked.begin(), rank, true);
  for (Dim axis : axes) {
    bool& mark = marked[normalize_axis(axis, rank)];
    if (mark)
      argument_error("An axis is listed twice.", "different axes",
                     std::to_string(axis) + " (counted from 0) again");
    mark = true;
  }
  return marked;
}

Shape reduced_shape(const Shape& shape, const AxisSet& marked, bool keepdims) {
  Shape out;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (!marked[axis]) out.push_back(shape[axis]);
    else if (keepdims) out.push_back(1);
  }
  return out;
}

Dim reduced_count(const Shape& shape, const AxisSet& marked) {
  Dim n = 1;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (marked[axis]) n *= shape[axis];
  return n;
}

TensorType infer_sum(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_number(in[0]);
  const Shape& shape = in[0].shape;
  return {in[0].dtype,
          reduced_shape(shape, marked_axes(attrs, shape.rank()), attrs.flag("keepdims"))};
}

TensorType infer_mean(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return infer_sum(attrs, in);
}

TensorType infer_extremum(const Attrs& attrs, const std::vector<TensorType>& in) {
  const TensorType out = infer_sum(attrs, in);
  const AxisSet marked = marked_axes(attrs, in[0].shape.rank());
  for (int axis = 0; axis < in[0].shape.rank(); ++axis)
    if (marked[axis] && in[0].shape[axis] == 0)
      shape_error("The largest or smallest of no elements does not exist.",
                  "at least one element along each reduced axis", in[0].shape.to_string());
  return out;
}

// Accumulator to result; int32 sums wrap around.
template <typename T>
struct Narrow {
  template <typename Acc>
  T operator()(Acc acc) const { return static_cast<T>(acc); }
};

Prepared prepare_sum_axes(const OpCall& call) {
  return prepare_sum(call.in[0], marked_axes(call.attrs, call.in[0].shape.rank()));
}

Prepared prepare_mean(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const AxisSet marked = marked_axes(call.attrs, shape.rank());
  const double count = static_cast<double>(reduced_count(shape, marked));
  return dispatch_float(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return prepare_reduction<Sum, T>(shape, marked,
                                     [count](double acc) { return static_cast<T>(acc / count); });
  });
}

template <template <typename> class Fold>
Prepared prepare_extremum(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const AxisSet marked = marked_axes(call.attrs, shape.rank());
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return prepare_reduction<Fold, T>(shape, marked, Narrow<T>{});
  });
}

Shape kept_shape(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  return reduced_shape(shape, marked_axes(call.attrs, shape.rank()), true);
}

Values sum_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {broadcast_to(g, reshape(g, grad, kept_shape(call)), call.in[0].shape)};
}

Values mean_vjp(Emitter& g, const OpCall& call, const Values& in, Value out, Value grad) {
  const Shape& shape = call.in[0].shape;
  const double count =
      static_cast<double>(reduced_count(shape, marked_axes(call.attrs, shape.rank())));
  return sum_vjp(g, call, in, out, scale(g, grad, 1 / count));
}

// Elements equal to the extremum share its gradient.
Values extremum_vjp(Emitter& g, const OpCall& call, const Values& in, Value out, Value grad) {
  const Shape kept = kept_shape(call);
  return {g.emit("extremum_scatter", {in[0], reshape(g, out, kept), reshape(g, grad, kept)})};
}

}  // namespace

Prepared prepare_sum(const TensorType& in, const AxisSet& reduced) {
  return dispatch_number(in.dtype, [&](auto tag) {
    using T = decltype(tag);
    return prepare_reduction<Sum, T>(in.shape, reduced, Narrow<T>{});
  });
}

extern const Op op_sum{"sum", 1, 1, infer_sum, prepare_sum_axes, sum_vjp};
extern const Op op_mean{"mean", 1, 1, infer_mean, prepare_mean, mean_vjp};
extern const Op op_max{"max", 1, 1, infer_extremum, prepare_extremum<Max>, extremum_vjp};
extern const Op op_min{"min", 1, 1, infer_extremum, prepare_extremum<Min>, extremum_vjp};

}  // namespace convnet
