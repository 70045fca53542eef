#include "lower.h"

#include <map>

#include "../ops/build.h"
#include "sizes.h"

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
  // next_stream: the first number of a random stream that no row has.
  Lowering(const Record& record, Graph& graph, double& next_stream)
      : record_(record), graph_(graph), next_stream_(next_stream), values_(record.size(), kNone) {}
  virtual ~Lowering() = default;

  void run() {
    for (size_t i = 0; i < record_.size(); ++i) {
      graph_.set_where(record_[i].where);
      values_[i] = lower(static_cast<int>(i));
    }
  }
  Value value(int row) const { return values_[row]; }

  std::vector<Update> updates;

 protected:
  virtual Value input(const Row& row) = 0;
  virtual Attrs attrs(const Row& row) { return row.attrs; }

  const Record& record_;
  Graph& graph_;
  double& next_stream_;

 private:
  Value lower(int i) {
    const Row& row = record_[i];
    if (row.op == "input") return input(row);
    if (row.op == "variable") return graph_.variable(row.slot, row.type);
    if (row.op == "constant") return graph_.constant(row.value);
    if (row.op == "gradient") return gradient(i);
    if (row.op == "output") return scans_.at(row.inputs[0]).at(row.attrs.integer("index") - 1);
    std::vector<Value> in;
    for (int input : row.inputs) in.push_back(values_[input]);
    if (row.op == "scan") {
      scans_[i] = scan(row, in);
      return scans_[i].front();
    }
    if (row.op == "update") {
      infer_type(*find_op("update"), row.attrs, {graph_.type(in[0]), graph_.type(in[1])});
      updates.push_back({record_[row.inputs[0]].slot, in[1]});
      return in[1];
    }
    // Here only the shapes of some inputs count, and these are known.
    if (row.op == "fill_like")
      return broadcast_to(graph_, graph_.scalar(row.attrs.number("value"), graph_.type(in[0]).dtype),
                          graph_.shape(in[0]));
    if (row.op == "shape_of") return shape_constant(graph_, graph_.shape(in[0]));
    const Attrs concrete = with_sizes(graph_, attrs(row), in);
    const Value made = graph_.emit(row.op, in, concrete);
    return row.op == "reshape" ? reshape(graph_, in[0], graph_.shape(made)) : without_zeros(made);
  }

  bool is_zero(Value v) const {
    const Node& node = graph_[v];
    if (node.kind != NodeKind::operation || node.op != find_op("broadcast_to")) return false;
    const Node& from = graph_[node.inputs[0]];
    return from.kind == NodeKind::constant && from.type.shape.rank() == 0 &&
           dispatch_any(from.type.dtype,
                        [&](auto tag) { return *from.value->template as<decltype(tag)>() == 0; });
  }

  // The states of zeros that a sequence begins with cost no product.
  Value without_zeros(Value v) {
    const Node& node = graph_[v];
    const std::string op = node.kind == NodeKind::operation ? node.op->name : "";
    if ((op == "conv" || op == "matmul") && is_zero(node.inputs[0]))
      return broadcast_to(graph_, graph_.scalar(0, node.type.dtype), node.type.shape);
    if (op == "add")
      for (int i : {0, 1})
        if (is_zero(node.inputs[i]) && graph_.type(node.inputs[1 - i]) == node.type)
          return node.inputs[1 - i];
    return v;
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
      const auto grads = graph_.gradients(values_[loss], wrt);
      for (size_t k = 0; k < rows.size(); ++k) gradients_[rows[k]] = grads[k];
    }
    return gradients_[i];
  }

  std::vector<Value> scan(const Row& row, const std::vector<Value>& in);

  std::vector<Value> values_;
  std::map<int, Value> gradients_;
  std::map<int, std::vector<Value>> scans_;
};

class ProgramLowering final : public Lowering {
 public:
  ProgramLowering(const Record& record, Graph& graph, double& next_stream,
                  const std::vector<Shape>& shapes)
      : Lowering(record, graph, next_stream), shapes_(shapes) {}

 private:
  Value input(const Row& row) override {
    return graph_.input(row.slot,
                        {row.type.dtype, merge(row.type.shape, shapes_[row.slot], row.where)});
  }

  const std::vector<Shape>& shapes_;
};

// One step of a scan.
class StepLowering final : public Lowering {
 public:
  StepLowering(const Record& record, Graph& graph, double& next_stream, std::vector<Value> inputs)
      : Lowering(record, graph, next_stream), inputs_(std::move(inputs)) {}

 private:
  Value input(const Row& row) override { return inputs_.at(row.slot); }
  // Each step draws anew.
  Attrs attrs(const Row& row) override {
    Attrs attrs = row.attrs;
    if (attrs.has("stream")) attrs.set("stream", next_stream_++);
    return attrs;
  }

  std::vector<Value> inputs_;
};

// Step t of a sequence (samples, steps, ...).
Value step_of(Graph& graph, Value sequence, Dim t) {
  const std::vector<Dim> dims = graph.shape(sequence).dims();
  std::vector<Dim> begin(dims.size(), 0), size = dims, rest = dims;
  begin[1] = t;
  size[1] = 1;
  rest.erase(rest.begin() + 1);
  const Value slice =
      graph.emit("slice", {sequence}, {{"begin", number_list(begin)}, {"size", number_list(size)}});
  return reshape(graph, slice, Shape(rest));
}

Value stack_steps(Graph& graph, const std::vector<Value>& steps) {
  std::vector<Value> slices;
  for (Value step : steps) {
    std::vector<Dim> dims = graph.shape(step).dims();
    dims.insert(dims.begin() + 1, 1);
    slices.push_back(reshape(graph, step, Shape(dims)));
  }
  return graph.emit("concatenate", std::move(slices), {{"axis", number_list(1)}});
}

Dim steps_of(const Graph& graph, const std::vector<Value>& sequences) {
  const Dim steps = graph.shape(sequences[0])[1];
  for (Value sequence : sequences)
    if (graph.shape(sequence)[1] != steps)
      throw Error("shape", "The sequences have different numbers of steps.",
                  {{"expected", std::to_string(steps) + " steps"},
                   {"received", graph.shape(sequence).to_string()}});
  if (steps == 0)
    throw Error("shape", "A sequence needs at least one step.",
                {{"received", graph.shape(sequences[0]).to_string()}});
  return steps;
}

std::vector<Value> Lowering::scan(const Row& row, const std::vector<Value>& in) {
  const auto sequences_end = in.begin() + row.attrs.integer("sequences");
  const auto states_end = sequences_end + row.attrs.integer("states");
  const std::vector<Value> sequences(in.begin(), sequences_end), captured(states_end, in.end());
  std::vector<Value> states(sequences_end, states_end);
  const Dim steps = steps_of(graph_, sequences);
  const size_t made = row.body->outputs.size() - states.size();
  std::vector<std::vector<Value>> outputs(made);
  for (Dim t = 0; t < steps; ++t) {
    std::vector<Value> inputs;
    for (Value sequence : sequences)
      inputs.push_back(step_of(graph_, sequence, row.attrs.flag("backwards") ? steps - 1 - t : t));
    inputs.insert(inputs.end(), states.begin(), states.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    StepLowering step(row.body->rows, graph_, next_stream_, std::move(inputs));
    step.run();
    for (size_t k = 0; k < made; ++k) outputs[k].push_back(step.value(row.body->outputs[k]));
    for (size_t k = 0; k < states.size(); ++k) {
      const Value state = step.value(row.body->outputs[made + k]);
      if (!(graph_.type(state) == graph_.type(states[k])))
        throw Error("shape", "A state changes its shape or dtype from one step to the next.",
                    {{"expected", graph_.shape(states[k]).to_string()},
                     {"received", graph_.shape(state).to_string()}})
            .with("where", row.where);
      states[k] = state;
    }
  }
  std::vector<Value> results;
  for (const auto& each : outputs) results.push_back(stack_steps(graph_, each));
  for (const auto& each : outputs) results.push_back(each.back());
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

}  // namespace

Lowered lower(const Record& record, const std::vector<int>& outputs,
              const std::vector<Shape>& input_shapes) {
  Lowered lowered;
  // Streams of rows are their numbers, from 1.
  double next_stream = static_cast<double>(record.size()) + 1;
  ProgramLowering lowering(record, lowered.graph, next_stream, input_shapes);
  lowering.run();
  for (int row : outputs) lowered.outputs.push_back(lowering.value(row));
  lowered.updates = std::move(lowering.updates);
  return lowered;
}

}  // namespace convnet
