#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../core/tensor.h"

namespace convnet {

// Attributes of one operation: named numbers, number lists or strings. A record
// row's attributes arrive from R in this form.
class Attrs {
 public:
  using Value = std::variant<std::vector<double>, std::string>;

  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, Value>> values) : values_(values) {}

  bool has(const std::string& name) const { return find(name) != nullptr; }
  double number(const std::string& name) const;
  double number_or(const std::string& name, double fallback) const {
    return has(name) ? number(name) : fallback;
  }
  bool flag(const std::string& name) const { return number_or(name, 0) != 0; }
  Dim integer(const std::string& name) const { return static_cast<Dim>(number(name)); }
  const std::string& text(const std::string& name) const;
  std::vector<Dim> integers(const std::string& name) const;
  // NA in R becomes kUnknown on the way in.
  Shape shape(const std::string& name) const { return Shape(integers(name)); }

  Attrs& set(const std::string& name, Value value);
  Attrs& set(const std::string& name, double value) { return set(name, std::vector<double>{value}); }
  Attrs& set(const std::string& name, const Shape& shape) {
    return set(name, std::vector<double>(shape.begin(), shape.end()));
  }
  Attrs without(const std::string& name) const;
  bool operator==(const Attrs& other) const { return values_ == other.values_; }

 private:
  const Value* find(const std::string& name) const;
  std::vector<std::pair<std::string, Value>> values_;
};

// Shorthand for attribute lists in vjp rules.
inline Attrs::Value number_list(const std::vector<Dim>& values) {
  return std::vector<double>(values.begin(), values.end());
}
inline Attrs::Value number_list(double value) { return std::vector<double>{value}; }

// A node of the graph, by position.
using Value = int;
constexpr Value kNone = -1;

// Where vjp rules put the nodes they add: the graph, seen from below.
class Emitter {
 public:
  virtual ~Emitter() = default;
  // Infers the type and appends; a node that is there already is used again.
  virtual Value emit(const std::string& op, std::vector<Value> inputs, Attrs attrs = {}) = 0;
  virtual Value scalar(double value, DType dtype) = 0;
  virtual const TensorType& type(Value v) const = 0;
  const Shape& shape(Value v) const { return type(v).shape; }
};

// One use of an operation: what it knows when it is specialised.
struct OpCall {
  Attrs attrs;
  std::vector<TensorType> in;
  TensorType out;
};

struct RunContext {
  uint64_t key;     // seed of this run's random streams
  uint32_t step;    // counts the runs made with that key
  void* workspace;  // Prepared::workspace bytes, 64-byte aligned
};

// in[i], out: row-major values of the types in OpCall; out may be in[i] where
// Op::in_place says so.
using Runner = std::function<void(const void* const* in, void* out, const RunContext& context)>;

// A form of one of its inputs that an operation reads in place of that input. One
// is made for all operations that read the same input and give equal keys.
struct Packing {
  int input = 0;
  std::vector<int64_t> key;
  size_t bytes = 0;
  Runner pack;  // in[0]: the input; none when the operation reads it as it is
};

// What an operation by element does to `count` values of its result that follow each
// other: `in` has as many of each input, or its one value, and may be out.
struct Mapping {
  std::function<void(const void* const* in, void* out, Dim count)> run;
  double time = 0;  // of one value; see core/threads.h
};

// An operation specialised to concrete shapes.
struct Prepared {
  Runner run;
  size_t workspace = 0;
  Packing packing = {};
  Mapping mapping = {};
};

// An operation. Each lives in one file of this folder; ops.inc lists them all.
struct Op {
  const char* name;
  int min_inputs, max_inputs;  // max_inputs < 0: any number
  // Type of the result. Extents may be unknown; throws Error when the inputs
  // cannot be right for any value of the unknown ones.
  TensorType (*infer)(const Attrs& attrs, const std::vector<TensorType>& in);
  // Called with concrete shapes only. nullptr: a view, whose result is the
  // memory of its first input.
  Prepared (*prepare)(const OpCall& call);
  // Adds to g the vector-Jacobian products: for each input the cotangent it
  // receives when `out` receives `grad`, or kNone. Shapes are concrete.
  // nullptr: no gradient passes.
  std::vector<Value> (*vjp)(Emitter& g, const OpCall& call, const std::vector<Value>& in, Value out,
                            Value grad);
  // The result may overwrite an input of the same type.
  bool in_place = false;
  // A value of the result depends on one value of each input. Where these have the
  // result's size or one value, there is a Prepared::mapping.
  bool by_element = false;
};

// nullptr when there is no operation of this name.
const Op* find_op(const std::string& name);
std::vector<const Op*> all_ops();

// Checks the number of inputs, then infers; the error names the operation.
TensorType infer_type(const Op& op, const Attrs& attrs, const std::vector<TensorType>& in);

}  // namespace convnet
