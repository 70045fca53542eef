// Every operation of ops.inc: values, derivatives of first to third order against
// finite differences, adjoint pairs, errors, unknown extents, any number of threads.
#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "core/rng.h"
#include "core/threads.h"
#include "core/window.h"
#include "graph/graph.h"
#include "graph/plan.h"
#include "graph/program.h"
#include "ops/op.h"
#include "test.h"

using namespace convnet;

namespace {

using TensorPtr = std::shared_ptr<Tensor>;
using Numbers = std::vector<double>;

const double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

Attrs::Value list(const std::vector<Dim>& values) { return number_list(values); }
Attrs::Value one(double value) { return number_list(value); }

TensorPtr tensor(const Shape& shape, const Numbers& values, DType dtype = DType::f64) {
  auto t = std::make_shared<Tensor>(TensorType{dtype, shape});
  if (static_cast<size_t>(shape.size()) != values.size())
    throw std::logic_error("a tensor of shape " + shape.to_string() + " given " +
                           std::to_string(values.size()) + " values");
  dispatch_any(dtype, [&](auto tag) {
    for (size_t i = 0; i < values.size(); ++i)
      t->as<decltype(tag)>()[i] = static_cast<decltype(tag)>(values[i]);
  });
  return t;
}
TensorPtr ints(const Shape& shape, const Numbers& values) {
  return tensor(shape, values, DType::i32);
}
TensorPtr bools(const Shape& shape, const Numbers& values) {
  return tensor(shape, values, DType::boolean);
}
TensorPtr vec(const Numbers& values, DType dtype = DType::f64) {
  return tensor({static_cast<Dim>(values.size())}, values, dtype);
}

// Different numbers each time it is called, the same in each run.
Numbers uniform(Dim n, double low, double high) {
  static uint32_t stream = 0;
  const Philox random(2026, ++stream, 0);
  Numbers values(n);
  for (Dim i = 0; i < n; ++i)
    values[i] = low + (high - low) * (random.block(i)[0] + 0.5) * 0x1p-32;
  return values;
}
TensorPtr real(const Shape& shape, DType dtype = DType::f64) {
  return tensor(shape, uniform(shape.size(), -1.5, 1.5), dtype);
}
TensorPtr positive(const Shape& shape) { return tensor(shape, uniform(shape.size(), 0.4, 2)); }
// No value near 0, where some functions have a kink.
TensorPtr nonzero(const Shape& shape) {
  Numbers values = uniform(shape.size(), -1, 1);
  for (double& v : values) v += v > 0 ? 0.3 : -0.3;
  return tensor(shape, values);
}
TensorPtr random_ints(const Shape& shape, Dim extent) {
  Numbers values = uniform(shape.size(), 0, static_cast<double>(extent));
  for (double& v : values) v = std::floor(v);
  return ints(shape, values);
}
TensorPtr random_bools(const Shape& shape) {
  Numbers values = uniform(shape.size(), 0, 2);
  for (double& v : values) v = std::floor(v);
  return bools(shape, values);
}

Numbers numbers(const void* data, const TensorType& type) {
  return dispatch_any(type.dtype, [&](auto tag) {
    const auto* values = static_cast<const decltype(tag)*>(data);
    return Numbers(values, values + type.shape.size());
  });
}

struct Result {
  TensorType type;
  Numbers values;
};

std::vector<Result> run_plan(Plan& plan, const std::vector<TensorPtr>& inputs, int outputs,
                             uint64_t key = 7, uint32_t step = 0) {
  std::vector<const void*> pointers;
  for (const TensorPtr& t : inputs) pointers.push_back(t->data());
  plan.run(pointers, {}, key, step);
  std::vector<Result> results;
  for (int i = 0; i < outputs; ++i)
    results.push_back({plan.output_type(i), numbers(plan.output(i), plan.output_type(i))});
  return results;
}

Result run(const std::string& op, const std::vector<TensorPtr>& inputs, const Attrs& attrs = {},
           uint64_t key = 7, uint32_t step = 0) {
  Graph g;
  std::vector<Value> in;
  for (size_t i = 0; i < inputs.size(); ++i)
    in.push_back(g.input(static_cast<int>(i), inputs[i]->type));
  Plan plan(g, {g.emit(op, in, attrs)}, {});
  return run_plan(plan, inputs, 1, key, step)[0];
}
Numbers values(const std::string& op, const std::vector<TensorPtr>& inputs,
               const Attrs& attrs = {}) {
  return run(op, inputs, attrs).values;
}
// d sum(op(inputs)) / d inputs[i]
Numbers gradient(const std::string& op, const std::vector<TensorPtr>& inputs, int i,
                 const Attrs& attrs = {}) {
  Graph g;
  std::vector<Value> in;
  for (size_t k = 0; k < inputs.size(); ++k)
    in.push_back(g.input(static_cast<int>(k), inputs[k]->type));
  Plan plan(g, {g.gradients(g.emit(op, in, attrs), {in[i]})[0]}, {});
  return run_plan(plan, inputs, 1)[0].values;
}
Shape inferred(const std::string& op, const std::vector<TensorType>& in, const Attrs& attrs = {}) {
  return infer_type(*find_op(op), attrs, in).shape;
}
TensorType f32(const Shape& shape) { return {DType::f32, shape}; }
TensorType f64(const Shape& shape) { return {DType::f64, shape}; }
TensorType i32(const Shape& shape) { return {DType::i32, shape}; }
TensorType boolean(const Shape& shape) { return {DType::boolean, shape}; }

double inner_product(const Numbers& a, const Numbers& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// --- derivatives -----------------------------------------------------------------

struct OpCase {
  const char* op;
  std::vector<TensorPtr> inputs;
  Attrs attrs;
};

const Attrs kImages = {{"strides", list({2, 1})}, {"dilation", list({1, 1})},
                       {"padding", std::string("same")}};

std::vector<OpCase> differentiable() {
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
      {"tanh", {real({4})}, none},
      {"sigmoid", {real({4})}, none},
      {"softplus", {real({4})}, none},
      {"relu", {nonzero({2, 5})}, none},
      {"relu_gate", {nonzero({2, 5}), real({2, 5})}, none},
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

// --- adjoint pairs: <A x, y> = <x, A' y> -----------------------------------------

namespace {
void check_adjoint(const std::string& a, const TensorPtr& x, const std::vector<TensorPtr>& more_a,
                   const Attrs& attrs_a, const std::string& b, const TensorPtr& y,
                   const std::vector<TensorPtr>& more_b, const Attrs& attrs_b) {
  const test::Context context(a + " and " + b);
  std::vector<TensorPtr> in_a = {x}, in_b = {y};
  in_a.insert(in_a.end(), more_a.begin(), more_a.end());
  in_b.insert(in_b.end(), more_b.begin(), more_b.end());
  const Result ax = run(a, in_a, attrs_a), by = run(b, in_b, attrs_b);
  CHECK_EQ(ax.type.shape, y->type.shape);
  CHECK_EQ(by.type.shape, x->type.shape);
  CHECK_CLOSE(inner_product(ax.values, numbers(y->data(), y->type)),
              inner_product(numbers(x->data(), x->type), by.values), 1e-12);
}
}  // namespace

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

// --- values: element by element --------------------------------------------------

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

// --- values: against plain loops over indices --------------------------------------

namespace {

// Calls f(index) for each position of a tensor of this shape, in row-major order.
template <typename F>
void each_index(const Shape& shape, F&& f) {
  std::vector<Dim> index(shape.rank(), 0);
  for (Dim n = shape.size(); n > 0; --n) {
    f(index);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

// The element of a tensor at an index counted from the last axis; extents of 1 repeat.
double at(const TensorPtr& t, const std::vector<Dim>& index) {
  const Shape& shape = t->type.shape;
  const int lead = static_cast<int>(index.size()) - shape.rank();
  Dim flat = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    flat = flat * shape[axis] + (shape[axis] == 1 ? 0 : index[axis + lead]);
  return numbers(t->data(), t->type)[flat];
}

std::vector<Shape> broadcasting_shapes() {
  return {{},        {1},       {7},          {600},       {5, 7},      {1, 7},       {5, 1},
          {300, 3},  {3},       {4, 5, 7},    {4, 1, 7},   {4, 1, 1},   {1, 5, 1},    {2, 4, 5, 7},
          {2, 1, 5, 1}, {2, 1, 1, 1}, {1, 1, 300, 3}, {700, 65}, {65}, {2, 4, 1, 7}};
}

}  // namespace

TEST(broadcasting_against_loops) {
  int pairs = 0;
  for (const Shape& a : broadcasting_shapes())
    for (const Shape& b : broadcasting_shapes()) {
      Shape out;
      try {
        out = broadcast(a, b);
      } catch (const Error&) {
        continue;
      }
      if (out.size() > 3000 && (a != Shape{300, 3} || b != Shape{3})) continue;
      ++pairs;
      const test::Context context(a.to_string() + " and " + b.to_string());
      const TensorPtr x = real(a, DType::f32), y = real(b, DType::f32), p = random_bools(a);
      const Numbers from_x = numbers(x->data(), x->type), from_y = numbers(y->data(), y->type);
      Numbers difference, chosen;
      each_index(out, [&](const std::vector<Dim>& index) {
        difference.push_back(static_cast<float>(at(x, index) - at(y, index)));
        chosen.push_back(at(p, index) ? at(x, index) : at(y, index));
      });
      CHECK_EQ(values("subtract", {x, y}), difference);
      CHECK_EQ(values("select", {p, x, y}), chosen);
      if (out == a) {
        CHECK_EQ(values("broadcast_to", {y}, Attrs().set("shape", a)).size(), size_t(a.size()));
        Numbers repeated;
        each_index(out, [&](const std::vector<Dim>& index) { repeated.push_back(at(y, index)); });
        CHECK_EQ(values("broadcast_to", {y}, Attrs().set("shape", a)), repeated);
      }
    }
  CHECK(pairs > 100);
  // Many short rows, as a bias has.
  const TensorPtr x = real({20000, 3}, DType::f32), b = real({3}, DType::f32);
  const Numbers sum = values("add", {x, b});
  const float *px = x->as<float>(), *pb = b->as<float>();
  bool equal = true;
  for (int i = 0; i < 60000; ++i) equal = equal && sum[i] == px[i] + pb[i % 3];
  CHECK(equal);
}

TEST(reductions_against_loops) {
  const std::vector<Shape> shapes = {{},           {1},          {17},         {0, 3},     {5, 33},
                                     {33, 5},      {3, 4, 5},    {2, 3, 4, 5}, {1, 6, 1, 7}, {40, 70},
                                     {2, 3, 2, 3, 2}, {700, 2, 3}, {3, 1100}};
  for (const Shape& shape : shapes)
    for (int mask = 0; mask < 1 << shape.rank(); ++mask) {
      std::vector<Dim> axes;
      Shape kept;
      for (int axis = 0; axis < shape.rank(); ++axis) {
        if (mask >> axis & 1) axes.push_back(axis);
        kept.push_back(mask >> axis & 1 ? 1 : shape[axis]);
      }
      if (axes.empty())
        for (int axis = 0; axis < shape.rank(); ++axis) kept[axis] = 1;
      const test::Context context(shape.to_string() + " to " + kept.to_string());
      const TensorPtr x = real(shape);
      const Numbers in = numbers(x->data(), x->type);
      Numbers sum(kept.size(), 0), low(kept.size(), kInf), high(kept.size(), -kInf);
      size_t i = 0;
      each_index(shape, [&](const std::vector<Dim>& index) {
        Dim to = 0;
        for (int axis = 0; axis < shape.rank(); ++axis)
          to = to * kept[axis] + (kept[axis] == 1 ? 0 : index[axis]);
        sum[to] += in[i];
        low[to] = std::min(low[to], in[i]);
        high[to] = std::max(high[to], in[i++]);
      });
      const Attrs attrs = {{"axes", list(axes)}, {"keepdims", one(1)}};
      const Result result = run("sum", {x}, attrs);
      CHECK_EQ(result.type.shape, kept);
      CHECK_CLOSE(result.values, sum, 1e-12);
      CHECK_CLOSE(values("sum_to", {x}, Attrs().set("shape", kept)), sum, 1e-12);
      if (shape.size() == 0) continue;
      CHECK_EQ(values("max", {x}, attrs), high);
      CHECK_EQ(values("min", {x}, attrs), low);
      for (double& v : sum) v *= static_cast<double>(kept.size()) / shape.size();
      CHECK_CLOSE(values("mean", {x}, attrs), sum, 1e-12);
    }
}

TEST(reduction_values) {
  const TensorPtr x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto axes = [](const std::vector<Dim>& list) { return Attrs{{"axes", number_list(list)}}; };
  CHECK_EQ(values("sum", {x}), (Numbers{21}));
  CHECK_EQ(run("sum", {x}, axes({})).type.shape, (Shape{}));
  CHECK_EQ(values("sum", {x}, axes({0})), (Numbers{5, 7, 9}));
  CHECK_EQ(values("sum", {x}, axes({-1})), (Numbers{6, 15}));
  CHECK_EQ(values("mean", {x}, axes({1})), (Numbers{2, 5}));
  CHECK_EQ(values("sum", {ints({3}, {1, 2, 2147483647})}), (Numbers{-2147483646}));
  CHECK_EQ(values("max", {ints({3}, {-5, -2, -9})}), (Numbers{-2}));
  for (size_t n : {3, 20, 1000}) {
    Numbers with_nan = uniform(n, 0, 1);
    with_nan[n / 2] = kNaN;
    CHECK_CLOSE(values("max", {vec(with_nan)}), (Numbers{kNaN}), 0);
    CHECK_CLOSE(values("min", {vec(with_nan)}), (Numbers{kNaN}), 0);
    CHECK_CLOSE(values("sum", {vec(with_nan)}), (Numbers{kNaN}), 0);
  }
  CHECK_EQ(gradient("max", {vec({1, 3, 3, 0})}, 0), (Numbers{0, 0.5, 0.5, 0}));
  CHECK_EQ(gradient("min", {tensor({2, 2}, {1, 1, 2, 3})}, 0, axes({1})), (Numbers{0.5, 0.5, 1, 0}));
  CHECK_CLOSE(values("mean", {real({0})}), (Numbers{kNaN}), 0);
  CHECK_EQ(values("argmax", {tensor({2, 3}, {1, 5, 5, 7, 2, 7})}, {{"axis", one(-1)}}), (Numbers{1, 0}));
  CHECK_EQ(values("argmax", {tensor({2, 3}, {1, 5, 5, 7, 2, 7})}, {{"axis", one(0)}}), (Numbers{1, 0, 1}));
  CHECK_EQ(values("argmax", {vec({1, kNaN, 5, kNaN})}, {{"axis", one(0)}}), (Numbers{1}));
  CHECK(run("argmax", {x}, {{"axis", one(0)}}).type == i32({3}));
  CHECK_THROWS(inferred("sum", {f32({2, 3})}, axes({2})), "argument");
  CHECK_THROWS(inferred("sum", {f32({2, 3})}, axes({1, -1})), "argument");
  CHECK_THROWS(inferred("sum", {boolean({2})}), "dtype");
  CHECK_THROWS(inferred("mean", {i32({2})}), "dtype");
  CHECK_THROWS(inferred("max", {f32({0})}), "shape");
  CHECK_THROWS(inferred("argmax", {f32({0})}, {{"axis", one(0)}}), "shape");
  CHECK_EQ(inferred("mean", {f32({kUnknown, 4, 4, 3})}, axes({1, 2})), (Shape{kUnknown, 3}));
  CHECK_EQ(inferred("argmax", {f32({kUnknown, 10})}, {{"axis", one(-1)}}), (Shape{kUnknown}));
}

// Naive float32 addition is wrong in the second digit here.
TEST(float32_sums_are_accurate) {
  const Dim n = 3000000;
  for (const Shape& shape : {Shape{n}, Shape{n / 3, 3}, Shape{3, n / 3}, Shape{n / 100, 100}}) {
    auto x = std::make_shared<Tensor>(f32(shape));
    std::fill_n(x->as<float>(), n, 0.1f);
    const double value = 0.1f;
    CHECK_CLOSE(values("sum", {x}), (Numbers{value * n}), 1e-7);
    CHECK_CLOSE(values("mean", {x}), (Numbers{value}), 1e-7);
    if (shape.rank() < 2) continue;
    for (Dim axis = 0; axis < 2; ++axis) {
      const Numbers sums = values("sum", {x}, {{"axes", list({axis})}});
      CHECK_CLOSE(sums, Numbers(shape[1 - axis], value * shape[axis]), 1e-7);
    }
  }
}

TEST(broadcast_to_and_sum_to) {
  const auto to = [](const std::vector<Dim>& shape) { return Attrs{{"shape", number_list(shape)}}; };
  CHECK_EQ(values("broadcast_to", {tensor({2, 1}, {1, 2})}, to({2, 2, 2})),
           (Numbers{1, 1, 2, 2, 1, 1, 2, 2}));
  CHECK_EQ(values("broadcast_to", {ints({}, {4})}, to({3})), (Numbers{4, 4, 4}));
  CHECK_EQ(values("broadcast_to", {bools({2}, {1, 0})}, to({2, 2})), (Numbers{1, 0, 1, 0}));
  CHECK_EQ(values("sum_to", {tensor({2, 2}, {1, 2, 3, 4})}, to({2, 1})), (Numbers{3, 7}));
  CHECK_EQ(values("sum_to", {tensor({2, 2}, {1, 2, 3, 4})}, to({2, 2})), (Numbers{1, 2, 3, 4}));
  CHECK_THROWS(inferred("broadcast_to", {f32({3})}, to({2})), "shape");
  CHECK_THROWS(inferred("broadcast_to", {f32({2, 3})}, to({3})), "shape");
  CHECK_THROWS(inferred("sum_to", {f32({2, 3})}, to({2})), "shape");
  CHECK_THROWS(inferred("sum_to", {f32({3})}, to({2, 3})), "shape");
  CHECK_EQ(inferred("broadcast_to", {f32({kUnknown, 1})}, to({-1, 5})), (Shape{kUnknown, 5}));
  CHECK_EQ(inferred("broadcast_to", {f32({1, kUnknown})}, to({4, 5})), (Shape{4, 5}));
}

TEST(reshape_rules) {
  const auto to = [](const std::vector<Dim>& shape) { return Attrs{{"shape", number_list(shape)}}; };
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({4, 6})), (Shape{4, 6}));
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({0, -1})), (Shape{2, 12}));
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({-1, 0})), (Shape{8, 3}));
  CHECK_EQ(inferred("reshape", {f32({2, 3})}, to({-1})), (Shape{6}));
  CHECK_EQ(inferred("reshape", {f32({1})}, to({})), (Shape{}));
  CHECK_EQ(inferred("reshape", {f32({})}, to({1, -1})), (Shape{1, 1}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, 28, 28, 1})}, to({-1, 784})), (Shape{kUnknown, 784}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, 28, 28, 1})}, to({0, -1})), (Shape{kUnknown, 784}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, kUnknown, 4})}, to({0, -1})),
           (Shape{kUnknown, kUnknown}));
  CHECK_EQ(inferred("reshape", {f32({0, 28, 28})}, to({0, -1})), (Shape{0, 784}));
  CHECK_EQ(inferred("reshape", {f32({0, 784})}, to({-1, 28, 28})), (Shape{0, 28, 28}));
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({4})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({4, -1})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({kUnknown, 6})}, to({0, 7})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({-1, -1})), "argument");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({-2})), "argument");
  const auto like = [&](const Shape& x, const Shape& other, const std::vector<Dim>& shape) {
    return inferred("reshape", {f32(x), f32(other)}, to(shape));
  };
  CHECK_EQ(like({6, 4}, {2, 3, 5}, {0, 0, 4}), (Shape{2, 3, 4}));
  CHECK_EQ(like({6, 4}, {2, 3, 5}, {0, -1, 2}), (Shape{2, 6, 2}));
  CHECK_EQ(like({kUnknown, 4}, {kUnknown, kUnknown, 5}, {0, 0, 4}), (Shape{kUnknown, kUnknown, 4}));
  CHECK_EQ(like({6, 4}, {kUnknown, 3, 5}, {0, 0, -1}), (Shape{kUnknown, 3, kUnknown}));
  CHECK_THROWS(like({6, 4}, {2, 2, 5}, {0, 0, 4}), "shape");
  CHECK_EQ(values("reshape", {bools({4}, {1, 0, 0, 1})}, to({2, 2})), (Numbers{1, 0, 0, 1}));
}

TEST(transpose_against_loops) {
  for (const Shape& shape : {Shape{5}, Shape{33, 70}, Shape{2, 40, 3}, Shape{3, 1, 4, 1},
                             Shape{2, 5, 6, 7}, Shape{2, 3, 2, 3, 2}, Shape{0, 3, 2}}) {
    std::vector<Dim> perm(shape.rank());
    std::iota(perm.begin(), perm.end(), 0);
    do {
      for (DType dtype : {DType::f64, DType::f32, DType::boolean}) {
        const TensorPtr x = dtype == DType::boolean ? random_bools(shape) : real(shape, dtype);
        Shape out;
        for (Dim axis : perm) out.push_back(shape[axis]);
        const test::Context context(shape.to_string() + " to " + out.to_string());
        const Numbers in = numbers(x->data(), x->type);
        Numbers expected;
        each_index(out, [&](const std::vector<Dim>& index) {
          std::vector<Dim> from(perm.size());
          for (size_t i = 0; i < perm.size(); ++i) from[perm[i]] = index[i];
          Dim flat = 0;
          for (size_t i = 0; i < perm.size(); ++i)
            flat = flat * shape[static_cast<int>(i)] + from[i];
          expected.push_back(in[flat]);
        });
        const Result result = run("transpose", {x}, {{"perm", list(perm)}});
        CHECK_EQ(result.type.shape, out);
        CHECK_EQ(result.values, expected);
      }
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0, 0})}}), "argument");
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0})}}), "argument");
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0, 2})}}), "argument");
  CHECK_EQ(inferred("transpose", {f32({kUnknown, 2, 3})}, {{"perm", list({0, -1, 1})}}),
           (Shape{kUnknown, 3, 2}));
}

TEST(concatenate_values) {
  const TensorPtr a = tensor({2, 2}, {1, 2, 3, 4}), b = tensor({2, 1}, {5, 6});
  CHECK_EQ(values("concatenate", {a, b}, {{"axis", one(1)}}), (Numbers{1, 2, 5, 3, 4, 6}));
  CHECK_EQ(values("concatenate", {a, a}, {{"axis", one(0)}}), (Numbers{1, 2, 3, 4, 1, 2, 3, 4}));
  CHECK_EQ(values("concatenate", {b, real({2, 0}), b}, {{"axis", one(-1)}}), (Numbers{5, 5, 6, 6}));
  CHECK_EQ(values("concatenate", {bools({1}, {1}), bools({2}, {0, 1})}, {{"axis", one(0)}}),
           (Numbers{1, 0, 1}));
  CHECK_THROWS(inferred("concatenate", {f32({2, 2}), f32({3, 1})}, {{"axis", one(1)}}), "shape");
  CHECK_THROWS(inferred("concatenate", {f32({2, 2}), f32({2})}, {{"axis", one(0)}}), "shape");
  CHECK_THROWS(inferred("concatenate", {f32({2}), f64({2})}, {{"axis", one(0)}}), "dtype");
  CHECK_THROWS(inferred("concatenate", {}, {{"axis", one(0)}}), "argument");
  CHECK_EQ(inferred("concatenate", {f32({kUnknown, 2}), f32({4, 3})}, {{"axis", one(1)}}), (Shape{4, 5}));
  CHECK_EQ(inferred("concatenate", {f32({kUnknown, 2}), f32({4, 2})}, {{"axis", one(0)}}),
           (Shape{kUnknown, 2}));
}

TEST(slice_against_loops) {
  const Shape shape{4, 5, 6};
  const TensorPtr x = real(shape, DType::f32);
  const Numbers in = numbers(x->data(), x->type);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<Dim> begin, size, stride;
    Shape out;
    for (Dim extent : shape) {
      const Numbers r = uniform(4, 0, 1);
      const bool whole = r[3] < 0.4;
      stride.push_back(whole ? 1 : 1 + static_cast<Dim>(r[0] * 3));
      begin.push_back(whole ? 0 : static_cast<Dim>(r[1] * (extent + 1)));
      const Dim room = (extent - begin.back() + stride.back() - 1) / stride.back();
      out.push_back(whole ? extent : static_cast<Dim>(r[2] * (room + 1)));
      size.push_back(out.back());
    }
    Numbers expected;
    each_index(out, [&](const std::vector<Dim>& index) {
      Dim flat = 0;
      for (int axis = 0; axis < 3; ++axis)
        flat = flat * shape[axis] + begin[axis] + index[axis] * stride[axis];
      expected.push_back(in[flat]);
    });
    const test::Context context(test::show(begin) + test::show(size) + test::show(stride));
    CHECK_EQ(values("slice", {x}, {{"begin", list(begin)}, {"size", list(size)},
                                   {"stride", list(stride)}}), expected);
  }
}

TEST(slice_rules) {
  const auto part = [](std::vector<Dim> begin, std::vector<Dim> size, std::vector<Dim> stride) {
    return Attrs{{"begin", list(begin)}, {"size", list(size)}, {"stride", list(stride)}};
  };
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({1}, {-1}, {2})), (Numbers{1, 3}));
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({-2}, {1}, {1})), (Numbers{3}));
  CHECK_EQ(values("slice", {tensor({}, {3})}, part({}, {}, {})), (Numbers{3}));
  CHECK_EQ(inferred("slice", {f32({kUnknown, 5})}, part({0, 1}, {-1, 3}, {1, 1})),
           (Shape{kUnknown, 3}));
  CHECK_EQ(inferred("slice", {f32({kUnknown})}, part({2}, {3}, {1})), (Shape{3}));
  CHECK_THROWS(inferred("slice", {f32({5})}, part({3}, {3}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({0}, {4}, {2})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({6}, {-1}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({-6}, {-1}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({0}, {-1}, {0})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({0}, {-2}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5, 2})}, part({0}, {-1}, {1})), "argument");
}

TEST(pad_against_loops) {
  for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{2, 3, 4}, Shape{2, 0, 3}, Shape{1, 2, 2, 3}})
    for (int trial = 0; trial < 40; ++trial) {
      std::vector<Dim> lo, hi, interior;
      Shape out;
      for (Dim extent : shape) {
        const Numbers r = uniform(4, 0, 1);
        const bool none = r[3] < 0.4;
        lo.push_back(none ? 0 : static_cast<Dim>(r[0] * 3));
        hi.push_back(none ? 0 : static_cast<Dim>(r[1] * 3));
        interior.push_back(none ? 0 : static_cast<Dim>(r[2] * 3));
        out.push_back(lo.back() + hi.back() + extent + std::max<Dim>(0, extent - 1) * interior.back());
      }
      const TensorPtr x = real(shape);
      const Numbers in = numbers(x->data(), x->type);
      Numbers expected;
      each_index(out, [&](const std::vector<Dim>& index) {
        Dim flat = 0;
        bool inside = true;
        for (int axis = 0; axis < shape.rank(); ++axis) {
          const Dim i = index[axis] - lo[axis], step = interior[axis] + 1;
          inside = inside && i >= 0 && i % step == 0 && i / step < shape[axis];
          flat = flat * shape[axis] + i / step;
        }
        expected.push_back(inside ? in[flat] : -9);
      });
      const test::Context context(shape.to_string() + test::show(lo) + test::show(hi) +
                                  test::show(interior));
      CHECK_EQ(values("pad", {x}, {{"lo", list(lo)}, {"hi", list(hi)},
                                   {"interior", list(interior)}, {"value", one(-9)}}), expected);
    }
  CHECK_EQ(values("pad", {bools({1}, {1})}, {{"lo", list({1})}, {"hi", list({1})}}), (Numbers{0, 1, 0}));
  CHECK_EQ(values("pad", {tensor({}, {3})}, {{"lo", list({})}, {"hi", list({})}}), (Numbers{3}));
  CHECK_EQ(inferred("pad", {f32({kUnknown, 3})}, {{"lo", list({1, 1})}, {"hi", list({0, 0})}}),
           (Shape{kUnknown, 4}));
  CHECK_THROWS(inferred("pad", {f32({3})}, {{"lo", list({-1})}, {"hi", list({0})}}), "argument");
  CHECK_THROWS(inferred("pad", {f32({3})}, {{"lo", list({1, 1})}, {"hi", list({0})}}), "argument");
}

TEST(gather_values) {
  const TensorPtr x = tensor({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK_EQ(values("gather", {x, ints({2}, {2, 0})}, {{"axis", one(0)}}), (Numbers{5, 6, 1, 2}));
  CHECK_EQ(values("gather", {x, ints({2}, {1, 1})}, {{"axis", one(1)}}), (Numbers{2, 2, 4, 4, 6, 6}));
  CHECK_EQ(run("gather", {x, ints({2, 2}, {0, 1, 2, 0})}, {{"axis", one(0)}}).type.shape, (Shape{2, 2, 2}));
  CHECK_EQ(run("gather", {x, ints({}, {1})}, {{"axis", one(0)}}).type.shape, (Shape{2}));
  CHECK_EQ(run("gather", {x, ints({0}, {})}, {{"axis", one(0)}}).type.shape, (Shape{0, 2}));
  CHECK_EQ(values("scatter_add", {tensor({3, 2}, {1, 2, 3, 4, 5, 6}), ints({3}, {1, 1, 3})},
                  {{"axis", one(0)}, {"extent", one(4)}}),
           (Numbers{0, 0, 4, 6, 0, 0, 5, 6}));
  const Attrs axis = {{"axis", one(0)}};
  CHECK_THROWS(values("gather", {x, ints({1}, {3})}, axis), "argument");
  CHECK_THROWS(values("gather", {x, ints({1}, {-1})}, axis), "argument");
  CHECK_THROWS(values("scatter_add", {x, ints({3}, {0, 1, 2})}, {{"axis", one(0)}, {"extent", one(2)}}),
               "argument");
  CHECK_THROWS(inferred("gather", {f32({3}), f32({1})}, axis), "dtype");
  CHECK_THROWS(inferred("scatter_add", {f32({3, 2}), i32({2})}, {{"axis", one(0)}, {"extent", one(2)}}),
               "shape");
  CHECK_EQ(inferred("gather", {f32({10, 4}), i32({kUnknown, 7})}, axis), (Shape{kUnknown, 7, 4}));
}

TEST(update_checks) {
  CHECK_EQ(inferred("update", {f32({2}), f32({2})}), (Shape{2}));
  CHECK_EQ(inferred("update", {f32({2}), f32({kUnknown})}), (Shape{2}));
  CHECK_THROWS(inferred("update", {f32({2}), f32({3})}), "shape");
  CHECK_THROWS(inferred("update", {f32({2}), f64({2})}), "dtype");
}

TEST(shape_of_values) {
  CHECK_EQ(values("shape_of", {real({2, 0, 3})}), (Numbers{2, 0, 3}));
  CHECK(infer_type(*find_op("shape_of"), {}, {f32({kUnknown, 3})}) == i32({2}));
}

// --- values: layers' operations ----------------------------------------------------

TEST(matmul_values) {
  const TensorPtr a = tensor({2, 3}, {1, 2, 3, 4, 5, 6}), b = tensor({3, 2}, {1, 0, 0, 1, 2, 2});
  CHECK_EQ(values("matmul", {a, b}), (Numbers{7, 8, 16, 17}));
  CHECK_EQ(values("matmul", {b, a}, {{"transpose_a", one(1)}, {"transpose_b", one(1)}}),
           (Numbers{7, 16, 8, 17}));
  CHECK_EQ(values("matmul", {a, a}, {{"transpose_b", one(1)}}), (Numbers{14, 32, 32, 77}));
  CHECK_EQ(values("matmul", {tensor({2, 1, 1}, {2, 3}), tensor({2, 1, 1}, {5, 7})}), (Numbers{10, 21}));
  CHECK_EQ(inferred("matmul", {f32({kUnknown, 3}), f32({3, 5})}), (Shape{kUnknown, 5}));
  CHECK_THROWS(inferred("matmul", {f32({2, 3}), f32({2, 3})}), "shape");
  CHECK_THROWS(inferred("matmul", {f32({3}), f32({3, 2})}), "shape");
  CHECK_THROWS(inferred("matmul", {f32({2, 3}), f64({3, 2})}), "dtype");
}

TEST(softmax_values) {
  CHECK_CLOSE(values("softmax", {vec({0, std::log(3.0)})}, {{"axis", one(0)}}), (Numbers{0.25, 0.75}), 1e-15);
  CHECK_CLOSE(values("softmax", {vec({1000, 1000})}, {{"axis", one(0)}}), (Numbers{0.5, 0.5}), 1e-15);
  CHECK_CLOSE(values("softmax", {tensor({2, 2}, {0, 1000, std::log(3.0), 1000})}, {{"axis", one(0)}}),
              (Numbers{0.25, 0.5, 0.75, 0.5}), 1e-15);
}

TEST(conv_against_loops) {
  for (Dim groups : {1, 2})
    for (const char* padding : {"valid", "same"})
      for (Dim stride = 1; stride <= 3; ++stride)
        for (Dim dilation = 1; dilation <= (stride == 1 ? 2 : 1); ++dilation)
          for (Dim kernel = 1; kernel <= 3; ++kernel) {
            const Window h = conv_window(7, kernel, stride, dilation, padding_from_name(padding), "height");
            const Window v = conv_window(6, kernel, stride, dilation, padding_from_name(padding), "width");
            const TensorPtr x = real({2, 7, 6, 4}), w = real({kernel, kernel, 4 / groups, 6});
            Numbers expected;
            each_index({2, h.out, v.out, 6}, [&](const std::vector<Dim>& o) {
              double sum = 0;
              each_index({kernel, kernel, 4 / groups}, [&](const std::vector<Dim>& k) {
                const Dim ih = o[1] * stride + k[0] * dilation - h.pad_lo;
                const Dim iw = o[2] * stride + k[1] * dilation - v.pad_lo;
                if (ih < 0 || ih >= 7 || iw < 0 || iw >= 6) return;
                const Dim ic = o[3] / (6 / groups) * (4 / groups) + k[2];
                sum += x->as<double>()[((o[0] * 7 + ih) * 6 + iw) * 4 + ic] *
                       w->as<double>()[((k[0] * kernel + k[1]) * (4 / groups) + k[2]) * 6 + o[3]];
              });
              expected.push_back(sum);
            });
            const Result result = run("conv", {x, w}, {{"strides", list({stride, stride})},
                                                       {"dilation", list({dilation, dilation})},
                                                       {"groups", one(static_cast<double>(groups))},
                                                       {"padding", std::string(padding)}});
            CHECK_EQ(result.type.shape, (Shape{2, h.out, v.out, 6}));
            CHECK_CLOSE(result.values, expected, 1e-12);
          }
}

// One pixel through a transposed convolution leaves the kernel behind.
TEST(conv_backward_data_values) {
  const TensorPtr w = tensor({3, 1, 1}, {1, 2, 3}), x = tensor({1, 2, 1}, {1, 10});
  const auto attrs = [](const char* padding, Dim output_padding) {
    return Attrs{{"strides", list({2})}, {"dilation", list({1})},
                 {"padding", std::string(padding)}, {"output_padding", list({output_padding})}};
  };
  CHECK_EQ(values("conv_backward_data", {x, w}, attrs("valid", -1)), (Numbers{1, 2, 13, 20, 30}));
  CHECK_EQ(values("conv_backward_data", {x, w}, attrs("valid", 1)), (Numbers{1, 2, 13, 20, 30, 0}));
  CHECK_EQ(inferred("conv_backward_data", {f32({kUnknown, kUnknown, 1}), f32({3, 1, 1})}, attrs("same", -1)),
           (Shape{kUnknown, kUnknown, 1}));
}

TEST(max_pool_values) {
  const Attrs attrs = {{"pool", list({2})}, {"strides", list({2})}, {"padding", std::string("same")}};
  const TensorPtr x = tensor({1, 5, 1}, {1, 3, 3, 3, -7});
  CHECK_EQ(values("max_pool", {x}, attrs), (Numbers{3, 3, -7}));  // padding never wins
  CHECK_EQ(values("max_pool_scatter", {x, tensor({1, 3, 1}, {1, 2, 4})}, attrs), (Numbers{0, 1, 2, 0, 4}));
  CHECK_EQ(values("max_pool_gather", {x, tensor({1, 5, 1}, {1, 2, 4, 8, 16})}, attrs), (Numbers{2, 4, 16}));
  CHECK_CLOSE(values("max_pool", {tensor({1, 4, 1}, {1, kNaN, 2, 3})}, attrs), (Numbers{kNaN, 3}), 0);
}

TEST(batch_normalization_values) {
  const Attrs attrs = {{"axis", one(-1)}, {"epsilon", one(1)}};
  CHECK_CLOSE(values("batch_normalization", {tensor({2, 2}, {1, 2, 3, 4}), vec({1, 2}), vec({3, 8}),
                                             vec({2, 3}), vec({0, 10})}, attrs),
              (Numbers{0, 10, 2, 12}), 1e-14);
}

TEST(dropout_values) {
  const Attrs attrs = {{"rate", one(0.25)}, {"stream", one(9)}};
  const TensorPtr x = tensor({10000}, Numbers(10000, 3));
  const Numbers dropped = run("dropout", {x}, attrs, 1, 2).values;
  const auto kept = std::count(dropped.begin(), dropped.end(), 4.0);
  CHECK_CLOSE(kept / 10000.0, 0.75, 0.02);
  CHECK_EQ(kept + std::count(dropped.begin(), dropped.end(), 0.0), 10000);
  CHECK_EQ(run("dropout", {x}, attrs, 1, 2).values, dropped);
  CHECK(run("dropout", {x}, attrs, 1, 3).values != dropped);
  CHECK(run("dropout", {x}, attrs, 2, 2).values != dropped);
  CHECK_EQ(values("dropout", {x}, {{"rate", one(0)}, {"stream", one(9)}}), Numbers(10000, 3));
  const Numbers rows = values("dropout", {tensor({50, 4}, Numbers(200, 1))},
                              {{"rate", one(0.5)}, {"stream", one(1)}, {"noise_shape", list({-1, 1})}});
  for (int i = 0; i < 50; ++i) CHECK_EQ(rows[4 * i], rows[4 * i + 3]);
}

// --- the whole: programs, threads, memory -------------------------------------------

// A gradient row gives what Graph::gradients gives; a new batch size is a new plan.
TEST(program_gradient_rows) {
  Record record(5);
  record[0].op = "input";
  record[0].slot = 0;
  record[0].type = f64({kUnknown, 2});
  record[1].op = "variable";
  record[1].slot = 0;
  record[1].type = f64({2});
  record[2].op = "multiply";
  record[2].inputs = {0, 1};
  record[3].op = "square";
  record[3].inputs = {2};
  record[4].op = "gradient";
  record[4].inputs = {3, 1};
  Program program(record, {4});
  double variable[] = {3, -1};
  for (Dim rows : {1, 4, 1}) {
    const TensorPtr x = real({rows, 2});
    Plan& plan = program.plan({x->type.shape});
    plan.run({x->data()}, {variable}, 0, 0);
    Numbers expected(2, 0);
    for (Dim i = 0; i < rows * 2; ++i)
      expected[i % 2] += 2 * x->as<double>()[i] * x->as<double>()[i] * variable[i % 2];
    CHECK_CLOSE(numbers(plan.output(0), plan.output_type(0)), expected, 1e-13);
  }
  CHECK_THROWS(program.plan({Shape{1, 3}}), "shape");
}

// Values computed in place, through views and with operands used twice.
TEST(memory_is_not_shared_wrongly) {
  Graph g;
  const Value x = g.input(0, f64({4, 3}));
  const Value a = g.emit("exp", {x});
  const Value b = g.emit("add", {a, a});
  const Value flat = g.emit("reshape", {b}, {{"shape", list({12})}});
  const Value c = g.emit("negative", {flat});
  const Value row = g.emit("sum", {b}, {{"axes", list({0})}});
  const Value d = g.emit("subtract", {g.emit("reshape", {c}, {{"shape", list({4, 3})}}), row});
  const Value e = g.emit("select", {g.emit("greater", {d, b}), d, b});
  Plan plan(g, {d, e, c}, {});
  const TensorPtr in = real({4, 3});
  const auto results = run_plan(plan, {in}, 3);
  for (int i = 0; i < 12; ++i) {
    double total = 0;
    for (int r = 0; r < 4; ++r) total += 2 * std::exp(in->as<double>()[r * 3 + i % 3]);
    const double twice = 2 * std::exp(in->as<double>()[i]);
    CHECK_CLOSE(results[0].values[i], -twice - total, 1e-13);
    CHECK_CLOSE(results[1].values[i], twice, 1e-13);
    CHECK_CLOSE(results[2].values[i], -twice, 1e-13);
  }
}

namespace {
std::vector<char> raw_result(const OpCase& c) {
  Graph g;
  std::vector<Value> in;
  std::vector<const void*> feeds;
  for (const TensorPtr& t : c.inputs) {
    in.push_back(g.input(static_cast<int>(feeds.size()), t->type));
    feeds.push_back(t->data());
  }
  const Value out = g.emit(c.op, in, c.attrs);
  std::vector<Value> roots = {out};
  if (is_float(g.type(out).dtype) && find_op(c.op)->vjp) {
    std::vector<Value> x;
    for (Value v : in)
      if (is_float(g.type(v).dtype)) x.push_back(v);
    for (Value v : g.gradients(g.emit("square", {out}), x)) roots.push_back(v);
  }
  Plan plan(g, roots, {});
  plan.run(feeds, {}, 1, 2);
  // The second run and all that follow find the memory that they need.
  const long before = test::allocations();
  plan.run(feeds, {}, 1, 2);
  CHECK_EQ(test::allocations(), before);
  std::vector<char> bytes;
  for (size_t i = 0; i < roots.size(); ++i) {
    const char* data = static_cast<const char*>(plan.output(static_cast<int>(i)));
    bytes.insert(bytes.end(), data, data + plan.output_type(static_cast<int>(i)).bytes());
  }
  return bytes;
}
}  // namespace

TEST(results_do_not_depend_on_threads) {
  const DType f = DType::f32;
  const TensorPtr big = real({300, 700}, f), image = real({4, 37, 41, 19}, f);
  const auto axes = [](const std::vector<Dim>& list) { return Attrs{{"axes", number_list(list)}}; };
  const std::vector<OpCase> cases = {
      {"tanh", {big}, {}},
      {"multiply", {big, real({700}, f)}, {}},
      {"multiply", {real({70000, 3}, f), real({3}, f)}, {}},
      {"add", {image, real({4, 1, 1, 19}, f)}, {}},
      {"maximum", {image, real({}, f)}, {}},
      {"select", {random_bools({300, 1}), big, real({700}, f)}, {}},
      {"sum", {big}, {}},
      {"mean", {big}, axes({0})},
      {"mean", {big}, axes({1})},
      {"sum", {image}, axes({0, 1, 2})},
      {"max", {image}, axes({1, 2})},
      {"sum", {image}, axes({0, 3})},
      {"sum_to", {image}, {{"shape", list({37, 1, 19})}}},
      {"broadcast_to", {real({19}, f)}, {{"shape", list({4, 37, 41, 19})}}},
      {"transpose", {image}, {{"perm", list({0, 3, 1, 2})}}},
      {"concatenate", {image, image}, {{"axis", one(-1)}}},
      {"slice", {image}, {{"begin", list({0, 1, 2, 0})}, {"size", list({4, 18, 13, 19})},
                          {"stride", list({1, 2, 3, 1})}}},
      {"pad", {image}, {{"lo", list({0, 1, 2, 0})}, {"hi", list({0, 1, 2, 0})}}},
      {"gather", {big, random_ints({500}, 300)}, {{"axis", one(0)}}},
      {"scatter_add", {big, random_ints({300}, 7)}, {{"axis", one(0)}, {"extent", one(7)}}},
      {"argmax", {big}, {{"axis", one(0)}}},
      {"matmul", {big, real({700, 90}, f)}, {}},
      {"softmax", {big}, {{"axis", one(-1)}}},
      {"conv", {image, real({3, 2, 19, 21}, f)}, kImages},
      {"conv_backward_data", {image, real({3, 2, 5, 19}, f)}, kImages},
      {"max_pool", {image}, {{"pool", list({3, 2})}, {"strides", list({2, 2})},
                             {"padding", std::string("same")}}},
      {"batch_normalization",
       {image, real({19}, f), tensor({19}, uniform(19, 0.5, 2), f), real({19}, f), real({19}, f)},
       {{"axis", one(-1)}, {"epsilon", one(1e-3)}}},
      {"dropout", {image}, {{"rate", one(0.3)}, {"stream", one(2)}}},
  };
  for (const OpCase& c : cases) {
    const test::Context context(c.op);
    set_thread_count(1);
    const auto serial = raw_result(c);
    for (int threads : {2, 3, 5}) {
      set_thread_count(threads);
      CHECK(raw_result(c) == serial);
    }
    set_thread_count(1);
  }
}
