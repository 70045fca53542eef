// Steps of the optimizers, on every instruction set of this machine, against their
// definitions in double precision.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "each_isa.h"
#include "core/rng.h"
#include "core/threads.h"
#include "test.h"
#include "train/optimizer.h"

using namespace convnet;

namespace {

// Some tensors with their gradients and states, at an odd address each.
template <typename T>
struct Variables {
  std::vector<std::vector<T>> value, gradient;
  std::vector<std::vector<std::vector<T>>> slots;

  Variables(const std::vector<int64_t>& sizes, int count) {
    uint32_t stream = 0;
    const auto random = [&](int64_t n, T low) {
      std::vector<T> x(n + 1);
      const Philox numbers(3, stream++, 0);
      for (int64_t i = 0; i <= n; ++i) x[i] = low + 2 * T(uniform_unit(numbers.block(i)[0]));
      return x;
    };
    for (int64_t n : sizes) {
      value.push_back(random(n, -1));
      gradient.push_back(random(n, -1));
      slots.emplace_back();
      // Mean squares are not below squared means.
      for (int k = 0; k < count; ++k) slots.back().push_back(random(n, k == 0 ? T(4) : T(0)));
    }
  }
  std::vector<Parameter> parameters() {
    std::vector<Parameter> all;
    for (size_t i = 0; i < value.size(); ++i) {
      all.push_back({sizeof(T) == 4 ? DType::f32 : DType::f64, int64_t(value[i].size()) - 1,
                     value[i].data() + 1, gradient[i].data() + 1, {}});
      for (auto& slot : slots[i]) all.back().slots.push_back(slot.data() + 1);
    }
    return all;
  }
  bool operator==(const Variables& other) const {
    bool same = true;
    const auto compare = [&](const std::vector<T>& a, const std::vector<T>& b) {
      same = same && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
    };
    for (size_t i = 0; i < value.size(); ++i) {
      compare(value[i], other.value[i]);
      for (size_t k = 0; k < slots[i].size(); ++k) compare(slots[i][k], other.slots[i][k]);
    }
    return same;
  }
};

// One element's step, by the book. g: the clipped gradient.
double exact_step(const OptimizerConfig& c, int64_t iteration, double w, double g, double* s) {
  const double rate = c.learning_rate / (1 + c.decay * iteration);
  w -= rate * c.weight_decay * w;
  if (c.kind == OptimizerKind::sgd) {
    if (c.momentum == 0) return w - rate * g;
    s[0] = c.momentum * s[0] - rate * g;
    return w + (c.nesterov ? c.momentum * s[0] - rate * g : s[0]);
  }
  if (c.kind == OptimizerKind::rmsprop) {
    s[0] = c.rho * s[0] + (1 - c.rho) * g * g;
    double* mean = &s[c.momentum > 0 ? 2 : 1];
    if (c.centered) *mean = c.rho * *mean + (1 - c.rho) * g;
    double step = rate * g / std::sqrt(s[0] - (c.centered ? *mean * *mean : 0) + c.epsilon);
    if (c.momentum > 0) step = s[1] = c.momentum * s[1] + step;
    return w - step;
  }
  if (c.kind == OptimizerKind::adagrad) {
    s[0] += g * g;
    return w - rate * g / std::sqrt(s[0] + c.epsilon);
  }
  if (c.kind == OptimizerKind::adadelta) {
    s[0] = c.rho * s[0] + (1 - c.rho) * g * g;
    const double step = std::sqrt(s[1] + c.epsilon) / std::sqrt(s[0] + c.epsilon) * g;
    s[1] = c.rho * s[1] + (1 - c.rho) * step * step;
    return w - rate * step;
  }
  s[0] = c.beta_1 * s[0] + (1 - c.beta_1) * g;
  if (c.kind == OptimizerKind::adamax) {
    s[1] = std::max(c.beta_2 * s[1], std::abs(g));
    return w - rate / (1 - std::pow(c.beta_1, iteration + 1.0)) * s[0] / (s[1] + c.epsilon);
  }
  s[1] = c.beta_2 * s[1] + (1 - c.beta_2) * g * g;
  const double t = static_cast<double>(iteration + 1);
  if (c.kind == OptimizerKind::nadam) {
    const auto u = [&](double i) { return c.beta_1 * (1 - 0.5 * std::pow(0.96, i * c.schedule_decay)); };
    double product = 1;
    for (int64_t i = 1; i <= iteration + 1; ++i) product *= u(double(i));
    const double m = u(t + 1) * s[0] / (1 - product * u(t + 1)) + (1 - u(t)) * g / (1 - product);
    return w - rate * m / (std::sqrt(s[1] / (1 - std::pow(c.beta_2, t))) + c.epsilon);
  }
  if (c.amsgrad) s[2] = std::max(s[2], s[1]);
  const double corrected = rate * std::sqrt(1 - std::pow(c.beta_2, t)) / (1 - std::pow(c.beta_1, t));
  return w - corrected * s[0] / (std::sqrt(s[c.amsgrad ? 2 : 1]) + c.epsilon);
}

std::vector<OptimizerConfig> configs() {
  std::vector<OptimizerConfig> all;
  OptimizerConfig c;
  c.weight_decay = 0.01;
  c.decay = 0.1;
  for (double momentum : {0.0, 0.9})
    for (bool flag : {false, true}) {
      c.momentum = momentum;
      c.nesterov = c.centered = c.amsgrad = flag;
      for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::rmsprop, OptimizerKind::adagrad,
                                 OptimizerKind::adadelta, OptimizerKind::adamax, OptimizerKind::nadam,
                                 OptimizerKind::adam}) {
        c.kind = kind;
        c.clip_value = flag ? 0.5 : 0;
        // Adamax divides by gradients: how their norm was rounded would show.
        c.clip_norm = flag || kind == OptimizerKind::adamax ? 0 : 3;
        all.push_back(c);
      }
    }
  c.clip_norm = c.clip_value = 0;
  c.global_clip_norm = 2;
  all.push_back(c);
  return all;
}

// Sizes that fill no vector, none at all, and one that several tasks share.
const std::vector<int64_t> kSizes = {1, 37, 0, 40000, 3, 16, 1000};

template <typename T>
void test_steps() {
  for (const OptimizerConfig& config : configs()) {
    const Variables<T> before(kSizes, slots_per_variable(config));
    double all_squared = 0;
    std::vector<double> squared;
    for (const auto& g : before.gradient) {
      squared.push_back(0);
      for (size_t i = 1; i < g.size(); ++i) squared.back() += double(g[i]) * double(g[i]);
      all_squared += squared.back();
    }
    for_each_isa([&] {
      const test::Context context(std::string(isa_name()) + ", optimizer " +
                                  std::to_string(int(config.kind)));
      Variables<T> after = before;
      apply_optimizer(config, 4, after.parameters());
      bool close = true;
      for (size_t p = 0; p < kSizes.size(); ++p) {
        const double limit = config.clip_norm > 0 ? config.clip_norm : config.global_clip_norm;
        const double norm = std::sqrt(config.clip_norm > 0 ? squared[p] : all_squared);
        for (int64_t i = 0; i <= kSizes[p]; ++i) {
          double s[3] = {}, g = before.gradient[p][i], w = before.value[p][i];
          const size_t slots = before.slots[p].size();
          for (size_t k = 0; k < slots; ++k) s[k] = before.slots[p][k][i];
          if (limit > 0 && norm > limit) g *= limit / norm;
          if (config.clip_value > 0) g = std::clamp(g, -config.clip_value, config.clip_value);
          if (i > 0) w = exact_step(config, 4, w, g, s);  // what is before the tensor stays
          const double tolerance = 16 * double(std::numeric_limits<T>::epsilon());
          close = close && test::is_close(after.value[p][i], w, tolerance);
          for (size_t k = 0; k < slots; ++k)
            close = close && test::is_close(after.slots[p][k][i], s[k], tolerance);
        }
      }
      CHECK(close);
    });
  }
}

// Neither threads nor the place of an element matter.
template <typename T>
void test_places() {
  for (const OptimizerConfig& config : configs()) {
    if (config.clip_norm > 0) continue;
    const Variables<T> before(kSizes, slots_per_variable(config));
    for_each_isa([&] {
      const test::Context context(isa_name());
      Variables<T> one = before, two = before, split = before;
      apply_optimizer(config, 0, one.parameters());
      set_thread_count(2);
      apply_optimizer(config, 0, two.parameters());
      set_thread_count(1);
      CHECK(one == two);
      std::vector<Parameter> pieces;
      for (const Parameter& p : split.parameters())
        for (int64_t from = 0, n; from < p.n; from += n) {
          n = std::min<int64_t>(p.n - from, 13);
          pieces.push_back({p.dtype, n, static_cast<T*>(p.value) + from,
                            static_cast<const T*>(p.gradient) + from, {}});
          for (void* slot : p.slots) pieces.back().slots.push_back(static_cast<T*>(slot) + from);
        }
      if (config.global_clip_norm == 0) {
        apply_optimizer(config, 0, pieces);
        CHECK(one == split);
      }
    });
  }
}

}  // namespace

TEST(optimizer_steps_f32) { test_steps<float>(); }
TEST(optimizer_steps_f64) { test_steps<double>(); }
TEST(optimizer_places_f32) { test_places<float>(); }
TEST(optimizer_places_f64) { test_places<double>(); }

TEST(optimizer_not_finite) {
  OptimizerConfig config;
  config.kind = OptimizerKind::adam;
  config.clip_value = 0.5;
  for_each_isa([&] {
    const test::Context context(isa_name());
    Variables<float> v({21}, 2);
    v.gradient[0][5] = std::numeric_limits<float>::quiet_NaN();
    v.gradient[0][21] = std::numeric_limits<float>::infinity();
    apply_optimizer(config, 0, v.parameters());
    for (int i = 0; i <= 21; ++i) CHECK(std::isnan(v.value[0][i]) == (i == 5));
  });
}
