#include "optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/divide.h"
#include "../core/threads.h"
#include "../kernels/update.h"

namespace convnet {

namespace {

constexpr double kUpdateTime = 0.35;  // of an element
constexpr int kBlocks = 64;           // at most, that a sum is made of
constexpr int64_t kLeastBlock = 1 << 14;

// Sum of squares over blocks that n decides, so that the thread count cannot matter.
template <typename T>
double sum_of_squares(const T* x, int64_t n) {
  double partial[kBlocks] = {0};
  const int64_t block = std::max<int64_t>(kLeastBlock, divide_up(n, kBlocks));
  parallel_for(divide_up(n, block), kElementTime * n, [&](int64_t task) {
    double sum = 0;
    for (int64_t i = task * block, end = std::min(n, i + block); i < end; ++i)
      sum += static_cast<double>(x[i]) * x[i];
    partial[task] = sum;
  });
  double sum = 0;
  for (double p : partial) sum += p;
  return sum;
}

double squared_norm(const Parameter& p) {
  return dispatch_float(p.dtype, [&](auto tag) {
    return sum_of_squares(static_cast<const decltype(tag)*>(p.gradient), p.n);
  });
}

double clip_factor(double squared, double limit) {
  const double norm = std::sqrt(squared);
  return limit > 0 && norm > limit ? limit / norm : 1;
}

// What is the same for all elements in this step, corrections of the moments' bias
// included. shrink: weight decay; ahead: Nadam's rate of the gradient itself.
struct Step {
  double rate, shrink, epsilon, ahead;
};

// Nadam's momentum u_t = beta_1 (1 - 0.96^(t schedule_decay) / 2), and the product of
// those until now, which soon is nothing beside 1.
struct NadamSchedule {
  double now, next, product = 1;

  NadamSchedule(const OptimizerConfig& config, int64_t t) {
    const auto momentum = [&](double power) { return config.beta_1 * (1 - 0.5 * power); };
    const double ratio = std::pow(0.96, config.schedule_decay);
    double power = 1;
    for (int64_t i = 1; i <= t && product > 1e-18; ++i) product *= momentum(power *= ratio);
    now = momentum(std::pow(ratio, double(t)));
    next = momentum(std::pow(ratio, double(t + 1)));
  }
};

Step step_of(const OptimizerConfig& config, int64_t iteration) {
  const double rate = config.learning_rate / (1 + config.decay * iteration);
  const double t = static_cast<double>(iteration + 1);
  const double first = 1 - std::pow(config.beta_1, t), second = std::sqrt(1 - std::pow(config.beta_2, t));
  Step step{rate, 1 - rate * config.weight_decay, config.epsilon, 0};
  if (config.kind == OptimizerKind::adam) step.rate *= second / first;
  if (config.kind == OptimizerKind::adamax) step.rate /= first;
  if (config.kind == OptimizerKind::nadam) {
    const NadamSchedule momentum(config, iteration + 1);
    step.rate *= second * momentum.next / (1 - momentum.product * momentum.next);
    step.ahead = rate * second * (1 - momentum.now) / (1 - momentum.product);
    step.epsilon *= second;
  }
  return step;
}

template <typename T>
typename Updates<T>::Update update_of(const OptimizerConfig& config) {
  const Updates<T>& all = updates<T>();
  switch (config.kind) {
    case OptimizerKind::sgd:
      return config.momentum == 0 ? all.sgd : all.momentum[config.nesterov];
    case OptimizerKind::rmsprop: return all.rmsprop[config.momentum > 0][config.centered];
    case OptimizerKind::adam: return all.adam[config.amsgrad];
    case OptimizerKind::adagrad: return all.adagrad;
    case OptimizerKind::adadelta: return all.adadelta;
    case OptimizerKind::adamax: return all.adamax;
    default: return all.nadam;
  }
}

template <typename T>
void update(const OptimizerConfig& config, const Step& step, double factor, const Parameter& p,
            int64_t begin, int64_t end) {
  UpdateArgs<T> args{static_cast<T*>(p.value) + begin, static_cast<const T*>(p.gradient) + begin,
                     {}, end - begin};
  for (size_t k = 0; k < p.slots.size(); ++k) args.slot[k] = static_cast<T*>(p.slots[k]) + begin;
  const T clip = config.clip_value > 0 ? T(config.clip_value) : std::numeric_limits<T>::infinity();
  update_of<T>(config)(args, {T(step.rate), T(factor), clip, T(step.shrink), T(config.momentum),
                              T(config.rho), T(config.beta_1), T(config.beta_2), T(step.epsilon),
                              T(step.ahead)});
}

// All elements of the parameters from `first` to `last`, as if they were of one tensor.
void update_all(const OptimizerConfig& config, const Step& step, double factor,
                const Parameter* first, const Parameter* last) {
  int64_t n = 0;
  for (const Parameter* p = first; p < last; ++p) n += p->n;
  parallel_ranges(n, kUpdateTime, [&](int64_t begin, int64_t end) {
    int64_t start = 0;
    for (const Parameter* p = first; p < last && start < end; start += p++->n) {
      const int64_t from = std::max(begin - start, int64_t(0)), to = std::min(end - start, p->n);
      if (from >= to) continue;
      if (p->dtype == DType::f32) update<float>(config, step, factor, *p, from, to);
      else update<double>(config, step, factor, *p, from, to);
    }
  });
}

}  // namespace

OptimizerKind optimizer_from_name(const std::string& name) {
  if (name == "SGD") return OptimizerKind::sgd;
  if (name == "RMSprop") return OptimizerKind::rmsprop;
  if (name == "Adam") return OptimizerKind::adam;
  if (name == "Adagrad") return OptimizerKind::adagrad;
  if (name == "Adadelta") return OptimizerKind::adadelta;
  if (name == "Adamax") return OptimizerKind::adamax;
  if (name == "Nadam") return OptimizerKind::nadam;
  argument_error("Unknown optimizer.", "SGD, RMSprop, Adam, Adagrad, Adadelta, Adamax or Nadam", name);
}

int slots_per_variable(const OptimizerConfig& config) {
  switch (config.kind) {
    case OptimizerKind::sgd: return config.momentum > 0;
    case OptimizerKind::rmsprop: return 1 + (config.momentum > 0) + config.centered;
    case OptimizerKind::adam: return 2 + config.amsgrad;
    case OptimizerKind::adagrad: return 1;
    default: return 2;
  }
}

void apply_optimizer(const OptimizerConfig& config, int64_t iteration,
                     const std::vector<Parameter>& parameters) {
  double all_squared = 0;
  if (config.global_clip_norm > 0)
    for (const Parameter& p : parameters) all_squared += squared_norm(p);
  const Step step = step_of(config, iteration);
  const Parameter *first = parameters.data(), *last = first + parameters.size();
  if (config.clip_norm > 0) {
    for (const Parameter* p = first; p < last; ++p)
      update_all(config, step, clip_factor(squared_norm(*p), config.clip_norm), p, p + 1);
  } else {
    update_all(config, step, clip_factor(all_squared, config.global_clip_norm), first, last);
  }
}

}  // namespace convnet
