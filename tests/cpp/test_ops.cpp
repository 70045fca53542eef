// Derivatives of every operation of ops.inc, of first to third order, against finite
// differences; adjoint pairs. Values are in test_ops_*.cpp.
#include "ops.h"

namespace {

OP_CASES(of_this_file) {
  const Attrs none;
  const Attrs pool = {{"pool", list({2, 2})}, {"strides", list({2, 2})},
                      {"padding", std::string("same")}};
  const Attrs overlapping = {{"pool", list({3})}, {"strides", list({1})},
                             {"padding", std::string("same")}};
  const auto axes = [](const std::vector<Dim>& list, bool keepdims) {
    return Attrs{{"axes", number_list(list)}, {"keepdims", one(keepdims)}};
  };
  return {
      {"negative", {real({2, 3})}, none},
      {"abs", {nonzero({2, 3})}, none},
      {"exp", {real({2, 3})}, none},
      {"expm1", {real({5})}, none},
      {"log", {positive({2, 3})}, none},
      {"log1p", {positive({4})}, none},
      {"sqrt", {positive({4})}, none},
      {"rsqrt", {positive({4})}, none},
      {"square", {real({2, 3})}, none},
      {"sin", {real({4})}, none},
      {"cos", {real({4})}, none},
      {"atan", {real({4})}, none},
      {"erf", {real({4})}, none},
      {"tanh", {real({4})}, none},
      {"sigmoid", {real({4})}, none},
      {"softplus", {real({4})}, none},
      {"relu", {nonzero({2, 5})}, none},
      {"relu_gate", {nonzero({2, 5}), real({2, 5})}, none},
      {"relu", {nonzero({2, 5})}, {{"alpha", one(0.2)}}},
      {"relu_gate", {nonzero({2, 5}), real({2, 5})}, {{"alpha", one(0.2)}}},
      {"elu", {nonzero({2, 5})}, {{"alpha", one(0.7)}}},
      {"elementwise", {real({2, 5})}, {{"steps", std::string("tanh 0 0")}}},
      {"elementwise",
       {real({2, 5}), nonzero({2, 5}), real({})},
       {{"steps", std::string("sigmoid 0 0 relu_gate 1 -1 0.3 multiply -2 2 0 subtract -1 -3 0")}}},
      {"identity", {real({2, 3})}, none},
      {"add", {real({2, 3}), real({2, 3})}, none},
      {"add", {real({2, 3}), real({3})}, none},
      {"add", {real({2, 1, 3}), real({4, 1})}, none},
      {"subtract", {real({2, 3}), real({})}, none},
      {"subtract", {real({3}), real({2, 3})}, none},
      {"multiply", {real({2, 3}), real({2, 3})}, none},
      {"multiply", {real({2, 2, 2, 3}), real({2, 1, 1, 1})}, none},
      {"multiply", {real({}), real({4})}, none},
      {"divide", {real({2, 3}), nonzero({2, 3})}, none},
      {"divide", {real({3}), nonzero({2, 1})}, none},
      {"maximum", {real({2, 3}), real({2, 3})}, none},
      {"maximum", {real({2, 3}), real({})}, none},
      {"minimum", {real({2, 3}), real({3})}, none},
      {"power", {positive({2, 3}), real({2, 3})}, none},
      {"power", {positive({2, 1}), real({3})}, none},
      {"power", {positive({4}), vec({2, 3, 1, 0})}, none},
      {"select", {random_bools({2, 3}), real({2, 3}), real({2, 3})}, none},
      {"select", {random_bools({2, 1}), real({3}), real({})}, none},
      {"select", {random_bools({3}), real({2, 1}), real({2, 3})}, none},
      {"cast", {real({2, 3})}, {{"dtype", std::string("float64")}}},
      {"sum", {real({2, 3, 4})}, axes({}, false)},
      {"sum", {real({2, 3, 4})}, axes({0, -1}, false)},
      {"sum", {real({2, 3, 4})}, axes({1}, true)},
      {"mean", {real({2, 3, 4})}, axes({}, true)},
      {"mean", {real({2, 3, 4})}, axes({1, 2}, false)},
      {"max", {real({2, 3, 4})}, axes({1}, false)},
      {"max", {real({2, 3})}, axes({}, false)},
      {"extremum_scatter", {tensor({2, 3}, {1, 4, 4, 2, 2, 2}), tensor({2, 1}, {4, 2}), real({2, 1})}, none},
      {"extremum_scatter", {tensor({3, 2}, {1, 4, 3, 4, 3, 0}), tensor({1, 2}, {3, 4}), real({1, 2})}, none},
      {"min", {real({2, 3, 4})}, axes({0, 2}, true)},
      {"broadcast_to", {real({2, 1})}, {{"shape", list({3, 2, 4})}}},
      {"broadcast_to", {real({})}, {{"shape", list({2, 2})}}},
      {"sum_to", {real({3, 2, 4})}, {{"shape", list({2, 1})}}},
      {"sum_to", {real({3, 2})}, {{"shape", list({})}}},
      {"reshape", {real({2, 3, 4})}, {{"shape", list({0, -1})}}},
      {"reshape", {real({6, 4}), real({2, 3, 5})}, {{"shape", list({0, 0, 4})}}},
      {"transpose", {real({2, 3, 4})}, {{"perm", list({2, 0, 1})}}},
      {"concatenate", {real({2, 3}), real({2, 1}), real({2, 2})}, {{"axis", one(-1)}}},
      {"concatenate", {real({2, 3})}, {{"axis", one(0)}}},
      {"slice", {real({4, 5})}, {{"begin", list({1, 0})}, {"size", list({2, -1})}}},
      {"slice",
       {real({7, 5})},
       {{"begin", list({1, 2})}, {"size", list({3, 1})}, {"stride", list({2, 3})}}},
      {"slice", {real({3})}, {{"begin", list({1})}, {"size", list({0})}}},
      {"pad",
       {real({2, 3})},
       {{"lo", list({1, 0})}, {"hi", list({0, 2})}, {"interior", list({2, 1})}}},
      {"pad", {real({2, 3})}, {{"lo", list({1, 1})}, {"hi", list({0, 0})}, {"value", one(3)}}},
      {"gather", {real({4, 3}), ints({2, 2}, {3, 0, 3, 1})}, {{"axis", one(0)}}},
      {"gather", {real({2, 3, 2}), ints({}, {1})}, {{"axis", one(-2)}}},
      {"scatter_add",
       {real({2, 2, 3}), ints({2, 2}, {3, 0, 3, 1})},
       {{"axis", one(0)}, {"extent", one(5)}}},
      {"scatter_add", {real({2, 3}), ints({3}, {1, 1, 0})}, {{"axis", one(1)}, {"extent", one(2)}}},
      {"matmul", {real({2, 3}), real({3, 4})}, none},
      {"matmul", {real({3, 2}), real({3, 4})}, {{"transpose_a", one(1)}}},
      {"matmul", {real({2, 3}), real({4, 3})}, {{"transpose_b", one(1)}}},
      {"matmul", {real({2, 3, 2}), real({2, 4, 3})}, {{"transpose_a", one(1)}, {"transpose_b", one(1)}}},
      {"matmul", {real({2, 3}), real({3, 4}), real({4})}, {{"activation", std::string("relu")}}},
      {"matmul", {real({2, 2, 3}), real({2, 3, 4}), real({4})}, none},
      {"matmul", {real({2, 3}), real({3, 4}), real({2, 4})}, {{"steps", std::string("relu_gate 1 0 0")}}},
      {"softmax", {real({2, 4})}, {{"axis", one(-1)}}},
      {"softmax", {real({3, 2})}, {{"axis", one(0)}}},
      {"conv", {real({2, 5, 4, 2}), real({3, 2, 2, 3})}, kImages},
      {"conv",
       {real({1, 6, 4}), real({2, 2, 2})},
       {{"strides", list({1})}, {"dilation", list({2})}, {"padding", std::string("causal")},
        {"groups", one(2)}}},
      {"conv",
       {real({1, 3, 2, 3, 1}), real({2, 2, 2, 1, 2})},
       {{"strides", list({1, 1, 1})}, {"dilation", list({1, 1, 1})},
        {"padding", std::string("valid")}}},
      {"conv",
       {real({1, 6, 4}), real({2, 2, 2}), real({2})},
       {{"strides", list({1})}, {"dilation", list({1})}, {"padding", std::string("same")},
        {"groups", one(2)}, {"activation", std::string("relu")}}},
      {"conv_backward_data",
       {real({2, 3, 2}), real({3, 3, 2}), real({3})},
       {{"strides", list({2})}, {"dilation", list({1})}, {"padding", std::string("same")},
        {"activation", std::string("relu")}}},
      {"conv_backward_data",
       {real({2, 3, 2}), real({3, 3, 2}), real({3}), real({2, 6, 3})},
       {{"strides", list({2})}, {"dilation", list({1})}, {"padding", std::string("same")},
        {"steps", std::string("square 1 0 multiply -1 0 0 tanh -2 0")}}},
      {"conv_backward_data",
       {real({2, 3, 2, 3}), real({3, 2, 2, 3})},
       {{"strides", list({2, 1})}, {"dilation", list({1, 1})}, {"padding", std::string("same")},
        {"output_padding", list({-1, -1})}}},
      {"conv_backward_data",
       {real({1, 3, 2}), real({3, 1, 2})},
       {{"strides", list({2})}, {"dilation", list({1})}, {"groups", one(2)},
        {"padding", std::string("valid")}, {"output_padding", list({1})}}},
      {"conv_backward_data",
       {real({1, 3, 2}), real({2, 1, 2})},
       {{"strides", list({2})}, {"dilation", list({1})}, {"pad_lo", list({1})},
        {"size", list({6})}}},
      {"conv_backward_weights",
       {real({2, 5, 4, 2}), real({2, 3, 4, 3})},
       {{"strides", list({2, 1})}, {"dilation", list({1, 1})}, {"pad_lo", list({1, 0})},
        {"size", list({3, 2})}}},
      {"max_pool", {real({2, 5, 4, 2})}, pool},
      {"max_pool", {real({1, 6, 2})}, overlapping},
      {"max_pool_scatter", {real({2, 5, 4, 2}), real({2, 3, 2, 2})}, pool},
      {"max_pool_scatter", {real({1, 6, 2}), real({1, 6, 2})}, overlapping},
      {"max_pool_gather", {real({2, 5, 4, 2}), real({2, 5, 4, 2})}, pool},
      {"batch_normalization",
       {real({2, 3, 2}), real({2}), positive({2}), real({2}), real({2})},
       {{"axis", one(-1)}, {"epsilon", one(1e-3)}}},
      {"batch_normalization",
       {real({2, 3, 2}), real({3}), positive({3}), real({3}), real({3})},
       {{"axis", one(1)}, {"epsilon", one(1e-3)}}},
      {"dropout", {real({3, 5})}, {{"rate", one(0.4)}, {"stream", one(3)}}},
      {"dropout",
       {real({2, 3, 2})},
       {{"rate", one(0.5)}, {"stream", one(1)}, {"noise_shape", list({-1, 1, -1})}, {"seed", one(5)}}},
  };
}

std::vector<OpCase> differentiable() {
  std::vector<OpCase> all;
  for (OpCases cases : all_op_cases())
    for (OpCase& c : cases()) all.push_back(std::move(c));
  return all;
}

const std::map<std::string, std::string>& not_differentiable() {
  static const std::map<std::string, std::string> reasons = {
      {"sign", "constant between jumps"},
      {"round", "constant between jumps"},
      {"floor", "constant between jumps"},
      {"stop_gradient", "stopping is what it is for"},
      {"equal", "boolean result"},
      {"not_equal", "boolean result"},
      {"less", "boolean result"},
      {"less_equal", "boolean result"},
      {"greater", "boolean result"},
      {"greater_equal", "boolean result"},
      {"logical_and", "boolean result"},
      {"logical_or", "boolean result"},
      {"logical_not", "boolean result"},
      {"fill_like", "does not depend on the values of its input"},
      {"argmax", "integer result"},
      {"shape_of", "integer result"},
      {"random", "has no input"},
      {"update", "changes state after all gradients have been taken"},
  };
  return reasons;
}

// L0 = <op(inputs), w>, L(k+1) = sum over i of <dLk / dx_i, d_i>, with all inputs and
// w as x_i and fixed random d_i: dLk / dx_i against central differences of Lk.
void check_derivatives(const OpCase& c, int orders) {
  Graph g;
  std::vector<TensorPtr> feeds;
  const auto feed = [&](TensorPtr t) {
    feeds.push_back(t);
    return g.input(static_cast<int>(feeds.size()) - 1, t->type);
  };
  std::vector<Value> in, x;
  std::vector<int> x_feed;
  const auto differentiate = [&](Value v) {
    if (!is_float(g.type(v).dtype)) return;
    x.push_back(v);
    x_feed.push_back(static_cast<int>(feeds.size()) - 1);
  };
  for (const TensorPtr& t : c.inputs) differentiate(in.emplace_back(feed(t)));
  const Value out = g.emit(c.op, in, c.attrs);
  const Value weight = feed(real(g.shape(out)));
  differentiate(weight);

  const auto dot = [&](Value a, Value b) { return g.emit("sum", {g.emit("multiply", {a, b})}); };
  Value loss = dot(out, weight);
  std::vector<Value> outputs, losses;
  for (int order = 1; order <= orders; ++order) {
    losses.push_back(loss);
    const std::vector<Value> grads = g.gradients(loss, x);
    outputs.insert(outputs.end(), grads.begin(), grads.end());
    loss = kNone;
    for (size_t i = 0; i < x.size(); ++i) {
      const Value term = dot(grads[i], feed(real(g.shape(x[i]))));
      loss = loss == kNone ? term : g.emit("add", {loss, term});
    }
  }
  Plan gradient_plan(g, outputs, {}), loss_plan(g, losses, {});
  const auto analytic = run_plan(gradient_plan, feeds, static_cast<int>(outputs.size()));

  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < x.size(); ++i) {
    double* data = feeds[x_feed[i]]->as<double>();
    std::vector<Numbers> numeric(orders);
    for (Dim k = 0; k < g.shape(x[i]).size(); ++k) {
      const double before = data[k];
      data[k] = before + kStep;
      const auto above = run_plan(loss_plan, feeds, orders);
      data[k] = before - kStep;
      const auto below = run_plan(loss_plan, feeds, orders);
      data[k] = before;
      for (int order = 0; order < orders; ++order)
        numeric[order].push_back((above[order].values[0] - below[order].values[0]) / (2 * kStep));
    }
    for (int order = 0; order < orders; ++order) {
      const test::Context context(std::string(c.op) + ", input " + std::to_string(i) + ", order " +
                                  std::to_string(order + 1));
      const Numbers& got = analytic[order * x.size() + i].values;
      // Relative to the largest: cancellation spoils the small ones.
      double largest = 1;
      for (double v : numeric[order]) largest = std::max(largest, std::fabs(v));
      Numbers a = got, b = numeric[order];
      for (double& v : a) v /= largest;
      for (double& v : b) v /= largest;
      CHECK_CLOSE(a, b, 2e-7 * std::pow(10, order));
    }
  }
}

}  // namespace

TEST(every_op_has_a_case) {
  std::set<std::string> covered;
  for (const OpCase& c : differentiable()) {
    CHECK(find_op(c.op) != nullptr);
    covered.insert(c.op);
  }
  for (const Op* op : all_ops()) {
    const test::Context context(op->name);
    const bool exempt = not_differentiable().count(op->name) > 0;
    CHECK(covered.count(op->name) > 0 || exempt);
    CHECK(exempt == (op->vjp == nullptr));
    CHECK(find_op(op->name) == op);
    covered.insert(op->name);
  }
  CHECK_EQ(covered.size(), all_ops().size());
  CHECK(find_op("no_such_operation") == nullptr);
}

TEST(derivatives_of_every_op) {
  for (const OpCase& c : differentiable()) {
    try {
      check_derivatives(c, 3);
    } catch (const std::exception& error) {
      const test::Context context(c.op);
      CHECK_EQ(std::string(error.what()), std::string("no error"));
    }
  }
}

TEST(no_gradient_passes) {
  CHECK_EQ(gradient("stop_gradient", {real({3})}, 0), (Numbers{0, 0, 0}));
  CHECK_EQ(gradient("sign", {real({3})}, 0), (Numbers{0, 0, 0}));
  CHECK_EQ(gradient("round", {real({3})}, 0), (Numbers{0, 0, 0}));
  CHECK_EQ(gradient("fill_like", {real({2})}, 0, {{"value", one(2)}}), (Numbers{0, 0}));
  CHECK_EQ(gradient("cast", {ints({2}, {1, 2})}, 0, {{"dtype", std::string("float64")}}),
           (Numbers{0, 0}));
}

// --- adjoint pairs -----------------------------------------------------------------

TEST(adjoint_pairs) {
  check_adjoint("broadcast_to", real({3, 1, 4}), {}, {{"shape", list({2, 3, 5, 4})}},
                "sum_to", real({2, 3, 5, 4}), {}, {{"shape", list({3, 1, 4})}});
  check_adjoint("slice", real({9, 7}), {},
                {{"begin", list({1, 2})}, {"size", list({3, 5})}, {"stride", list({3, 1})}},
                "pad", real({3, 5}), {},
                {{"lo", list({1, 2})}, {"hi", list({1, 0})}, {"interior", list({2, 0})}});
  const TensorPtr index = ints({5}, {1, 4, 1, 0, 6});
  check_adjoint("gather", real({2, 7, 3}), {index}, {{"axis", one(1)}},
                "scatter_add", real({2, 5, 3}), {index}, {{"axis", one(1)}, {"extent", one(7)}});
  check_adjoint("transpose", real({2, 3, 4, 5}), {}, {{"perm", list({3, 1, 0, 2})}},
                "transpose", real({5, 3, 2, 4}), {}, {{"perm", list({2, 1, 3, 0})}});
}

TEST(adjoint_convolutions) {
  for (Dim kernel = 1; kernel <= 4; ++kernel)
    for (Dim stride = 1; stride <= 3; ++stride)
      for (Dim dilation = 1; dilation <= (stride == 1 ? 3 : 1); ++dilation)
        for (const char* padding : {"valid", "same"})
          for (Dim extra = -1; extra < stride; ++extra) {
            Attrs transposed = {{"strides", list({stride, stride})},
                                {"dilation", list({dilation, dilation})},
                                {"padding", std::string(padding)},
                                {"output_padding", list({extra, extra})}};
            const TensorPtr w = real({kernel, kernel, 2, 3}), y = real({2, 4, 3, 3});
            const Window h = conv_transpose_window(4, kernel, stride, dilation,
                                                   padding_from_name(padding), extra, "height");
            const Window v = conv_transpose_window(3, kernel, stride, dilation,
                                                   padding_from_name(padding), extra, "width");
            Attrs forward = {{"strides", list({stride, stride})},
                             {"dilation", list({dilation, dilation})},
                             {"pad_lo", list({h.pad_lo, v.pad_lo})},
                             {"size", list({4, 3})}};
            const TensorPtr x = real({2, h.in, v.in, 2});
            check_adjoint("conv", x, {w}, forward, "conv_backward_data", y, {w}, transposed);
            // The same number as a function of the kernel.
            forward.set("size", list({kernel, kernel}));
            const Numbers dw = values("conv_backward_weights", {x, y}, forward);
            const Numbers dx = values("conv_backward_data", {y, w}, transposed);
            CHECK_CLOSE(inner_product(dw, numbers(w->data(), w->type)),
                        inner_product(dx, numbers(x->data(), x->type)), 1e-12);
          }
}

TEST(adjoint_pooling) {
  for (Dim size = 1; size <= 3; ++size)
    for (Dim stride = 1; stride <= 3; ++stride)
      for (const char* padding : {"valid", "same"}) {
        const Attrs attrs = {{"pool", list({size, size})}, {"strides", list({stride, stride})},
                             {"padding", std::string(padding)}};
        const TensorPtr x = real({2, 7, 6, 3});
        const Result pooled = run("max_pool", {x}, attrs);
        const TensorPtr g = real(pooled.type.shape), v = real(x->type.shape);
        const Numbers scattered = values("max_pool_scatter", {x, g}, attrs);
        const Numbers gathered = values("max_pool_gather", {x, v}, attrs);
        CHECK_CLOSE(inner_product(scattered, numbers(v->data(), v->type)),
                    inner_product(gathered, numbers(g->data(), g->type)), 1e-12);
        CHECK_EQ(values("max_pool_gather", {x, x}, attrs), pooled.values);
      }
}
