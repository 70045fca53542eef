#include "optimizer.h"

#include <algorithm>
#include <cmath>

#include "../core/threads.h"

namespace convnet {

namespace {

constexpr int64_t kGrain = 1 << 14;
constexpr int kBlocks = 64;   // at most, that a sum is made of
constexpr int kMaxSlots = 3;  // of slots_per_variable()

// Sum of squares over blocks that n decides, so that the thread count cannot matter.
template <typename T>
double sum_of_squares(const T* x, int64_t n) {
  double partial[kBlocks] = {0};
  const int64_t block = std::max<int64_t>(kGrain, (n + kBlocks - 1) / kBlocks);
  parallel_ranges(n, block, [&](int64_t begin, int64_t end) {
    double sum = 0;
    for (int64_t i = begin; i < end; ++i) sum += static_cast<double>(x[i]) * x[i];
    partial[begin / block] = sum;
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

// What one element's update needs besides its own values.
template <typename T>
struct Coefficients {
  T rate, factor, clip, shrink;  // factor: gradient scaling; shrink: weight decay
  T momentum, rho, beta_1, beta_2, epsilon;
};

template <typename T>
T clipped(T g, const Coefficients<T>& c) {
  g *= c.factor;
  return c.clip > 0 ? std::min(std::max(g, -c.clip), c.clip) : g;
}

template <typename T>
void sgd(T* w, const T* g, T* const* slots, int64_t begin, int64_t end, bool nesterov,
         const Coefficients<T>& c) {
  if (c.momentum == 0) {
    for (int64_t i = begin; i < end; ++i) w[i] = w[i] * c.shrink - c.rate * clipped(g[i], c);
    return;
  }
  T* m = slots[0];
  for (int64_t i = begin; i < end; ++i) {
    const T step = c.rate * clipped(g[i], c);
    m[i] = c.momentum * m[i] - step;
    w[i] = w[i] * c.shrink + (nesterov ? c.momentum * m[i] - step : m[i]);
  }
}

template <typename T>
void rmsprop(T* w, const T* g, T* const* slots, int64_t begin, int64_t end, bool centered,
             const Coefficients<T>& c) {
  T* square = slots[0];
  T* momentum = c.momentum > 0 ? slots[1] : nullptr;
  T* mean = centered ? slots[c.momentum > 0 ? 2 : 1] : nullptr;
  for (int64_t i = begin; i < end; ++i) {
    const T gi = clipped(g[i], c);
    square[i] = c.rho * square[i] + (1 - c.rho) * gi * gi;
    T denominator = square[i];
    if (centered) {
      mean[i] = c.rho * mean[i] + (1 - c.rho) * gi;
      denominator -= mean[i] * mean[i];
    }
    T step = c.rate * gi / std::sqrt(denominator + c.epsilon);
    if (momentum) step = momentum[i] = c.momentum * momentum[i] + step;
    w[i] = w[i] * c.shrink - step;
  }
}

// c.rate already holds the bias correction.
template <typename T>
void adam(T* w, const T* g, T* const* slots, int64_t begin, int64_t end, bool amsgrad,
          const Coefficients<T>& c) {
  T *m = slots[0], *v = slots[1];
  for (int64_t i = begin; i < end; ++i) {
    const T gi = clipped(g[i], c);
    m[i] += (gi - m[i]) * (1 - c.beta_1);
    v[i] += (gi * gi - v[i]) * (1 - c.beta_2);
    T second = v[i];
    if (amsgrad) second = slots[2][i] = std::max(slots[2][i], second);
    w[i] = w[i] * c.shrink - c.rate * m[i] / (std::sqrt(second) + c.epsilon);
  }
}

template <typename T>
void update(const OptimizerConfig& config, const Coefficients<T>& c, const Parameter& p) {
  T* w = static_cast<T*>(p.value);
  const T* g = static_cast<const T*>(p.gradient);
  T* slots[kMaxSlots];
  std::transform(p.slots.begin(), p.slots.end(), slots, [](void* slot) { return static_cast<T*>(slot); });
  parallel_ranges(p.n, kGrain, [&](int64_t begin, int64_t end) {
    switch (config.kind) {
      case OptimizerKind::sgd: return sgd(w, g, slots, begin, end, config.nesterov, c);
      case OptimizerKind::rmsprop:
        return rmsprop(w, g, slots, begin, end, config.centered, c);
      case OptimizerKind::adam: return adam(w, g, slots, begin, end, config.amsgrad, c);
    }
  });
}

}  // namespace

OptimizerKind optimizer_from_name(const std::string& name) {
  if (name == "SGD") return OptimizerKind::sgd;
  if (name == "RMSprop") return OptimizerKind::rmsprop;
  if (name == "Adam") return OptimizerKind::adam;
  argument_error("Unknown optimizer.", "SGD, RMSprop or Adam", name);
}

int slots_per_variable(const OptimizerConfig& config) {
  switch (config.kind) {
    case OptimizerKind::sgd: return config.momentum > 0;
    case OptimizerKind::rmsprop: return 1 + (config.momentum > 0) + config.centered;
    default: return 2 + config.amsgrad;
  }
}

void apply_optimizer(const OptimizerConfig& config, int64_t iteration,
                     const std::vector<Parameter>& parameters) {
  double all_squared = 0;
  if (config.global_clip_norm > 0)
    for (const Parameter& p : parameters) all_squared += squared_norm(p);
  const double rate = config.learning_rate / (1 + config.decay * iteration);
  const double t = static_cast<double>(iteration + 1);
  const double step_rate = config.kind == OptimizerKind::adam
                               ? rate * std::sqrt(1 - std::pow(config.beta_2, t)) /
                                     (1 - std::pow(config.beta_1, t))
                               : rate;
  for (const Parameter& p : parameters) {
    double factor = clip_factor(all_squared, config.global_clip_norm);
    if (config.clip_norm > 0) factor = clip_factor(squared_norm(p), config.clip_norm);
    dispatch_float(p.dtype, [&](auto tag) {
      using T = decltype(tag);
      update<T>(config,
                {T(step_rate), T(factor), T(config.clip_value), T(1 - rate * config.weight_decay),
                 T(config.momentum), T(config.rho), T(config.beta_1), T(config.beta_2),
                 T(config.epsilon)},
                p);
    });
  }
}

}  // namespace convnet
