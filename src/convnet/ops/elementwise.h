#pragma once
// Loops over tensors element by element, and the functions they apply.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "../core/simd.h"
#include "../core/threads.h"
#include "../kernels/vector_math.h"
#include "op.h"

namespace convnet {

// How the operands of a broadcasting operation line up with its result. Axes
// along which all operands do the same are merged, so that equal shapes have one
// axis, and [.., C] with [C] two.
template <int N>
struct Alignment {
  int rank = 0;
  Dim size = 1;
  std::array<Dim, kMaxRank> extent{};
  std::array<std::array<Dim, kMaxRank>, N> stride{};  // in elements; 0 where broadcast

  Alignment(const Shape& out, const std::array<Shape, N>& in) {
    std::array<std::array<bool, N>, kMaxRank> spans{};
    for (int axis = 0; axis < out.rank(); ++axis) {
      size *= out[axis];
      if (out[axis] == 1) continue;
      std::array<bool, N> here;
      for (int k = 0; k < N; ++k) {
        const int own = axis - (out.rank() - in[k].rank());
        here[k] = own >= 0 && in[k][own] != 1;
      }
      if (rank > 0 && spans[rank - 1] == here) {
        extent[rank - 1] *= out[axis];
      } else {
        extent[rank] = out[axis];
        spans[rank++] = here;
      }
    }
    if (rank == 0) {
      extent[0] = 1;
      spans[0].fill(true);
      rank = 1;
    }
    for (int k = 0; k < N; ++k) {
      Dim step = 1;
      for (int axis = rank - 1; axis >= 0; --axis)
        if (spans[axis][k]) {
          stride[k][axis] = step;
          step *= extent[axis];
        }
    }
  }

  // Whether operand k moves along the innermost axis (then by one element).
  bool varies(int k) const { return stride[k][rank - 1] != 0; }

  // Calls f(position in the result, positions in the operands, count) for the
  // innermost runs that make up the elements [begin, end) of the result.
  template <typename F>
  void runs(Dim begin, Dim end, F&& f) const {
    const Dim inner = extent[rank - 1];
    Dim column = begin % inner, row = begin / inner;
    std::array<Dim, kMaxRank> index{};
    std::array<Dim, N> at{};
    for (int axis = rank - 2; axis >= 0; --axis) {
      index[axis] = row % extent[axis];
      row /= extent[axis];
      for (int k = 0; k < N; ++k) at[k] += index[axis] * stride[k][axis];
    }
    while (begin < end) {
      const Dim count = std::min(inner - column, end - begin);
      std::array<Dim, N> start = at;
      for (int k = 0; k < N; ++k) start[k] += column * stride[k][rank - 1];
      f(begin, start, count);
      begin += count;
      column = 0;
      for (int axis = rank - 2; axis >= 0; --axis) {
        for (int k = 0; k < N; ++k) at[k] += stride[k][axis];
        if (++index[axis] < extent[axis]) break;
        index[axis] = 0;
        for (int k = 0; k < N; ++k) at[k] -= extent[axis] * stride[k][axis];
      }
    }
  }
};

// out[i] = f(x[i]). x may be out.
template <typename T, typename R, typename F>
void map_run(const T* x, R* out, Dim n, F f) {
  CONVNET_SIMD
  for (Dim i = 0; i < n; ++i) out[i] = f(x[i]);
}

// out[i] = f(a[i], b[i]); an operand that does not vary is one value. a or b may be out.
template <typename T, typename R, typename F>
void map_run(const T* a, bool a_varies, const T* b, bool b_varies, R* out, Dim n, F f) {
  if (a_varies && b_varies) {
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
  } else if (a_varies) {
    const T scalar = *b;
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) out[i] = f(a[i], scalar);
  } else if (b_varies) {
    const T scalar = *a;
    CONVNET_SIMD
    for (Dim i = 0; i < n; ++i) out[i] = f(scalar, b[i]);
  } else {
    std::fill_n(out, n, static_cast<R>(f(*a, *b)));
  }
}

// run(x, result, count) for any stretch of the values.
template <typename T, typename R, typename Run>
Prepared map_unary_runs(const OpCall& call, Run run, Dim weight) {
  const Dim n = call.out.shape.size();
  const double time = kElementTime * weight;
  return {[=](const void* const* in, void* out, const RunContext&) {
            const T* x = static_cast<const T*>(in[0]);
            R* result = static_cast<R*>(out);
            parallel_ranges(n, time, [&](Dim begin, Dim end) {
              run(x + begin, result + begin, end - begin);
            });
          },
          0,
          {},
          {[=](const void* const* in, void* out, Dim count) {
             run(static_cast<const T*>(in[0]), static_cast<R*>(out), count);
           },
           time}};
}

template <typename T, typename R, typename F>
Prepared map_unary(const OpCall& call, F f, Dim weight = 1) {
  return map_unary_runs<T, R>(
      call, [f](const T* x, R* out, Dim n) { map_run(x, out, n, f); }, weight);
}

// Calls run(a, a_varies, b, b_varies, result, count) for the innermost runs: an
// operand that does not vary is one value.
template <typename T, typename R, typename Run>
Prepared map_binary_runs(const OpCall& call, Run run, Dim weight) {
  const Alignment<2> aligned(call.out.shape, {call.in[0].shape, call.in[1].shape});
  // A short vector along the last axis, [rows, C] with [C], is repeated to a
  // longer one: a loop of C iterations would be mostly overhead.
  constexpr Dim kTile = 512;
  const Dim inner = aligned.extent[aligned.rank - 1];
  int repeated = -1;
  if (aligned.rank == 2 && inner <= kTile / 8 && aligned.varies(0) && aligned.varies(1))
    for (int k = 0; k < 2; ++k)
      if (aligned.stride[k][0] == 0) repeated = k;
  const double time = kElementTime * weight;
  Prepared prepared;
  prepared.run = [=](const void* const* in, void* out, const RunContext&) {
    const std::array<const T*, 2> from{static_cast<const T*>(in[0]), static_cast<const T*>(in[1])};
    R* result = static_cast<R*>(out);
    if (repeated >= 0) {
      const Dim period = kTile / inner * inner;
      T tile[kTile];
      for (Dim i = 0; i < period; ++i) tile[i] = from[repeated][i % inner];
      parallel_ranges(aligned.size, time, [&](Dim begin, Dim end) {
        for (Dim at = begin; at < end; at += period) {
          std::array<const T*, 2> x{from[0] + at, from[1] + at};
          x[repeated] = tile;
          run(x[0], true, x[1], true, result + at, std::min(period, end - at));
        }
      }, period);
      return;
    }
    parallel_ranges(aligned.size, time, [&](Dim begin, Dim end) {
      aligned.runs(begin, end, [&](Dim at, const std::array<Dim, 2>& start, Dim count) {
        run(from[0] + start[0], aligned.varies(0), from[1] + start[1], aligned.varies(1),
            result + at, count);
      });
    });
  };
  if (aligned.rank == 1)
    prepared.mapping = {[run, a = aligned.varies(0), b = aligned.varies(1)](
                            const void* const* in, void* out, Dim count) {
                          run(static_cast<const T*>(in[0]), a, static_cast<const T*>(in[1]), b,
                              static_cast<R*>(out), count);
                        },
                        time};
  return prepared;
}

template <typename T, typename R, typename F>
Prepared map_binary(const OpCall& call, F f, Dim weight = 1) {
  return map_binary_runs<T, R>(
      call,
      [f](const T* a, bool a_varies, const T* b, bool b_varies, R* out, Dim n) {
        map_run(a, a_varies, b, b_varies, out, n, f);
      },
      weight);
}

// The same with functions of kernels/vector_math.h.
template <typename T>
Prepared map_unary(const OpCall& call, MathFunction function, Dim weight) {
  return map_unary_runs<T, T>(call, vector_math<T>().unary[function], weight);
}

template <typename T>
Prepared map_binary(const OpCall& call, Arithmetic function, Dim weight) {
  const auto& f = vector_math<T>().binary[function];
  return map_binary_runs<T, T>(
      call,
      [&f](const T* a, bool a_varies, const T* b, bool b_varies, T* out, Dim n) {
        if (a_varies) {
          f[b_varies ? 0 : 1](a, b, out, n);
        } else if (b_varies) {
          f[2](a, b, out, n);
        } else if (n > 0) {
          f[0](a, b, out, 1);
          std::fill_n(out + 1, n - 1, *out);
        }
      },
      weight);
}

// The conversion of C++ made total: what does not fit becomes the nearest value
// that does, and NaN becomes 0.
template <typename R, typename T>
R convert(T x) {
  if constexpr (std::is_same_v<R, uint8_t>) {
    return x != 0;
  } else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<R>) {
    constexpr T low = static_cast<T>(std::numeric_limits<R>::min());
    if (!(x == x)) return 0;
    if (x <= low) return std::numeric_limits<R>::min();
    if (x >= -low) return std::numeric_limits<R>::max();
    return static_cast<R>(x);
  } else {
    return static_cast<R>(x);
  }
}

// Functions of one value at a time; int32 arithmetic wraps around.
namespace scalar {

template <typename T>
constexpr bool is_integer = std::is_integral_v<T>;
template <typename T>
uint32_t bits(T x) {
  return static_cast<uint32_t>(x);
}

struct Negative {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T x) const {
    if constexpr (is_integer<T>) return static_cast<T>(0u - bits(x));
    else return -x;
  }
};
struct Abs {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T x) const {
    if constexpr (is_integer<T>) return x < 0 ? static_cast<T>(0u - bits(x)) : x;
    else return std::fabs(x);
  }
};
struct Sign {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T x) const {
    return x > 0 ? T(1) : x < 0 ? T(-1) : x;  // keeps NaN and -0
  }
};
struct Square {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T x) const {
    if constexpr (is_integer<T>) return static_cast<T>(bits(x) * bits(x));
    else return x * x;
  }
};
struct Relu {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T x) const {
    return x < 0 ? T(0) : x;  // NaN stays
  }
};
struct Sin {
  static constexpr Dim weight = 8;
  template <typename T>
  T operator()(T x) const {
    return std::sin(x);
  }
};
struct Cos {
  static constexpr Dim weight = 8;
  template <typename T>
  T operator()(T x) const {
    return std::cos(x);
  }
};
struct Atan {
  static constexpr Dim weight = 8;
  template <typename T>
  T operator()(T x) const {
    return std::atan(x);
  }
};
struct Erf {
  static constexpr Dim weight = 16;
  template <typename T>
  T operator()(T x) const {
    return std::erf(x);
  }
};

struct Add {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (is_integer<T>) return static_cast<T>(bits(a) + bits(b));
    else return a + b;
  }
};
struct Subtract {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (is_integer<T>) return static_cast<T>(bits(a) - bits(b));
    else return a - b;
  }
};
struct Multiply {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (is_integer<T>) return static_cast<T>(bits(a) * bits(b));
    else return a * b;
  }
};
// The larger one; NaN when either is.
struct Maximum {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T a, T b) const {
    const T extreme = a > b ? a : b;
    return a == a ? extreme : a;
  }
};
struct Minimum {
  static constexpr Dim weight = 1;
  template <typename T>
  T operator()(T a, T b) const {
    const T extreme = a < b ? a : b;
    return a == a ? extreme : a;
  }
};
struct Power {
  static constexpr Dim weight = 16;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (is_integer<T>) {
      if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
      uint32_t result = 1, base = bits(a);
      for (uint32_t e = bits(b); e; e >>= 1, base *= base)
        if (e & 1) result *= base;
      return static_cast<T>(result);
    } else {
      return b == 1 ? a : b == 2 ? a * a : std::pow(a, b);
    }
  }
};

}  // namespace scalar
}  // namespace convnet
