// Arithmetic of two tensors with NumPy's broadcasting.
#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

TensorType infer_number(const Attrs&, const std::vector<TensorType>& in) {
  require_number(in[0]);
  require_same_dtype(in[0], in[1]);
  return {in[0].dtype, broadcast(in[0].shape, in[1].shape)};
}

TensorType infer_float(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return infer_number(attrs, in);
}

template <Arithmetic function, typename F>
Prepared prepare_number(const OpCall& call) {
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) return map_binary<T>(call, function, 1);
    else return map_binary<T, T>(call, F{}, F::weight);
  });
}

Prepared prepare_divide(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto tag) {
    return map_binary<decltype(tag)>(call, kDivide, 2);
  });
}

Prepared prepare_power(const OpCall& call) {
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return map_binary<T, T>(call, scalar::Power{}, scalar::Power::weight);
  });
}

Value to_input(Emitter& g, Value grad, const OpCall& call, int i) {
  return sum_to(g, grad, call.in[i].shape);
}

Values add_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {to_input(g, grad, call, 0), to_input(g, grad, call, 1)};
}

Values subtract_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {to_input(g, grad, call, 0), negative(g, to_input(g, grad, call, 1))};
}

Values multiply_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  return {to_input(g, multiply(g, grad, in[1]), call, 0),
          to_input(g, multiply(g, grad, in[0]), call, 1)};
}

// d (a / b) = da / b - (a / b) db / b
Values divide_vjp(Emitter& g, const OpCall& call, const Values& in, Value out, Value grad) {
  const Value by_a = divide(g, grad, in[1]);
  return {to_input(g, by_a, call, 0), negative(g, to_input(g, multiply(g, by_a, out), call, 1))};
}

// The winner receives the gradient; equals share it.
Values extremum_vjp(Emitter& g, const OpCall& call, const Values& in, Value grad,
                    const char* a_wins, const char* b_wins) {
  const Value equal = g.emit("equal", in);
  const Value half = select(g, equal, scale(g, grad, 0.5), g.scalar(0, call.out.dtype));
  return {to_input(g, select(g, g.emit(a_wins, in), grad, half), call, 0),
          to_input(g, select(g, g.emit(b_wins, in), grad, half), call, 1)};
}

Values maximum_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  return extremum_vjp(g, call, in, grad, "greater", "less");
}

Values minimum_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  return extremum_vjp(g, call, in, grad, "less", "greater");
}

// d (x^y) = y x^(y-1) dx + x^y log(x) dy, where the first is 0 for x = y = 0, and
// the second 0 for x <= 0.
Values power_vjp(Emitter& g, const OpCall& call, const Values& in, Value out, Value grad) {
  const DType dtype = call.out.dtype;
  const Value x = in[0], y = in[1];
  const Value zero = g.scalar(0, dtype), one = g.scalar(1, dtype);
  const Value both_zero = g.emit(
      "logical_and", {g.emit("equal", {x, zero}), g.emit("equal", {y, zero})});
  const Value lower = select(g, both_zero, one, offset(g, y, -1));
  const Value by_x = multiply(g, multiply(g, grad, y), g.emit("power", {x, lower}));
  const Value positive = g.emit("greater", {x, zero});
  const Value log_x = g.emit("log", {select(g, positive, x, one)});
  const Value by_y = select(g, positive, multiply(g, multiply(g, grad, out), log_x), zero);
  return {to_input(g, by_x, call, 0), to_input(g, by_y, call, 1)};
}

}  // namespace

extern const Op op_add{"add", 2, 2, infer_number, prepare_number<kAdd, scalar::Add>, add_vjp, true, true};
extern const Op op_subtract{"subtract", 2, 2, infer_number, prepare_number<kSubtract,
                            scalar::Subtract>, subtract_vjp, true, true};
extern const Op op_multiply{"multiply", 2, 2, infer_number, prepare_number<kMultiply,
                            scalar::Multiply>, multiply_vjp, true, true};
extern const Op op_divide{"divide", 2, 2, infer_float, prepare_divide, divide_vjp, true, true};
extern const Op op_maximum{"maximum", 2, 2, infer_number, prepare_number<kMaximum,
                           scalar::Maximum>, maximum_vjp, true, true};
extern const Op op_minimum{"minimum", 2, 2, infer_number, prepare_number<kMinimum,
                           scalar::Minimum>, minimum_vjp, true, true};
extern const Op op_power{"power", 2, 2, infer_number, prepare_power, power_vjp, true, true};

}  // namespace convnet
