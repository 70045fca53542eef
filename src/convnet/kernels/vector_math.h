#pragma once
#include <cstdint>

namespace convnet {

enum MathFunction {
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kTanh,
  kSigmoid,
  kSoftplus,
  kSqrt,
  kRsqrt,
  kRound,  // half to even
  kFloor,
  kMathFunctions
};

enum Arithmetic { kAdd, kSubtract, kMultiply, kDivide, kMaximum, kMinimum, kArithmetics };

// Functions of many values at once. What becomes of a value does not depend on
// its place: a range gives the same bits however it is split.
template <typename T>
struct VectorMath {
  using Unary = void (*)(const T* x, T* out, int64_t n);
  using Binary = void (*)(const T* a, const T* b, T* out, int64_t n);

  // out[i] = f(x[i]); x may be out. Arguments outside of a function's domain
  // give NaN, and the results that IEEE 754 asks of infinities, zeros and NaN.
  Unary unary[kMathFunctions];
  // out[i] = f(a[i], b[i]), [.][1] with the one value *b, [.][2] with the one
  // value *a; a or b may be out. A maximum or minimum with NaN is NaN.
  Binary binary[kArithmetics][3];
  // out[i] = x[i], alpha x[i] (0 where alpha is) if it is negative; alpha (exp(x[i]) - 1) if
  // it is. NaN stays. x may be out.
  void (*relu)(const T* x, T alpha, T* out, int64_t n);
  void (*elu)(const T* x, T alpha, T* out, int64_t n);
  // out[i] = x[i] where gate[i] is positive, elsewhere alpha x[i] (0 where alpha is). Both may
  // be out.
  void (*relu_gate)(const T* gate, const T* x, T alpha, T* out, int64_t n);
  // out = exp(x) / sum(exp(x)) of each of `lines` lines of n values, x may be out,
  void (*softmax_lines)(const T* x, T* out, int64_t lines, int64_t n);
  // and of `count` lines side by side, whose values are `step` apart.
  void (*softmax_columns)(const T* x, T* out, int64_t n, int64_t step, int64_t count);
};

// The functions for detail::isa(). Instances: float, double.
template <typename T>
const VectorMath<T>& vector_math();

}  // namespace convnet
