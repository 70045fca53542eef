// select(condition, a, b): a where the condition holds, else b; all three broadcast.
#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

TensorType infer(const Attrs&, const std::vector<TensorType>& in) {
  require_dtype(in[0], DType::boolean);
  require_same_dtype(in[1], in[2]);
  return {in[1].dtype, broadcast(in[0].shape, broadcast(in[1].shape, in[2].shape))};
}

// An operand that does not vary is one value. Both are read whichever is taken:
// a loop that loads under a condition is not vectorised.
template <typename T>
void select_run(const uint8_t* condition, const T* a, Dim a_step, const T* b, Dim b_step, T* out,
                Dim n) {
  if (a_step && b_step) {
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) {
      const T value = a[i], other = b[i];
      out[i] = condition[i] ? value : other;
    }
  } else if (a_step) {
    const T other = *b;
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) {
      const T value = a[i];
      out[i] = condition[i] ? value : other;
    }
  } else if (b_step) {
    const T value = *a;
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) {
      const T other = b[i];
      out[i] = condition[i] ? value : other;
    }
  } else {
    const T value = *a, other = *b;
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) out[i] = condition[i] ? value : other;
  }
}

Prepared prepare(const OpCall& call) {
  const Alignment<3> aligned(call.out.shape,
                             {call.in[0].shape, call.in[1].shape, call.in[2].shape});
  return dispatch_any(call.out.dtype, [&](auto tag) -> Prepared {
    using T = decltype(tag);
    const bool condition_varies = aligned.varies(0), a_varies = aligned.varies(1),
               b_varies = aligned.varies(2);
    const auto run = [=](const uint8_t* condition, const T* a, const T* b, T* out, Dim count) {
      if (condition_varies) return select_run(condition, a, a_varies, b, b_varies, out, count);
      const T* from = *condition ? a : b;
      if (!(*condition ? a_varies : b_varies)) std::fill_n(out, count, T(*from));
      else std::copy_n(from, count, out);
    };
    Prepared prepared;
    prepared.run = [=](const void* const* in, void* out, const RunContext&) {
      const uint8_t* condition = static_cast<const uint8_t*>(in[0]);
      const T *a = static_cast<const T*>(in[1]), *b = static_cast<const T*>(in[2]);
      T* result = static_cast<T*>(out);
      parallel_ranges(aligned.size, kElementTime, [&](Dim begin, Dim end) {
        aligned.runs(begin, end, [&](Dim at, const std::array<Dim, 3>& start, Dim count) {
          run(condition + start[0], a + start[1], b + start[2], result + at, count);
        });
      });
    };
    if (aligned.rank == 1)
      prepared.mapping = {[run](const void* const* in, void* out, Dim count) {
                            run(static_cast<const uint8_t*>(in[0]), static_cast<const T*>(in[1]),
                                static_cast<const T*>(in[2]), static_cast<T*>(out), count);
                          },
                          kElementTime};
    return prepared;
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value,
                       Value grad) {
  const Value zero = g.scalar(0, call.out.dtype);
  return {kNone, sum_to(g, select(g, in[0], grad, zero), call.in[1].shape),
          sum_to(g, select(g, in[0], zero, grad), call.in[2].shape)};
}

}  // namespace

extern const Op op_select{"select", 3, 3, infer, prepare, vjp, true, true};

}  // namespace convnet
