// Fast paths of what is no convolution.
#include "kernels.h"
#include "kernels/random.h"
#include "ops/ref/matmul.h"
#include "ops/ref/max_pool.h"

namespace convnet {
extern const Op op_matmul, op_max_pool, op_max_pool_scatter, op_max_pool_gather,
    op_batch_normalization, op_dropout, op_softmax, op_select;
}

using namespace convnet;

TEST(kernels_isa_override) {
  const std::vector<std::string> names = available_isas();
  CHECK(!names.empty());
  for (const std::string& name : names) {
    set_isa(name);
    CHECK(name == isa_name());
  }
  set_isa("auto");
  CHECK(names.front() == isa_name());
  CHECK_THROWS(set_isa("abacus"), "argument");
}

namespace {

template <typename T>
void test_matmul() {
  struct Case {
    Dim batch, m, n, k;
  };
  const Case cases[] = {{1, 1, 1, 1},   {1, 7, 33, 5},   {1, 13, 10, 129}, {3, 5, 3, 40},
                        {1, 1, 70, 37}, {1, 97, 1, 400}, {1, 101, 65, 30}, {2, 6, 16, 1},
                        {1, 3, 2, 770}, {1, 4, 6, 0},    {1, 20, 5, 3000},
                        {1, 1, 300, 500}, {1, 3, 71, 900}, {2, 4, 33, 17}, {1, 4, 290, 4}};
  for_each_isa([&] {
    for (const Case& c : cases)
      for (bool ta : {false, true})
        for (bool tb : {false, true}) {
          const auto a = random_values<T>(c.batch * c.m * c.k, 1);
          const auto b = random_values<T>(c.batch * c.k * c.n, 2);
          const Attrs attrs = Attrs().set("transpose_a", ta).set("transpose_b", tb);
          const OpCall call = make_call<T>(
              op_matmul, attrs,
              {ta ? Shape{c.batch, c.k, c.m} : Shape{c.batch, c.m, c.k},
               tb ? Shape{c.batch, c.n, c.k} : Shape{c.batch, c.k, c.n}});
          std::vector<T> expected(c.batch * c.m * c.n);
          for (Dim i = 0; i < c.batch; ++i)
            ref::matmul(c.m, c.n, c.k, ta, tb, a.data() + i * c.m * c.k, b.data() + i * c.k * c.n,
                        expected.data() + i * c.m * c.n);
          const auto compute = [&] { return run<T>(op_matmul, call, {a.data(), b.data()}); };
          const test::Context context(std::string(isa_name()) + " " + std::to_string(c.m) + " x " + std::to_string(c.n) + " x " +
                                      std::to_string(c.k));
          CHECK(all_close(compute(), expected, tolerance<T>(c.k)));
          check_same_at_any_thread_count(compute);
          check_ends<T>(op_matmul, attrs, {call.in[0].shape, call.in[1].shape},
                        {a.data(), b.data()});
        }
  });
}

}  // namespace

TEST(kernels_matmul_f32) { test_matmul<float>(); }
TEST(kernels_matmul_f64) { test_matmul<double>(); }

namespace {

struct PoolCase {
  Shape x;
  std::vector<Dim> pool, strides;
  const char* padding;
};

template <typename T>
void test_max_pool() {
  const PoolCase cases[] = {{{2, 9, 5}, {2}, {2}, "valid"},
                            {{1, 7, 8, 37}, {3, 2}, {2, 1}, "same"},
                            {{3, 6, 6, 1}, {3, 3}, {1, 1}, "same"},
                            {{2, 5, 6, 4, 3}, {2, 3, 2}, {3, 2, 1}, "same"},
                            {{1, 3, 3, 2}, {3, 3}, {4, 4}, "valid"},
                            {{2, 6, 9, 133}, {2, 3}, {2, 3}, "valid"},
                            {{2, 7, 10, 16}, {2, 3}, {2, 3}, "same"},
                            {{2, 2, 11, 21}, {1, 2}, {1, 3}, "valid"},
                            {{1, 5, 5, 4}, {2, 2}, {4, 4}, "same"}};
  for (const PoolCase& c : cases)
    for (bool special : {false, true}) for_each_isa([&] {
      const test::Context context(std::string(isa_name()) + ", " + c.x.to_string());
      const Attrs attrs{{"pool", number_list(c.pool)},
                        {"strides", number_list(c.strides)},
                        {"padding", std::string(c.padding)}};
      const OpCall pool = make_call<T>(op_max_pool, attrs, {c.x});
      const OpCall scatter = make_call<T>(op_max_pool_scatter, attrs, {c.x, pool.out.shape});
      const OpCall gather = make_call<T>(op_max_pool_gather, attrs, {c.x, c.x});
      Windows windows;
      for (size_t a = 0; a < c.pool.size(); ++a)
        windows.push_back(pool_window(c.x[static_cast<int>(a) + 1], c.pool[a], c.strides[a],
                                      padding_from_name(c.padding), "axis"));
      auto x = random_values<T>(c.x.size(), 1);
      for (T& value : x) value = std::round(value * 4);  // ties
      if (special) {
        for (size_t i = 0; i < x.size(); i += 5) x[i] = std::numeric_limits<T>::quiet_NaN();
        for (size_t i = 0; i < x.size() / 4; ++i) x[i] = -std::numeric_limits<T>::infinity();
      }
      const auto v = random_values<T>(c.x.size(), 2);
      const auto g = random_values<T>(pool.out.shape.size(), 3);
      std::vector<T> pooled(g.size()), scattered(x.size()), gathered(g.size());
      ref::max_pool(c.x[0], c.x.back(), windows, x.data(), pooled.data());
      ref::max_pool_scatter(c.x[0], c.x.back(), windows, x.data(), g.data(), scattered.data());
      ref::max_pool_gather(c.x[0], c.x.back(), windows, x.data(), v.data(), gathered.data());
      CHECK(all_close(run<T>(op_max_pool, pool, {x.data()}), pooled, 0));
      CHECK(all_close(run<T>(op_max_pool_scatter, scatter, {x.data(), g.data()}), scattered,
                      tolerance<T>(9)));
      CHECK(all_close(run<T>(op_max_pool_gather, gather, {x.data(), v.data()}), gathered, 0));
      check_same_at_any_thread_count(
          [&] { return run<T>(op_max_pool_scatter, scatter, {x.data(), g.data()}); });
    });
}

template <typename T>
void test_batch_normalization() {
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{50, 37, 41}, Shape{1, 1}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const Dim C = shape[axis], inner = shape.product(axis + 1, shape.rank());
      const auto x = random_values<T>(shape.size(), 1), mean = random_values<T>(C, 2),
                 gamma = random_values<T>(C, 4), beta = random_values<T>(C, 5);
      auto variance = random_values<T>(C, 3);
      for (T& value : variance) value *= value;
      const OpCall call = make_call<T>(
          op_batch_normalization, Attrs().set("axis", double(axis)).set("epsilon", 0.001),
          {shape, Shape{C}, Shape{C}, Shape{C}, Shape{C}});
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim c = i / inner % C;
        expected[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + T(0.001)) * gamma[c] + beta[c];
      }
      const auto compute = [&] {
        return run<T>(op_batch_normalization, call,
                      {x.data(), mean.data(), variance.data(), gamma.data(), beta.data()});
      };
      CHECK(all_close(compute(), expected, 10 * tolerance<T>(1)));
      check_same_at_any_thread_count(compute);
    }
}

template <typename T>
void test_softmax() {
  for (const Shape& shape : {Shape{3, 10}, Shape{70, 5, 33}, Shape{4}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      auto x = random_values<T>(shape.size(), 1);
      for (T& value : x) value *= 500;
      const OpCall call = make_call<T>(op_softmax, Attrs().set("axis", double(axis)), {shape});
      const Dim n = shape[axis], inner = shape.product(axis + 1, shape.rank());
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim first = i / inner / n * n * inner + i % inner;
        double sum = 0;
        for (Dim j = 0; j < n; ++j) sum += std::exp(double(x[first + j * inner]) - double(x[i]));
        expected[i] = static_cast<T>(1 / sum);
      }
      const auto compute = [&] { return run<T>(op_softmax, call, {x.data()}); };
      CHECK(all_close(compute(), expected, 10 * tolerance<T>(n)));
      check_same_at_any_thread_count(compute);
    }
}

// Operands that vary by element, by row or not at all; what is not taken may be no number.
template <typename T>
void test_select() {
  const Shape out{5, 3, 67};
  const Shape shapes[] = {out, Shape{3, 67}, Shape{5, 1, 67}, Shape{5, 3, 1}, Shape{67}, Shape{3, 1}, Shape{}};
  const auto index = [&](const Shape& shape, Dim i) {
    const Dim at[] = {i / 67 / 3, i / 67 % 3, i % 67};
    Dim place = 0;
    for (int axis = 0; axis < shape.rank(); ++axis)
      place = place * shape[axis] + (shape[axis] == 1 ? 0 : at[3 - shape.rank() + axis]);
    return place;
  };
  for (const Shape& condition : shapes)
    for (const Shape& left : shapes)
      for (const Shape& right : shapes) {
        OpCall call;
        call.in = {{DType::boolean, condition}, {dtype_of<T>(), left}, {dtype_of<T>(), right}};
        call.out = infer_type(op_select, {}, call.in);
        if (!(call.out.shape == out)) continue;
        const test::Context context(condition.to_string() + left.to_string() + right.to_string());
        std::vector<uint8_t> holds(condition.size());
        for (size_t i = 0; i < holds.size(); ++i) holds[i] = i % 3 == 1 || i % 7 == 2;
        auto a = random_values<T>(left.size(), 1), b = random_values<T>(right.size(), 2);
        for (size_t i = 0; i < a.size(); i += 4) a[i] = std::numeric_limits<T>::quiet_NaN();
        for (size_t i = 0; i < b.size(); i += 5) b[i] = -std::numeric_limits<T>::infinity();
        std::vector<T> expected(out.size());
        for (Dim i = 0; i < out.size(); ++i)
          expected[i] = holds[index(condition, i)] ? a[index(left, i)] : b[index(right, i)];
        const auto compute = [&] {
          return run<T>(op_select, call, {reinterpret_cast<const T*>(holds.data()), a.data(), b.data()});
        };
        CHECK(all_close(compute(), expected, 0));
        check_same_at_any_thread_count(compute);
      }
}

}  // namespace

TEST(kernels_max_pool_f32) { test_max_pool<float>(); }
TEST(kernels_max_pool_f64) { test_max_pool<double>(); }
TEST(kernels_batch_normalization_f32) { test_batch_normalization<float>(); }
TEST(kernels_batch_normalization_f64) { test_batch_normalization<double>(); }
TEST(kernels_softmax_f32) { test_softmax<float>(); }
TEST(kernels_softmax_f64) { test_softmax<double>(); }

TEST(kernels_select_f32) { test_select<float>(); }
TEST(kernels_select_f64) { test_select<double>(); }

TEST(kernels_random_words) {
  const Philox random(0x123456789abcdef0, 0xfedcba98, 77);
  for_each_isa([&] {
    const test::Context context(isa_name());
    bool same = true;
    for (int64_t blocks = 0; blocks < 37; ++blocks)
      for (uint64_t first : {uint64_t(0), uint64_t(3), uint64_t(0xfffffff9)}) {
        std::vector<uint32_t> words(4 * blocks + 2, 0x5a5a5a5a);
        random_words(random, first, blocks, words.data() + 1);
        for (int64_t i = 0; i < 4 * blocks; ++i)
          same = same && words[i + 1] == random.block(first + i / 4)[i % 4];
        same = same && words.front() == 0x5a5a5a5a && words.back() == 0x5a5a5a5a;
      }
    CHECK(same);
  });
}

namespace {

template <typename T>
void test_dropout_not_finite() {
  const Shape shape{3, 5, 7, 11};
  std::vector<T> x = random_values<T>(shape.size(), 1);
  const T special[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()};
  for (size_t i = 0; i < x.size(); i += 3) x[i] = special[i % 2];
  for (bool shared : {false, true})
    for_each_isa([&] {
      const test::Context context(isa_name());
      Attrs attrs = Attrs().set("rate", 0.3).set("stream", 5.0);
      if (shared) attrs.set("noise_shape", number_list({3, 1, 1, 11}));
      const auto y = run<T>(op_dropout, make_call<T>(op_dropout, attrs, {shape}), {x.data()},
                            {9, 2, nullptr});
      const Philox random(9, 5, 2);
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim at = shared ? i / 385 * 11 + i % 11 : i;
        const bool keep = uniform_unit(random.block(at / 4)[at % 4]) >= 0.3f;
        expected[i] = keep ? x[i] * static_cast<T>(1 / 0.7) : T(0);
      }
      CHECK(all_close(y, expected, 0));
    });
}

}  // namespace

TEST(kernels_dropout_not_finite_f32) { test_dropout_not_finite<float>(); }
TEST(kernels_dropout_not_finite_f64) { test_dropout_not_finite<double>(); }

TEST(kernels_dropout) {
  const Shape shape{30, 40, 7};
  const Attrs attrs = Attrs().set("rate", 0.25).set("stream", 5.0);
  const std::vector<float> ones(shape.size(), 1.0f);
  const OpCall call = make_call<float>(op_dropout, attrs, {shape});
  const auto drop = [&](const OpCall& c, RunContext context) {
    return run<float>(op_dropout, c, {ones.data()}, context);
  };
  const auto mask = drop(call, {9, 2, nullptr});
  const Philox random(9, 5, 2);
  double kept = 0;
  bool expected = true;
  for (Dim i = 0; i < shape.size(); ++i) {
    const bool keep = uniform_unit(random.block(i / 4)[i % 4]) >= 0.25f;
    expected = expected && mask[i] == (keep ? 1 / 0.75f : 0);
    kept += keep;
  }
  CHECK(expected);
  CHECK_CLOSE(kept / shape.size(), 0.75, 0.02);
  CHECK(!same_bits(mask, drop(call, {9, 3, nullptr})));
  CHECK(!same_bits(mask, drop(call, {8, 2, nullptr})));
  check_same_at_any_thread_count([&] { return drop(call, {9, 2, nullptr}); });

  // A seed takes the place of the key.
  const OpCall seeded = make_call<float>(op_dropout, Attrs(attrs).set("seed", 3.0), {shape});
  CHECK(same_bits(drop(seeded, {9, 2, nullptr}), drop(seeded, {8, 2, nullptr})));

  // One draw for all of an axis.
  const OpCall shared = make_call<float>(
      op_dropout, Attrs(attrs).set("noise_shape", number_list({-1, 1, 7})), {shape});
  const auto rows = drop(shared, {9, 2, nullptr});
  bool equal = true, varies = false;
  for (Dim n = 0; n < 30; ++n)
    for (Dim i = 0; i < 40 * 7; ++i) {
      equal = equal && rows[n * 280 + i] == rows[n * 280 + i % 7];
      varies = varies || rows[n * 280 + i] != rows[i];
    }
  CHECK(equal && varies);

  for (double rate : {0.0, 1.0}) {
    const auto all = drop(make_call<float>(op_dropout, Attrs(attrs).set("rate", rate), {shape}),
                          {9, 2, nullptr});
    CHECK(std::all_of(all.begin(), all.end(), [&](float v) { return v == 1 - rate; }));
  }
  CHECK_THROWS(make_call<float>(op_dropout, Attrs(attrs).set("rate", 1.5), {shape}), "argument");
}
