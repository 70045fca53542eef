// argmax(x; axis): position of the first largest element along an axis; NaN is
// larger than all numbers.
#include "../core/divide.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  const Shape& shape = in[0].shape;
  const int axis = normalize_axis(attrs.integer("axis"), shape.rank());
  if (shape[axis] == 0)
    shape_error("The largest of no elements does not exist.",
                "at least one element along the axis", shape.to_string());
  TensorType out{DType::i32, {}};
  for (int i = 0; i < shape.rank(); ++i)
    if (i != axis) out.shape.push_back(shape[i]);
  return out;
}

template <typename T>
bool beats(T x, T best) {
  if constexpr (std::is_integral_v<T>) return x > best;
  else return x > best || (x != x && best == best);
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const int axis = normalize_axis(call.attrs.integer("axis"), shape.rank());
  const Dim outer = shape.product(0, axis), n = shape[axis];
  const Dim inner = shape.product(axis + 1, shape.rank());
  constexpr Dim kTile = 256;  // columns searched side by side
  const Dim tiles = divide_up(inner, kTile);
  const Dim cost = n * std::min(inner, kTile) + 1;
  return dispatch_any(call.in[0].dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    return {[=](const void* const* in, void* out, const RunContext&) {
      const T* x = static_cast<const T*>(in[0]);
      int32_t* result = static_cast<int32_t*>(out);
      parallel_ranges(outer * tiles, kElementTime * cost, [&](Dim begin, Dim end) {
        for (Dim unit = begin; unit < end; ++unit) {
          const Dim first = unit % tiles * kTile, width = std::min(kTile, inner - first);
          const T* row = x + unit / tiles * n * inner + first;
          int32_t* winner = result + unit / tiles * inner + first;
          T best[kTile];
          std::copy_n(row, width, best);
          std::fill_n(winner, width, 0);
          for (Dim i = 1; i < n; ++i) {
            row += inner;
            for (Dim c = 0; c < width; ++c)
              if (beats(row[c], best[c])) {
                best[c] = row[c];
                winner[c] = static_cast<int32_t>(i);
              }
          }
        }
      });
    }};
  });
}

}  // namespace

extern const Op op_argmax{"argmax", 1, 1, infer, prepare, nullptr};

}  // namespace convnet
