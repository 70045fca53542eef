// gather(x, index; axis): the slices of x along axis that index names, in its shape.
// scatter_add(g, index; axis, extent): adds each slice of g into the place that index
// names: the adjoint.
#include "../core/divide.h"
#include "build.h"
#include "check.h"
#include "copy.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

// Index errors depend on values, so they are found when the operation runs,
// before any thread starts.
void check_index(const int32_t* index, Dim n, Dim extent) {
  for (Dim i = 0; i < n; ++i)
    if (index[i] < 0 || index[i] >= extent)
      argument_error("An index is out of range.",
                     "at least 0 and less than " + std::to_string(extent),
                     std::to_string(index[i]));
}

// x[:axis] + middle + x[axis + count:]
Shape replace_axes(const Shape& x, int axis, int count, const Shape& middle) {
  Shape out;
  for (int i = 0; i < axis; ++i) out.push_back(x[i]);
  for (Dim d : middle) out.push_back(d);
  for (int i = axis + count; i < x.rank(); ++i) out.push_back(x[i]);
  return out;
}

TensorType infer_gather(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_dtype(in[1], DType::i32);
  const int axis = normalize_axis(attrs.integer("axis"), in[0].shape.rank());
  return {in[0].dtype, replace_axes(in[0].shape, axis, 1, in[1].shape)};
}

Prepared prepare_gather(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const Dim outer = shape.product(0, axis), extent = shape[axis];
  const Dim run = shape.product(axis + 1, shape.rank()), count = call.in[1].shape.size();
  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]);
      const int32_t* index = static_cast<const int32_t*>(in[1]);
      W* result = static_cast<W*>(out);
      check_index(index, count, extent);
      if (run == 0) return;
      parallel_ranges(outer * count, copy_time(run * sizeof(W)), [&](Dim begin, Dim end) {
        for (Dim i = begin; i < end; ++i)
          std::copy_n(x + (i / count * extent + index[i % count]) * run, run, result + i * run);
      });
    }};
  });
}

Values gather_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  const int axis = normalize_axis(call.attrs.integer("axis"), call.in[0].shape.rank());
  Attrs attrs;
  attrs.set("axis", axis).set("extent", static_cast<double>(call.in[0].shape[axis]));
  return {g.emit("scatter_add", {grad, in[1]}, attrs), kNone};
}

// The axis of the result: g has the axes of index in its place.
int scatter_axis(const Attrs& attrs, const Shape& g, const Shape& index) {
  return normalize_axis(attrs.integer("axis"), g.rank() - index.rank() + 1);
}

TensorType infer_scatter_add(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_number(in[0]);
  require_dtype(in[1], DType::i32);
  const Shape &g = in[0].shape, &index = in[1].shape;
  const int axis = scatter_axis(attrs, g, index);
  for (int i = 0; i < index.rank(); ++i)
    if (!may_equal(g[axis + i], index[i]))
      shape_error("Slices to add up and their indices have shapes that do not match.",
                  index.to_string() + " from axis " + std::to_string(axis) + " (counted from 0)",
                  g.to_string());
  return {in[0].dtype, replace_axes(g, axis, index.rank(), Shape{attrs.integer("extent")})};
}

Prepared prepare_scatter_add(const OpCall& call) {
  const Shape &g = call.in[0].shape, &shape = call.out.shape;
  const int axis = scatter_axis(call.attrs, g, call.in[1].shape);
  const Dim outer = shape.product(0, axis), extent = shape[axis];
  const Dim run = shape.product(axis + 1, shape.rank()), count = call.in[1].shape.size();
  // A task owns some columns of all slices and adds them up in the order of index.
  constexpr Dim kTile = 64;
  const Dim tiles = divide_up(run, kTile);
  const Dim cost = (count + extent) * std::min(run, kTile) + 1;
  return dispatch_number(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    return {[=](const void* const* in, void* out, const RunContext&) {
      const T* from = static_cast<const T*>(in[0]);
      const int32_t* index = static_cast<const int32_t*>(in[1]);
      T* result = static_cast<T*>(out);
      check_index(index, count, extent);
      parallel_ranges(outer * tiles, kElementTime * cost, [&](Dim begin, Dim end) {
        for (Dim unit = begin; unit < end; ++unit) {
          const Dim block = unit / tiles, first = unit % tiles * kTile;
          const Dim width = std::min(kTile, run - first);
          T* to = result + block * extent * run + first;
          const T* x = from + block * count * run + first;
          for (Dim i = 0; i < extent; ++i) std::fill_n(to + i * run, width, T(0));
          for (Dim i = 0; i < count; ++i)
            map_run(to + index[i] * run, true, x + i * run, true, to + index[i] * run, width,
                    scalar::Add{});
        }
      });
    }};
  });
}

Values scatter_add_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  const int axis = scatter_axis(call.attrs, call.in[0].shape, call.in[1].shape);
  return {g.emit("gather", {grad, in[1]}, Attrs().set("axis", axis)), kNone};
}

}  // namespace

extern const Op op_gather{"gather", 2, 2, infer_gather, prepare_gather, gather_vjp};
extern const Op op_scatter_add{"scatter_add", 2, 2, infer_scatter_add, prepare_scatter_add,
                               scatter_add_vjp};

}  // namespace convnet
