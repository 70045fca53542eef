// Recurrences along an axis, reversal, random numbers.
#include "ops.h"

namespace {

Attrs along(Dim axis, bool reverse = false, double start = 0) {
  return {{"axis", one(static_cast<double>(axis))}, {"reverse", one(reverse)}, {"start", one(start)}};
}

Attrs drawing(const char* distribution, const std::vector<Dim>& shape, const char* dtype = "float64") {
  return {{"distribution", std::string(distribution)}, {"shape", list(shape)},
          {"dtype", std::string(dtype)}, {"stream", one(3)}};
}

OP_CASES(of_sequences) {
  return {
      {"recurrence", {real({2, 4, 3}), real({2, 4, 3})}, along(1)},
      {"recurrence", {real({4}), real({4})}, along(0, true)},
      {"recurrence", {tensor({2, 3}, {1.5, 0, -2, 0.5, 0, 0}), real({2, 3})}, along(-1, false, 1)},
      {"reverse", {real({2, 3, 4})}, {{"axes", list({0, -1})}}},
  };
}

}  // namespace

TEST(recurrence_values) {
  const TensorPtr ones = vec({1, 1, 1, 1}), x = vec({1, 2, 3, 4}), zeros = vec({0, 0, 0, 0});
  CHECK_EQ(values("recurrence", {ones, x}, along(0)), (Numbers{1, 3, 6, 10}));
  CHECK_EQ(values("recurrence", {ones, x}, along(0, true)), (Numbers{10, 9, 7, 4}));
  CHECK_EQ(values("recurrence", {x, zeros}, along(0, false, 1)), (Numbers{1, 2, 6, 24}));
  CHECK_EQ(values("recurrence", {x, x}, along(0)), (Numbers{1, 4, 15, 64}));
  CHECK_EQ(values("recurrence", {ints({3}, {1, 1, 1}), ints({3}, {2147483647, 1, 1})}, along(0)),
           (Numbers{2147483647, -2147483648.0, -2147483647}));
  CHECK_EQ(values("recurrence", {real({0, 2}), real({0, 2})}, along(0)), Numbers{});
}

TEST(recurrence_against_loops) {
  const Shape shape{3, 7, 70};
  for (int axis = 0; axis < 3; ++axis)
    for (bool reverse : {false, true}) {
      const TensorPtr a = real(shape), b = real(shape);
      const Numbers s = values("recurrence", {a, b}, along(axis, reverse, 0.5));
      const TensorPtr result = tensor(shape, s);
      each_index(shape, [&](const std::vector<Dim>& index) {
        std::vector<Dim> before = index;
        before[axis] += reverse ? 1 : -1;
        const bool first = before[axis] < 0 || before[axis] == shape[axis];
        CHECK_CLOSE(at(result, index), at(b, index) + at(a, index) * (first ? 0.5 : at(result, before)), 1e-13);
      });
    }
}

TEST(recurrence_errors) {
  CHECK_THROWS(inferred("recurrence", {f32({2, 3}), f32({2, 4})}, along(0)), "shape");
  CHECK_THROWS(inferred("recurrence", {f32({2, 3}), f32({2, 3})}, along(2)), "argument");
  CHECK_THROWS(inferred("recurrence", {f32({2, 3}), f64({2, 3})}, along(0)), "dtype");
  CHECK_EQ(inferred("recurrence", {f32({kUnknown, 3}), f32({2, kUnknown})}, along(0)), (Shape{2, 3}));
}

TEST(reverse_against_loops) {
  const Shape shape{3, 4, 2, 5};
  const TensorPtr x = real(shape);
  for (const std::vector<Dim>& axes : {std::vector<Dim>{}, {0}, {3}, {1, 2}, {-1, 0}, {0, 1, 2, 3}}) {
    const TensorPtr result = tensor(shape, values("reverse", {x}, {{"axes", list(axes)}}));
    each_index(shape, [&](const std::vector<Dim>& index) {
      std::vector<Dim> from = index;
      for (Dim axis : axes) {
        const int k = normalize_axis(axis, 4);
        from[k] = shape[k] - 1 - index[k];
      }
      CHECK_EQ(at(result, index), at(x, from));
    });
  }
  CHECK_EQ(values("reverse", {bools({3}, {1, 1, 0})}, {{"axes", list({0})}}), (Numbers{0, 1, 1}));
  CHECK_EQ(values("reverse", {real({0, 2})}, {{"axes", list({1})}}), Numbers{});
  CHECK_THROWS(inferred("reverse", {f32({2})}, {{"axes", list({1})}}), "argument");
}

TEST(random_distributions) {
  constexpr Dim n = 20000;
  struct Moments {
    const char* distribution;
    double mean, variance, low, high;
  };
  // The variance of a normal distribution cut off at +-2: 1 - 4 phi(2) / (Phi(2) - Phi(-2)).
  for (const Moments& m : {Moments{"uniform", 0.5, 1 / 12.0, 0, 1}, {"normal", 0, 1, -7, 7},
                           {"truncated_normal", 0, 0.774, -2, 2}})
    for (const char* dtype : {"float32", "float64"}) {
      const test::Context context(m.distribution);
      const Result x = run("random", {}, drawing(m.distribution, {n}, dtype));
      CHECK_EQ(x.type.dtype, dtype_from_name(dtype));
      double mean = 0, variance = 0, lag = 0;
      for (double v : x.values) mean += v / n;
      for (Dim i = 0; i < n; ++i) {
        variance += (x.values[i] - mean) * (x.values[i] - mean) / n;
        if (i) lag += (x.values[i] - mean) * (x.values[i - 1] - mean) / n;
      }
      CHECK_CLOSE(mean, m.mean, 0.03);
      CHECK_CLOSE(variance, m.variance, 0.03);
      CHECK_CLOSE(lag, 0, 0.03);
      CHECK(*std::min_element(x.values.begin(), x.values.end()) >= m.low);
      CHECK(*std::max_element(x.values.begin(), x.values.end()) <= m.high);
    }
}

TEST(random_streams) {
  for (const char* distribution : {"uniform", "normal", "truncated_normal"}) {
    const Attrs attrs = drawing(distribution, {3, 7});
    const auto drawn = [&](const Attrs& a, uint64_t key, uint32_t step) {
      return run("random", {}, a, key, step).values;
    };
    const Numbers x = drawn(attrs, 1, 2);
    CHECK_EQ(drawn(attrs, 1, 2), x);
    CHECK(drawn(attrs, 2, 2) != x);
    CHECK(drawn(attrs, 1, 3) != x);
    CHECK(drawn(Attrs(attrs).set("stream", 4), 1, 2) != x);
    const Attrs seeded = Attrs(attrs).set("seed", 5);
    CHECK_EQ(drawn(seeded, 1, 2), drawn(seeded, 9, 2));
    CHECK(drawn(Attrs(attrs).set("seed", 6), 1, 2) != drawn(seeded, 1, 2));
  }
  CHECK_THROWS(inferred("random", {}, drawing("cauchy", {2})), "argument");
  CHECK_THROWS(inferred("random", {}, drawing("normal", {2}, "int32")), "dtype");
  CHECK_THROWS(inferred("random", {}, drawing("normal", {2, -3})), "argument");
  CHECK_EQ(inferred("random", {}, drawing("normal", {kUnknown, 3})), (Shape{kUnknown, 3}));
}

TEST(sequences_do_not_depend_on_threads) {
  const TensorPtr big = real({30, 70, 90}, DType::f32);
  check_threads({{"recurrence", {big, big}, along(1)},
                 {"reverse", {big}, {{"axes", list({0, 2})}}},
                 {"random", {}, drawing("normal", {300, 171}, "float32")},
                 {"random", {}, drawing("truncated_normal", {300, 171})},
                 {"random", {}, drawing("uniform", {300, 171})}});
}
