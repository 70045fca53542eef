#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../core/dtype.h"

namespace convnet {

enum class OptimizerKind { sgd, rmsprop, adam, adagrad, adadelta, adamax, nadam };

OptimizerKind optimizer_from_name(const std::string& name);

// Hyperparameters, as in Keras 3. A clip or momentum of 0 is "none".
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::sgd;
  double learning_rate = 0.01, decay = 0, weight_decay = 0, schedule_decay = 0.004;
  double momentum = 0, rho = 0.9, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7;
  bool nesterov = false, centered = false, amsgrad = false;
  double clip_norm = 0, global_clip_norm = 0, clip_value = 0;
};

// How many state tensors a variable needs: sgd momentum; rmsprop mean square,
// momentum, mean; adam first and second moment, largest second moment; adagrad sum
// of squares; adadelta mean square of gradients and of steps; adamax first moment
// and largest gradient; nadam first and second moment.
int slots_per_variable(const OptimizerConfig& config);

// One trainable tensor of n elements: its memory, gradient and state.
struct Parameter {
  DType dtype;
  int64_t n;
  void* value;
  const void* gradient;
  std::vector<void*> slots;
};

// One step for all parameters; `iteration` counts the steps before this one.
void apply_optimizer(const OptimizerConfig& config, int64_t iteration,
                     const std::vector<Parameter>& parameters);

}  // namespace convnet
