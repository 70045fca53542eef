#pragma once
#include <cstdint>

namespace convnet {

// What the update of each element needs besides its own values. g below is the
// gradient times `factor`, at least -clip and at most clip; w is the value.
template <typename T>
struct UpdateRates {
  T rate, factor, clip, shrink;
  T momentum, rho, beta_1, beta_2, epsilon, ahead;
};

template <typename T>
struct UpdateArgs {
  T* w;
  const T* g;
  T* slot[3];
  int64_t n;
};

// Steps of the optimizers. What becomes of an element does not depend on its place.
template <typename T>
struct Updates {
  using Update = void (*)(const UpdateArgs<T>&, const UpdateRates<T>&);

  Update sgd;       // w = shrink w - rate g
  // Slot m: m = momentum m - rate g; [0]: w = shrink w + m,
  // [1]: w = shrink w + momentum m - rate g.
  Update momentum[2];
  // Slot s: s = rho s + (1 - rho) g^2; step = rate g / sqrt(s - a^2 + epsilon).
  // [1][.]: slot m, m = momentum m + step, which takes the place of step.
  // [.][1]: the last slot, a = rho a + (1 - rho) g. w = shrink w - step.
  Update rmsprop[2][2];
  // Slots m, v: m += (1 - beta_1) (g - m), v += (1 - beta_2) (g^2 - v);
  // [1]: slot u, u = max(u, v), which takes the place of v.
  // w = shrink w - rate m / (sqrt(v) + epsilon).
  Update adam[2];
  // Slot s: s += g^2; w = shrink w - rate g / sqrt(s + epsilon).
  Update adagrad;
  // Slots s, d: s = rho s + (1 - rho) g^2; step = g sqrt(d + epsilon) / sqrt(s + epsilon);
  // d = rho d + (1 - rho) step^2; w = shrink w - rate step.
  Update adadelta;
  // Slots m, u: m as Adam's, u = max(beta_2 u, |g|); w = shrink w - rate m / (u + epsilon).
  Update adamax;
  // Slots m, v as Adam's; w = shrink w - (rate m + ahead g) / (sqrt(v) + epsilon).
  Update nadam;
};

// The functions for detail::isa(). Instances: float, double.
template <typename T>
const Updates<T>& updates();

}  // namespace convnet
