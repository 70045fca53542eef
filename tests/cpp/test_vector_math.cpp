// Functions of many values, on every instruction set of this machine, against
// long double arithmetic.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "each_isa.h"
#include "core/rng.h"
#include "kernels/vector_math.h"
#include "test.h"

using namespace convnet;

namespace {

using Exact = long double;

struct Function {
  MathFunction id;
  const char* name;
  Exact (*exact)(Exact);
  double ulps[2];  // allowed in float and double
};

const Function kFunctions[] = {
    {kExp, "exp", [](Exact x) { return std::exp(x); }, {1, 1}},
    {kExpm1, "expm1", [](Exact x) { return std::expm1(x); }, {2, 2}},
    {kLog, "log", [](Exact x) { return std::log(x); }, {1, 1}},
    {kLog1p, "log1p", [](Exact x) { return std::log1p(x); }, {1, 1}},
    {kTanh, "tanh", [](Exact x) { return std::tanh(x); }, {2.5, 2.5}},
    {kSigmoid, "sigmoid",
     [](Exact x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); },
     {2.5, 2.5}},
    {kSoftplus, "softplus",
     [](Exact x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }, {2, 2}},
    {kSqrt, "sqrt", [](Exact x) { return std::sqrt(x); }, {0.5001, 0.5001}},
    {kRsqrt, "rsqrt", [](Exact x) { return 1 / std::sqrt(x); }, {1.5, 1.5}},
    {kRound, "round", [](Exact x) { return std::nearbyint(x); }, {0, 0}},
    {kFloor, "floor", [](Exact x) { return std::floor(x); }, {0, 0}},
};

template <typename T>
T from_bits(uint64_t bits) {
  T value;
  if constexpr (sizeof(T) == 4) {
    const uint32_t low = static_cast<uint32_t>(bits);
    std::memcpy(&value, &low, 4);
  } else {
    std::memcpy(&value, &bits, 8);
  }
  return value;
}

// Distance of y from the exact value in units of its last place; 1e9 where one is
// NaN, infinite or of another sign and the other is not.
template <typename T>
double ulps(T y, Exact exact) {
  using Limits = std::numeric_limits<T>;
  const T nearest = static_cast<T>(exact);
  if (std::isnan(y) || std::isnan(nearest)) return std::isnan(y) && std::isnan(nearest) ? 0 : 1e9;
  if (std::signbit(y) != std::signbit(nearest)) return 1e9;
  if (y == nearest && (std::isinf(y) || y == 0)) return 0;
  const Exact most = Limits::max();
  const Exact nearly = most * (1 - 2 * Exact(Limits::epsilon()));
  if (std::isinf(y)) return std::fabs(exact) > nearly ? 1 : 1e9;
  if (std::isinf(nearest)) return std::fabs(y) >= nearly ? 1 : 1e9;
  int exponent = 0;
  std::frexp(nearest, &exponent);
  exponent = std::max(exponent, Limits::min_exponent);
  return static_cast<double>(
      std::fabs(Exact(y) - exact) / std::ldexp(Exact(1), exponent - Limits::digits));
}

template <typename T>
std::vector<T> sweep() {
  constexpr int kCount = 30000;
  std::vector<T> x;
  const Philox random(11, 0, 0);
  const auto uniform = [&](int i, int k) { return uniform_unit(random.block(i)[k]); };
  for (int i = 0; i < kCount; ++i) {
    const auto& block = random.block(kCount + i);
    x.push_back(from_bits<T>(uint64_t(block[0]) << 32 | block[1]));  // any number at all
    if (sizeof(T) == 4) x.back() = from_bits<T>(block[0]);
    x.push_back(static_cast<T>(220 * uniform(i, 0) - 110));
    x.push_back(static_cast<T>(1560 * uniform(i, 1) - 780));
    x.push_back(static_cast<T>(4 * uniform(i, 2) - 2));
    x.push_back(static_cast<T>(1 + 1e-3 * (uniform(i, 3) - 0.5)));
  }
  // The neighbours of places where something changes.
  using Limits = std::numeric_limits<T>;
  for (double at : {0.0, 0.5, 1.0, 1.5, 2.0, 2.5, -0.5, -1.0, -1.5, 0.34657359, 0.70710678, 1.41421356,
                    0.41421356, -0.29289322, 9.0, 10.0, 17.4, 20.0, 40.0, 87.34, 88.0, 88.7228, 89.0,
                    -87.34, -88.7228, -103.28, -103.97, -104.5, 708.4, 709.78, 710.0, -708.4, -709.78,
                    -744.44, -745.13, -746.0, 8388608.0, 4194304.0, 4503599627370496.0,
                    2251799813685248.0, double(Limits::min()), double(Limits::denorm_min()),
                    double(Limits::max()), 0x1p-25, 0x1p-54}) {
    T up = static_cast<T>(at), down = up;
    for (int i = 0; i < 40; ++i) {
      for (T value : {up, down, -up, -down}) x.push_back(value);
      up = std::nextafter(up, Limits::infinity());
      down = std::nextafter(down, -Limits::infinity());
    }
  }
  for (T value : {Limits::infinity(), Limits::quiet_NaN(), T(0)}) {
    x.push_back(value);
    x.push_back(-value);
  }
  return x;
}

template <typename T>
void test_accuracy() {
  const std::vector<T> x = sweep<T>();
  std::vector<T> y(x.size());
  for (const Function& f : kFunctions) {
    std::vector<Exact> exact(x.size());
    for (size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(x[i]);
    for_each_isa([&] {
      vector_math<T>().unary[f.id](x.data(), y.data(), static_cast<int64_t>(x.size()));
      size_t worst = 0;
      double most = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y[i], exact[i]);
        if (error > most) most = error, worst = i;
      }
      // Where long double is double, the expected value is rounded as well.
      const bool wide = std::numeric_limits<Exact>::digits > std::numeric_limits<T>::digits;
      const double allowed = f.ulps[sizeof(T) == 8] + (wide || f.ulps[0] == 0 ? 0 : 1);
      const test::Context context(std::string(isa_name()) + ", " + f.name + "(" +
                                  test::show(x[worst]) + ") = " + test::show(y[worst]) + ", off by " +
                                  test::show(most));
      CHECK(most <= allowed);
    });
  }
}

template <typename T>
bool same_bits(const T* a, const T* b, size_t n) {
  return std::memcmp(a, b, n * sizeof(T)) == 0;
}

// A value becomes the same wherever it stands, and nothing else is written.
template <typename T>
void test_splits() {
  constexpr int64_t n = 83, kOffsets = 17;
  const std::vector<T> some = sweep<T>();
  const T canary = T(-12345.5);
  for (const Function& f : kFunctions) {
    for_each_isa([&] {
      const test::Context context(std::string(isa_name()) + ", " + f.name);
      const auto run = vector_math<T>().unary[f.id];
      std::vector<T> x(n + kOffsets), whole(n);
      for (int64_t i = 0; i < n; ++i) whole[i] = some[some.size() - 1 - i * 37];
      const std::vector<T> in = whole;
      run(in.data(), whole.data(), n);
      bool same = true;
      for (int64_t split = 0; split <= n; ++split) {
        std::vector<T> out(n);
        run(in.data(), out.data(), split);
        run(in.data() + split, out.data() + split, n - split);
        same = same && same_bits(out.data(), whole.data(), n);
      }
      for (int64_t offset = 0; offset < kOffsets; ++offset) {
        std::fill(x.begin(), x.end(), canary);
        std::copy(in.begin(), in.end(), x.begin() + offset);
        run(x.data() + offset, x.data() + offset, n);  // in place
        same = same && same_bits(x.data() + offset, whole.data(), n);
        for (int64_t i = 0; i < kOffsets; ++i)
          same = same && x[i < offset ? i : n + i] == canary;
      }
      for (int64_t i = 0; i < n; ++i) {
        T one;
        run(&in[i], &one, 1);
        same = same && same_bits(&one, &whole[i], 1);
      }
      CHECK(same);
    });
  }
}

template <typename T>
bool equal(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

template <typename T>
void test_arithmetic() {
  struct Case {
    Arithmetic id;
    const char* name;
    T (*exact)(T, T);
  };
  const Case cases[] = {
      {kAdd, "add", [](T a, T b) { return a + b; }},
      {kSubtract, "subtract", [](T a, T b) { return a - b; }},
      {kMultiply, "multiply", [](T a, T b) { return a * b; }},
      {kDivide, "divide", [](T a, T b) { return a / b; }},
      {kMaximum, "maximum", [](T a, T b) { return a != a || a > b ? a : b; }},
      {kMinimum, "minimum", [](T a, T b) { return a != a || a < b ? a : b; }},
  };
  const std::vector<T> some = sweep<T>();
  const std::vector<T> special(some.end() - 200, some.end());
  std::vector<T> a, b;
  for (size_t i = 0; i < special.size(); ++i)
    for (size_t k = 0; k < 7; ++k) {
      a.push_back(special[i]);
      b.push_back(special[(i * 31 + k * 53) % special.size()]);
    }
  for (const Case& f : cases) {
    for_each_isa([&] {
      const test::Context context(std::string(isa_name()) + ", " + f.name);
      bool same = true;
      for (int64_t n = 1; n <= 1400; n = n < 40 ? n + 1 : n * 2 + 1)
        for (int one = 0; one < 3; ++one) {
          const int64_t from = (n * 97) % (static_cast<int64_t>(a.size()) - n);
          std::vector<T> out(n + 1, T(-12345.5));
          vector_math<T>().binary[f.id][one](&a[from], &b[from], out.data(), n);
          for (int64_t i = 0; i < n; ++i)
            same = same && equal(out[i], f.exact(a[one == 2 ? from : from + i],
                                                 b[one == 1 ? from : from + i]));
          same = same && out[n] == T(-12345.5);
        }
      CHECK(same);
    });
  }
}

template <typename T>
void test_softmax() {
  const Philox random(5, 0, 0);
  for (int64_t n : {1, 2, 3, 7, 10, 16, 33, 64, 100, 1000, 2500})
    for (int64_t lines : {1, 2, 5, 16, 37}) {
      std::vector<T> x(n * lines);
      for (size_t i = 0; i < x.size(); ++i) x[i] = T(20 * uniform_unit(random.block(i)[0]) - 10);
      if (lines == 5) {  // one large value, NaN, infinities, all equal
        x[0] = 1000;
        x[n + n / 2] = std::numeric_limits<T>::quiet_NaN();
        x[2 * n] = std::numeric_limits<T>::infinity();
        if (n > 1) x[3 * n] = -std::numeric_limits<T>::infinity();
        std::fill_n(&x[4 * n], n, T(1000));
      }
      std::vector<Exact> exact(x.size());
      for (int64_t line = 0; line < lines; ++line) {
        const T* from = &x[line * n];
        const Exact most = *std::max_element(from, from + n);
        Exact sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += exact[line * n + i] = std::exp(from[i] - most);
        for (int64_t i = 0; i < n; ++i) exact[line * n + i] /= sum;
      }
      for_each_isa([&] {
        const test::Context context(std::string(isa_name()) + ", " + test::show(lines) + " of " +
                                    test::show(n));
        const VectorMath<T>& math = vector_math<T>();
        std::vector<T> y(x.size());
        math.softmax_lines(x.data(), y.data(), lines, n);
        bool close = true, same = true;
        for (size_t i = 0; i < x.size(); ++i) {
          // Differences to the maximum are rounded; so is the sum, n times.
          const Exact allowed = (30 + n / 4) * Exact(std::numeric_limits<T>::epsilon()) * exact[i];
          close = close && (std::isnan(exact[i]) ? std::isnan(y[i])
                                                 : std::fabs(Exact(y[i]) - exact[i]) <=
                                                       allowed + std::numeric_limits<T>::min());
        }
        CHECK(close);
        // Line by line, and in place.
        std::vector<T> z = x;
        for (int64_t line = 0; line < lines; ++line)
          math.softmax_lines(&z[line * n], &z[line * n], 1, n);
        same = same && same_bits(y.data(), z.data(), y.size());
        // Lines side by side: the same at every split.
        std::vector<T> turned(x.size()), all(x.size());
        for (int64_t line = 0; line < lines; ++line)
          for (int64_t i = 0; i < n; ++i) turned[i * lines + line] = x[line * n + i];
        math.softmax_columns(turned.data(), all.data(), n, lines, lines);
        close = true;
        for (int64_t line = 0; line < lines; ++line)
          for (int64_t i = 0; i < n; ++i) {
            const T a = all[i * lines + line], b = y[line * n + i];
            close = close && (equal(a, b) ||
                              std::fabs(a - b) <= (10 + n / 4) * std::numeric_limits<T>::epsilon() * b);
          }
        CHECK(close);
        for (int64_t split = 0; split <= lines; ++split) {
          z = turned;
          if (split > 0) math.softmax_columns(z.data(), z.data(), n, lines, split);
          if (split < lines) math.softmax_columns(&z[split], &z[split], n, lines, lines - split);
          same = same && same_bits(all.data(), z.data(), z.size());
        }
        CHECK(same);
      });
    }
}

}  // namespace

TEST(vector_math_accuracy_f32) { test_accuracy<float>(); }
TEST(vector_math_accuracy_f64) { test_accuracy<double>(); }
TEST(vector_math_splits_f32) { test_splits<float>(); }
TEST(vector_math_splits_f64) { test_splits<double>(); }
TEST(vector_math_arithmetic_f32) { test_arithmetic<float>(); }
TEST(vector_math_arithmetic_f64) { test_arithmetic<double>(); }
TEST(vector_math_softmax_f32) { test_softmax<float>(); }
TEST(vector_math_softmax_f64) { test_softmax<double>(); }
