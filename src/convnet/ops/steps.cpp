#include "steps.h"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <sstream>

#include "build.h"
#include "check.h"

namespace convnet {

namespace {

// Where in a list of inputs and then results an operand is.
size_t place_of(int operand, size_t inputs) {
  return operand >= 0 ? static_cast<size_t>(operand) : inputs + static_cast<size_t>(-1 - operand);
}

// The types of all inputs and results.
std::vector<TensorType> all_types(const StepList& list, std::vector<TensorType> types) {
  const size_t inputs = types.size();
  if (list.inputs() > inputs)
    argument_error("A step reads an input that is not there.", std::to_string(list.inputs()) + " inputs",
                   std::to_string(inputs));
  for (const StepList::Step& step : list.steps) {
    std::vector<TensorType> in;
    for (int operand : step.operands) in.push_back(types[place_of(operand, inputs)]);
    types.push_back(infer_type(*step.op, step.attrs(), in));
  }
  return types;
}

}  // namespace

StepList StepList::read(const std::string& text) {
  StepList list;
  std::istringstream words(text);
  for (std::string name; words >> name;) {
    Step step{find_op(name), {}, 0};
    bool good = step.op && step.op->by_element && list.steps.size() < kMaxSteps;
    for (int i = 0; good && i < step.op->min_inputs; ++i) {
      int operand = 0;
      good = words >> operand && operand >= -static_cast<int>(list.steps.size()) &&
             operand < static_cast<int>(kMaxInputs);
      step.operands.push_back(operand);
    }
    if (!good || !(words >> step.alpha))
      argument_error("Steps cannot be read.", "names of operations by element, each with operands and a number",
                     text);
    list.steps.push_back(std::move(step));
  }
  if (list.steps.empty()) argument_error("There are no steps.", "one at least", "none");
  return list;
}

std::string StepList::text() const {
  std::ostringstream words;
  words << std::setprecision(std::numeric_limits<double>::max_digits10);
  for (const Step& step : steps) {
    words << (words.tellp() > 0 ? " " : "") << step.op->name;
    for (int operand : step.operands) words << ' ' << operand;
    words << ' ' << step.alpha;
  }
  return words.str();
}

size_t StepList::inputs() const {
  int last = -1;
  for (const Step& step : steps)
    for (int operand : step.operands) last = std::max(last, operand);
  return static_cast<size_t>(last + 1);
}

Steps::Steps(const StepList& list, const std::vector<TensorType>& in) {
  const std::vector<TensorType> types = all_types(list, in);
  const size_t inputs = in.size(), count = list.steps.size();
  size_t largest = 0;
  std::vector<size_t> last_reader(types.size(), 0);
  for (size_t i = 0; i < count; ++i) {
    largest = std::max(largest, size_of(types[inputs + i].dtype));
    for (int operand : list.steps[i].operands) last_reader[place_of(operand, inputs)] = i;
  }
  // A result takes the first place that nobody reads any more.
  std::vector<size_t> reader_of_place, place(types.size(), 0);
  for (size_t i = 0; i + 1 < count; ++i) {
    size_t& p = place[inputs + i];
    while (p < reader_of_place.size() && reader_of_place[p] >= i) ++p;
    if (p == reader_of_place.size()) reader_of_place.push_back(0);
    reader_of_place[p] = last_reader[inputs + i];
  }
  for (size_t i = 1; i < inputs; ++i)
    reads_others_ = reads_others_ || in[i].shape.size() > 1;
  const size_t room = reader_of_place.empty() ? kStretch
                                              : std::min(kStretch, kRoom / reader_of_place.size() / 64 * 64);
  stretch_ = static_cast<Dim>(room / largest);
  size_ = size_of(types.back().dtype);
  for (size_t i = 0; i < count; ++i) {
    const StepList::Step& from = list.steps[i];
    OpCall call{from.attrs(), {}, types[inputs + i]};
    Step step{{}, {}, room * place[inputs + i]};
    for (int operand : from.operands) {
      const size_t p = place_of(operand, inputs);
      call.in.push_back(types[p]);
      step.operands.push_back({operand < 0, operand < 0 ? room * place[p] : p,
                               types[p].shape.size() == 1 ? 0 : size_of(types[p].dtype)});
    }
    step.mapping = from.op->prepare(call).mapping;
    time_ += step.mapping.time;
    steps_.push_back(std::move(step));
  }
}

void Steps::run(const void* const* in, void* out, Dim first, Dim count) const {
  alignas(64) char room[kRoom];
  const void* operands[3];
  for (Dim at = 0; at < count; at += stretch_) {
    const Dim n = std::min(stretch_, count - at);
    for (const Step& step : steps_) {
      for (size_t i = 0; i < step.operands.size(); ++i) {
        const Operand& operand = step.operands[i];
        operands[i] = operand.kept ? room + operand.at
                                   : static_cast<const char*>(in[operand.at]) + (first + at) * operand.size;
      }
      const bool last = &step == &steps_.back();
      step.mapping.run(operands, last ? static_cast<char*>(out) + at * size_ : room + step.at, n);
    }
  }
}

TensorType infer_steps(const StepList& list, const std::vector<TensorType>& in) {
  const std::vector<TensorType> types = all_types(list, in);
  const TensorType& out = types.back();
  for (size_t i = 0; i < types.size(); ++i) {
    const Shape& shape = types[i].shape;
    if (!shape.known() || !out.shape.known() || shape.size() == out.shape.size()) continue;
    if (i >= in.size() || shape.size() != 1)
      shape_error("Steps have values of different shapes.", "one value or those of " + out.shape.to_string(),
                  shape.to_string());
  }
  return out;
}

std::vector<Value> steps_vjp(Emitter& g, const StepList& list, std::vector<Value> in, Value grad) {
  const size_t inputs = in.size();
  std::vector<Value>& values = in;
  const auto operands_of = [&](const StepList::Step& step) {
    std::vector<Value> operands;
    for (int operand : step.operands) operands.push_back(values[place_of(operand, inputs)]);
    return operands;
  };
  for (const StepList::Step& step : list.steps)
    values.push_back(g.emit(step.op->name, operands_of(step), step.attrs()));
  std::vector<Value> received(values.size(), kNone);
  received.back() = grad;
  for (size_t i = list.steps.size(); i-- > 0;) {
    const StepList::Step& step = list.steps[i];
    const Value out = values[inputs + i], out_grad = received[inputs + i];
    if (out_grad == kNone || !step.op->vjp) continue;
    const std::vector<Value> operands = operands_of(step);
    OpCall call{step.attrs(), {}, g.type(out)};
    for (Value v : operands) call.in.push_back(g.type(v));
    const std::vector<Value> grads = step.op->vjp(g, call, operands, out, out_grad);
    for (size_t k = 0; k < grads.size(); ++k) {
      Value& sum = received[place_of(step.operands[k], inputs)];
      if (grads[k] != kNone) sum = sum == kNone ? grads[k] : add(g, sum, grads[k]);
    }
  }
  received.resize(inputs);
  return received;
}

}  // namespace convnet
