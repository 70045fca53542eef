// fill_like(x; value): a tensor like x, all elements equal to value.
#include "elementwise.h"

namespace convnet {

namespace {

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  attrs.number("value");
  return in[0];
}

Prepared prepare(const OpCall& call) {
  const Dim n = call.out.shape.size();
  const double value = call.attrs.number("value");
  return dispatch_any(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    return {[=](const void* const*, void* out, const RunContext&) {
      parallel_ranges(n, kByteTime * sizeof(T), [&](Dim begin, Dim end) {
        std::fill(static_cast<T*>(out) + begin, static_cast<T*>(out) + end, convert<T>(value));
      });
    }};
  });
}

}  // namespace

extern const Op op_fill_like{"fill_like", 1, 1, infer, prepare, nullptr, true};

}  // namespace convnet
