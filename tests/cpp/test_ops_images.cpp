// Average pooling and resizing of images.
#include "ops.h"
#include "ops/ref/average_pool.h"

namespace {

Attrs pooling(const std::vector<Dim>& pool, const std::vector<Dim>& strides, const char* padding) {
  return {{"pool", list(pool)}, {"strides", list(strides)}, {"padding", std::string(padding)}};
}

Attrs resizing(const char* given, const std::vector<Dim>& numbers, const char* method,
               bool antialias = false) {
  return {{given, list(numbers)}, {"method", std::string(method)}, {"antialias", list({antialias})}};
}

OP_CASES(of_images) {
  return {
      {"average_pool", {real({2, 5, 4, 2})}, pooling({2, 2}, {2, 2}, "same")},
      {"average_pool", {real({1, 6, 2})}, pooling({3}, {1}, "same")},
      {"average_pool", {real({1, 3, 4, 3, 1})}, pooling({2, 2, 1}, {1, 2, 1}, "valid")},
      {"average_pool_spread",
       {real({2, 3, 2, 2})},
       pooling({2, 2}, {2, 2}, "same").set("size", list({5, 4}))},
      {"resize", {real({2, 3, 2, 2})}, resizing("factor", {2, 3}, "nearest")},
      {"resize", {real({1, 4, 3, 1})}, resizing("size", {7, 2}, "bilinear")},
      {"resize", {real({1, 5, 2})}, resizing("size", {8}, "bicubic")},
      {"resize", {real({1, 7, 3, 1})}, resizing("size", {3, 4}, "bilinear", true)},
      {"resize_transpose", {real({1, 2, 3})}, resizing("size", {5}, "bicubic", true)},
      {"resize_transpose", {real({1, 6, 4, 1})}, resizing("size", {3, 4}, "nearest")},
      {"resize_transpose", {real({1, 7, 2, 1})}, resizing("size", {4, 3}, "bicubic")},
  };
}

}  // namespace

TEST(average_pool_against_loops) {
  for (Dim size = 1; size <= 4; ++size)
    for (Dim stride = 1; stride <= 3; ++stride)
      for (const char* padding : {"valid", "same"}) {
        const Attrs attrs = pooling({size, 2}, {stride, stride}, padding);
        const TensorPtr x = real({2, 7, 6, 3});
        const Windows windows = {
            pool_window(7, size, stride, padding_from_name(padding), "height"),
            pool_window(6, 2, stride, padding_from_name(padding), "width")};
        const Shape pooled{2, windows[0].out, windows[1].out, 3};
        const TensorPtr g = real(pooled);
        Numbers mean(pooled.size()), spread(x->type.shape.size());
        ref::for_each_share(2, 3, windows, [&](Dim out, Dim in, double share) {
          mean[out] += share * x->as<double>()[in];
          spread[in] += share * g->as<double>()[out];
        });
        const Result result = run("average_pool", {x}, attrs);
        CHECK_EQ(result.type.shape, pooled);
        CHECK_CLOSE(result.values, mean, 1e-14);
        const Attrs back = Attrs(attrs).set("size", list({7, 6}));
        CHECK_CLOSE(values("average_pool_spread", {g}, back), spread, 1e-14);
      }
}

// Padding does not count.
TEST(average_pool_values) {
  CHECK_EQ(values("average_pool", {tensor({1, 5, 1}, {1, 3, 5, 7, 9})}, pooling({2}, {2}, "same")),
           (Numbers{2, 6, 9}));
  CHECK_EQ(inferred("average_pool", {f32({kUnknown, kUnknown, 8, 3})}, pooling({2, 2}, {2, 2}, "valid")),
           (Shape{kUnknown, kUnknown, 4, 3}));
}

TEST(average_pool_errors) {
  CHECK_THROWS(inferred("average_pool", {f32({2, 4, 1})}, pooling({2, 2}, {2}, "valid")), "argument");
  CHECK_THROWS(inferred("average_pool", {f32({2, 4, 1})}, pooling({5}, {1}, "valid")), "shape");
  CHECK_THROWS(inferred("average_pool", {i32({2, 4, 1})}, pooling({2}, {2}, "valid")), "dtype");
  CHECK_THROWS(inferred("average_pool_spread", {f32({2, 4, 1})},
                        pooling({2}, {2}, "valid").set("size", list({7}))), "shape");
}

TEST(resize_values) {
  const TensorPtr x = tensor({1, 4, 1}, {0, 1, 2, 3});
  const auto resized = [&](Dim size, const char* method) {
    return values("resize", {x}, resizing("size", {size}, method));
  };
  CHECK_EQ(resized(8, "nearest"), (Numbers{0, 0, 1, 1, 2, 2, 3, 3}));
  CHECK_EQ(resized(2, "nearest"), (Numbers{1, 3}));
  CHECK_EQ(resized(3, "nearest"), (Numbers{0, 2, 3}));
  CHECK_CLOSE(resized(8, "bilinear"), (Numbers{0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3}), 1e-15);
  CHECK_CLOSE(resized(2, "bilinear"), (Numbers{0.5, 2.5}), 1e-15);
  for (const char* method : {"nearest", "bilinear", "bicubic"}) {
    const test::Context context(method);
    CHECK_EQ(resized(4, method), (Numbers{0, 1, 2, 3}));
    // Constants stay, and away from the border lines do under linear and cubic weights.
    CHECK_CLOSE(values("resize", {tensor({1, 5, 2}, Numbers(10, 3))}, resizing("size", {7}, method)),
                Numbers(14, 3), 1e-15);
  }
  CHECK_CLOSE(resized(8, "bicubic")[3], 1.25, 1e-15);
  CHECK_CLOSE(resized(8, "bicubic")[4], 1.75, 1e-15);
  // Keys's weights at a quarter: (-0.0703125, 0.8671875, 0.2265625, -0.0234375).
  CHECK_CLOSE(values("resize", {tensor({1, 4, 1}, {0, 0, 1, 0})}, resizing("size", {8}, "bicubic"))[3],
              0.2265625, 1e-15);
  // At the border what lies inside is scaled to 1: position 0.25 - 1/2 = -0.25 of the input.
  const double a = 0.8671875, b = -0.0703125;
  CHECK_CLOSE(values("resize", {tensor({1, 4, 1}, {0, 1, 0, 0})}, resizing("size", {8}, "bicubic"))[0],
              b / (a + b), 1e-15);
}

TEST(resize_antialias_values) {
  const auto resized = [&](const Numbers& x, Dim size, const char* method) {
    return values("resize", {tensor({1, static_cast<Dim>(x.size()), 1}, x)},
                  resizing("size", {size}, method, true));
  };
  // Half as many pixels: a triangle over four of them, (1, 3, 3, 1) / 8 where none is missing.
  const Numbers halved = resized({0, 0, 0, 8, 0, 0, 0, 0}, 4, "bilinear");
  CHECK_CLOSE(halved, (Numbers{0, 3, 1, 0}), 1e-15);
  CHECK_CLOSE(resized({7, 0, 0, 0}, 2, "bilinear"), (Numbers{3, 0}), 1e-15);
  // Keys's function at 1/4, 3/4, 5/4 and 7/4, each side; twice as wide the weights sum to 2.
  Numbers pixel(20, 0);
  pixel[9] = 1;
  const Numbers cubic = resized(pixel, 10, "bicubic");
  CHECK_CLOSE(cubic[3], -0.0703125 / 2, 1e-15);
  CHECK_CLOSE(cubic[4], 0.8671875 / 2, 1e-15);
  CHECK_CLOSE(cubic[5], 0.2265625 / 2, 1e-15);
  // Nothing changes where pixels are picked or images grow.
  const TensorPtr x = real({1, 5, 2});
  CHECK_EQ(resized({0, 1, 2, 3}, 2, "nearest"), (Numbers{1, 3}));
  for (const char* method : {"bilinear", "bicubic"})
    CHECK_EQ(values("resize", {x}, resizing("size", {8}, method, true)),
             values("resize", {x}, resizing("size", {8}, method)));
}

TEST(resize_axes_are_independent) {
  const TensorPtr x = real({2, 3, 5, 4, 2});
  for (const char* method : {"nearest", "bilinear", "bicubic"}) {
    const Result whole = run("resize", {x}, resizing("size", {5, 3, 8}, method));
    TensorPtr part = x;
    for (const std::vector<Dim>& size : {std::vector<Dim>{5, 5, 4}, {5, 3, 4}, {5, 3, 8}}) {
      const Result step = run("resize", {part}, resizing("size", size, method));
      part = tensor(step.type.shape, step.values);
    }
    CHECK_EQ(whole.type.shape, (Shape{2, 5, 3, 8, 2}));
    CHECK_CLOSE(whole.values, numbers(part->data(), part->type), 1e-14);
  }
}

TEST(adjoint_resize) {
  for (const char* method : {"nearest", "bilinear", "bicubic"})
    for (Dim h : {1, 2, 5, 9})
      for (Dim w : {1, 3, 4, 8})
        for (bool antialias : {false, true})
          check_adjoint("resize", real({2, 5, 4, 3}), {}, resizing("size", {h, w}, method, antialias),
                        "resize_transpose", real({2, h, w, 3}), {},
                        resizing("size", {5, 4}, method, antialias));
}

TEST(resize_errors) {
  const Shape image{2, 4, 4, 1};
  CHECK_EQ(inferred("resize", {f32({kUnknown, kUnknown, 4, 1})}, resizing("factor", {2, 3}, "nearest")),
           (Shape{kUnknown, kUnknown, 12, 1}));
  CHECK_EQ(inferred("resize", {f32({kUnknown, kUnknown, 4, 1})}, resizing("size", {2, 3}, "nearest")),
           (Shape{kUnknown, 2, 3, 1}));
  CHECK_THROWS(inferred("resize", {f32(image)}, resizing("size", {2}, "nearest")), "argument");
  CHECK_THROWS(inferred("resize", {f32(image)}, resizing("size", {2, 0}, "nearest")), "argument");
  CHECK_THROWS(inferred("resize", {f32(image)}, resizing("size", {2, 2}, "lanczos")), "argument");
  CHECK_THROWS(inferred("resize", {f32({2, 0, 4, 1})}, resizing("size", {2, 2}, "nearest")), "shape");
  CHECK_THROWS(inferred("resize", {i32(image)}, resizing("size", {2, 2}, "nearest")), "dtype");
}

TEST(images_do_not_depend_on_threads) {
  const TensorPtr image = real({4, 37, 41, 19}, DType::f32);
  check_threads({{"average_pool", {image}, pooling({3, 2}, {2, 2}, "same")},
                 {"resize", {image}, resizing("factor", {2, 3}, "nearest")},
                 {"resize", {image}, resizing("size", {50, 30}, "bicubic")},
                 {"resize", {image}, resizing("size", {9, 30}, "bilinear", true)}});
}
