// Convolutions and their derivatives: every path against the loops of ops/ref.
#include "conv_cases.h"

namespace convnet {
extern const Op op_matmul;
}

using namespace convnet;

namespace {

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Sizes that are no multiple of any tile, on purpose.
std::vector<ConvCase> conv_cases() {
  std::vector<ConvCase> cases{
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
      // Few output channels of either direction: depth, groups, gaps between
      // taps, more channels than one sum, blocks of rows and of columns.
      layer_case(1, 1, 2, 9, {5, 6, 7}, {3, 2, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 2, 4, 20, {7, 9}, {4, 4}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 1, 12, {12, 13}, {3, 4}, {2, 3}, {3, 2}, "same"),
      layer_case(1, 1, 2, 400, {5, 6}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 2, 401, {5, 6}, {3, 3}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 3, 9, {700}, {5}, {2}, {1}, "same"),
      layer_case(1, 1, 8, 1, {40, 30}, {3, 4}, {1, 1}, {1, 1}, "valid"),
      layer_case(1, 1, 3, 40, {20, 9}, {9, 9}, {3, 3}, {1, 1}, "same"),
      // From few channels: strips along each axis and along images, parts of strips, more terms
      // than one sum, more panels than one pass; in phases, groups, with gaps.
      layer_case(2, 1, 3, 20, {9, 30}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 1, 42, {30, 3}, {5, 3}, {2, 1}, {1, 1}, "same"),
      layer_case(1, 1, 2, 18, {12, 3, 2}, {3, 2, 2}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(230, 1, 7, 9, {2, 2}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 7, 40, {350}, {5}, {1}, {1}, "same"),
      layer_case(1, 1, 7, 39, {12, 11}, {9, 9}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 3, 300, {6, 7}, {3, 3}, {1, 1}, {2, 1}, "same"),
      layer_case(2, 1, 40, 3, {11, 13}, {4, 5}, {2, 3}, {1, 1}, "same"),
      layer_case(2, 2, 6, 34, {9, 14}, {3, 3}, {2, 1}, {1, 2}, "same"),
      layer_case(2, 3, 3, 57, {8, 9}, {3, 3}, {1, 1}, {1, 1}, "same"),
      // Lanes along pixels, in either direction: more rows than there is room for, blocks of
      // columns, channels in lots, groups, depth, one tap, outputs above all that is read.
      layer_case(1, 1, 8, 2, {50, 70}, {9, 7}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 9, 3, {3, 2500}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 1, 9, {7001}, {5}, {3}, {1}, "same"),
      layer_case(2, 1, 3, 21, {17, 15}, {7, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(2, 1, 90, 4, {5, 21}, {3, 2}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 2, 18, 2, {5, 6, 7}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, "same"),
      layer_case(1, 2, 20, 6, {6, 7}, {2, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 1, 10, {6, 7, 8}, {3, 3, 3}, {2, 1, 2}, {1, 1, 1}, "same"),
      layer_case(2, 1, 1, 10, {11, 13}, {2, 2}, {3, 4}, {1, 1}, "valid"),
      layer_case(2, 1, 8, 1, {9, 10}, {3, 1}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 17, 3, {9, 11}, {1, 1}, {1, 1}, {1, 1}, "same"),
      {1, 1, 10, 1, {4, 6}, {3, 3}, {1, 1}, {1, 1}, {5, 1}, {12, 6}},
      // Blocks of positions whose rows do not follow each other; taps before all that is read.
      layer_case(3, 1, 40, 20, {24, 27}, {3, 3}, {1, 1}, {1, 1}, "same"),
      {1, 1, 9, 1, {5, 6}, {2, 2}, {1, 1}, {1, 1}, {2, 3}, {7, 8}},
      {1, 1, 9, 1, {2, 3000}, {1, 8}, {1, 1}, {1, 1}, {0, 1500}, {2, 4000}},
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
      // Those with lanes along the input's channels, which fill them better.
      layer_case(2, 1, 24, 10, {9, 11}, {3, 4}, {2, 3}, {1, 1}, "same"),
      layer_case(1, 2, 32, 50, {12, 7}, {3, 2}, {1, 1}, {2, 1}, "valid"),
      layer_case(2, 1, 40, 33, {33, 34}, {1, 1}, {1, 1}, {1, 1}, "same"),
      // More positions than one piece of the weight gradient.
      layer_case(2, 1, 2, 5, {40, 41}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(3, 1, 14, 3, {39, 38}, {2, 2}, {1, 1}, {1, 1}, "same"),
      // Lanes along channels, in either direction: panels of columns, channels that fill no vector, more
      // terms than one sum, taps of the height or of images that rows share, gaps, depth, groups,
      // results near each other and far apart.
      layer_case(1, 1, 64, 9, {6, 19}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 33, 3, {5, 20}, {3, 5}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 610, 2, {3, 9}, {3, 3}, {1, 1}, {1, 1}, "same"),
      layer_case(2, 1, 32, 2, {21, 3}, {4, 2}, {1, 1}, {1, 1}, "same"),
      layer_case(33, 1, 16, 3, {2, 2}, {2, 2}, {1, 1}, {1, 1}, "same"),
      layer_case(1, 1, 16, 1, {14, 2, 3}, {3, 2, 2}, {1, 1, 1}, {1, 1, 1}, "same"),
      {2, 1, 32, 3, {12, 23}, {2, 3}, {2, 2}, {2, 2}, {0, 0}, {5, 10}},
      layer_case(2, 1, 32, 4, {8, 18}, {3, 3}, {1, 2}, {1, 1}, "same"),
      layer_case(1, 1, 2, 32, {9, 44}, {5, 5}, {2, 2}, {1, 1}, "same"),
      layer_case(1, 1, 3, 48, {8, 57}, {7, 7}, {3, 3}, {1, 1}, "same"),
      layer_case(1, 1, 1, 40, {4, 90}, {6, 11}, {2, 5}, {1, 1}, "same"),
      layer_case(1, 2, 96, 4, {7, 9}, {3, 3}, {1, 1}, {1, 1}, "same"),
  };
  // Tiles of every height for every number of columns, taps in threes, twos and ones.
  for (Dim columns = 1; columns <= 4; ++columns)
    for (Dim width = 5; width <= 18; ++width)
      cases.push_back(layer_case(1, 1, 16, columns, {2, width + width % 8}, {2, 1 + width % 8}, {1, 1},
                                 {1, 1}, "valid"));
  // Outputs side by side that are as many columns: kernels of all sizes, so that taps at either end
  // have some of them, or no tap has all; strips along either axis, more terms than one sum.
  for (Dim stride = 2; stride <= 4; ++stride)
    for (Dim channels = 1; channels * stride <= 4; ++channels)
      for (Dim width = 2; width <= 18; width += channels * stride == 2 ? 1 : 2)
        cases.push_back(layer_case(1, 1, channels, width % 3 == 0 ? 24 : 16, {7, stride * width},
                                   {2, 1 + width % 9}, {1, stride}, {1, 1}, width % 4 < 2 ? "same" : "valid"));
  // Groups that fill a vector together, in either direction: strips of every length, taps in threes,
  // twos and ones, gaps, strides, depth, along images, more terms than one sum; and groups left over.
  for (Dim channels : {2, 4, 8}) {
    for (Dim width = 1; width <= 19; width += channels == 4 ? 1 : 6)
      cases.push_back(layer_case(1, 8, 8 * channels, 8 * channels, {2, width + width % 6}, {2, 1 + width % 6}, {1, 1},
                                 {1, 1}, "valid"));
    cases.push_back(layer_case(2, 16, 16 * channels, 16 * channels, {7, 8}, {3, 3}, {2, 2}, {1, 1}, "same"));
    cases.push_back(layer_case(1, 8, 8 * channels, 8 * channels, {5, 21}, {3, 3}, {1, 1}, {2, 3}, "same"));
    cases.push_back(layer_case(1, 8, 8 * channels, 8 * channels, {4, 21}, {1, 1}, {1, 1}, {1, 1}, "same"));
    cases.push_back(layer_case(11, 8, 8 * channels, 8 * channels, {2, 2}, {3, 3}, {1, 1}, {1, 1}, "same"));
    cases.push_back(layer_case(1, 8, 8 * channels, 8 * channels, {5, 6, 7}, {3, 2, 3}, {2, 1, 1}, {1, 1, 1}, "same"));
    cases.push_back(layer_case(3, 8, 8 * channels, 8 * channels, {28, 29}, {3, 3}, {1, 1}, {1, 1}, "same"));
    cases.push_back(layer_case(1, 7, 7 * channels, 7 * channels, {6, 7}, {3, 3}, {1, 1}, {1, 1}, "same"));
    cases.push_back(layer_case(1, 4, 4 * channels, 8 * channels, {6, 7}, {3, 3}, {1, 1}, {1, 1}, "same"));
  }
  // More groups than tasks, whose outputs are read so often that they are packed.
  for (Dim channels : {4, 8})
    cases.push_back(layer_case(1, 40, 40 * channels, 40 * channels, {5, 13}, {9, 7}, {1, 1}, {1, 1}, "same"));
  cases.push_back(layer_case(1, 1, 1, 700, {4, 12}, {3, 5}, {1, 2}, {1, 1}, "same"));
  cases.push_back(layer_case(2, 1, 1, 16, {3, 4, 14}, {3, 3, 4}, {2, 2, 2}, {1, 1, 1}, "same"));
  return cases;
}

}  // namespace

TEST(kernels_conv_f32) { test_conv_triangle<float>(conv_cases()); }
TEST(kernels_conv_f64) { test_conv_triangle<double>(conv_cases()); }
TEST(kernels_conv_not_finite_f32) { test_conv_not_finite<float>(conv_cases()); }
TEST(kernels_conv_not_finite_f64) { test_conv_not_finite<double>(conv_cases()); }
TEST(kernels_conv_ends_f32) { test_conv_ends<float>(conv_cases()); }
TEST(kernels_conv_ends_f64) { test_conv_ends<double>(conv_cases()); }
TEST(kernels_conv_packing_f32) { test_conv_packing<float>(conv_cases()); }
TEST(kernels_conv_packing_f64) { test_conv_packing<double>(conv_cases()); }
// What is packed is the same where keys are equal, and they are for images of different widths.
TEST(kernels_conv_packing_widths) {
  for_each_isa([&] {
    for (Dim kernel : {1, 2, 3, 4, 7})
      for (Dim channels : {1, 2, 3, 16}) {
        std::vector<std::vector<float>> packed;
        std::vector<PackKey> keys;
        for (Dim width : {14, 15, 16, 17}) {
          const ConvRun<float> r({1, 1, channels, 16, {5, width}, {3, kernel}, {1, 2}, {1, 1}, {1, 0}, {5, (width - 1) / 2}});
          const Correlation<float> c(backward_correlation(r.geometry));
          const Buffer buffer(c.packed_bytes());
          std::fill_n(buffer.as<char>(), buffer.bytes(), 0);
          c.pack(r.kernel.data(), buffer.data());
          packed.emplace_back(buffer.as<float>(), buffer.as<float>() + buffer.bytes() / sizeof(float));
          keys.push_back(c.pack_key());
        }
        for (size_t i = 1; i < keys.size(); ++i)
          CHECK(keys[i] != keys[0] || same_bits(packed[i], packed[0]));
        for (size_t i = 2; i < keys.size(); ++i) CHECK(keys[i] == keys[i - 2]);
      }
  });
}
TEST(kernels_conv_threads_f32) { test_conv_threads<float>(conv_cases()); }
TEST(kernels_conv_threads_f64) { test_conv_threads<double>(conv_cases()); }

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
  const auto with_steps = [&](const std::string& steps) { return Attrs(attrs).set("steps", steps); };
  const Attrs gated = with_steps("relu_gate 1 0 0");
  CHECK_THROWS(infer(op_conv, gated, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}}), "argument");
  CHECK_THROWS(infer(op_conv, gated, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}, Shape{8}}), "shape");
  for (const char* steps : {"", "sigh 0 0", "softmax 0 0", "tanh", "tanh 0", "tanh -1 0", "tanh 99 0"})
    CHECK_THROWS(infer(op_conv, with_steps(steps), {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}}), "argument");
  CHECK_THROWS(infer(op_conv, attrs, {Shape{1, 7, 7, 3}, Shape{3, 3, 3, 8}, Shape{8}, Shape{1, 4, 7, 8}}),
               "argument");
  CHECK_THROWS(infer(op_matmul, {}, {Shape{3, 4}, Shape{5, 4}}), "shape");
  CHECK_EQ(infer(op_matmul, Attrs().set("transpose_b", 1.0), {Shape{3, 4}, Shape{5, 4}}).out.shape,
           (Shape{3, 5}));
}
