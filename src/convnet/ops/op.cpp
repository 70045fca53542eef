#include "op.h"

#include <unordered_map>

namespace convnet {

#define CONVNET_OP(name) extern const Op op_##name;
#include "ops.inc"
#undef CONVNET_OP

std::vector<const Op*> all_ops() {
  return {
#define CONVNET_OP(name) &op_##name,
#include "ops.inc"
#undef CONVNET_OP
  };
}

const Op* find_op(const std::string& name) {
  static const auto* table = [] {
    auto* ops = new std::unordered_map<std::string, const Op*>;
    for (const Op* op : all_ops()) ops->emplace(op->name, op);
    return ops;
  }();
  const auto found = table->find(name);
  return found == table->end() ? nullptr : found->second;
}

TensorType infer_type(const Op& op, const Attrs& attrs, const std::vector<TensorType>& in) {
  const int n = static_cast<int>(in.size());
  try {
    if (n < op.min_inputs || (op.max_inputs >= 0 && n > op.max_inputs))
      argument_error("An operation has the wrong number of inputs.",
                     std::to_string(op.min_inputs) + " inputs", std::to_string(n));
    return op.infer(attrs, in);
  } catch (Error& error) {
    error.with("operation", op.name);
    throw;
  }
}

const Attrs::Value* Attrs::find(const std::string& name) const {
  for (const auto& entry : values_)
    if (entry.first == name) return &entry.second;
  return nullptr;
}

namespace {
[[noreturn]] void bad_attribute(const std::string& name, const char* expected) {
  argument_error("An operation lacks an attribute.", std::string(expected) + " `" + name + "`",
                 "another value, or none");
}
}  // namespace

double Attrs::number(const std::string& name) const {
  const Value* value = find(name);
  const auto* list = value ? std::get_if<std::vector<double>>(value) : nullptr;
  if (!list || list->size() != 1) bad_attribute(name, "one number");
  return list->front();
}

const std::string& Attrs::text(const std::string& name) const {
  const Value* value = find(name);
  const auto* text = value ? std::get_if<std::string>(value) : nullptr;
  if (!text) bad_attribute(name, "a string");
  return *text;
}

std::vector<Dim> Attrs::integers(const std::string& name) const {
  const Value* value = find(name);
  const auto* list = value ? std::get_if<std::vector<double>>(value) : nullptr;
  if (!list) bad_attribute(name, "numbers");
  return std::vector<Dim>(list->begin(), list->end());
}

Attrs Attrs::without(const std::string& name) const {
  Attrs rest;
  for (const auto& entry : values_)
    if (entry.first != name) rest.values_.push_back(entry);
  return rest;
}

Attrs& Attrs::set(const std::string& name, Value value) {
  for (auto& entry : values_)
    if (entry.first == name) {
      entry.second = std::move(value);
      return *this;
    }
  values_.emplace_back(name, std::move(value));
  return *this;
}

}  // namespace convnet
