#pragma once
// Operations by element one after the other, on stretches of values that stay in the
// first-level cache between them. The graph makes them of nodes that are only read there.
#include <string>
#include <vector>

#include "op.h"

namespace convnet {

// Which operations, in the attribute `steps`. The last one's result is that of all.
struct StepList {
  struct Step {
    const Op* op;
    std::vector<int> operands;  // n >= 0 is input n, -1 the first step's result, -2 the second's
    double alpha;               // its attribute, 0 where it has none

    Attrs attrs() const { return alpha == 0 ? Attrs() : Attrs().set("alpha", alpha); }
  };
  static constexpr size_t kMaxSteps = 16, kMaxInputs = 2 * kMaxSteps + 1;

  std::vector<Step> steps;

  // "relu_gate 0 1 0.2 multiply -1 2 0": each with its operands and its alpha.
  static StepList read(const std::string& text);
  std::string text() const;
  // One more than the last input that a step reads.
  size_t inputs() const;
};

// The same for inputs of these types: shapes are concrete, and each has the result's size or
// one value.
class Steps {
 public:
  Steps(const StepList& list, const std::vector<TensorType>& in);

  double time() const { return time_; }  // of a value
  // Whether an input but the first has as many values as the result.
  bool reads_others() const { return reads_others_; }
  // Results first .. first + count - 1, into `out`, of inputs that begin at in[i]. It may be
  // where an input has values of the same type for them.
  void run(const void* const* in, void* out, Dim first, Dim count) const;

 private:
  struct Operand {
    bool kept;    // in the room; else an input
    size_t at;    // byte of the room, or which input
    size_t size;  // bytes from value to value; 0 where there is one
  };
  struct Step {
    Mapping mapping;
    std::vector<Operand> operands;
    size_t at;  // byte of the room that its results are kept from
  };
  static constexpr size_t kRoom = 32768, kStretch = 4096;

  std::vector<Step> steps_;
  size_t size_;  // bytes of a result
  Dim stretch_;
  double time_ = 0;
  bool reads_others_ = false;
};

// For shape rules: the type of the result.
TensorType infer_steps(const StepList& list, const std::vector<TensorType>& in);

// For vjp rules: the cotangents of the inputs.
std::vector<Value> steps_vjp(Emitter& g, const StepList& list, std::vector<Value> in, Value grad);

}  // namespace convnet
