// slice(x; begin, size, stride): along each axis the elements begin, begin + stride, ...;
// size of them, or (-1) all that there are, or (-1 - k) all but the tensor's last k.
// A negative begin counts from the end.
// Its adjoint is pad.
#include "../core/divide.h"
#include "build.h"
#include "check.h"
#include "copy.h"

namespace convnet {

namespace {

struct Range {
  Dim begin, size, stride;
};

Range checked_range(Dim extent, Dim begin, Dim size, Dim stride, int axis) {
  const auto fail = [&](const char* expected) {
    shape_error("A slice does not lie inside its tensor.", expected,
                "begin " + std::to_string(begin) + ", size " + std::to_string(size) + ", stride " +
                    std::to_string(stride) + " of " +
                    (extent == kUnknown ? "None" : std::to_string(extent)) + " along axis " +
                    std::to_string(axis) + " (counted from 0)");
  };
  if (stride < 1) fail("a stride of at least 1");
  if (extent == kUnknown) return {begin, std::max(size, kUnknown), stride};
  const Dim first = begin < 0 ? begin + extent : begin;
  const Dim end = size < 0 ? extent + 1 + size : extent;
  if (first < 0 || first > extent) fail("a begin inside the tensor");
  if (end < first) fail("an end after the begin");
  const Dim room = divide_up(end - first, stride);
  if (size > room) fail("an end inside the tensor");
  const Dim count = size < 0 ? room : size;
  return {first, count, count > 1 ? stride : 1};
}

std::vector<Range> checked_ranges(const Attrs& attrs, const Shape& shape) {
  const std::vector<Dim> begin = attrs.integers("begin"), size = attrs.integers("size");
  const std::vector<Dim> stride =
      attrs.has("stride") ? attrs.integers("stride") : std::vector<Dim>(shape.rank(), 1);
  require_per_axis(begin, "begin", shape.rank());
  require_per_axis(size, "size", shape.rank());
  require_per_axis(stride, "stride", shape.rank());
  std::vector<Range> ranges;
  for (int axis = 0; axis < shape.rank(); ++axis)
    ranges.push_back(checked_range(shape[axis], begin[axis], size[axis], stride[axis], axis));
  return ranges;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  TensorType out{in[0].dtype, {}};
  for (const Range& range : checked_ranges(attrs, in[0].shape)) out.shape.push_back(range.size);
  return out;
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const std::vector<Range> ranges = checked_ranges(call.attrs, shape);
  // Trailing axes that are taken whole make up one element; the axis before
  // them is the row; the others are walked through.
  int last = shape.rank() - 1;
  Dim element = 1;
  while (last >= 0 && ranges[last].size == shape[last]) element *= shape[last--];
  if (last < 0) last = 0;
  const Range row = shape.rank() ? ranges[last] : Range{0, 1, 1};
  if (shape.rank() && row.size == shape[last]) element /= std::max<Dim>(1, shape[last]);
  std::vector<Dim> extent, step;  // of the axes before, innermost first
  Dim n = element * (shape.rank() ? shape[last] : 1), rows = 1, start = row.begin * element;
  for (int axis = last - 1; axis >= 0; --axis) {
    extent.push_back(ranges[axis].size);
    step.push_back(n * ranges[axis].stride);
    start += n * ranges[axis].begin;
    rows *= ranges[axis].size;
    n *= shape[axis];
  }
  if (call.out.shape.size() == 0) return {[](const void* const*, void*, const RunContext&) {}};
  const Dim row_size = row.size * element, width = size_of(call.out.dtype);

  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]) + start;
      W* result = static_cast<W*>(out);
      if (rows == 1 && row.stride == 1) {
        copy_rows(reinterpret_cast<char*>(result), 0, reinterpret_cast<const char*>(x), 0,
                  row_size * width, 1);
        return;
      }
      parallel_ranges(rows, copy_time(row_size * width),
                      [&](Dim begin, Dim end) {
        for (Dim r = begin; r < end; ++r) {
          const W* from = x;
          Dim rest = r;
          for (size_t axis = 0; axis < extent.size(); ++axis) {
            from += rest % extent[axis] * step[axis];
            rest /= extent[axis];
          }
          W* to = result + r * row_size;
          if (row.stride == 1) {
            std::copy_n(from, row_size, to);
          } else if (element == 1) {
            for (Dim i = 0; i < row.size; ++i) to[i] = from[i * row.stride];
          } else {
            for (Dim i = 0; i < row.size; ++i)
              std::copy_n(from + i * row.stride * element, element, to + i * element);
          }
        }
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  const Shape& shape = call.in[0].shape;
  const std::vector<Range> ranges = checked_ranges(call.attrs, shape);
  std::vector<Dim> lo, hi, interior;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Range& range = ranges[axis];
    const Dim spanned = range.size ? (range.size - 1) * range.stride + 1 : 0;
    lo.push_back(range.begin);
    hi.push_back(shape[axis] - range.begin - spanned);
    interior.push_back(range.stride - 1);
  }
  return {g.emit("pad", {grad}, {{"lo", number_list(lo)},
                                 {"hi", number_list(hi)},
                                 {"interior", number_list(interior)}})};
}

}  // namespace

extern const Op op_slice{"slice", 1, 1, infer, prepare, vjp};

}  // namespace convnet
