#pragma once
// Running fast paths on every instruction set of this machine, to compare them with the loops of
// ops/ref.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/threads.h"
#include "ops/op.h"
#include "each_isa.h"
#include "test.h"

namespace convnet {

template <typename T>
constexpr DType dtype_of() {
  return sizeof(T) == 4 ? DType::f32 : DType::f64;
}

template <typename T>
std::vector<T> random_values(Dim n, uint32_t stream) {
  const Philox random(7, stream, 0);
  std::vector<T> values(n);
  for (Dim i = 0; i < n; ++i)
    values[i] = 2 * static_cast<T>(uniform_unit(random.block(i / 4)[i % 4])) - 1;
  return values;
}

template <typename T>
OpCall make_call(const Op& op, const Attrs& attrs, const std::vector<Shape>& shapes) {
  OpCall call;
  call.attrs = attrs;
  for (const Shape& shape : shapes) call.in.push_back({dtype_of<T>(), shape});
  call.out = infer_type(op, attrs, call.in);
  return call;
}

// Memory full of NaN, with canaries behind.
class Guarded {
 public:
  explicit Guarded(size_t bytes) : buffer_(bytes + kCanaries), bytes_(bytes) {
    std::memset(buffer_.data(), 0xff, bytes);
    std::memset(buffer_.as<char>() + bytes, 0x5a, kCanaries);
  }
  void* data() const { return buffer_.data(); }
  bool intact() const {
    const char* end = buffer_.as<char>() + bytes_;
    return std::all_of(end, end + kCanaries, [](char c) { return c == 0x5a; });
  }

 private:
  static constexpr size_t kCanaries = 64;
  Buffer buffer_;
  size_t bytes_;
};

// Runs an operation on outputs, a workspace and room for what it packs full of NaN,
// with canaries around all.
template <typename T>
std::vector<T> run(const Op& op, const OpCall& call, const std::vector<const T*>& in,
                   RunContext context = {1, 0, nullptr}) {
  constexpr size_t kCanaries = 16;
  const T canary = static_cast<T>(-12345.5);
  const Prepared prepared = op.prepare(call);
  const size_t size = call.out.shape.size();
  std::vector<T> out(size + 2 * kCanaries, canary);
  std::fill_n(out.begin() + kCanaries, size, std::numeric_limits<T>::quiet_NaN());
  const Guarded workspace(prepared.workspace), packed(prepared.packing.bytes);
  context.workspace = workspace.data();
  std::vector<const void*> pointers(in.begin(), in.end());
  if (prepared.packing.pack) {
    const void*& unpacked = pointers[prepared.packing.input];
    prepared.packing.pack(&unpacked, packed.data(), context);
    unpacked = packed.data();
  }
  prepared.run(pointers.data(), out.data() + kCanaries, context);
  bool intact = workspace.intact() && packed.intact();
  for (size_t i = 0; i < kCanaries; ++i)
    intact = intact && out[i] == canary && out[kCanaries + size + i] == canary;
  CHECK(intact);
  return std::vector<T>(out.begin() + kCanaries, out.end() - kCanaries);
}

// Equal within tol; NaN where NaN is expected, and the same infinities.
template <typename T>
bool all_close(const std::vector<T>& a, const std::vector<T>& b, double tol) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return false;
    if (std::isnan(a[i]) || a[i] == b[i]) continue;
    if (!(std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])) <= tol)) return false;
  }
  return true;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <typename T>
double tolerance(Dim terms) {
  return 32 * std::sqrt(1.0 + terms) * static_cast<double>(std::numeric_limits<T>::epsilon());
}

// An operation that ends in a bias, and in relu or steps, has the bits of these apart.
template <typename T>
void check_ends(const Op& op, const Attrs& attrs, const std::vector<Shape>& shapes,
                const std::vector<const T*>& in) {
  const OpCall plain = make_call<T>(op, attrs, shapes);
  const Shape& out = plain.out.shape;
  const Dim C = out.back();
  const auto bias = random_values<T>(C, 9);
  auto other = random_values<T>(out.size(), 10);
  if (!other.empty()) other.back() = std::numeric_limits<T>::quiet_NaN();
  const auto sums = run<T>(op, plain, in);
  for (bool with_bias : {false, true})
    for (const std::string end : {"", "relu", "relu_gate 1 0 0", "sigmoid 0 0",
                                  "square 1 0 multiply -1 0 0 sigmoid -2 0"}) {
      const bool steps = end.size() > 4, gated = end.rfind("relu_gate", 0) == 0;
      const bool own = end == "sigmoid 0 0";  // nothing else is read
      std::vector<T> expected = sums;
      for (size_t i = 0; i < expected.size(); ++i) {
        if (with_bias) expected[i] += bias[i % C];
        if (gated ? !(other[i] > 0) : end == "relu" && expected[i] < 0) expected[i] = 0;
        if (steps && !gated && !own) expected[i] *= other[i] * other[i];
      }
      if (steps && !gated)
        expected = run<T>(*find_op("sigmoid"), make_call<T>(*find_op("sigmoid"), {}, {out}), {expected.data()});
      std::vector<Shape> all = shapes;
      std::vector<const T*> values = in;
      if (with_bias) all.push_back(Shape{C}), values.push_back(bias.data());
      if (steps && !own) all.push_back(out), values.push_back(other.data());
      const Attrs ends = end == "" ? attrs : Attrs(attrs).set(steps ? "steps" : "activation", end);
      const auto got = run<T>(op, make_call<T>(op, ends, all), values);
      bool same = got.size() == expected.size();
      for (size_t i = 0; same && i < got.size(); ++i)
        same = got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]));
      CHECK(same);
    }
}

template <typename F>
void check_same_at_any_thread_count(F&& compute) {
  const int before = thread_count();
  set_thread_count(1);
  const auto one = compute();
  for (int threads : {2, 4}) {
    set_thread_count(threads);
    CHECK(same_bits(one, compute()));
  }
  set_thread_count(before);
}

}  // namespace convnet
