// Convolutions with one channel on one side of each group, and their derivatives: every path
// against the loops of ops/ref.
#include "conv_cases.h"

using namespace convnet;

namespace {

// Channels of every width of vectors and of several tasks, rows longer and shorter than a run of
// positions, more taps than one call adds up, several stripes, blocks and pieces, all ranks.
std::vector<ConvCase> depthwise_cases() {
  std::vector<ConvCase> cases = {
      layer_case(3, 93, 93, 93, {23, 45}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 23, 23, 23, {7, 7}, {5, 5}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 16, 16, 16, {30, 29}, {5, 3}, {2, 1}, {1, 1}, "valid"),
      layer_case(1, 70, 70, 70, {90}, {71}, {1}, {1}, "same"),
      layer_case(2, 8, 8, 8, {3, 50}, {9, 8}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 21, 21, 21, {19, 20}, {3, 3}, {1, 1}, {3, 2}, "same"),
      layer_case(2, 35, 35, 35, {4, 9, 13}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(2, 6, 6, 18, {5, 6, 7}, {2, 3, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 18, 18, 18, {2, 3}, {5, 5}, {1, 1}, {4, 4}, "same"),
      layer_case(3, 140, 140, 140, {33, 26}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 37, 37, 111, {11, 12}, {3, 3}, {2, 1}, {1, 1}, "same"),
      layer_case(1, 7, 7, 7, {9, 8, 10}, {5, 4, 5}, {1, 1, 2}, {1, 1, 1}, "same"),
      // Several input channels and one output channel of a group; margins wider than the image; an
      // axis of the output that reads no input.
      layer_case(2, 9, 18, 9, {8, 11}, {3, 4}, {2, 2}, {1, 1}, "same"),
      {2, 19, 19, 19, {3, 2}, {5, 5}, {1, 1}, {1, 1}, {4, 4}, {7, 6}},
      {1, 5, 5, 5, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {5, 0}, {12, 9}},
      {2, 38, 38, 38, {9, 9}, {3, 3}, {2, 2}, {1, 1}, {4, 3}, {8, 7}},
  };
  // Pairs of rows and of neighbouring columns, and what is left of both: strides of 2 with even and odd margins, rows
  // shorter than four positions and of every length after them, images that follow each other without a margin.
  for (Dim taps = 2; taps <= 7; ++taps)
    for (Dim extent = 7; extent <= 8; ++extent) {
      cases.push_back(layer_case(2, 36, 36, 36, {extent, 30 + extent}, {taps, taps}, {2, 2}, {1, 1}, "same"));
      cases.push_back(layer_case(2, 36, 36, 36, {extent, 24 + extent}, {taps, taps}, {2, 2}, {1, 1}, "valid"));
      cases.push_back(layer_case(3, 17, 17, 17, {extent, 23 + extent}, {taps, taps}, {1, 1}, {1, 1}, "valid"));
    }
  for (Dim width = 1; width <= 17; ++width)
    cases.push_back(layer_case(2, 19, 19, 19, {5, width}, {3, 3}, {1 + width % 2, 1 + width % 2}, {1, 1}, "same"));
  cases.push_back(layer_case(2, 20, 20, 20, {3, 8, 21}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}, "same"));
  cases.push_back(layer_case(2, 20, 20, 20, {9, 16}, {3, 3}, {2, 2}, {2, 2}, "valid"));
  cases.push_back(layer_case(2, 20, 20, 20, {19, 33}, {3, 3}, {4, 4}, {2, 2}, "same"));
  // Pixels that lie 1 and 2 KB apart.
  cases.push_back(layer_case(2, 256, 256, 256, {9, 15}, {3, 3}, {2, 2}, {1, 1}, "same"));
  cases.push_back(layer_case(1, 264, 264, 264, {6, 10}, {3, 3}, {2, 2}, {1, 1}, "same"));
  // Down columns at strides of 2: whole vectors of channels, margins at either side, rows outside, stripes.
  cases.push_back(layer_case(2, 80, 80, 80, {13, 28}, {3, 3}, {2, 2}, {1, 1}, "same"));
  cases.push_back(layer_case(2, 64, 64, 64, {28, 27}, {3, 3}, {2, 2}, {1, 1}, "same"));
  cases.push_back(layer_case(1, 96, 96, 96, {15, 15}, {3, 3}, {2, 2}, {1, 1}, "valid"));
  cases.push_back(layer_case(1, 64, 64, 64, {56, 110}, {3, 3}, {2, 2}, {1, 1}, "same"));
  cases.push_back({2, 64, 64, 64, {9, 27}, {3, 3}, {2, 2}, {1, 1}, {4, 1}, {8, 14}});
  // More than a core's own cache keeps, and more yet at a stride.
  cases.push_back(layer_case(2, 33, 33, 33, {48, 43}, {3, 3}, {1, 1}, {1, 1}, "same"));
  cases.push_back(layer_case(2, 64, 64, 64, {33, 32}, {3, 3}, {1, 1}, {1, 1}, "valid"));
  cases.push_back(layer_case(2, 150, 150, 150, {29, 30}, {3, 3}, {2, 2}, {1, 1}, "same"));
  cases.push_back(layer_case(2, 48, 48, 48, {97, 93}, {3, 3}, {2, 2}, {1, 1}, "same"));
  // Taps along a row of every number that kernels take at a time and are put together of, positions
  // one tap apart, two, and others.
  for (Dim taps = 1; taps <= 9; ++taps)
    for (Dim stride = 1; stride <= 3; ++stride)
      for (Dim dilation = 1; dilation <= 2; ++dilation)
        cases.push_back(layer_case(2, 21, 21, 21, {4, 19}, {1 + taps % 4, taps}, {1, stride}, {1, dilation},
                                   taps % 2 ? "same" : "valid"));
  return cases;
}

}  // namespace

TEST(kernels_depthwise_f32) { test_conv_triangle<float>(depthwise_cases()); }
TEST(kernels_depthwise_f64) { test_conv_triangle<double>(depthwise_cases()); }
TEST(kernels_depthwise_not_finite_f32) { test_conv_not_finite<float>(depthwise_cases()); }
TEST(kernels_depthwise_not_finite_f64) { test_conv_not_finite<double>(depthwise_cases()); }
TEST(kernels_depthwise_ends_f32) { test_conv_ends<float>(depthwise_cases()); }
TEST(kernels_depthwise_ends_f64) { test_conv_ends<double>(depthwise_cases()); }
TEST(kernels_depthwise_packing_f32) { test_conv_packing<float>(depthwise_cases()); }
TEST(kernels_depthwise_packing_f64) { test_conv_packing<double>(depthwise_cases()); }
TEST(kernels_depthwise_threads_f32) { test_conv_threads<float>(depthwise_cases()); }
TEST(kernels_depthwise_threads_f64) { test_conv_threads<double>(depthwise_cases()); }
