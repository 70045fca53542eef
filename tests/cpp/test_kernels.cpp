// Every fast path, on every instruction set of this machine, against the loops
// of ops/ref.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/threads.h"
#include "kernels/isa.h"
#include "kernels/random.h"
#include "ops/conv_geometry.h"
#include "ops/ref/conv.h"
#include "ops/ref/matmul.h"
#include "ops/ref/max_pool.h"
#include "test.h"

namespace convnet {
extern const Op op_conv, op_conv_backward_data, op_conv_backward_weights, op_matmul, op_max_pool,
    op_max_pool_scatter, op_max_pool_gather, op_batch_normalization, op_dropout, op_softmax;
}

using namespace convnet;

namespace {

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

template <typename F>
void for_each_isa(F&& f) {
  for (const std::string& name : available_isas()) {
    set_isa(name);
    f();
  }
  set_isa("auto");
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct ConvCase {
  Dim batch, groups, in_channels, out_channels;  // channels of all groups
  std::vector<Dim> in, kernel, stride, dilation, pad_lo, out;

  ConvGeometry geometry() const {
    ConvGeometry g{batch, groups, in_channels, out_channels, {}};
    for (size_t a = 0; a < in.size(); ++a)
      g.windows.push_back(
          explicit_window(in[a], out[a], kernel[a], stride[a], dilation[a], pad_lo[a]));
    return g;
  }
  std::string to_string() const {
    const ConvGeometry g = geometry();
    std::string text = std::string(isa_name()) + ", input " + g.input().to_string() + ", kernel " +
                       g.kernel().to_string() + ", output " + g.output().to_string();
    for (const Window& w : g.windows)
      text += ", stride " + std::to_string(w.stride) + " dilation " + std::to_string(w.dilation) +
              " pad " + std::to_string(w.pad_lo);
    return text;
  }
};

ConvCase layer_case(Dim batch, Dim groups, Dim in_channels, Dim out_channels, std::vector<Dim> in,
                    std::vector<Dim> kernel, std::vector<Dim> stride, std::vector<Dim> dilation,
                    const char* padding) {
  ConvCase c{batch, groups, in_channels, out_channels, in, kernel, stride, dilation, {}, {}};
  for (size_t a = 0; a < in.size(); ++a) {
    const Window w =
        conv_window(in[a], kernel[a], stride[a], dilation[a], padding_from_name(padding), "axis");
    c.pad_lo.push_back(w.pad_lo);
    c.out.push_back(w.out);
  }
  return c;
}

// Sizes that are no multiple of any tile, on purpose.
std::vector<ConvCase> conv_cases() {
  return {
      layer_case(1, 1, 1, 1, {5}, {3}, {1}, {1}, "valid"),
      layer_case(3, 1, 3, 5, {17}, {4}, {1}, {3}, "causal"),
      layer_case(2, 1, 9, 33, {31}, {5}, {3}, {1}, "same"),
      layer_case(2, 1, 1, 16, {28, 28}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 1, 16, 32, {14, 14}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 1, 32, 1, {13, 14}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 1, 32, {15, 15}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 3, 7, {11, 9}, {7, 7}, {2, 3}, {1, 1}, "same"),
      layer_case(1, 1, 37, 19, {6, 7}, {3, 2}, {1, 2}, {1, 1}, "valid"),
      layer_case(2, 1, 20, 3, {9, 10}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 8, 17, {12, 11}, {3, 3}, {1, 1}, {2, 3}, "same"),
      layer_case(2, 1, 5, 6, {12, 13}, {3, 4}, {2, 3}, {3, 2}, "same"),
      layer_case(1, 1, 13, 50, {1, 9}, {1, 1}, {1, 1}, {1, 1}, "valid"),
      layer_case(2, 1, 6, 10, {9, 9}, {1, 1}, {3, 3}, {1, 1}, "valid"),
      layer_case(1, 1, 4, 12, {2, 3}, {5, 7}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 4, 8, 12, {7, 8}, {3, 3}, {2, 1}, {1, 1}, "same"),
      layer_case(1, 2, 26, 70, {6, 5}, {2, 3}, {1, 1}, {1, 1}, "valid"),
      layer_case(2, 5, 5, 5, {8, 7}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 67, 67, 67, {9, 8}, {3, 2}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 3, 3, 3, {40, 41}, {1, 1}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 4, 4, 8, {7, 8}, {3, 3}, {1, 1}, {2, 2}, "same"),
      layer_case(1, 2, 40, 2, {6, 6}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 400, 9, {3, 4}, {2, 2}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 790, 3, {3, 2}, {2, 1}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 11, 23, {5, 6, 7}, {3, 2, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 2, 4, 6, {4, 5, 6}, {3, 3, 3}, {1, 2, 1}, {1, 1, 2}, "same"),
      layer_case(1, 1, 2, 3, {6, 6, 6}, {5, 5, 5}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(1, 1, 4, 30, {9, 9, 9}, {7, 7, 7}, {3, 3, 3}, {1, 1, 1}, "same"),
      // Images small next to the kernel: each position has other taps inside. Tiles of
      // every height, panels of every width.
      layer_case(5, 1, 10, 27, {4, 4}, {5, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(7, 1, 3, 2, {6, 7}, {9, 5}, {1, 1}, {1, 1}, "same"),
      layer_case(19, 1, 18, 41, {3, 2}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 4, 6, {5, 5}, {3, 3}, {1, 1}, {6, 2}, "same"),
      // Depthwise: channels of every width of vectors, rows longer and shorter than a run of
      // positions, more taps than one call adds up, several stripes and pieces, all ranks.
      layer_case(3, 93, 93, 93, {23, 45}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 23, 23, 23, {7, 7}, {5, 5}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 16, 16, 16, {30, 29}, {5, 3}, {2, 1}, {1, 1}, "valid"),
      layer_case(1, 70, 70, 70, {90}, {71}, {1}, {1}, "same"),
      layer_case(2, 8, 8, 8, {3, 50}, {9, 8}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 21, 21, 21, {19, 20}, {3, 3}, {1, 1}, {3, 2}, "same"),
      layer_case(2, 35, 35, 35, {4, 9, 13}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(2, 6, 6, 18, {5, 6, 7}, {2, 3, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 18, 18, 18, {2, 3}, {5, 5}, {1, 1}, {4, 4}, "same"),
      // Few output channels of either direction: depth, groups, gaps between
      // taps, more channels than one sum, blocks of rows and of columns.
      layer_case(1, 1, 2, 9, {5, 6, 7}, {3, 2, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 2, 4, 20, {7, 9}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 1, 12, {12, 13}, {3, 4}, {2, 3}, {3, 2}, "same"),
      layer_case(1, 1, 2, 400, {5, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 3, 9, {700}, {5}, {2}, {1}, "same"),
      layer_case(1, 1, 8, 1, {40, 30}, {3, 4}, {1, 1}, {1, 1}, "valid"),
      layer_case(1, 1, 3, 40, {20, 9}, {9, 9}, {3, 3}, {1, 1}, "same"),
      layer_case(1, 7, 7, 7, {9, 8, 10}, {5, 4, 5}, {1, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 37, 37, 111, {11, 12}, {3, 3}, {2, 1}, {1, 1}, "same"),
      // Phases without taps; outputs that read no input; an input wider than read.
      {2, 1, 9, 10, {11, 9}, {2, 1}, {3, 4}, {1, 1}, {0, 1}, {4, 3}},
      {1, 1, 3, 20, {7}, {2}, {4}, {2}, {1}, {3}},
      {1, 1, 10, 4, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {5, 0}, {12, 9}},
      {1, 1, 9, 2, {9}, {3}, {2}, {4}, {4}, {6}},
      {1, 1, 12, 9, {30}, {2}, {2}, {1}, {0}, {3}},
      // Weight gradients of few channels, which take all taps or rows of them together:
      // several blocks, also within a row, and panels; gaps; depth; and of row parts.
      layer_case(2, 1, 1, 40, {19, 21}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 2, 20, {300}, {3}, {1}, {2}, "same"),
      layer_case(1, 1, 3, 34, {14, 40}, {2, 3}, {1, 2}, {2, 1}, "same"),
      layer_case(1, 1, 1, 24, {5, 9, 12}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(2, 1, 1, 33, {17, 18}, {5, 5}, {1, 1}, {1, 1}, "valid"),
      layer_case(2, 1, 100, 70, {7, 6}, {2, 2}, {1, 1}, {1, 1}, "same"),
      // More positions than one piece of the weight gradient.
      layer_case(2, 1, 2, 5, {40, 41}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(3, 1, 14, 3, {39, 38}, {2, 2}, {1, 1}, {1, 1}, "same"),
  };
}

template <typename T>
struct ConvRun {
  ConvGeometry geometry;
  std::vector<T> input, kernel, grad;

  explicit ConvRun(const ConvCase& c)
      : geometry(c.geometry()),
        input(random_values<T>(geometry.input().size(), 1)),
        kernel(random_values<T>(geometry.kernel().size(), 2)),
        grad(random_values<T>(geometry.output().size(), 3)) {}

  std::vector<T> conv() const {
    return run<T>(op_conv,
                  make_call<T>(op_conv, explicit_attrs(geometry, Extents::out),
                               {geometry.input(), geometry.kernel()}),
                  {input.data(), kernel.data()});
  }
  std::vector<T> backward_data() const {
    return run<T>(op_conv_backward_data,
                  make_call<T>(op_conv_backward_data, explicit_attrs(geometry, Extents::in),
                               {geometry.output(), geometry.kernel()}),
                  {grad.data(), kernel.data()});
  }
  std::vector<T> backward_weights() const {
    return run<T>(op_conv_backward_weights,
                  make_call<T>(op_conv_backward_weights, explicit_attrs(geometry, Extents::kernel),
                               {geometry.input(), geometry.output()}),
                  {input.data(), grad.data()});
  }
  std::vector<T> ref_conv() const {
    std::vector<T> out(grad.size());
    ref::conv(geometry, input.data(), kernel.data(), out.data());
    return out;
  }
  std::vector<T> ref_backward_data() const {
    std::vector<T> out(input.size());
    ref::conv_backward_data(geometry, grad.data(), kernel.data(), out.data());
    return out;
  }
  std::vector<T> ref_backward_weights() const {
    std::vector<T> out(kernel.size());
    ref::conv_backward_weights(geometry, input.data(), grad.data(), out.data());
    return out;
  }
};

template <typename T>
void check_triangle(const ConvRun<T>& r, const ConvCase& c) {
  const test::Context context(c.to_string());
  const Dim taps = r.geometry.kernel().product(0, r.geometry.kernel().rank() - 2);
  const double tol_data = tolerance<T>(taps * std::max(c.in_channels, c.out_channels));
  const double tol_weights = tolerance<T>(r.geometry.output().size() / c.out_channels);
  CHECK(all_close(r.conv(), r.ref_conv(), tol_data));
  CHECK(all_close(r.backward_data(), r.ref_backward_data(), tol_data));
  CHECK(all_close(r.backward_weights(), r.ref_backward_weights(), tol_weights));
}

template <typename T>
void test_conv_triangle() {
  for_each_isa([] {
    for (const ConvCase& c : conv_cases()) check_triangle(ConvRun<T>(c), c);
  });
}

// What an Inf or a NaN touches is what the definition says, and no more: above
// all not outputs that read it only where padding is.
template <typename T>
void test_conv_not_finite() {
  const T values[] = {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()};
  for_each_isa([&] {
    for (const ConvCase& c : conv_cases()) {
      if (c.in_channels > 300) continue;
      for (T value : values)
        for (int where = 0; where < 3; ++where) {
          ConvRun<T> r(c);
          std::vector<T>& target = where == 0 ? r.input : where == 1 ? r.kernel : r.grad;
          target[target.size() / 3] = value;
          target.back() = -value;
          check_triangle(r, c);
        }
    }
  });
}

// An operation that ends in a bias, and in relu or its gradient, has the bits of these apart.
template <typename T>
void check_ends(const Op& op, const Attrs& attrs, const std::vector<Shape>& shapes,
                const std::vector<const T*>& in) {
  const OpCall plain = make_call<T>(op, attrs, shapes);
  const Dim C = plain.out.shape.back();
  const auto bias = random_values<T>(C, 9);
  auto gate = random_values<T>(plain.out.shape.size(), 10);
  if (!gate.empty()) gate.back() = std::numeric_limits<T>::quiet_NaN();
  const auto sums = run<T>(op, plain, in);
  for (bool with_bias : {false, true})
    for (const std::string activation : {"", "relu", "relu_gate"}) {
      const bool gated = activation == "relu_gate";
      std::vector<T> expected = sums;
      for (size_t i = 0; i < expected.size(); ++i) {
        if (with_bias) expected[i] += bias[i % C];
        if (gated ? !(gate[i] > 0) : activation == "relu" && expected[i] < 0) expected[i] = 0;
      }
      std::vector<Shape> all = shapes;
      std::vector<const T*> values = in;
      if (with_bias) all.push_back(Shape{C}), values.push_back(bias.data());
      if (gated) all.push_back(plain.out.shape), values.push_back(gate.data());
      const Attrs ends = activation == "" ? attrs : Attrs(attrs).set("activation", activation);
      const auto got = run<T>(op, make_call<T>(op, ends, all), values);
      bool same = got.size() == expected.size();
      for (size_t i = 0; same && i < got.size(); ++i)
        same = got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i]));
      CHECK(same);
    }
}

template <typename T>
void test_conv_ends() {
  for_each_isa([] {
    for (const ConvCase& c : conv_cases())
      for (bool finite : {true, false}) {
        const test::Context context(c.to_string());
        ConvRun<T> r(c);
        if (!finite) r.kernel[r.kernel.size() / 3] = std::numeric_limits<T>::infinity();
        check_ends<T>(op_conv, explicit_attrs(r.geometry, Extents::out),
                      {r.geometry.input(), r.geometry.kernel()},
                      {r.input.data(), r.kernel.data()});
        check_ends<T>(op_conv_backward_data, explicit_attrs(r.geometry, Extents::in),
                      {r.geometry.output(), r.geometry.kernel()},
                      {r.grad.data(), r.kernel.data()});
      }
  });
}

// What one correlation packed serves another of the same key.
template <typename T>
void check_packing(const CorrelationShape& shape, CorrelationShape larger,
                   const std::vector<T>& kernel) {
  ++larger.batch;
  const Correlation<T> one(shape), other(larger);
  CHECK(one.pack_key() == other.pack_key());
  CHECK(one.packed_bytes() == other.packed_bytes());
  CHECK(one.packed_bytes() % 64 == 0);
  const auto input = random_values<T>(
      larger.in_pixels() * larger.groups * larger.in_channels, 4);
  const auto convolve = [&](const Correlation<T>& packer) {
    Buffer packed(packer.packed_bytes()), workspace(other.workspace());
    packer.pack(kernel.data(), packed.data());
    std::vector<T> out(larger.out_pixels() * larger.groups * larger.out_channels);
    other.run(input.data(), kernel.data(), packed.data(), out.data(), workspace.data());
    return out;
  };
  CHECK(same_bits(convolve(one), convolve(other)));
}

template <typename T>
void test_conv_packing() {
  for_each_isa([] {
    for (const ConvCase& c : conv_cases()) {
      const test::Context context(c.to_string());
      const ConvRun<T> r(c);
      const CorrelationShape forward = forward_correlation(r.geometry),
                             backward = backward_correlation(r.geometry);
      check_packing(forward, forward, r.kernel);
      check_packing(backward, backward, r.kernel);
      const Correlation<T> there(forward), back(backward);
      if (there.packed_bytes() > 0 && c.in_channels > 1)
        CHECK(there.pack_key() != back.pack_key());
    }
  });
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

template <typename T>
void test_conv_threads() {
  for_each_isa([] {
    for (const ConvCase& c : conv_cases()) {
      const test::Context context(c.to_string());
      const ConvRun<T> r(c);
      check_same_at_any_thread_count([&] { return r.conv(); });
      check_same_at_any_thread_count([&] { return r.backward_data(); });
      check_same_at_any_thread_count([&] { return r.backward_weights(); });
    }
  });
}

}  // namespace

TEST(kernels_isa_override) {
  const std::vector<std::string> names = available_isas();
  CHECK(!names.empty());
  for (const std::string& name : names) {
    set_isa(name);
    CHECK(name == isa_name());
  }
  set_isa("auto");
  CHECK(names.front() == isa_name());
  CHECK_THROWS(set_isa("abacus"), "argument");
}

TEST(kernels_conv_f32) { test_conv_triangle<float>(); }
TEST(kernels_conv_f64) { test_conv_triangle<double>(); }
TEST(kernels_conv_not_finite_f32) { test_conv_not_finite<float>(); }
TEST(kernels_conv_not_finite_f64) { test_conv_not_finite<double>(); }
TEST(kernels_conv_ends_f32) { test_conv_ends<float>(); }
TEST(kernels_conv_ends_f64) { test_conv_ends<double>(); }
TEST(kernels_conv_packing_f32) { test_conv_packing<float>(); }
TEST(kernels_conv_packing_f64) { test_conv_packing<double>(); }
TEST(kernels_conv_threads_f32) { test_conv_threads<float>(); }
TEST(kernels_conv_threads_f64) { test_conv_threads<double>(); }

// <conv(x), y> = <x, conv_backward_data(y)> = <w, conv_backward_weights(x, y)>
// for every window that a transposed convolution layer can ask for.
TEST(kernels_conv_adjoint) {
  for (Dim kernel = 1; kernel <= 5; ++kernel)
    for (Dim stride = 1; stride <= 4; ++stride)
      for (Dim dilation = 1; dilation <= 3; ++dilation)
        for (Padding padding : {Padding::valid, Padding::same})
          for (Dim output_padding = -1; output_padding < stride; ++output_padding) {
            Window w;
            try {
              w = conv_transpose_window(5, kernel, stride, dilation, padding, output_padding,
                                        "width");
            } catch (const Error&) {
              continue;  // no output
            }
            const ConvRun<double> r(
                ConvCase{2, 1, 3, 9, {w.in}, {kernel}, {stride}, {dilation}, {w.pad_lo}, {w.out}});
            const double forward = inner(r.conv(), r.grad);
            CHECK_CLOSE(forward, inner(r.input, r.backward_data()), 1e-11);
            CHECK_CLOSE(forward, inner(r.kernel, r.backward_weights()), 1e-11);
          }
}

// Layer mode builds the same windows as explicit mode.
TEST(kernels_conv_transpose_layer_mode) {
  const Attrs attrs{{"strides", number_list({2, 2})},
                    {"dilation", number_list({1, 1})},
                    {"padding", std::string("same")},
                    {"output_padding", number_list({-1, 1})}};
  const OpCall call =
      make_call<float>(op_conv_backward_data, attrs, {Shape{1, 2, 3, 4}, Shape{3, 3, 2, 4}});
  CHECK(call.out.shape == (Shape{1, 4, 6, 2}));
  const Attrs zero = Attrs(attrs).set("output_padding", number_list({0, 0}));
  CHECK(make_call<float>(op_conv_backward_data, zero, {Shape{1, 2, 3, 4}, Shape{3, 3, 2, 4}})
            .out.shape == (Shape{1, 3, 5, 2}));
  const ConvGeometry geometry = conv_backward_data_geometry(call);
  const auto grad = random_values<float>(24, 1), kernel = random_values<float>(72, 2);
  std::vector<float> expected(geometry.input().size());
  ref::conv_backward_data(geometry, grad.data(), kernel.data(), expected.data());
  CHECK(all_close(run<float>(op_conv_backward_data, call, {grad.data(), kernel.data()}), expected,
              tolerance<float>(36)));
}

TEST(kernels_conv_shapes) {
  const Attrs attrs{{"strides", number_list({2, 1})},
                    {"dilation", number_list({1, 1})},
                    {"padding", std::string("same")}};
  CHECK(make_call<float>(op_conv, attrs, {Shape{kUnknown, 7, kUnknown, 3}, Shape{3, 3, 3, 8}})
            .out.shape == (Shape{kUnknown, 4, kUnknown, 8}));
  const auto infer = make_call<float>;
  CHECK_THROWS(infer(op_conv, attrs, {Shape{1, 7, 7, 4}, Shape{3, 3, 3, 8}}), "shape");
  CHECK_THROWS(infer(op_conv, attrs, {Shape{7, 4}, Shape{3, 3, 3, 8}}), "shape");
  CHECK_THROWS(infer(op_conv, attrs, {Shape{1, 7, 4}, Shape{3, 3, 8}}), "argument");
  CHECK_THROWS(infer(op_conv, Attrs(attrs).set("groups", 3.0),
                     {Shape{1, 7, 7, 9}, Shape{3, 3, 3, 8}}),
               "argument");
  CHECK_THROWS(infer(op_conv, attrs, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}, Shape{3}}), "shape");
  CHECK_THROWS(infer(op_conv, Attrs(attrs).set("activation", std::string("sigh")),
                     {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}}),
               "argument");
  const Attrs gated = Attrs(attrs).set("activation", std::string("relu_gate"));
  CHECK_THROWS(infer(op_conv, gated, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}}), "argument");
  CHECK_THROWS(infer(op_conv, gated, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}, Shape{8}}), "shape");
  CHECK_THROWS(infer(op_conv, attrs, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}, Shape{8}, Shape{1, 4, 7, 8}}),
               "argument");
  CHECK_THROWS(infer(op_matmul, {}, {Shape{3, 4}, Shape{5, 4}}), "shape");
  CHECK_EQ(infer(op_matmul, Attrs().set("transpose_b", 1.0), {Shape{3, 4}, Shape{5, 4}}).out.shape,
           (Shape{3, 5}));
}

namespace {

template <typename T>
void test_matmul() {
  struct Case {
    Dim batch, m, n, k;
  };
  const Case cases[] = {{1, 1, 1, 1},   {1, 7, 33, 5},   {1, 13, 10, 129}, {3, 5, 3, 40},
                        {1, 1, 70, 37}, {1, 97, 1, 400}, {1, 101, 65, 30}, {2, 6, 16, 1},
                        {1, 3, 2, 770}, {1, 4, 6, 0},    {1, 20, 5, 3000},
                        {1, 1, 300, 500}, {1, 3, 71, 900}, {2, 4, 33, 17}, {1, 4, 290, 4}};
  for_each_isa([&] {
    for (const Case& c : cases)
      for (bool ta : {false, true})
        for (bool tb : {false, true}) {
          const auto a = random_values<T>(c.batch * c.m * c.k, 1);
          const auto b = random_values<T>(c.batch * c.k * c.n, 2);
          const Attrs attrs = Attrs().set("transpose_a", ta).set("transpose_b", tb);
          const OpCall call = make_call<T>(
              op_matmul, attrs,
              {ta ? Shape{c.batch, c.k, c.m} : Shape{c.batch, c.m, c.k},
               tb ? Shape{c.batch, c.n, c.k} : Shape{c.batch, c.k, c.n}});
          std::vector<T> expected(c.batch * c.m * c.n);
          for (Dim i = 0; i < c.batch; ++i)
            ref::matmul(c.m, c.n, c.k, ta, tb, a.data() + i * c.m * c.k, b.data() + i * c.k * c.n,
                        expected.data() + i * c.m * c.n);
          const auto compute = [&] { return run<T>(op_matmul, call, {a.data(), b.data()}); };
          const test::Context context(std::string(isa_name()) + " " + std::to_string(c.m) + " x " + std::to_string(c.n) + " x " +
                                      std::to_string(c.k));
          CHECK(all_close(compute(), expected, tolerance<T>(c.k)));
          check_same_at_any_thread_count(compute);
          check_ends<T>(op_matmul, attrs, {call.in[0].shape, call.in[1].shape},
                        {a.data(), b.data()});
        }
  });
}

}  // namespace

TEST(kernels_matmul_f32) { test_matmul<float>(); }
TEST(kernels_matmul_f64) { test_matmul<double>(); }

namespace {

struct PoolCase {
  Shape x;
  std::vector<Dim> pool, strides;
  const char* padding;
};

template <typename T>
void test_max_pool() {
  const PoolCase cases[] = {{{2, 9, 5}, {2}, {2}, "valid"},
                            {{1, 7, 8, 37}, {3, 2}, {2, 1}, "same"},
                            {{3, 6, 6, 1}, {3, 3}, {1, 1}, "same"},
                            {{2, 5, 6, 4, 3}, {2, 3, 2}, {3, 2, 1}, "same"},
                            {{1, 3, 3, 2}, {3, 3}, {4, 4}, "valid"},
                            {{2, 6, 9, 133}, {2, 3}, {2, 3}, "valid"},
                            {{2, 7, 10, 16}, {2, 3}, {2, 3}, "same"},
                            {{2, 2, 11, 21}, {1, 2}, {1, 3}, "valid"},
                            {{1, 5, 5, 4}, {2, 2}, {4, 4}, "same"}};
  for (const PoolCase& c : cases)
    for (bool special : {false, true}) for_each_isa([&] {
      const test::Context context(std::string(isa_name()) + ", " + c.x.to_string());
      const Attrs attrs{{"pool", number_list(c.pool)},
                        {"strides", number_list(c.strides)},
                        {"padding", std::string(c.padding)}};
      const OpCall pool = make_call<T>(op_max_pool, attrs, {c.x});
      const OpCall scatter = make_call<T>(op_max_pool_scatter, attrs, {c.x, pool.out.shape});
      const OpCall gather = make_call<T>(op_max_pool_gather, attrs, {c.x, c.x});
      Windows windows;
      for (size_t a = 0; a < c.pool.size(); ++a)
        windows.push_back(pool_window(c.x[static_cast<int>(a) + 1], c.pool[a], c.strides[a],
                                      padding_from_name(c.padding), "axis"));
      auto x = random_values<T>(c.x.size(), 1);
      for (T& value : x) value = std::round(value * 4);  // ties
      if (special) {
        for (size_t i = 0; i < x.size(); i += 5) x[i] = std::numeric_limits<T>::quiet_NaN();
        for (size_t i = 0; i < x.size() / 4; ++i) x[i] = -std::numeric_limits<T>::infinity();
      }
      const auto v = random_values<T>(c.x.size(), 2);
      const auto g = random_values<T>(pool.out.shape.size(), 3);
      std::vector<T> pooled(g.size()), scattered(x.size()), gathered(g.size());
      ref::max_pool(c.x[0], c.x.back(), windows, x.data(), pooled.data());
      ref::max_pool_scatter(c.x[0], c.x.back(), windows, x.data(), g.data(), scattered.data());
      ref::max_pool_gather(c.x[0], c.x.back(), windows, x.data(), v.data(), gathered.data());
      CHECK(all_close(run<T>(op_max_pool, pool, {x.data()}), pooled, 0));
      CHECK(all_close(run<T>(op_max_pool_scatter, scatter, {x.data(), g.data()}), scattered,
                      tolerance<T>(9)));
      CHECK(all_close(run<T>(op_max_pool_gather, gather, {x.data(), v.data()}), gathered, 0));
      check_same_at_any_thread_count(
          [&] { return run<T>(op_max_pool_scatter, scatter, {x.data(), g.data()}); });
    });
}

template <typename T>
void test_batch_normalization() {
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{50, 37, 41}, Shape{1, 1}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const Dim C = shape[axis], inner = shape.product(axis + 1, shape.rank());
      const auto x = random_values<T>(shape.size(), 1), mean = random_values<T>(C, 2),
                 gamma = random_values<T>(C, 4), beta = random_values<T>(C, 5);
      auto variance = random_values<T>(C, 3);
      for (T& value : variance) value *= value;
      const OpCall call = make_call<T>(
          op_batch_normalization, Attrs().set("axis", double(axis)).set("epsilon", 0.001),
          {shape, Shape{C}, Shape{C}, Shape{C}, Shape{C}});
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim c = i / inner % C;
        expected[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + T(0.001)) * gamma[c] + beta[c];
      }
      const auto compute = [&] {
        return run<T>(op_batch_normalization, call,
                      {x.data(), mean.data(), variance.data(), gamma.data(), beta.data()});
      };
      CHECK(all_close(compute(), expected, 10 * tolerance<T>(1)));
      check_same_at_any_thread_count(compute);
    }
}

template <typename T>
void test_softmax() {
  for (const Shape& shape : {Shape{3, 10}, Shape{70, 5, 33}, Shape{4}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      auto x = random_values<T>(shape.size(), 1);
      for (T& value : x) value *= 500;
      const OpCall call = make_call<T>(op_softmax, Attrs().set("axis", double(axis)), {shape});
      const Dim n = shape[axis], inner = shape.product(axis + 1, shape.rank());
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim first = i / inner / n * n * inner + i % inner;
        double sum = 0;
        for (Dim j = 0; j < n; ++j) sum += std::exp(double(x[first + j * inner]) - double(x[i]));
        expected[i] = static_cast<T>(1 / sum);
      }
      const auto compute = [&] { return run<T>(op_softmax, call, {x.data()}); };
      CHECK(all_close(compute(), expected, 10 * tolerance<T>(n)));
      check_same_at_any_thread_count(compute);
    }
}

}  // namespace

TEST(kernels_max_pool_f32) { test_max_pool<float>(); }
TEST(kernels_max_pool_f64) { test_max_pool<double>(); }
TEST(kernels_batch_normalization_f32) { test_batch_normalization<float>(); }
TEST(kernels_batch_normalization_f64) { test_batch_normalization<double>(); }
TEST(kernels_softmax_f32) { test_softmax<float>(); }
TEST(kernels_softmax_f64) { test_softmax<double>(); }

TEST(kernels_random_words) {
  const Philox random(0x123456789abcdef0, 0xfedcba98, 77);
  for_each_isa([&] {
    const test::Context context(isa_name());
    bool same = true;
    for (int64_t blocks = 0; blocks < 37; ++blocks)
      for (uint64_t first : {uint64_t(0), uint64_t(3), uint64_t(0xfffffff9)}) {
        std::vector<uint32_t> words(4 * blocks + 2, 0x5a5a5a5a);
        random_words(random, first, blocks, words.data() + 1);
        for (int64_t i = 0; i < 4 * blocks; ++i)
          same = same && words[i + 1] == random.block(first + i / 4)[i % 4];
        same = same && words.front() == 0x5a5a5a5a && words.back() == 0x5a5a5a5a;
      }
    CHECK(same);
  });
}

namespace {

template <typename T>
void test_dropout_not_finite() {
  const Shape shape{3, 5, 7, 11};
  std::vector<T> x = random_values<T>(shape.size(), 1);
  const T special[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()};
  for (size_t i = 0; i < x.size(); i += 3) x[i] = special[i % 2];
  for (bool shared : {false, true})
    for_each_isa([&] {
      const test::Context context(isa_name());
      Attrs attrs = Attrs().set("rate", 0.3).set("stream", 5.0);
      if (shared) attrs.set("noise_shape", number_list({3, 1, 1, 11}));
      const auto y = run<T>(op_dropout, make_call<T>(op_dropout, attrs, {shape}), {x.data()},
                            {9, 2, nullptr});
      const Philox random(9, 5, 2);
      std::vector<T> expected(x.size());
      for (Dim i = 0; i < shape.size(); ++i) {
        const Dim at = shared ? i / 385 * 11 + i % 11 : i;
        const bool keep = uniform_unit(random.block(at / 4)[at % 4]) >= 0.3f;
        expected[i] = keep ? x[i] * static_cast<T>(1 / 0.7) : T(0);
      }
      CHECK(all_close(y, expected, 0));
    });
}

}  // namespace

TEST(kernels_dropout_not_finite_f32) { test_dropout_not_finite<float>(); }
TEST(kernels_dropout_not_finite_f64) { test_dropout_not_finite<double>(); }

TEST(kernels_dropout) {
  const Shape shape{30, 40, 7};
  const Attrs attrs = Attrs().set("rate", 0.25).set("stream", 5.0);
  const std::vector<float> ones(shape.size(), 1.0f);
  const OpCall call = make_call<float>(op_dropout, attrs, {shape});
  const auto drop = [&](const OpCall& c, RunContext context) {
    return run<float>(op_dropout, c, {ones.data()}, context);
  };
  const auto mask = drop(call, {9, 2, nullptr});
  const Philox random(9, 5, 2);
  double kept = 0;
  bool expected = true;
  for (Dim i = 0; i < shape.size(); ++i) {
    const bool keep = uniform_unit(random.block(i / 4)[i % 4]) >= 0.25f;
    expected = expected && mask[i] == (keep ? 1 / 0.75f : 0);
    kept += keep;
  }
  CHECK(expected);
  CHECK_CLOSE(kept / shape.size(), 0.75, 0.02);
  CHECK(!same_bits(mask, drop(call, {9, 3, nullptr})));
  CHECK(!same_bits(mask, drop(call, {8, 2, nullptr})));
  check_same_at_any_thread_count([&] { return drop(call, {9, 2, nullptr}); });

  // A seed takes the place of the key.
  const OpCall seeded = make_call<float>(op_dropout, Attrs(attrs).set("seed", 3.0), {shape});
  CHECK(same_bits(drop(seeded, {9, 2, nullptr}), drop(seeded, {8, 2, nullptr})));

  // One draw for all of an axis.
  const OpCall shared = make_call<float>(
      op_dropout, Attrs(attrs).set("noise_shape", number_list({-1, 1, 7})), {shape});
  const auto rows = drop(shared, {9, 2, nullptr});
  bool equal = true, varies = false;
  for (Dim n = 0; n < 30; ++n)
    for (Dim i = 0; i < 40 * 7; ++i) {
      equal = equal && rows[n * 280 + i] == rows[n * 280 + i % 7];
      varies = varies || rows[n * 280 + i] != rows[i];
    }
  CHECK(equal && varies);

  for (double rate : {0.0, 1.0}) {
    const auto all = drop(make_call<float>(op_dropout, Attrs(attrs).set("rate", rate), {shape}),
                          {9, 2, nullptr});
    CHECK(std::all_of(all.begin(), all.end(), [&](float v) { return v == 1 - rate; }));
  }
  CHECK_THROWS(make_call<float>(op_dropout, Attrs(attrs).set("rate", 1.5), {shape}), "argument");
}
