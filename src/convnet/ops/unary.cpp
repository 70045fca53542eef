#include "build.h"
#include "check.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

TensorType infer_any(const Attrs&, const std::vector<TensorType>& in) { return in[0]; }

TensorType infer_number(const Attrs&, const std::vector<TensorType>& in) {
  require_number(in[0]);
  return in[0];
}

TensorType infer_float(const Attrs&, const std::vector<TensorType>& in) {
  require_float(in[0]);
  return in[0];
}

template <typename F>
Prepared prepare_number(const OpCall& call) {
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return map_unary<T, T>(call, F{}, F::weight);
  });
}

template <typename F>
Prepared prepare_float(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return map_unary<T, T>(call, F{}, F::weight);
  });
}

template <MathFunction function, Dim weight>
Prepared prepare_math(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto tag) {
    return map_unary<decltype(tag)>(call, function, weight);
  });
}

Values negative_vjp(Emitter& g, const OpCall&, const Values&, Value, Value grad) {
  return {negative(g, grad)};
}

Values abs_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {multiply(g, grad, g.emit("sign", {in[0]}))};
}

Values exp_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  return {multiply(g, grad, out)};
}

Values expm1_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  return {multiply(g, grad, offset(g, out, 1))};
}

Values log_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {divide(g, grad, in[0])};
}

Values log1p_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {divide(g, grad, offset(g, in[0], 1))};
}

Values sqrt_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  return {divide(g, scale(g, grad, 0.5), out)};
}

// d x^(-1/2) = -1/2 x^(-3/2)
Values rsqrt_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  const Value cube = multiply(g, out, g.emit("square", {out}));
  return {multiply(g, grad, scale(g, cube, -0.5))};
}

Values square_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {multiply(g, grad, scale(g, in[0], 2))};
}

Values sin_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {multiply(g, grad, g.emit("cos", {in[0]}))};
}

Values cos_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {negative(g, multiply(g, grad, g.emit("sin", {in[0]})))};
}

// d atan(x) = dx / (1 + x^2)
Values atan_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {divide(g, grad, offset(g, g.emit("square", {in[0]}), 1))};
}

// d erf(x) = 2 / sqrt(pi) exp(-x^2) dx
Values erf_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  const Value density = g.emit("exp", {negative(g, g.emit("square", {in[0]}))});
  return {multiply(g, grad, scale(g, density, 1.1283791670955126))};
}

Value one_minus(Emitter& g, Value x) {
  return subtract(g, g.scalar(1, g.type(x).dtype), x);
}

Values tanh_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  return {multiply(g, grad, one_minus(g, g.emit("square", {out})))};
}

Values sigmoid_vjp(Emitter& g, const OpCall&, const Values&, Value out, Value grad) {
  return {multiply(g, grad, multiply(g, out, one_minus(g, out)))};
}

Values softplus_vjp(Emitter& g, const OpCall&, const Values& in, Value, Value grad) {
  return {multiply(g, grad, g.emit("sigmoid", {in[0]}))};
}

// Slope for negative values of relu and its gate, scale of elu. The sign of results is that of
// the inputs, so that gradients look at results, and nobody keeps the inputs.
double alpha_of(const Attrs& attrs) { return attrs.number_or("alpha", 0); }

void check_alpha(const Attrs& attrs, const TensorType& type) {
  if (!attrs.has("alpha")) return;
  require_float(type);
  const double alpha = alpha_of(attrs);
  if (!(alpha >= 0 && std::isfinite(alpha)))
    argument_error("`alpha` has to keep the sign.", "a number from 0 on", std::to_string(alpha));
}

TensorType infer_relu(const Attrs& attrs, const std::vector<TensorType>& in) {
  check_alpha(attrs, in[0]);
  return infer_number(attrs, in);
}

template <typename T, typename F>
Prepared map_with_alpha(const OpCall& call, F f, Dim weight) {
  const T alpha = static_cast<T>(alpha_of(call.attrs));
  return map_unary_runs<T, T>(
      call, [alpha, f](const T* x, T* out, Dim n) { f(x, alpha, out, n); }, weight);
}

Prepared prepare_relu(const OpCall& call) {
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>) {
      return map_with_alpha<T>(call, vector_math<T>().relu, scalar::Relu::weight);
    } else {
      return map_unary<T, T>(call, scalar::Relu{}, scalar::Relu::weight);
    }
  });
}

Values relu_vjp(Emitter& g, const OpCall& call, const Values&, Value out, Value grad) {
  return {g.emit("relu_gate", {out, grad}, call.attrs)};
}

TensorType infer_elu(const Attrs& attrs, const std::vector<TensorType>& in) {
  check_alpha(attrs, in[0]);
  return infer_float(attrs, in);
}

Prepared prepare_elu(const OpCall& call) {
  return dispatch_float(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    return map_with_alpha<T>(call, vector_math<T>().elu, 4);
  });
}

// d alpha (exp(x) - 1) = alpha exp(x) dx = (y + alpha) dx
Values elu_vjp(Emitter& g, const OpCall& call, const Values&, Value out, Value grad) {
  const Value positive = g.emit("greater", {out, g.scalar(0, call.out.dtype)});
  const Value slope = offset(g, out, alpha_of(call.attrs));
  return {select(g, positive, grad, multiply(g, grad, slope))};
}

TensorType infer_relu_gate(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_number(in[0]);
  check_alpha(attrs, in[0]);
  require_same_dtype(in[0], in[1]);
  if (!may_equal(in[0].shape, in[1].shape))
    shape_error("A gate and what passes it have different shapes.", in[0].shape.to_string(),
                in[1].shape.to_string());
  return {in[0].dtype, broadcast(in[0].shape, in[1].shape)};
}

template <typename T>
struct Gate {
  T alpha;
  T operator()(T x, T g) const { return x > 0 ? g : alpha == 0 ? T(0) : alpha * g; }
};

Prepared prepare_relu_gate(const OpCall& call) {
  return dispatch_number(call.out.dtype, [&](auto tag) {
    using T = decltype(tag);
    const Gate<T> gate{static_cast<T>(alpha_of(call.attrs))};
    if constexpr (std::is_floating_point_v<T>) {
      return map_binary_runs<T, T>(
          call,
          [gate, f = vector_math<T>().relu_gate](const T* x, bool x_varies, const T* g, bool g_varies,
                                                 T* out, Dim n) {
            if (x_varies && g_varies) f(x, g, gate.alpha, out, n);
            else map_run(x, x_varies, g, g_varies, out, n, gate);
          },
          1);
    } else {
      return map_binary<T, T>(call, gate);
    }
  });
}

// The derivative of the gate with respect to x is 0 wherever it exists.
Values relu_gate_vjp(Emitter& g, const OpCall& call, const Values& in, Value, Value grad) {
  return {kNone, g.emit("relu_gate", {in[0], grad}, call.attrs)};
}

Values identity_vjp(Emitter&, const OpCall&, const Values&, Value, Value grad) { return {grad}; }

}  // namespace

extern const Op op_negative{"negative", 1, 1, infer_number, prepare_number<scalar::Negative>,
                            negative_vjp, true, true};
extern const Op op_abs{"abs", 1, 1, infer_number, prepare_number<scalar::Abs>, abs_vjp, true, true};
// sign, round and floor are constant between jumps: no gradient passes.
extern const Op op_sign{"sign", 1, 1, infer_number, prepare_number<scalar::Sign>, nullptr, true, true};
extern const Op op_round{"round", 1, 1, infer_float, prepare_math<kRound, 1>, nullptr, true, true};
extern const Op op_floor{"floor", 1, 1, infer_float, prepare_math<kFloor, 1>, nullptr, true, true};
extern const Op op_exp{"exp", 1, 1, infer_float, prepare_math<kExp, 4>, exp_vjp, true, true};
extern const Op op_expm1{"expm1", 1, 1, infer_float, prepare_math<kExpm1, 4>, expm1_vjp, true, true};
extern const Op op_log{"log", 1, 1, infer_float, prepare_math<kLog, 4>, log_vjp, true, true};
extern const Op op_log1p{"log1p", 1, 1, infer_float, prepare_math<kLog1p, 8>, log1p_vjp, true, true};
extern const Op op_sqrt{"sqrt", 1, 1, infer_float, prepare_math<kSqrt, 2>, sqrt_vjp, true, true};
extern const Op op_rsqrt{"rsqrt", 1, 1, infer_float, prepare_math<kRsqrt, 2>, rsqrt_vjp, true, true};
extern const Op op_square{"square", 1, 1, infer_number, prepare_number<scalar::Square>,
                          square_vjp, true, true};
extern const Op op_sin{"sin", 1, 1, infer_float, prepare_float<scalar::Sin>, sin_vjp, true, true};
extern const Op op_cos{"cos", 1, 1, infer_float, prepare_float<scalar::Cos>, cos_vjp, true, true};
extern const Op op_atan{"atan", 1, 1, infer_float, prepare_float<scalar::Atan>, atan_vjp, true, true};
extern const Op op_erf{"erf", 1, 1, infer_float, prepare_float<scalar::Erf>, erf_vjp, true, true};
extern const Op op_tanh{"tanh", 1, 1, infer_float, prepare_math<kTanh, 4>, tanh_vjp, true, true};
extern const Op op_sigmoid{"sigmoid", 1, 1, infer_float, prepare_math<kSigmoid, 4>, sigmoid_vjp, true, true};
extern const Op op_softplus{"softplus", 1, 1, infer_float, prepare_math<kSoftplus, 8>,
                            softplus_vjp, true, true};
extern const Op op_relu{"relu", 1, 1, infer_relu, prepare_relu, relu_vjp, true, true};
extern const Op op_elu{"elu", 1, 1, infer_elu, prepare_elu, elu_vjp, true, true};
extern const Op op_relu_gate{"relu_gate", 2, 2, infer_relu_gate, prepare_relu_gate, relu_gate_vjp, true, true};
extern const Op op_identity{"identity", 1, 1, infer_any, nullptr, identity_vjp};
extern const Op op_stop_gradient{"stop_gradient", 1, 1, infer_any, nullptr, nullptr};

}  // namespace convnet
