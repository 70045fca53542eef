#include "program.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "../kernels/isa.h"
#include "fuse.h"

namespace convnet {

namespace {

Shape merge(const Shape& declared, const Shape& given, const std::string& where) {
  bool fits = declared.rank() == given.rank();
  for (int axis = 0; fits && axis < given.rank(); ++axis)
    fits = declared[axis] == kUnknown || declared[axis] == given[axis];
  if (!fits) {
    Error error("shape", "The data do not have the shape that the model was built for.",
                {{"expected", declared.to_string()}, {"received", given.to_string()}});
    throw where.empty() ? error : error.with("where", where);
  }
  return given;
}

// Turns the rows of a record into the nodes of a graph, in order.
class Lowering {
 public:
  Lowering(const Record& record, const std::vector<Shape>& input_shapes)
      : record_(record), shapes_(input_shapes), values_(record.size(), kNone) {}

  void run() {
    for (size_t i = 0; i < record_.size(); ++i) {
      graph.set_where(record_[i].where);
      values_[i] = lower(static_cast<int>(i));
    }
  }
  Value value(int row) const { return values_[row]; }

  Graph graph;
  std::vector<Update> updates;

 private:
  Value lower(int i) {
    const Row& row = record_[i];
    if (row.op == "input")
      return graph.input(row.slot,
                         {row.type.dtype, merge(row.type.shape, shapes_[row.slot], row.where)});
    if (row.op == "variable") return graph.variable(row.slot, row.type);
    if (row.op == "constant") return graph.constant(row.value);
    if (row.op == "gradient") return gradient(i);
    std::vector<Value> in;
    for (int input : row.inputs) in.push_back(values_[input]);
    if (row.op == "update") {
      infer_type(*find_op("update"), row.attrs, {graph.type(in[0]), graph.type(in[1])});
      updates.push_back({record_[row.inputs[0]].slot, in[1]});
      return in[1];
    }
    return graph.emit(row.op, std::move(in), row.attrs);
  }

  // All gradients of one loss are taken together, at the first of their rows;
  // later rows may differentiate with respect to what came between.
  Value gradient(int i) {
    const int loss = record_[i].inputs[0];
    if (gradients_.count(i) == 0) {
      std::vector<int> rows;
      std::vector<Value> wrt;
      for (size_t k = i; k < record_.size(); ++k)
        if (record_[k].op == "gradient" && record_[k].inputs[0] == loss &&
            record_[k].inputs[1] < i) {
          rows.push_back(static_cast<int>(k));
          wrt.push_back(values_[record_[k].inputs[1]]);
        }
      const auto grads = graph.gradients(values_[loss], wrt);
      for (size_t k = 0; k < rows.size(); ++k) gradients_[rows[k]] = grads[k];
    }
    return gradients_[i];
  }

  const Record& record_;
  const std::vector<Shape>& shapes_;
  std::vector<Value> values_;
  std::map<int, Value> gradients_;
};

}  // namespace

Program::Program(Record record, std::vector<int> outputs)
    : record_(std::move(record)), outputs_(std::move(outputs)) {
  for (size_t i = 0; i < record_.size(); ++i) {
    const Row& row = record_[i];
    if (row.op == "input") {
      input_rows_.resize(std::max<size_t>(input_rows_.size(), row.slot + 1));
      input_rows_[row.slot] = static_cast<int>(i);
    }
    random_ = random_ || row.attrs.has("stream");
    steady_ = steady_ && row.op != "gradient";
    for (int input : row.inputs)
      if (input < 0 || input >= static_cast<int>(i))
        throw std::logic_error("a row of a record reads a row that does not precede it");
  }
  for (int row : outputs_)
    if (row < 0 || row >= static_cast<int>(record_.size()))
      throw std::logic_error("a record lacks a row that is to be returned");
}

Plan& Program::plan(const std::vector<Shape>& input_shapes) {
  const auto found = std::find_if(plans_.begin(), plans_.end(), [&](const Cached& cached) {
    return cached.shapes == input_shapes && cached.isa == isa_name();
  });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
  } else {
    plans_.push_front({input_shapes, isa_name(), build(input_shapes)});
    if (plans_.size() > kPlans) plans_.pop_back();
  }
  return *plans_.front().plan;
}

std::unique_ptr<Plan> Program::build(const std::vector<Shape>& input_shapes) const {
  Lowering lowering(record_, input_shapes);
  lowering.run();
  std::vector<Value> roots;
  for (int row : outputs_) roots.push_back(lowering.value(row));
  for (const Update& update : lowering.updates) roots.push_back(update.value);
  const Graph graph = fuse(lowering.graph, roots);
  const auto end_of_outputs = roots.begin() + outputs_.size();
  for (size_t i = 0; i < lowering.updates.size(); ++i) lowering.updates[i].value = end_of_outputs[i];
  return std::make_unique<Plan>(graph, std::vector<Value>(roots.begin(), end_of_outputs),
                                lowering.updates, steady_);
}

}  // namespace convnet
