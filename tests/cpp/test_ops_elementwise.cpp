// Operations that work element by element: values against those of C++, edge cases, errors.
#include "ops.h"

TEST(unary_values) {
  const TensorPtr x = vec({-2, -0.5, 0, 0.5, 2});
  const auto check = [&](const char* op, double (*f)(double)) {
    for (DType dtype : {DType::f64, DType::f32}) {
      const test::Context context(op);
      const Numbers in = {-0.75, -0.5, 0, 0.25, 2, 17};
      Numbers expected;
      for (double v : in) expected.push_back(f(v));
      CHECK_CLOSE(values(op, {vec(in, dtype)}), expected, dtype == DType::f64 ? 1e-15 : 1e-6);
    }
  };
  check("negative", [](double v) { return -v; });
  check("abs", [](double v) { return std::fabs(v); });
  check("exp", [](double v) { return std::exp(v); });
  check("expm1", [](double v) { return std::expm1(v); });
  check("log", [](double v) { return std::log(v); });
  check("log1p", [](double v) { return std::log1p(v); });
  check("sqrt", [](double v) { return std::sqrt(v); });
  check("rsqrt", [](double v) { return 1 / std::sqrt(v); });
  check("square", [](double v) { return v * v; });
  check("sin", [](double v) { return std::sin(v); });
  check("cos", [](double v) { return std::cos(v); });
  check("atan", [](double v) { return std::atan(v); });
  check("erf", [](double v) { return std::erf(v); });
  check("tanh", [](double v) { return std::tanh(v); });
  check("sigmoid", [](double v) { return 1 / (1 + std::exp(-v)); });
  check("softplus", [](double v) { return std::log1p(std::exp(v)); });
  check("floor", [](double v) { return std::floor(v); });
  check("identity", [](double v) { return v; });
  check("stop_gradient", [](double v) { return v; });
  CHECK_EQ(values("sign", {x}), (Numbers{-1, -1, 0, 1, 1}));
  CHECK_EQ(values("relu", {x}), (Numbers{0, 0, 0, 0.5, 2}));
  CHECK_EQ(values("round", {vec({-1.5, -0.5, 0.5, 1.5, 2.5, 2.6})}), (Numbers{-2, 0, 0, 2, 2, 3}));
  CHECK_EQ(values("relu_gate", {x, vec({1, 2, 3, 4, 5})}), (Numbers{0, 0, 0, 4, 5}));
}

TEST(unary_extremes) {
  const TensorPtr x = vec({kNaN, kInf, -kInf, 1000, -1000});
  CHECK_CLOSE(values("relu", {x}), (Numbers{kNaN, kInf, 0, 1000, 0}), 0);
  CHECK_CLOSE(values("sigmoid", {x}), (Numbers{kNaN, 1, 0, 1, 0}), 0);
  CHECK_CLOSE(values("softplus", {x}), (Numbers{kNaN, kInf, 0, 1000, 0}), 0);
  CHECK_CLOSE(values("tanh", {x}), (Numbers{kNaN, 1, -1, 1, -1}), 0);
  CHECK_CLOSE(values("sign", {x}), (Numbers{kNaN, 1, -1, 1, -1}), 0);
  CHECK_CLOSE(values("sigmoid", {vec({100, -100}, DType::f32)}), (Numbers{1, 0}), 1e-30);
  CHECK_EQ(values("negative", {ints({2}, {5, -2147483648.0})}), (Numbers{-5, -2147483648.0}));
  CHECK_EQ(values("abs", {ints({2}, {-5, 3})}), (Numbers{5, 3}));
  CHECK_EQ(values("square", {ints({2}, {-5, 3})}), (Numbers{25, 9}));
  CHECK_EQ(values("sign", {ints({3}, {-5, 0, 3})}), (Numbers{-1, 0, 1}));
  CHECK_THROWS(inferred("exp", {i32({2})}), "dtype");
  CHECK_THROWS(inferred("negative", {boolean({2})}), "dtype");
  CHECK_THROWS(inferred("relu_gate", {f32({2}), f32({3})}), "shape");
}

// On as many values as fill vectors and leave some; NaN stays, and infinity times no slope is 0.
TEST(activations_with_alpha) {
  const Attrs slope{{"alpha", number_list(0.5)}};
  for (DType dtype : {DType::f32, DType::f64}) {
    Numbers in, leaky, gated, exponential;
    for (int i = 0; i < 37; ++i) {
      const double v = (i - 18) / 4.0;
      in.push_back(v);
      leaky.push_back(v < 0 ? 0.5 * v : v);
      gated.push_back(v > 0 ? v * v : 0.5 * v * v);
      exponential.push_back(v > 0 ? v : 0.5 * std::expm1(v));
    }
    const TensorPtr x = vec(in, dtype);
    CHECK_EQ(values("relu", {x}, slope), leaky);
    CHECK_EQ(values("relu_gate", {x, vec(values("square", {x}), dtype)}, slope), gated);
    CHECK_CLOSE(values("elu", {x}, slope), exponential, dtype == DType::f32 ? 1e-6 : 1e-14);
    const TensorPtr extremes = vec({kNaN, kInf, -kInf}, dtype), ones = vec({-1, -1, 1}, dtype);
    CHECK_CLOSE(values("relu", {extremes}, slope), (Numbers{kNaN, kInf, -kInf}), 0);
    CHECK_CLOSE(values("elu", {extremes}, slope), (Numbers{kNaN, kInf, -0.5}), 0);
    CHECK_CLOSE(values("relu_gate", {extremes, extremes}), (Numbers{0, kInf, 0}), 0);
    CHECK_CLOSE(values("relu_gate", {ones, extremes}, slope), (Numbers{kNaN, kInf, -kInf}), 0);
  }
  for (double alpha : {-0.1, kNaN, kInf})
    for (const char* op : {"relu", "elu"})
      CHECK_THROWS(inferred(op, {f32({2})}, {{"alpha", number_list(alpha)}}), "argument");
  CHECK_THROWS(inferred("relu", {i32({2})}, slope), "dtype");
}

TEST(binary_values) {
  const TensorPtr a = tensor({2, 3}, {1, 2, 3, 4, 5, 6}), b = vec({10, 20, 30});
  const TensorPtr column = tensor({2, 1}, {1, 2});
  CHECK_EQ(values("add", {a, b}), (Numbers{11, 22, 33, 14, 25, 36}));
  CHECK_EQ(values("add", {b, a}), (Numbers{11, 22, 33, 14, 25, 36}));
  CHECK_EQ(values("subtract", {a, column}), (Numbers{0, 1, 2, 2, 3, 4}));
  CHECK_EQ(values("multiply", {column, b}), (Numbers{10, 20, 30, 20, 40, 60}));
  CHECK_EQ(values("divide", {tensor({}, {12}), a}), (Numbers{12, 6, 4, 3, 2.4, 2}));
  CHECK_EQ(values("power", {a, tensor({}, {2})}), (Numbers{1, 4, 9, 16, 25, 36}));
  CHECK_EQ(values("power", {vec({2, 0, -2, -8}), vec({0.5, 0, 3, 2})}),
           (Numbers{std::sqrt(2.0), 1, -8, 64}));
  CHECK_CLOSE(values("maximum", {vec({1, kNaN, 3, -0.5}), vec({2, 1, kNaN, -1})}),
              (Numbers{2, kNaN, kNaN, -0.5}), 0);
  CHECK_CLOSE(values("minimum", {vec({1, kNaN, 3, -0.5}), vec({2, 1, kNaN, -1})}),
              (Numbers{1, kNaN, kNaN, -1}), 0);
  CHECK_EQ(run("add", {real({0, 3}), real({3})}).type.shape, (Shape{0, 3}));
  CHECK_EQ(run("add", {real({1, 1}), real({})}).type.shape, (Shape{1, 1}));
}

TEST(binary_integers) {
  const TensorPtr a = ints({3}, {7, -3, 2147483647}), b = ints({3}, {2, 5, 1});
  CHECK_EQ(values("add", {a, b}), (Numbers{9, 2, -2147483648.0}));
  CHECK_EQ(values("subtract", {b, a}), (Numbers{-5, 8, -2147483646}));
  CHECK_EQ(values("multiply", {a, b}), (Numbers{14, -15, 2147483647}));
  CHECK_EQ(values("maximum", {a, b}), (Numbers{7, 5, 2147483647}));
  CHECK_EQ(values("minimum", {a, b}), (Numbers{2, -3, 1}));
  CHECK_EQ(values("power", {ints({5}, {2, -3, 2, -1, 5}), ints({5}, {10, 3, -1, -3, 0})}),
           (Numbers{1024, -27, 0, -1, 1}));
  CHECK_THROWS(inferred("divide", {i32({2}), i32({2})}), "dtype");
}

TEST(binary_errors) {
  CHECK_THROWS(inferred("add", {f32({2}), f64({2})}), "dtype");
  CHECK_THROWS(inferred("add", {f32({2}), i32({2})}), "dtype");
  CHECK_THROWS(inferred("add", {boolean({2}), boolean({2})}), "dtype");
  CHECK_THROWS(inferred("add", {f32({2}), f32({3})}), "shape");
  CHECK_THROWS(inferred("add", {f32({2})}), "argument");
  try {
    inferred("add", {f32({2}), i32({2})});
  } catch (const Error& error) {
    CHECK(error.has("operation"));
    CHECK(error.has("remedy"));
  }
  CHECK_EQ(inferred("add", {f32({kUnknown, 3}), f32({3})}), (Shape{kUnknown, 3}));
}

// Ties share the gradient; power is safe at 0 and below.
TEST(binary_gradients) {
  const TensorPtr a = vec({1, 2, 3}), b = vec({2, 2, 2});
  CHECK_EQ(gradient("maximum", {a, b}, 0), (Numbers{0, 0.5, 1}));
  CHECK_EQ(gradient("maximum", {a, b}, 1), (Numbers{1, 0.5, 0}));
  CHECK_EQ(gradient("minimum", {a, b}, 0), (Numbers{1, 0.5, 0}));
  CHECK_EQ(gradient("power", {vec({0, 0, 0, -2}), vec({0, 1, 2, 3})}, 0), (Numbers{0, 1, 0, 12}));
  CHECK_EQ(gradient("power", {vec({0, -1, 1}), vec({2, 2, 2})}, 1), (Numbers{0, 0, 0}));
  CHECK_EQ(gradient("abs", {vec({-2, 0, 2})}, 0), (Numbers{-1, 0, 1}));
  CHECK_EQ(gradient("relu", {vec({-2, 0, 2})}, 0), (Numbers{0, 0, 1}));
}

TEST(compare_values) {
  const TensorPtr a = vec({1, 2, 3, kNaN}), b = vec({2, 2, 2, kNaN});
  CHECK_EQ(values("equal", {a, b}), (Numbers{0, 1, 0, 0}));
  CHECK_EQ(values("not_equal", {a, b}), (Numbers{1, 0, 1, 1}));
  CHECK_EQ(values("less", {a, b}), (Numbers{1, 0, 0, 0}));
  CHECK_EQ(values("less_equal", {a, b}), (Numbers{1, 1, 0, 0}));
  CHECK_EQ(values("greater", {a, b}), (Numbers{0, 0, 1, 0}));
  CHECK_EQ(values("greater_equal", {a, b}), (Numbers{0, 1, 1, 0}));
  CHECK_EQ(values("less", {ints({2, 1}, {1, 3}), ints({2}, {2, 3})}), (Numbers{1, 1, 0, 0}));
  CHECK(run("equal", {a, b}).type.dtype == DType::boolean);
  const TensorPtr p = bools({4}, {0, 0, 1, 1}), q = bools({4}, {0, 1, 0, 1});
  CHECK_EQ(values("logical_and", {p, q}), (Numbers{0, 0, 0, 1}));
  CHECK_EQ(values("logical_or", {p, q}), (Numbers{0, 1, 1, 1}));
  CHECK_EQ(values("logical_not", {p}), (Numbers{1, 1, 0, 0}));
  CHECK_EQ(values("equal", {p, q}), (Numbers{1, 0, 0, 1}));
  CHECK_THROWS(inferred("logical_and", {f32({2}), f32({2})}), "dtype");
  CHECK_THROWS(inferred("logical_not", {i32({2})}), "dtype");
  CHECK_THROWS(inferred("less", {f32({2}), i32({2})}), "dtype");
}

TEST(select_values) {
  const TensorPtr a = tensor({2, 2}, {1, 2, 3, 4}), b = vec({-1, -2});
  CHECK_EQ(values("select", {bools({2, 2}, {1, 0, 0, 1}), a, b}), (Numbers{1, -2, -1, 4}));
  CHECK_EQ(values("select", {bools({2, 1}, {1, 0}), a, b}), (Numbers{1, 2, -1, -2}));
  CHECK_EQ(values("select", {bools({}, {0}), a, tensor({}, {9})}), (Numbers{9, 9, 9, 9}));
  CHECK_EQ(values("select", {bools({2}, {1, 0}), tensor({}, {1}), tensor({}, {2})}), (Numbers{1, 2}));
  CHECK_EQ(values("select", {bools({2}, {1, 0}), bools({2}, {1, 1}), bools({2}, {0, 0})}),
           (Numbers{1, 0}));
  CHECK_THROWS(inferred("select", {f32({2}), f32({2}), f32({2})}), "dtype");
  CHECK_THROWS(inferred("select", {boolean({2}), f32({2}), i32({2})}), "dtype");
  CHECK_THROWS(inferred("select", {boolean({3}), f32({2}), f32({2})}), "shape");
}

TEST(nothing_is_computed_of_no_elements) {
  const Numbers nothing;
  CHECK_EQ(values("subtract", {tensor({2, 0}, {}), tensor({1, 0}, {})}), nothing);
  CHECK_EQ(values("multiply", {tensor({2, 3, 0}, {}), tensor({0}, {})}), nothing);
  CHECK_EQ(values("broadcast_to", {tensor({0}, {})}, {{"shape", list({2, 0})}}), nothing);
  CHECK_EQ(values("sum", {tensor({0, 2}, {})}, {{"axes", list({0})}}), (Numbers{0, 0}));
}

TEST(cast_values) {
  const auto to = [](const char* dtype) { return Attrs{{"dtype", std::string(dtype)}}; };
  const TensorPtr x = vec({-1.7, 1.7, 0, kNaN, kInf, -kInf, 1e10});
  CHECK_EQ(values("cast", {x}, to("int32")),
           (Numbers{-1, 1, 0, 0, 2147483647, -2147483648.0, 2147483647}));
  CHECK_EQ(values("cast", {x}, to("bool")), (Numbers{1, 1, 0, 1, 1, 1, 1}));
  CHECK_EQ(values("cast", {vec({2147483500, -2147483648.0}, DType::f32)}, to("int32")),
           (Numbers{2147483520, -2147483648.0}));
  CHECK_EQ(values("cast", {vec({0.1})}, to("float32")), (Numbers{0.1f}));
  CHECK_EQ(values("cast", {bools({2}, {0, 1})}, to("float32")), (Numbers{0, 1}));
  CHECK_EQ(values("cast", {ints({2}, {-3, 7})}, to("float64")), (Numbers{-3, 7}));
  CHECK_EQ(values("cast", {ints({2}, {0, 7})}, to("bool")), (Numbers{0, 1}));
  CHECK_EQ(gradient("cast", {vec({1, 2})}, 0, to("float32")), (Numbers{1, 1}));
  CHECK_THROWS(inferred("cast", {f32({2})}, to("complex64")), "dtype");
  CHECK_EQ(values("fill_like", {real({3})}, {{"value", one(0.5)}}), (Numbers{0.5, 0.5, 0.5}));
  CHECK_EQ(values("fill_like", {ints({2}, {1, 2})}, {{"value", one(-7)}}), (Numbers{-7, -7}));
  CHECK_EQ(values("fill_like", {bools({2}, {0, 0})}, {{"value", one(1)}}), (Numbers{1, 1}));
}
