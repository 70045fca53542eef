// Winograd's algorithm, by the operations that choose it.
#include "conv_cases.h"
#include "kernels/winograd_correlation.h"
#include "kernels/winograd_gradient.h"

using namespace convnet;

namespace {

std::vector<ConvCase> winograd_cases() {
  return {
      // Tiles that end with the image and beyond it, several images to a block, blocks to an image,
      // panels of all widths, padding on one side and on none.
      layer_case(1, 1, 32, 48, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(3, 1, 32, 48, {7, 9}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 48, 16, {25, 14}, {3, 3}, {1, 1}, {1, 1}, "valid"),
      layer_case(40, 1, 32, 64, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      {2, 1, 64, 64, {12, 13}, {3, 3}, {1, 1}, {1, 1}, {2, 0}, {14, 11}},
      // Dilation, phases of two taps and of two and three, parts of a stride.
      layer_case(1, 1, 64, 64, {21, 25}, {3, 3}, {1, 1}, {2, 3}, "same"),
      layer_case(2, 1, 32, 48, {14, 18}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 64, 32, {23, 19}, {5, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 64, 64, {20, 21}, {6, 5}, {3, 2}, {1, 1}, "same"),
      layer_case(1, 1, 64, 64, {17, 21}, {3, 2}, {1, 1}, {1, 1}, "same"),
      // One axis, three axes, more terms than one sum.
      layer_case(2, 1, 64, 64, {45}, {3}, {1}, {1}, "same"),
      layer_case(1, 1, 64, 64, {9, 30}, {1, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 64, 64, {30, 9}, {3, 1}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 64, 48, {3, 8, 9}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(1, 1, 32, 32, {5, 8, 9}, {2, 3, 3}, {2, 1, 1}, {1, 1, 1}, "same"),
      layer_case(1, 1, 400, 32, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 32, 288, {6, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
  };
}

}  // namespace

TEST(kernels_winograd) { test_conv_triangle<float>(winograd_cases()); }
TEST(kernels_winograd_not_finite) { test_conv_not_finite<float>(winograd_cases()); }
TEST(kernels_winograd_ends) { test_conv_ends<float>(winograd_cases()); }
TEST(kernels_winograd_packing) { test_conv_packing<float>(winograd_cases()); }
TEST(kernels_winograd_threads) { test_conv_threads<float>(winograd_cases()); }

// Otherwise the tests above would be of something else.
TEST(kernels_winograd_is_chosen) {
  for_each_isa([&] {
    for (const ConvCase& c : winograd_cases()) {
      const test::Context context(c.to_string());
      const CorrelationShape forward = forward_correlation(c.geometry()), backward = backward_correlation(c.geometry());
      CHECK(WinogradCorrelation<float>::of(forward) || WinogradCorrelation<float>::of(backward) ||
            WinogradGradient<float>::of(forward));
      CHECK(!WinogradCorrelation<double>::of(forward));
      set_winograd(false);
      CHECK(!WinogradCorrelation<float>::of(forward) && !WinogradGradient<float>::of(forward));
      set_winograd(true);
    }
  });
}
