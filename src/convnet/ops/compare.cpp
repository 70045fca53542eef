// Comparisons and logic: results are boolean, no gradient passes.
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

TensorType infer_compare(const Attrs&, const std::vector<TensorType>& in) {
  require_same_dtype(in[0], in[1]);
  return {DType::boolean, broadcast(in[0].shape, in[1].shape)};
}

TensorType infer_logical(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_dtype(in[0], DType::boolean);
  return infer_compare(attrs, in);
}

TensorType infer_logical_not(const Attrs&, const std::vector<TensorType>& in) {
  require_dtype(in[0], DType::boolean);
  return in[0];
}

struct Equal {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a == b; }
};
struct NotEqual {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a != b; }
};
struct Less {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a < b; }
};
struct LessEqual {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a <= b; }
};
struct Greater {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a > b; }
};
struct GreaterEqual {
  template <typename T>
  uint8_t operator()(T a, T b) const { return a >= b; }
};
struct And {
  uint8_t operator()(uint8_t a, uint8_t b) const { return a & b; }
};
struct Or {
  uint8_t operator()(uint8_t a, uint8_t b) const { return a | b; }
};
struct Not {
  uint8_t operator()(uint8_t a) const { return a ^ 1; }
};

template <typename F>
Prepared prepare_compare(const OpCall& call) {
  return dispatch_any(call.in[0].dtype, [&](auto tag) {
    return map_binary<decltype(tag), uint8_t>(call, F{});
  });
}

template <typename F>
Prepared prepare_logical(const OpCall& call) {
  return map_binary<uint8_t, uint8_t>(call, F{});
}

Prepared prepare_logical_not(const OpCall& call) { return map_unary<uint8_t, uint8_t>(call, Not{}); }

}  // namespace

extern const Op op_equal{"equal", 2, 2, infer_compare, prepare_compare<Equal>, nullptr, true, true};
extern const Op op_not_equal{"not_equal", 2, 2, infer_compare, prepare_compare<NotEqual>,
                             nullptr, true, true};
extern const Op op_less{"less", 2, 2, infer_compare, prepare_compare<Less>, nullptr, true, true};
extern const Op op_less_equal{"less_equal", 2, 2, infer_compare, prepare_compare<LessEqual>,
                              nullptr, true, true};
extern const Op op_greater{"greater", 2, 2, infer_compare, prepare_compare<Greater>, nullptr, true, true};
extern const Op op_greater_equal{"greater_equal", 2, 2, infer_compare,
                                 prepare_compare<GreaterEqual>, nullptr, true, true};
extern const Op op_logical_and{"logical_and", 2, 2, infer_logical, prepare_logical<And>,
                               nullptr, true, true};
extern const Op op_logical_or{"logical_or", 2, 2, infer_logical, prepare_logical<Or>,
                              nullptr, true, true};
extern const Op op_logical_not{"logical_not", 1, 1, infer_logical_not, prepare_logical_not,
                               nullptr, true, true};

}  // namespace convnet
