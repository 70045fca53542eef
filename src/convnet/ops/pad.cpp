// pad(x; lo, hi, interior, value): lo and hi elements before and after each axis,
// interior ones between any two elements. Its adjoint is slice.
#include "build.h"
#include "check.h"
#include "copy.h"
#include "elementwise.h"

namespace convnet {

namespace {

struct Padded {
  Dim lo, hi, interior;

  Dim extent(Dim n) const {
    if (n == kUnknown) return kUnknown;
    return lo + hi + (n ? (n - 1) * (interior + 1) + 1 : 0);
  }
  bool none() const { return lo == 0 && hi == 0 && interior == 0; }
};

std::vector<Padded> checked_padding(const Attrs& attrs, int rank) {
  const std::vector<Dim> lo = attrs.integers("lo"), hi = attrs.integers("hi");
  const std::vector<Dim> interior =
      attrs.has("interior") ? attrs.integers("interior") : std::vector<Dim>(rank, 0);
  require_per_axis(lo, "lo", rank);
  require_per_axis(hi, "hi", rank);
  require_per_axis(interior, "interior", rank);
  std::vector<Padded> padding;
  for (int axis = 0; axis < rank; ++axis) {
    if (std::min({lo[axis], hi[axis], interior[axis]}) < 0)
      argument_error("Padding cannot be negative.", "0 or more along each axis",
                     std::to_string(std::min({lo[axis], hi[axis], interior[axis]})));
    padding.push_back({lo[axis], hi[axis], interior[axis]});
  }
  return padding;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape& shape = in[0].shape;
  const std::vector<Padded> padding = checked_padding(attrs, shape.rank());
  TensorType out{in[0].dtype, {}};
  for (int axis = 0; axis < shape.rank(); ++axis)
    out.shape.push_back(padding[axis].extent(shape[axis]));
  return out;
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const std::vector<Padded> padding = checked_padding(call.attrs, shape.rank());
  // Trailing axes without padding make up one element; the axis before them is
  // the row; the others are walked through, and give a row of x or a row of padding.
  int last = shape.rank() - 1;
  Dim element = 1;
  while (last > 0 && padding[last].none()) element *= shape[last--];
  const Padded row = shape.rank() ? padding[last] : Padded{0, 0, 0};
  const Dim row_in = shape.rank() ? shape[last] : 1, row_out = row.extent(row_in);
  const std::vector<Padded> outer(padding.begin(), padding.begin() + std::max(last, 0));
  const Shape out_shape = call.out.shape;
  const Dim rows = out_shape.product(0, std::max(last, 0));
  const double value = call.attrs.number_or("value", 0);
  const Dim size = out_shape.size();

  return dispatch_any(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    return {[=](const void* const* in, void* out, const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      T* result = static_cast<T*>(out);
      const T fill = convert<T>(value);
      if (size == 0) return;
      parallel_ranges(rows, kElementTime * row_out * element,
                      [&](Dim begin, Dim end) {
        for (Dim r = begin; r < end; ++r) {
          T* to = result + r * row_out * element;
          Dim from = 0, rest = r, n = 1;
          bool inside = row_in > 0;
          for (int axis = last - 1; axis >= 0 && inside; --axis) {
            const Dim at = rest % out_shape[axis] - outer[axis].lo, gap = outer[axis].interior + 1;
            rest /= out_shape[axis];
            inside = at >= 0 && at % gap == 0 && at / gap < shape[axis];
            from += at / gap * n;
            n *= shape[axis];
          }
          if (!inside) {
            std::fill_n(to, row_out * element, fill);
            continue;
          }
          const T* start = x + from * row_in * element;
          to = std::fill_n(to, row.lo * element, fill);
          if (row.interior == 0) {
            to = std::copy_n(start, row_in * element, to);
          } else {
            for (Dim i = 0; i < row_in; ++i) {
              to = std::copy_n(start + i * element, element, to);
              if (i + 1 < row_in) to = std::fill_n(to, row.interior * element, fill);
            }
          }
          std::fill_n(to, row.hi * element, fill);
        }
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  const Shape& shape = call.in[0].shape;
  std::vector<Dim> begin, stride;
  for (const Padded& padded : checked_padding(call.attrs, shape.rank())) {
    begin.push_back(padded.lo);
    stride.push_back(padded.interior + 1);
  }
  return {g.emit("slice", {grad}, {{"begin", number_list(begin)},
                                   {"size", number_list(shape.dims())},
                                   {"stride", number_list(stride)}})};
}

}  // namespace

extern const Op op_pad{"pad", 1, 1, infer, prepare, vjp};

}  // namespace convnet
