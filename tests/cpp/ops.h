#pragma once
// What the tests of operations share: tensors, runs of one operation, and the table
// of cases whose derivatives are checked.
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

using TensorPtr = std::shared_ptr<Tensor>;
using Numbers = std::vector<double>;

inline const double kNaN = std::numeric_limits<double>::quiet_NaN();
inline const double kInf = std::numeric_limits<double>::infinity();

inline Attrs::Value list(const std::vector<Dim>& values) { return number_list(values); }
inline Attrs::Value one(double value) { return number_list(value); }

inline TensorPtr tensor(const Shape& shape, const Numbers& values, DType dtype = DType::f64) {
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
inline TensorPtr ints(const Shape& shape, const Numbers& values) {
  return tensor(shape, values, DType::i32);
}
inline TensorPtr bools(const Shape& shape, const Numbers& values) {
  return tensor(shape, values, DType::boolean);
}
inline TensorPtr vec(const Numbers& values, DType dtype = DType::f64) {
  return tensor({static_cast<Dim>(values.size())}, values, dtype);
}

// Different numbers each time it is called, the same in each run.
inline Numbers uniform(Dim n, double low, double high) {
  static uint32_t stream = 0;
  const Philox random(2026, ++stream, 0);
  Numbers values(n);
  for (Dim i = 0; i < n; ++i)
    values[i] = low + (high - low) * (random.block(i)[0] + 0.5) * 0x1p-32;
  return values;
}
inline TensorPtr real(const Shape& shape, DType dtype = DType::f64) {
  return tensor(shape, uniform(shape.size(), -1.5, 1.5), dtype);
}
inline TensorPtr positive(const Shape& shape) { return tensor(shape, uniform(shape.size(), 0.4, 2)); }
// No value near 0, where some functions have a kink.
inline TensorPtr nonzero(const Shape& shape) {
  Numbers values = uniform(shape.size(), -1, 1);
  for (double& v : values) v += v > 0 ? 0.3 : -0.3;
  return tensor(shape, values);
}
inline TensorPtr random_ints(const Shape& shape, Dim extent) {
  Numbers values = uniform(shape.size(), 0, static_cast<double>(extent));
  for (double& v : values) v = std::floor(v);
  return ints(shape, values);
}
inline TensorPtr random_bools(const Shape& shape) {
  Numbers values = uniform(shape.size(), 0, 2);
  for (double& v : values) v = std::floor(v);
  return bools(shape, values);
}

inline Numbers numbers(const void* data, const TensorType& type) {
  return dispatch_any(type.dtype, [&](auto tag) {
    const auto* values = static_cast<const decltype(tag)*>(data);
    return Numbers(values, values + type.shape.size());
  });
}

struct Result {
  TensorType type;
  Numbers values;
};

inline std::vector<Result> run_plan(Plan& plan, const std::vector<TensorPtr>& inputs,
                                    int outputs, uint64_t key = 7, uint32_t step = 0) {
  std::vector<const void*> pointers;
  for (const TensorPtr& t : inputs) pointers.push_back(t->data());
  plan.run(pointers, {}, key, step);
  std::vector<Result> results;
  for (int i = 0; i < outputs; ++i)
    results.push_back({plan.output_type(i), numbers(plan.output(i), plan.output_type(i))});
  return results;
}

inline Result run(const std::string& op, const std::vector<TensorPtr>& inputs,
                  const Attrs& attrs = {}, uint64_t key = 7, uint32_t step = 0) {
  Graph g;
  std::vector<Value> in;
  for (size_t i = 0; i < inputs.size(); ++i)
    in.push_back(g.input(static_cast<int>(i), inputs[i]->type));
  Plan plan(g, {g.emit(op, in, attrs)}, {});
  return run_plan(plan, inputs, 1, key, step)[0];
}
inline Numbers values(const std::string& op, const std::vector<TensorPtr>& inputs,
                      const Attrs& attrs = {}) {
  return run(op, inputs, attrs).values;
}
// d sum(op(inputs)) / d inputs[i]
inline Numbers gradient(const std::string& op, const std::vector<TensorPtr>& inputs, int i,
                        const Attrs& attrs = {}) {
  Graph g;
  std::vector<Value> in;
  for (size_t k = 0; k < inputs.size(); ++k)
    in.push_back(g.input(static_cast<int>(k), inputs[k]->type));
  Plan plan(g, {g.gradients(g.emit(op, in, attrs), {in[i]})[0]}, {});
  return run_plan(plan, inputs, 1)[0].values;
}
inline Shape inferred(const std::string& op, const std::vector<TensorType>& in,
                      const Attrs& attrs = {}) {
  return infer_type(*find_op(op), attrs, in).shape;
}
inline TensorType f32(const Shape& shape) { return {DType::f32, shape}; }
inline TensorType f64(const Shape& shape) { return {DType::f64, shape}; }
inline TensorType i32(const Shape& shape) { return {DType::i32, shape}; }
inline TensorType boolean(const Shape& shape) { return {DType::boolean, shape}; }

inline double inner_product(const Numbers& a, const Numbers& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

struct OpCase {
  const char* op;
  std::vector<TensorPtr> inputs;
  Attrs attrs;
};

// Each file of tests adds the cases of its operations: OP_CASES(name) { return {...}; }
using OpCases = std::vector<OpCase> (*)();
inline std::vector<OpCases>& all_op_cases() {
  static std::vector<OpCases> all;
  return all;
}
struct OpCasesRegistration {
  explicit OpCasesRegistration(OpCases cases) { all_op_cases().push_back(cases); }
};
#define OP_CASES(name)                                        \
  static std::vector<OpCase> cases_##name();                  \
  static const OpCasesRegistration add_##name(cases_##name);  \
  static std::vector<OpCase> cases_##name()

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
inline double at(const TensorPtr& t, const std::vector<Dim>& index) {
  const Shape& shape = t->type.shape;
  const int lead = static_cast<int>(index.size()) - shape.rank();
  Dim flat = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    flat = flat * shape[axis] + (shape[axis] == 1 ? 0 : index[axis + lead]);
  return numbers(t->data(), t->type)[flat];
}

inline const Attrs kImages = {{"strides", list({2, 1})}, {"dilation", list({1, 1})},
                              {"padding", std::string("same")}};

// Adjoint pairs: <A x, y> = <x, A' y>.
inline void check_adjoint(const std::string& a, const TensorPtr& x,
                          const std::vector<TensorPtr>& more_a, const Attrs& attrs_a,
                          const std::string& b, const TensorPtr& y,
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

// The bytes of the result and of the gradients of the sum of its squares.
inline std::vector<char> raw_result(const OpCase& c) {
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

inline void check_threads(const std::vector<OpCase>& cases) {
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
