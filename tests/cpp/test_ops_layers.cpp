// The operations of layers: products, convolutions, pooling, normalization, dropout.
#include "ops.h"

TEST(matmul_values) {
  const TensorPtr a = tensor({2, 3}, {1, 2, 3, 4, 5, 6}), b = tensor({3, 2}, {1, 0, 0, 1, 2, 2});
  CHECK_EQ(values("matmul", {a, b}), (Numbers{7, 8, 16, 17}));
  CHECK_EQ(values("matmul", {b, a}, {{"transpose_a", one(1)}, {"transpose_b", one(1)}}),
           (Numbers{7, 16, 8, 17}));
  CHECK_EQ(values("matmul", {a, a}, {{"transpose_b", one(1)}}), (Numbers{14, 32, 32, 77}));
  CHECK_EQ(values("matmul", {tensor({2, 1, 1}, {2, 3}), tensor({2, 1, 1}, {5, 7})}), (Numbers{10, 21}));
  CHECK_EQ(inferred("matmul", {f32({kUnknown, 3}), f32({3, 5})}), (Shape{kUnknown, 5}));
  CHECK_THROWS(inferred("matmul", {f32({2, 3}), f32({2, 3})}), "shape");
  CHECK_THROWS(inferred("matmul", {f32({3}), f32({3, 2})}), "shape");
  CHECK_THROWS(inferred("matmul", {f32({2, 3}), f64({3, 2})}), "dtype");
}

TEST(softmax_values) {
  CHECK_CLOSE(values("softmax", {vec({0, std::log(3.0)})}, {{"axis", one(0)}}), (Numbers{0.25, 0.75}), 1e-15);
  CHECK_CLOSE(values("softmax", {vec({1000, 1000})}, {{"axis", one(0)}}), (Numbers{0.5, 0.5}), 1e-15);
  CHECK_CLOSE(values("softmax", {tensor({2, 2}, {0, 1000, std::log(3.0), 1000})}, {{"axis", one(0)}}),
              (Numbers{0.25, 0.5, 0.75, 0.5}), 1e-15);
}

TEST(conv_against_loops) {
  for (Dim groups : {1, 2})
    for (const char* padding : {"valid", "same"})
      for (Dim stride = 1; stride <= 3; ++stride)
        for (Dim dilation = 1; dilation <= (stride == 1 ? 2 : 1); ++dilation)
          for (Dim kernel = 1; kernel <= 3; ++kernel) {
            const Window h = conv_window(7, kernel, stride, dilation, padding_from_name(padding), "height");
            const Window v = conv_window(6, kernel, stride, dilation, padding_from_name(padding), "width");
            const TensorPtr x = real({2, 7, 6, 4}), w = real({kernel, kernel, 4 / groups, 6});
            Numbers expected;
            each_index({2, h.out, v.out, 6}, [&](const std::vector<Dim>& o) {
              double sum = 0;
              each_index({kernel, kernel, 4 / groups}, [&](const std::vector<Dim>& k) {
                const Dim ih = o[1] * stride + k[0] * dilation - h.pad_lo;
                const Dim iw = o[2] * stride + k[1] * dilation - v.pad_lo;
                if (ih < 0 || ih >= 7 || iw < 0 || iw >= 6) return;
                const Dim ic = o[3] / (6 / groups) * (4 / groups) + k[2];
                sum += x->as<double>()[((o[0] * 7 + ih) * 6 + iw) * 4 + ic] *
                       w->as<double>()[((k[0] * kernel + k[1]) * (4 / groups) + k[2]) * 6 + o[3]];
              });
              expected.push_back(sum);
            });
            const Result result = run("conv", {x, w}, {{"strides", list({stride, stride})},
                                                       {"dilation", list({dilation, dilation})},
                                                       {"groups", one(static_cast<double>(groups))},
                                                       {"padding", std::string(padding)}});
            CHECK_EQ(result.type.shape, (Shape{2, h.out, v.out, 6}));
            CHECK_CLOSE(result.values, expected, 1e-12);
          }
}

// One pixel through a transposed convolution leaves the kernel behind.
TEST(conv_backward_data_values) {
  const TensorPtr w = tensor({3, 1, 1}, {1, 2, 3}), x = tensor({1, 2, 1}, {1, 10});
  const auto attrs = [](const char* padding, Dim output_padding) {
    return Attrs{{"strides", list({2})}, {"dilation", list({1})},
                 {"padding", std::string(padding)}, {"output_padding", list({output_padding})}};
  };
  CHECK_EQ(values("conv_backward_data", {x, w}, attrs("valid", -1)), (Numbers{1, 2, 13, 20, 30}));
  CHECK_EQ(values("conv_backward_data", {x, w}, attrs("valid", 1)), (Numbers{1, 2, 13, 20, 30, 0}));
  CHECK_EQ(inferred("conv_backward_data", {f32({kUnknown, kUnknown, 1}), f32({3, 1, 1})}, attrs("same", -1)),
           (Shape{kUnknown, kUnknown, 1}));
}

TEST(max_pool_values) {
  const Attrs attrs = {{"pool", list({2})}, {"strides", list({2})}, {"padding", std::string("same")}};
  const TensorPtr x = tensor({1, 5, 1}, {1, 3, 3, 3, -7});
  CHECK_EQ(values("max_pool", {x}, attrs), (Numbers{3, 3, -7}));  // padding never wins
  CHECK_EQ(values("max_pool_scatter", {x, tensor({1, 3, 1}, {1, 2, 4})}, attrs), (Numbers{0, 1, 2, 0, 4}));
  CHECK_EQ(values("max_pool_gather", {x, tensor({1, 5, 1}, {1, 2, 4, 8, 16})}, attrs), (Numbers{2, 4, 16}));
  CHECK_CLOSE(values("max_pool", {tensor({1, 4, 1}, {1, kNaN, 2, 3})}, attrs), (Numbers{kNaN, 3}), 0);
}

TEST(batch_normalization_values) {
  const Attrs attrs = {{"axis", one(-1)}, {"epsilon", one(1)}};
  CHECK_CLOSE(values("batch_normalization", {tensor({2, 2}, {1, 2, 3, 4}), vec({1, 2}), vec({3, 8}),
                                             vec({2, 3}), vec({0, 10})}, attrs),
              (Numbers{0, 10, 2, 12}), 1e-14);
}

TEST(dropout_values) {
  const Attrs attrs = {{"rate", one(0.25)}, {"stream", one(9)}};
  const TensorPtr x = tensor({10000}, Numbers(10000, 3));
  const Numbers dropped = run("dropout", {x}, attrs, 1, 2).values;
  const auto kept = std::count(dropped.begin(), dropped.end(), 4.0);
  CHECK_CLOSE(kept / 10000.0, 0.75, 0.02);
  CHECK_EQ(kept + std::count(dropped.begin(), dropped.end(), 0.0), 10000);
  CHECK_EQ(run("dropout", {x}, attrs, 1, 2).values, dropped);
  CHECK(run("dropout", {x}, attrs, 1, 3).values != dropped);
  CHECK(run("dropout", {x}, attrs, 2, 2).values != dropped);
  CHECK_EQ(values("dropout", {x}, {{"rate", one(0)}, {"stream", one(9)}}), Numbers(10000, 3));
  const Numbers rows = values("dropout", {tensor({50, 4}, Numbers(200, 1))},
                              {{"rate", one(0.5)}, {"stream", one(1)}, {"noise_shape", list({-1, 1})}});
  for (int i = 0; i < 50; ++i) CHECK_EQ(rows[4 * i], rows[4 * i + 3]);
}
