// Operations together: programs, memory that is shared, any number of threads.
#include "ops.h"

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

// Sizes computed from the shape of the input: reshape to (samples * 2, -1).
TEST(program_sizes) {
  const auto row = [](const char* op, const std::vector<int>& inputs, const Attrs& attrs = {}) {
    Row made;
    made.op = op;
    made.inputs = inputs;
    made.attrs = attrs;
    return made;
  };
  Record record = {
      row("input", {}),
      row("shape_of", {0}),
      row("slice", {1}, {{"begin", list({0})}, {"size", list({1})}}),
      row("reshape", {2}, {{"shape", list({})}}),
      row("add", {3, 3}),
      row("reshape", {0, 4}, {{"shape", list({-1, -1})}, {"sizes", list({0})}}),
  };
  record[0].slot = 0;
  record[0].type = f64({kUnknown, 6});
  Program program(record, {5});
  for (Dim rows : {1, 4}) {
    const TensorPtr x = real({rows, 6});
    Plan& plan = program.plan({x->type.shape});
    const Result result = run_plan(plan, {x}, 1)[0];
    CHECK_EQ(result.type.shape, (Shape{2 * rows, 3}));
    CHECK_EQ(result.values, numbers(x->data(), x->type));
  }
  // Of the data themselves no size can be made.
  record[4] = row("cast", {0}, {{"dtype", std::string("int32")}});
  CHECK_THROWS(Program(record, {5}).plan({Shape{1, 6}}), "argument");
  record[4] = row("constant", {});
  record[4].value = ints({}, {-3});
  CHECK_THROWS(Program(record, {5}).plan({Shape{1, 6}}), "argument");
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
  check_threads(cases);
}
