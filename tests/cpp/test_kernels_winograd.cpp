// Winograd's algorithm, by the operations that choose it.
#include "conv_cases.h"
#include "kernels/winograd_correlation.h"
#include "kernels/winograd_gradient.h"

using namespace convnet;

namespace {

// Tiles that end with the image and beyond it, several images to a block, blocks to an image, phases of
// two taps and of two and three, parts of a stride, dilation, three axes.
std::vector<ConvCase> few_cases() {
  return {
      layer_case(5, 1, 32, 64, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 32, 32, {32, 29}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 32, 48, {14, 18}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 64, 32, {23, 19}, {5, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 64, 64, {21, 13}, {3, 3}, {1, 1}, {2, 3}, "same"),
      layer_case(1, 1, 64, 48, {3, 8, 12}, {2, 3, 3}, {2, 1, 1}, {1, 1, 1}, "same"),
  };
}

// And panels of all widths, padding on one side and on none, other strides, one axis, more terms than one sum,
// tasks that share the columns of a block, or have some of the rows.
std::vector<ConvCase> winograd_cases() {
  std::vector<ConvCase> cases = few_cases();
  for (const ConvCase& c : std::vector<ConvCase>{
           layer_case(3, 1, 64, 48, {9, 12}, {3, 3}, {1, 1}, {1, 1}, "same"),
           layer_case(2, 1, 48, 32, {25, 14}, {3, 3}, {1, 1}, {1, 1}, "valid"),
           {1, 1, 64, 64, {12, 13}, {3, 3}, {1, 1}, {1, 1}, {2, 0}, {14, 11}},
           layer_case(1, 1, 64, 64, {20, 21}, {6, 5}, {3, 2}, {1, 1}, "same"),
           layer_case(1, 1, 64, 64, {17, 21}, {3, 2}, {1, 1}, {1, 1}, "same"),
           layer_case(2, 1, 128, 128, {45}, {3}, {1}, {1}, "same"),
           layer_case(1, 1, 128, 128, {3, 30}, {1, 3}, {1, 1}, {1, 1}, "same"),
           layer_case(1, 1, 128, 128, {30, 3}, {3, 1}, {1, 1}, {1, 1}, "same"),
           layer_case(1, 1, 400, 32, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
           layer_case(1, 1, 32, 288, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
       })
    cases.push_back(c);
  return cases;
}

// Enough tiles for gradients, whose sums are finished once for all of them: parts of a stride with tiles of
// three sums, dilation, one axis and three, pieces of the tiles, some of the rows and of the columns.
std::vector<ConvCase> gradient_cases() {
  return {
      layer_case(1, 1, 32, 32, {32, 29}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 32, 48, {46, 38}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(3, 1, 64, 64, {44, 39}, {5, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 1, 64, 64, {29, 21}, {3, 3}, {1, 1}, {2, 3}, "same"),
      layer_case(1, 1, 32, 48, {7, 18, 22}, {2, 3, 3}, {2, 1, 1}, {1, 1, 1}, "same"),
      layer_case(3, 1, 128, 128, {101}, {3}, {1}, {1}, "same"),
      layer_case(1, 1, 128, 128, {3, 90}, {1, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 128, 128, {90, 3}, {3, 1}, {1, 1}, {1, 1}, "same"),
      layer_case(7, 1, 32, 32, {18, 17}, {3, 2}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 208, 32, {21, 24}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 32, 144, {21, 24}, {3, 3}, {1, 1}, {1, 1}, "same"),
  };
}

}  // namespace

TEST(kernels_winograd) { test_conv_triangle<float>(winograd_cases()); }
TEST(kernels_winograd_not_finite) { test_conv_not_finite<float>(few_cases()); }
// Each element of a kernel is one of a phase, the tiles of which tell of it.
TEST(kernels_winograd_not_finite_kernel) {
  for_each_isa([&] {
    const ConvCase c = layer_case(2, 1, 64, 32, {23, 19}, {5, 5}, {2, 2}, {1, 1}, "same");
    const int64_t taps = 25, tap = 64 * 32;
    CHECK(WinogradCorrelation<float>::of(backward_correlation(c.geometry())));
    for (int64_t t = 0; t < taps; ++t) {
      ConvRun<float> r(c);
      r.kernel[t * tap + t] = std::numeric_limits<float>::infinity();
      check_triangle(r, c);
    }
  });
}

// To the last bit, not only of finite ones: an image after one that is computed anew is not.
TEST(kernels_winograd_company) {
  for_each_isa([&] {
    for (const ConvCase& c : few_cases()) {
      const test::Context context(c.to_string());
      if (c.batch == 1) continue;
      ConvRun<float> r(c);
      const std::vector<float> before[] = {r.conv(), r.backward_data()};
      r.input[0] = r.grad[0] = std::numeric_limits<float>::quiet_NaN();
      const std::vector<float> after[] = {r.conv(), r.backward_data()};
      for (int i = 0; i < 2; ++i) {
        const auto others = [&](const std::vector<float>& all) {
          return std::vector<float>(all.begin() + static_cast<int64_t>(all.size()) / c.batch, all.end());
        };
        CHECK(same_bits(others(before[i]), others(after[i])));
      }
    }
  });
}

TEST(kernels_winograd_ends) { test_conv_ends<float>(few_cases()); }
TEST(kernels_winograd_packing) { test_conv_packing<float>(winograd_cases()); }
TEST(kernels_winograd_threads) { test_conv_threads<float>(few_cases()); }

// Otherwise the tests above would be of something else.
TEST(kernels_winograd_is_chosen) {
  for_each_isa([&] {
    for (const ConvCase& c : winograd_cases()) {
      const test::Context context(c.to_string());
      const CorrelationShape forward = forward_correlation(c.geometry()), backward = backward_correlation(c.geometry());
      CHECK(WinogradCorrelation<float>::of(forward) || WinogradCorrelation<float>::of(backward));
      CHECK(!WinogradCorrelation<double>::of(forward));
      set_winograd(false);
      CHECK(!WinogradCorrelation<float>::of(forward) && !WinogradGradient<float>::of(forward));
      set_winograd(true);
    }
    for (const ConvCase& c : gradient_cases()) {
      const test::Context context(c.to_string());
      CHECK(WinogradGradient<float>::of(forward_correlation(c.geometry())));
    }
  });
}

TEST(kernels_winograd_gradient) {
  for_each_isa([&] {
    for (const ConvCase& c : gradient_cases()) {
      const test::Context context(c.to_string());
      ConvRun<float> r(c);
      const auto check = [&](double tolerated) {
        CHECK(all_close(r.backward_weights(), r.ref_backward_weights(), tolerated));
      };
      check_same_at_any_thread_count([&] { return r.backward_weights(); });
      check(tolerance<float>(r.geometry.output().size() / c.out_channels));
      r.input[r.input.size() / 3] = std::numeric_limits<float>::infinity();
      r.grad[r.grad.size() / 2] = std::numeric_limits<float>::quiet_NaN();
      check(tolerance<float>(r.geometry.output().size() / c.out_channels));
    }
  });
}

// Digits lost, against sums in double: for all that a case does, or its weights' gradient alone.
void check_accuracy(const ConvCase& c, bool all) {
  const test::Context context(c.to_string());
  const ConvRun<float> r(c);
  ConvRun<double> exact(c);
  exact.input.assign(r.input.begin(), r.input.end());
  exact.kernel.assign(r.kernel.begin(), r.kernel.end());
  exact.grad.assign(r.grad.begin(), r.grad.end());
  const auto check = [](auto&& compute, const std::vector<double>& expected) {
    const auto error = [&] {
      const std::vector<float> values = compute();
      double sum = 0;
      for (size_t i = 0; i < values.size(); ++i) sum += (values[i] - expected[i]) * (values[i] - expected[i]);
      return std::sqrt(sum);
    };
    const double with = error();
    set_winograd(false);
    const double without = error();
    set_winograd(true);
    CHECK(with <= 2 * without);
  };
  check([&] { return r.backward_weights(); }, exact.ref_backward_weights());
  if (!all) return;
  check([&] { return r.conv(); }, exact.ref_conv());
  check([&] { return r.backward_data(); }, exact.ref_backward_data());
}

TEST(kernels_winograd_accuracy) {
  for_each_isa([&] {
    for (const ConvCase& c : winograd_cases()) check_accuracy(c, true);
    for (const ConvCase& c : gradient_cases()) check_accuracy(c, false);
  });
}

// Images of other sizes may go in other tiles; what is packed is the same where keys are equal.
TEST(kernels_winograd_packing_sizes) {
  for_each_isa([&] {
    std::vector<std::vector<float>> packed;
    std::vector<PackKey> keys;
    for (Dim height : {3, 4, 5, 30, 31}) {
      const ConvRun<float> r(layer_case(1, 1, 128, 128, {height, 30}, {3, 3}, {1, 1}, {1, 1}, "valid"));
      const Correlation<float> c(forward_correlation(r.geometry));
      const Buffer buffer(c.packed_bytes());
      c.pack(r.kernel.data(), buffer.data());
      packed.emplace_back(buffer.as<float>(), buffer.as<float>() + buffer.bytes() / sizeof(float));
      keys.push_back(c.pack_key());
    }
    for (size_t i = 1; i < keys.size(); ++i)
      for (size_t j = 0; j < i; ++j) CHECK(keys[i] != keys[j] || packed[i] == packed[j]);
    CHECK(keys[3] == keys[4]);
    CHECK(keys[0] != keys[4]);
  });
}

// More threads than there were when an operation was prepared.
TEST(kernels_winograd_more_threads) {
  const ConvRun<float> r(layer_case(2, 1, 64, 64, {32, 32}, {3, 3}, {1, 1}, {1, 1}, "same"));
  const Correlation<float> c(forward_correlation(r.geometry));
  const Buffer packed(c.packed_bytes()), workspace(c.workspace());
  c.pack(r.kernel.data(), packed.data());
  std::vector<float> one(r.grad.size()), several(r.grad.size());
  c.run(r.input.data(), nullptr, packed.data(), one.data(), workspace.data());
  const int before = thread_count();
  set_thread_count(8);
  c.run(r.input.data(), nullptr, packed.data(), several.data(), workspace.data());
  set_thread_count(before);
  CHECK(same_bits(one, several));
}
