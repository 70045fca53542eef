#pragma once
#include <list>
#include <memory>
#include <vector>

#include "plan.h"
#include "record.h"

namespace convnet {

// A record with the rows that are wanted from it. Specialised to the shapes of
// what it is fed; the plans of the last few shapes are kept.
class Program {
 public:
  // All update rows are carried out, whether or not they are outputs.
  Program(Record record, std::vector<int> outputs);

  // The plan for inputs of these shapes and the instruction set in use; throws when
  // they do not fit.
  Plan& plan(const std::vector<Shape>& input_shapes);
  // nullptr for a slot that no row reads.
  const TensorType* variable_type(size_t slot) const;
  bool is_random() const { return random_; }

 private:
  std::unique_ptr<Plan> build(const std::vector<Shape>& input_shapes) const;

  static constexpr size_t kPlans = 8;
  struct Cached {
    std::vector<Shape> shapes;
    std::string isa;
    bool winograd;
    std::unique_ptr<Plan> plan;
  };
  Record record_;
  std::vector<int> outputs_, input_rows_, variable_rows_;  // rows by slot, -1 for none
  std::list<Cached> plans_;  // most recently used first
  bool random_ = false;
  std::vector<int> trained_;  // the variables that it has gradients by, which change from run to run
};

}  // namespace convnet
