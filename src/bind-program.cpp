#include <cstring>
#include <numeric>

#include "bind-array.h"
#include "convnet/train/loop.h"

using namespace convnet;

namespace {

std::shared_ptr<const Tensor> constant_from_r(const Rcpp::List& row) {
  bind::ArrayCheck check;
  return std::make_shared<Tensor>(bind::tensor_from_r(
      row["value"], bind::type_from_r(row["shape"], row["dtype"]), check));
}

Record record_from_r(const Rcpp::List& rows);

std::vector<int> positions_from_r(const Rcpp::IntegerVector& rows) {
  std::vector<int> positions;
  for (int row : rows) positions.push_back(row - 1);
  return positions;
}

Row row_from_r(const Rcpp::List& from) {
  Row row;
  row.op = Rcpp::as<std::string>(from["op"]);
  row.where = Rcpp::as<std::string>(from["where"]);
  row.inputs = positions_from_r(from["inputs"]);
  if (row.op == "constant") {
    row.value = constant_from_r(from);
  } else if (row.op == "input" || row.op == "variable") {
    row.slot = Rcpp::as<int>(from["slot"]) - 1;
    row.type = bind::type_from_r(from["shape"], from["dtype"]);
  } else {
    row.attrs = bind::attrs_from_r(from["attrs"]);
  }
  if (row.op == "scan") {
    const Rcpp::List body = from["body"];
    row.body = std::make_shared<Body>(
        Body{record_from_r(body["rows"]), positions_from_r(body["outputs"])});
  }
  return row;
}

Record record_from_r(const Rcpp::List& rows) {
  Record record;
  for (R_xlen_t i = 0; i < rows.size(); ++i) record.push_back(row_from_r(rows[i]));
  return record;
}

Rows rows_from_r(const Rcpp::List& datasets, const Rcpp::IntegerVector& order, double batch_size) {
  Rows rows;
  for (R_xlen_t i = 0; i < datasets.size(); ++i)
    rows.datasets.push_back(bind::dataset_from_r(datasets[i]));
  rows.order.assign(order.begin(), order.end());
  for (Dim& row : rows.order) --row;
  rows.batch_size = static_cast<Dim>(batch_size);
  return rows;
}

OptimizerConfig optimizer_from_r(const Rcpp::List& config) {
  auto number = [&](const char* name) {
    return config.containsElementNamed(name) ? Rcpp::as<double>(config[name]) : 0.0;
  };
  OptimizerConfig result;
  result.kind = optimizer_from_name(config["class_name"]);
  result.learning_rate = number("learning_rate");
  result.decay = number("decay");
  result.weight_decay = number("weight_decay");
  result.momentum = number("momentum");
  result.rho = number("rho");
  result.beta_1 = number("beta_1");
  result.beta_2 = number("beta_2");
  result.epsilon = number("epsilon");
  result.schedule_decay = number("schedule_decay");
  result.nesterov = number("nesterov") != 0;
  result.centered = number("centered") != 0;
  result.amsgrad = number("amsgrad") != 0;
  result.clip_norm = number("clipnorm");
  result.global_clip_norm = number("global_clipnorm");
  result.clip_value = number("clipvalue");
  return result;
}

Training training_from_r(const Rcpp::List& from, const Program& program) {
  Training training;
  training.optimizer = optimizer_from_r(from["optimizer"]);
  training.iteration = static_cast<int64_t>(Rcpp::as<double>(from["iteration"]));
  training.variables = Rcpp::as<std::vector<int>>(from["variables"]);
  for (int& slot : training.variables) --slot;
  const Rcpp::List slots = from["slots"];
  for (const Rcpp::List of_variable : slots) {
    const TensorType* type = program.variable_type(training.variables[training.slots.size()]);
    training.slots.emplace_back();
    for (SEXP storage : of_variable) training.slots.back().push_back(bind::storage_pointer(storage, *type));
  }
  if (!Rf_isNull(from["constraints"])) {
    training.constraints = bind::ProgramPointer(SEXP(from["constraints"])).get();
    training.constraint_variables = bind::variables_from_r(from["constraint_storage"], *training.constraints);
  }
  return training;
}

}  // namespace

// Shape and dtype of what an operation makes of such inputs.
// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_infer(std::string op, Rcpp::List attrs, Rcpp::List shapes,
                     Rcpp::CharacterVector dtypes) {
  return bind::guarded([&] {
    const Op* found = find_op(op);
    if (!found) throw Error("argument", "There is no operation named " + op + ".");
    std::vector<TensorType> in;
    for (R_xlen_t i = 0; i < shapes.size(); ++i)
      in.push_back(bind::type_from_r(shapes[i], std::string(dtypes[i])));
    const TensorType type = infer_type(*found, bind::attrs_from_r(attrs), in);
    return Rcpp::List::create(Rcpp::Named("shape") = bind::shape_to_r(type.shape),
                              Rcpp::Named("dtype") = name_of(type.dtype));
  });
}

// [[Rcpp::export(rng = false)]]
SEXP cpp_program(Rcpp::List rows, Rcpp::IntegerVector outputs) {
  return bind::guarded([&]() -> SEXP {
    return bind::ProgramPointer(new Program(record_from_r(rows), positions_from_r(outputs)));
  });
}

// FALSE for the pointer that readRDS() brings back.
// [[Rcpp::export(rng = false)]]
bool cpp_is_live(SEXP handle) {
  return TYPEOF(handle) == EXTPTRSXP && R_ExternalPtrAddr(handle) != nullptr;
}

// [[Rcpp::export(rng = false)]]
bool cpp_is_random(SEXP program) { return bind::ProgramPointer(program)->is_random(); }

// Runs once on whole arrays; feeds are datasets, in the order of the inputs.
// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_run(SEXP program, Rcpp::List feeds, Rcpp::List storage, Rcpp::NumericVector key,
                   int outputs) {
  return bind::guarded([&] {
    std::vector<Shape> shapes;
    std::vector<const void*> inputs;
    for (R_xlen_t i = 0; i < feeds.size(); ++i) {
      const TensorView feed = bind::dataset_from_r(feeds[i]);
      shapes.push_back(feed.type.shape);
      inputs.push_back(feed.data);
    }
    bind::ProgramPointer handle(program);
    Plan& plan = handle->plan(shapes);
    // Outputs may be the variables themselves.
    const std::vector<Variable> variables = bind::variables_from_r(storage, *handle);
    plan.run(inputs, variables, bind::key_from_r(key), 0);
    Rcpp::List result(outputs);
    for (int i = 0; i < outputs; ++i)
      result[i] = bind::array_to_r(plan.output(i), plan.output_type(i));
    return result;
  });
}

// Runs over rows first, ..., last (from 1) in batches, counted from first_batch, and puts the
// outputs of the batches together.
// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_predict(SEXP program, Rcpp::List datasets, double first, double last,
                       Rcpp::List storage, double batch_size, Rcpp::NumericVector key,
                       double first_batch, int outputs) {
  return bind::guarded([&] {
    Rcpp::IntegerVector order(static_cast<R_xlen_t>(last - first + 1));
    std::iota(order.begin(), order.end(), static_cast<int>(first));
    const Rows rows = rows_from_r(datasets, order, batch_size);
    bind::ProgramPointer handle(program);
    const std::vector<Variable> variables = bind::variables_from_r(storage, *handle);
    const uint64_t random_key = bind::key_from_r(key);
    BatchFeeder feeder(rows);
    std::vector<Tensor> whole(outputs);
    for (Dim b = 0; b < rows.batches(); ++b) {
      feeder.load(b);
      Plan& plan = handle->plan(feeder.shapes());
      plan.run(feeder.pointers(), variables, random_key, static_cast<uint32_t>(first_batch + b));
      for (int i = 0; i < outputs; ++i) {
        TensorType type = plan.output_type(i);
        const size_t bytes = type.bytes();
        if (type.shape.rank() == 0 || type.shape[0] != feeder.size())
          throw Error("shape", "Predictions need one row for each row of x.",
                      {{"expected", std::to_string(feeder.size()) + " rows"},
                       {"received", type.shape.to_string()}});
        type.shape[0] = rows.count();
        if (b == 0) whole[i] = Tensor(type);
        std::memcpy(whole[i].as<char>() + bytes / feeder.size() * (b * rows.batch_size),
                    plan.output(i), bytes);
      }
      if (b % 16 == 15) Rcpp::checkUserInterrupt();
    }
    Rcpp::List result(outputs);
    for (int i = 0; i < outputs; ++i)
      result[i] = bind::array_to_r(whole[i].data(), whole[i].type);
    return result;
  });
}

// Batches first_batch, ... for about `budget` milliseconds. training: NULL to
// evaluate. Returns what LoopResult holds.
// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_run_batches(SEXP program, Rcpp::List datasets, Rcpp::IntegerVector order,
                           Rcpp::List storage, double batch_size, double first_batch, int scalars,
                           double budget, Rcpp::NumericVector key, SEXP training) {
  return bind::guarded([&] {
    Training made;
    const bool train = !Rf_isNull(training);
    bind::ProgramPointer handle(program);
    if (train) made = training_from_r(training, *handle);
    const LoopResult result = run_batches(
        *handle, bind::variables_from_r(storage, *handle),
        rows_from_r(datasets, order, batch_size), static_cast<Dim>(first_batch), scalars, budget,
        bind::key_from_r(key), train ? &made : nullptr);
    return Rcpp::List::create(Rcpp::Named("batches") = static_cast<double>(result.batches),
                              Rcpp::Named("rows") = static_cast<double>(result.rows),
                              Rcpp::Named("sums") = result.sums);
  });
}

// How many state tensors the optimizer keeps for each variable.
// [[Rcpp::export(rng = false)]]
int cpp_optimizer_slots(Rcpp::List config) {
  return bind::guarded([&] { return slots_per_variable(optimizer_from_r(config)); });
}
