// Broadcasting, reductions, and what moves elements: values against plain loops over indices.
#include "each_isa.h"
#include "ops.h"

namespace {

std::vector<Shape> broadcasting_shapes() {
  return {{},        {1},       {7},          {600},       {5, 7},      {1, 7},       {5, 1},
          {300, 3},  {3},       {4, 5, 7},    {4, 1, 7},   {4, 1, 1},   {1, 5, 1},    {2, 4, 5, 7},
          {2, 1, 5, 1}, {2, 1, 1, 1}, {1, 1, 300, 3}, {700, 65}, {65}, {2, 4, 1, 7}};
}

}  // namespace

TEST(broadcasting_against_loops) {
  int pairs = 0;
  for (const Shape& a : broadcasting_shapes())
    for (const Shape& b : broadcasting_shapes()) {
      Shape out;
      try {
        out = broadcast(a, b);
      } catch (const Error&) {
        continue;
      }
      if (out.size() > 3000 && (a != Shape{300, 3} || b != Shape{3})) continue;
      ++pairs;
      const test::Context context(a.to_string() + " and " + b.to_string());
      const TensorPtr x = real(a, DType::f32), y = real(b, DType::f32), p = random_bools(a);
      const Numbers from_x = numbers(x->data(), x->type), from_y = numbers(y->data(), y->type);
      Numbers difference, chosen;
      each_index(out, [&](const std::vector<Dim>& index) {
        difference.push_back(static_cast<float>(at(x, index) - at(y, index)));
        chosen.push_back(at(p, index) ? at(x, index) : at(y, index));
      });
      CHECK_EQ(values("subtract", {x, y}), difference);
      CHECK_EQ(values("select", {p, x, y}), chosen);
      if (out == a) {
        CHECK_EQ(values("broadcast_to", {y}, Attrs().set("shape", a)).size(), size_t(a.size()));
        Numbers repeated;
        each_index(out, [&](const std::vector<Dim>& index) { repeated.push_back(at(y, index)); });
        CHECK_EQ(values("broadcast_to", {y}, Attrs().set("shape", a)), repeated);
      }
    }
  CHECK(pairs > 100);
  // Many short rows, as a bias has.
  const TensorPtr x = real({20000, 3}, DType::f32), b = real({3}, DType::f32);
  const Numbers sum = values("add", {x, b});
  const float *px = x->as<float>(), *pb = b->as<float>();
  bool equal = true;
  for (int i = 0; i < 60000; ++i) equal = equal && sum[i] == px[i] + pb[i % 3];
  CHECK(equal);
}

// With ties, which share.
static void check_extremum_scatter(const Shape& shape, const Shape& kept) {
  Numbers x = numbers(real(shape)->data(), f64(shape)), count(kept.size(), 0), high(kept.size(), -kInf);
  for (double& value : x) value = std::round(2 * value);
  std::vector<Dim> to;
  each_index(shape, [&](const std::vector<Dim>& index) {
    to.push_back(0);
    for (int axis = 0; axis < shape.rank(); ++axis)
      to.back() = to.back() * kept[axis] + (kept[axis] == 1 ? 0 : index[axis]);
  });
  for (size_t i = 0; i < x.size(); ++i) high[to[i]] = std::max(high[to[i]], x[i]);
  for (size_t i = 0; i < x.size(); ++i) count[to[i]] += x[i] == high[to[i]];
  const TensorPtr g = real(kept);
  const Numbers grad = numbers(g->data(), g->type);
  Numbers shares(x.size());
  for (size_t i = 0; i < x.size(); ++i) shares[i] = x[i] == high[to[i]] ? grad[to[i]] / count[to[i]] : 0;
  CHECK_EQ(values("extremum_scatter", {tensor(shape, x), tensor(kept, high), g}), shares);
}

TEST(reductions_against_loops) {
  const std::vector<Shape> shapes = {{},           {1},          {17},         {0, 3},     {5, 33},
                                     {33, 5},      {3, 4, 5},    {2, 3, 4, 5}, {1, 6, 1, 7}, {40, 70},
                                     {2, 3, 2, 3, 2}, {700, 2, 3}, {3, 1100}};
  for (const Shape& shape : shapes)
    for (int mask = 0; mask < 1 << shape.rank(); ++mask) {
      std::vector<Dim> axes;
      Shape kept;
      for (int axis = 0; axis < shape.rank(); ++axis) {
        if (mask >> axis & 1) axes.push_back(axis);
        kept.push_back(mask >> axis & 1 ? 1 : shape[axis]);
      }
      if (axes.empty())
        for (int axis = 0; axis < shape.rank(); ++axis) kept[axis] = 1;
      const test::Context context(shape.to_string() + " to " + kept.to_string());
      const TensorPtr x = real(shape);
      const Numbers in = numbers(x->data(), x->type);
      Numbers sum(kept.size(), 0), low(kept.size(), kInf), high(kept.size(), -kInf);
      size_t i = 0;
      each_index(shape, [&](const std::vector<Dim>& index) {
        Dim to = 0;
        for (int axis = 0; axis < shape.rank(); ++axis)
          to = to * kept[axis] + (kept[axis] == 1 ? 0 : index[axis]);
        sum[to] += in[i];
        low[to] = std::min(low[to], in[i]);
        high[to] = std::max(high[to], in[i++]);
      });
      const Attrs attrs = {{"axes", list(axes)}, {"keepdims", one(1)}};
      const Result result = run("sum", {x}, attrs);
      CHECK_EQ(result.type.shape, kept);
      CHECK_CLOSE(result.values, sum, 1e-12);
      CHECK_CLOSE(values("sum_to", {x}, Attrs().set("shape", kept)), sum, 1e-12);
      if (shape.size() == 0) continue;
      CHECK_EQ(values("max", {x}, attrs), high);
      CHECK_EQ(values("min", {x}, attrs), low);
      check_extremum_scatter(shape, kept);
      for (double& v : sum) v *= static_cast<double>(kept.size()) / shape.size();
      CHECK_CLOSE(values("mean", {x}, attrs), sum, 1e-12);
    }
}

TEST(reduction_values) {
  const TensorPtr x = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto axes = [](const std::vector<Dim>& list) { return Attrs{{"axes", number_list(list)}}; };
  CHECK_EQ(values("sum", {x}), (Numbers{21}));
  CHECK_EQ(run("sum", {x}, axes({})).type.shape, (Shape{}));
  CHECK_EQ(values("sum", {x}, axes({0})), (Numbers{5, 7, 9}));
  CHECK_EQ(values("sum", {x}, axes({-1})), (Numbers{6, 15}));
  CHECK_EQ(values("mean", {x}, axes({1})), (Numbers{2, 5}));
  CHECK_EQ(values("sum", {ints({3}, {1, 2, 2147483647})}), (Numbers{-2147483646}));
  CHECK_EQ(values("max", {ints({3}, {-5, -2, -9})}), (Numbers{-2}));
  for (size_t n : {3, 20, 1000}) {
    Numbers with_nan = uniform(n, 0, 1);
    with_nan[n / 2] = kNaN;
    CHECK_CLOSE(values("max", {vec(with_nan)}), (Numbers{kNaN}), 0);
    CHECK_CLOSE(values("min", {vec(with_nan)}), (Numbers{kNaN}), 0);
    CHECK_CLOSE(values("sum", {vec(with_nan)}), (Numbers{kNaN}), 0);
  }
  CHECK_EQ(gradient("max", {vec({1, 3, 3, 0})}, 0), (Numbers{0, 0.5, 0.5, 0}));
  CHECK_EQ(gradient("min", {tensor({2, 2}, {1, 1, 2, 3})}, 0, axes({1})), (Numbers{0.5, 0.5, 1, 0}));
  // What equals no extremum, as no number does, gets nothing.
  CHECK_EQ(values("extremum_scatter", {tensor({2, 2}, {1, kNaN, 3, 3}), tensor({2, 1}, {kNaN, 3}), tensor({2, 1}, {7, 8})}),
           (Numbers{0, 0, 4, 4}));
  CHECK_THROWS(inferred("extremum_scatter", {f32({2, 3}), f32({2}), f32({2})}), "shape");
  CHECK_THROWS(inferred("extremum_scatter", {f32({2, 3}), f32({2, 2}), f32({2, 2})}), "shape");
  CHECK_THROWS(inferred("extremum_scatter", {f32({2, 3}), f32({2, 1}), f32({1, 3})}), "shape");
  CHECK_THROWS(inferred("extremum_scatter", {f32({2, 3}), f64({2, 1}), f64({2, 1})}), "dtype");
  CHECK_THROWS(inferred("extremum_scatter", {i32({2}), i32({1}), i32({1})}), "dtype");
  CHECK_CLOSE(values("mean", {real({0})}), (Numbers{kNaN}), 0);
  CHECK_EQ(values("argmax", {tensor({2, 3}, {1, 5, 5, 7, 2, 7})}, {{"axis", one(-1)}}), (Numbers{1, 0}));
  CHECK_EQ(values("argmax", {tensor({2, 3}, {1, 5, 5, 7, 2, 7})}, {{"axis", one(0)}}), (Numbers{1, 0, 1}));
  CHECK_EQ(values("argmax", {vec({1, kNaN, 5, kNaN})}, {{"axis", one(0)}}), (Numbers{1}));
  CHECK(run("argmax", {x}, {{"axis", one(0)}}).type == i32({3}));
  CHECK_THROWS(inferred("sum", {f32({2, 3})}, axes({2})), "argument");
  CHECK_THROWS(inferred("sum", {f32({2, 3})}, axes({1, -1})), "argument");
  CHECK_THROWS(inferred("sum", {boolean({2})}), "dtype");
  CHECK_THROWS(inferred("mean", {i32({2})}), "dtype");
  CHECK_THROWS(inferred("max", {f32({0})}), "shape");
  CHECK_THROWS(inferred("argmax", {f32({0})}, {{"axis", one(0)}}), "shape");
  CHECK_EQ(inferred("mean", {f32({kUnknown, 4, 4, 3})}, axes({1, 2})), (Shape{kUnknown, 3}));
  CHECK_EQ(inferred("argmax", {f32({kUnknown, 10})}, {{"axis", one(-1)}}), (Shape{kUnknown}));
}

TEST(sums_of_rows_are_the_same_on_every_instruction_set) {
  for (Dim columns : {1, 2, 3, 12, 17, 31, 64, 250})
    for (Dim rows : {1, 3, 4, 7, 600}) {
      const test::Context context(Shape{rows, columns}.to_string());
      const TensorPtr x = real({rows, columns}, DType::f32), wide = real({rows, columns});
      const float* from = x->as<float>();
      Numbers sums(columns, 0), first;
      for (Dim i = 0; i < rows * columns; ++i) sums[i % columns] += from[i];
      const Attrs down{{"axes", list({0})}};
      for_each_isa([&] {
        Numbers found = values("sum", {x}, down);
        CHECK_CLOSE(found, sums, 1e-6);
        const Numbers of_wide = values("sum", {wide}, down);
        found.insert(found.end(), of_wide.begin(), of_wide.end());
        if (first.empty()) first = found;
        CHECK_EQ(found, first);
      });
    }
}

// Four rows are added up before they join the sums: the order that kernels/sum_rows.h promises.
TEST(sums_of_rows_have_the_order_that_is_promised) {
  const Dim rows = 23, columns = 77;  // narrower ones are added up several at a time
  Numbers thirds = uniform(rows * columns, -1, 1);  // or sums would be exact in any order
  for (double& v : thirds) v /= 3;
  const TensorPtr x = tensor({rows, columns}, thirds);
  const double* from = x->as<double>();
  Numbers fours(columns, 0), plain(columns, 0);
  for (Dim c = 0; c < columns; ++c) {
    const auto at = [&](Dim row) { return from[row * columns + c]; };
    Dim row = 0;
    for (; row + 4 <= rows; row += 4) fours[c] += (at(row) + at(row + 1)) + (at(row + 2) + at(row + 3));
    for (; row < rows; ++row) fours[c] += at(row);
    for (row = 0; row < rows; ++row) plain[c] += at(row);
  }
  CHECK(fours != plain);
  for_each_isa([&] { CHECK_EQ(values("sum", {x}, {{"axes", list({0})}}), fours); });
}

// Naive float32 addition is wrong in the second digit here.
TEST(float32_sums_are_accurate) {
  const Dim n = 3000000;
  for (const Shape& shape : {Shape{n}, Shape{n / 3, 3}, Shape{3, n / 3}, Shape{n / 100, 100}}) {
    auto x = std::make_shared<Tensor>(f32(shape));
    std::fill_n(x->as<float>(), n, 0.1f);
    const double value = 0.1f;
    CHECK_CLOSE(values("sum", {x}), (Numbers{value * n}), 1e-7);
    CHECK_CLOSE(values("mean", {x}), (Numbers{value}), 1e-7);
    if (shape.rank() < 2) continue;
    for (Dim axis = 0; axis < 2; ++axis) {
      const Numbers sums = values("sum", {x}, {{"axes", list({axis})}});
      CHECK_CLOSE(sums, Numbers(shape[1 - axis], value * shape[axis]), 1e-7);
    }
  }
}

TEST(broadcast_to_and_sum_to) {
  const auto to = [](const std::vector<Dim>& shape) { return Attrs{{"shape", number_list(shape)}}; };
  CHECK_EQ(values("broadcast_to", {tensor({2, 1}, {1, 2})}, to({2, 2, 2})),
           (Numbers{1, 1, 2, 2, 1, 1, 2, 2}));
  CHECK_EQ(values("broadcast_to", {ints({}, {4})}, to({3})), (Numbers{4, 4, 4}));
  CHECK_EQ(values("broadcast_to", {bools({2}, {1, 0})}, to({2, 2})), (Numbers{1, 0, 1, 0}));
  CHECK_EQ(values("sum_to", {tensor({2, 2}, {1, 2, 3, 4})}, to({2, 1})), (Numbers{3, 7}));
  CHECK_EQ(values("sum_to", {tensor({2, 2}, {1, 2, 3, 4})}, to({2, 2})), (Numbers{1, 2, 3, 4}));
  CHECK_THROWS(inferred("broadcast_to", {f32({3})}, to({2})), "shape");
  CHECK_THROWS(inferred("broadcast_to", {f32({2, 3})}, to({3})), "shape");
  CHECK_THROWS(inferred("sum_to", {f32({2, 3})}, to({2})), "shape");
  CHECK_THROWS(inferred("sum_to", {f32({3})}, to({2, 3})), "shape");
  CHECK_EQ(inferred("broadcast_to", {f32({kUnknown, 1})}, to({-1, 5})), (Shape{kUnknown, 5}));
  CHECK_EQ(inferred("broadcast_to", {f32({1, kUnknown})}, to({4, 5})), (Shape{4, 5}));
}

TEST(reshape_rules) {
  const auto to = [](const std::vector<Dim>& shape) { return Attrs{{"shape", number_list(shape)}}; };
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({4, 6})), (Shape{4, 6}));
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({0, -1})), (Shape{2, 12}));
  CHECK_EQ(inferred("reshape", {f32({2, 3, 4})}, to({-1, 0})), (Shape{8, 3}));
  CHECK_EQ(inferred("reshape", {f32({2, 3})}, to({-1})), (Shape{6}));
  CHECK_EQ(inferred("reshape", {f32({1})}, to({})), (Shape{}));
  CHECK_EQ(inferred("reshape", {f32({})}, to({1, -1})), (Shape{1, 1}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, 28, 28, 1})}, to({-1, 784})), (Shape{kUnknown, 784}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, 28, 28, 1})}, to({0, -1})), (Shape{kUnknown, 784}));
  CHECK_EQ(inferred("reshape", {f32({kUnknown, kUnknown, 4})}, to({0, -1})),
           (Shape{kUnknown, kUnknown}));
  CHECK_EQ(inferred("reshape", {f32({0, 28, 28})}, to({0, -1})), (Shape{0, 784}));
  CHECK_EQ(inferred("reshape", {f32({0, 784})}, to({-1, 28, 28})), (Shape{0, 28, 28}));
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({4})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({4, -1})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({kUnknown, 6})}, to({0, 7})), "shape");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({-1, -1})), "argument");
  CHECK_THROWS(inferred("reshape", {f32({2, 3})}, to({-2})), "argument");
  const auto like = [&](const Shape& x, const Shape& other, const std::vector<Dim>& shape) {
    return inferred("reshape", {f32(x), f32(other)}, to(shape));
  };
  CHECK_EQ(like({6, 4}, {2, 3, 5}, {0, 0, 4}), (Shape{2, 3, 4}));
  CHECK_EQ(like({6, 4}, {2, 3, 5}, {0, -1, 2}), (Shape{2, 6, 2}));
  CHECK_EQ(like({kUnknown, 4}, {kUnknown, kUnknown, 5}, {0, 0, 4}), (Shape{kUnknown, kUnknown, 4}));
  CHECK_EQ(like({6, 4}, {kUnknown, 3, 5}, {0, 0, -1}), (Shape{kUnknown, 3, kUnknown}));
  CHECK_THROWS(like({6, 4}, {2, 2, 5}, {0, 0, 4}), "shape");
  CHECK_EQ(values("reshape", {bools({4}, {1, 0, 0, 1})}, to({2, 2})), (Numbers{1, 0, 0, 1}));
}

TEST(transpose_against_loops) {
  for (const Shape& shape : {Shape{5}, Shape{33, 70}, Shape{2, 40, 3}, Shape{3, 1, 4, 1},
                             Shape{2, 5, 6, 7}, Shape{2, 3, 2, 3, 2}, Shape{0, 3, 2}}) {
    std::vector<Dim> perm(shape.rank());
    std::iota(perm.begin(), perm.end(), 0);
    do {
      for (DType dtype : {DType::f64, DType::f32, DType::boolean}) {
        const TensorPtr x = dtype == DType::boolean ? random_bools(shape) : real(shape, dtype);
        Shape out;
        for (Dim axis : perm) out.push_back(shape[axis]);
        const test::Context context(shape.to_string() + " to " + out.to_string());
        const Numbers in = numbers(x->data(), x->type);
        Numbers expected;
        each_index(out, [&](const std::vector<Dim>& index) {
          std::vector<Dim> from(perm.size());
          for (size_t i = 0; i < perm.size(); ++i) from[perm[i]] = index[i];
          Dim flat = 0;
          for (size_t i = 0; i < perm.size(); ++i)
            flat = flat * shape[static_cast<int>(i)] + from[i];
          expected.push_back(in[flat]);
        });
        const Result result = run("transpose", {x}, {{"perm", list(perm)}});
        CHECK_EQ(result.type.shape, out);
        CHECK_EQ(result.values, expected);
      }
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0, 0})}}), "argument");
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0})}}), "argument");
  CHECK_THROWS(inferred("transpose", {f32({2, 3})}, {{"perm", list({0, 2})}}), "argument");
  CHECK_EQ(inferred("transpose", {f32({kUnknown, 2, 3})}, {{"perm", list({0, -1, 1})}}),
           (Shape{kUnknown, 3, 2}));
}

TEST(concatenate_values) {
  const TensorPtr a = tensor({2, 2}, {1, 2, 3, 4}), b = tensor({2, 1}, {5, 6});
  CHECK_EQ(values("concatenate", {a, b}, {{"axis", one(1)}}), (Numbers{1, 2, 5, 3, 4, 6}));
  CHECK_EQ(values("concatenate", {a, a}, {{"axis", one(0)}}), (Numbers{1, 2, 3, 4, 1, 2, 3, 4}));
  CHECK_EQ(values("concatenate", {b, real({2, 0}), b}, {{"axis", one(-1)}}), (Numbers{5, 5, 6, 6}));
  CHECK_EQ(values("concatenate", {bools({1}, {1}), bools({2}, {0, 1})}, {{"axis", one(0)}}),
           (Numbers{1, 0, 1}));
  CHECK_THROWS(inferred("concatenate", {f32({2, 2}), f32({3, 1})}, {{"axis", one(1)}}), "shape");
  CHECK_THROWS(inferred("concatenate", {f32({2, 2}), f32({2})}, {{"axis", one(0)}}), "shape");
  CHECK_THROWS(inferred("concatenate", {f32({2}), f64({2})}, {{"axis", one(0)}}), "dtype");
  CHECK_THROWS(inferred("concatenate", {}, {{"axis", one(0)}}), "argument");
  CHECK_EQ(inferred("concatenate", {f32({kUnknown, 2}), f32({4, 3})}, {{"axis", one(1)}}), (Shape{4, 5}));
  CHECK_EQ(inferred("concatenate", {f32({kUnknown, 2}), f32({4, 2})}, {{"axis", one(0)}}),
           (Shape{kUnknown, 2}));
}

TEST(slice_against_loops) {
  const Shape shape{4, 5, 6};
  const TensorPtr x = real(shape, DType::f32);
  const Numbers in = numbers(x->data(), x->type);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<Dim> begin, size, stride;
    Shape out;
    for (Dim extent : shape) {
      const Numbers r = uniform(4, 0, 1);
      const bool whole = r[3] < 0.4;
      stride.push_back(whole ? 1 : 1 + static_cast<Dim>(r[0] * 3));
      begin.push_back(whole ? 0 : static_cast<Dim>(r[1] * (extent + 1)));
      const Dim room = (extent - begin.back() + stride.back() - 1) / stride.back();
      out.push_back(whole ? extent : static_cast<Dim>(r[2] * (room + 1)));
      size.push_back(out.back());
    }
    Numbers expected;
    each_index(out, [&](const std::vector<Dim>& index) {
      Dim flat = 0;
      for (int axis = 0; axis < 3; ++axis)
        flat = flat * shape[axis] + begin[axis] + index[axis] * stride[axis];
      expected.push_back(in[flat]);
    });
    const test::Context context(test::show(begin) + test::show(size) + test::show(stride));
    CHECK_EQ(values("slice", {x}, {{"begin", list(begin)}, {"size", list(size)},
                                   {"stride", list(stride)}}), expected);
  }
}

TEST(slice_rules) {
  const auto part = [](std::vector<Dim> begin, std::vector<Dim> size, std::vector<Dim> stride) {
    return Attrs{{"begin", list(begin)}, {"size", list(size)}, {"stride", list(stride)}};
  };
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({1}, {-1}, {2})), (Numbers{1, 3}));
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({-2}, {1}, {1})), (Numbers{3}));
  CHECK_EQ(values("slice", {tensor({}, {3})}, part({}, {}, {})), (Numbers{3}));
  CHECK_EQ(inferred("slice", {f32({kUnknown, 5})}, part({0, 1}, {-1, 3}, {1, 1})),
           (Shape{kUnknown, 3}));
  CHECK_EQ(inferred("slice", {f32({kUnknown})}, part({2}, {3}, {1})), (Shape{3}));
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({1}, {-3}, {1})), (Numbers{1, 2}));
  CHECK_EQ(values("slice", {vec({0, 1, 2, 3, 4})}, part({0}, {-2}, {2})), (Numbers{0, 2}));
  CHECK_EQ(inferred("slice", {f32({kUnknown})}, part({2}, {-4}, {1})), (Shape{kUnknown}));
  CHECK_EQ(inferred("slice", {f32({5})}, part({2}, {-4}, {1})), (Shape{0}));
  CHECK_THROWS(inferred("slice", {f32({5})}, part({3}, {3}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({0}, {4}, {2})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({6}, {-1}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({-6}, {-1}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({0}, {-1}, {0})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5})}, part({2}, {-5}, {1})), "shape");
  CHECK_THROWS(inferred("slice", {f32({5, 2})}, part({0}, {-1}, {1})), "argument");
}

TEST(pad_against_loops) {
  for (const Shape& shape : {Shape{5}, Shape{3, 4}, Shape{2, 3, 4}, Shape{2, 0, 3}, Shape{1, 2, 2, 3}})
    for (int trial = 0; trial < 40; ++trial) {
      std::vector<Dim> lo, hi, interior;
      Shape out;
      for (Dim extent : shape) {
        const Numbers r = uniform(4, 0, 1);
        const bool none = r[3] < 0.4;
        lo.push_back(none ? 0 : static_cast<Dim>(r[0] * 3));
        hi.push_back(none ? 0 : static_cast<Dim>(r[1] * 3));
        interior.push_back(none ? 0 : static_cast<Dim>(r[2] * 3));
        out.push_back(lo.back() + hi.back() + extent + std::max<Dim>(0, extent - 1) * interior.back());
      }
      const TensorPtr x = real(shape);
      const Numbers in = numbers(x->data(), x->type);
      Numbers expected;
      each_index(out, [&](const std::vector<Dim>& index) {
        Dim flat = 0;
        bool inside = true;
        for (int axis = 0; axis < shape.rank(); ++axis) {
          const Dim i = index[axis] - lo[axis], step = interior[axis] + 1;
          inside = inside && i >= 0 && i % step == 0 && i / step < shape[axis];
          flat = flat * shape[axis] + i / step;
        }
        expected.push_back(inside ? in[flat] : -9);
      });
      const test::Context context(shape.to_string() + test::show(lo) + test::show(hi) +
                                  test::show(interior));
      CHECK_EQ(values("pad", {x}, {{"lo", list(lo)}, {"hi", list(hi)},
                                   {"interior", list(interior)}, {"value", one(-9)}}), expected);
    }
  CHECK_EQ(values("pad", {bools({1}, {1})}, {{"lo", list({1})}, {"hi", list({1})}}), (Numbers{0, 1, 0}));
  CHECK_EQ(values("pad", {tensor({}, {3})}, {{"lo", list({})}, {"hi", list({})}}), (Numbers{3}));
  CHECK_EQ(inferred("pad", {f32({kUnknown, 3})}, {{"lo", list({1, 1})}, {"hi", list({0, 0})}}),
           (Shape{kUnknown, 4}));
  CHECK_THROWS(inferred("pad", {f32({3})}, {{"lo", list({-1})}, {"hi", list({0})}}), "argument");
  CHECK_THROWS(inferred("pad", {f32({3})}, {{"lo", list({1, 1})}, {"hi", list({0})}}), "argument");
}

TEST(gather_values) {
  const TensorPtr x = tensor({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK_EQ(values("gather", {x, ints({2}, {2, 0})}, {{"axis", one(0)}}), (Numbers{5, 6, 1, 2}));
  CHECK_EQ(values("gather", {x, ints({2}, {1, 1})}, {{"axis", one(1)}}), (Numbers{2, 2, 4, 4, 6, 6}));
  CHECK_EQ(run("gather", {x, ints({2, 2}, {0, 1, 2, 0})}, {{"axis", one(0)}}).type.shape, (Shape{2, 2, 2}));
  CHECK_EQ(run("gather", {x, ints({}, {1})}, {{"axis", one(0)}}).type.shape, (Shape{2}));
  CHECK_EQ(run("gather", {x, ints({0}, {})}, {{"axis", one(0)}}).type.shape, (Shape{0, 2}));
  CHECK_EQ(values("scatter_add", {tensor({3, 2}, {1, 2, 3, 4, 5, 6}), ints({3}, {1, 1, 3})},
                  {{"axis", one(0)}, {"extent", one(4)}}),
           (Numbers{0, 0, 4, 6, 0, 0, 5, 6}));
  const Attrs axis = {{"axis", one(0)}};
  CHECK_THROWS(values("gather", {x, ints({1}, {3})}, axis), "argument");
  CHECK_THROWS(values("gather", {x, ints({1}, {-1})}, axis), "argument");
  CHECK_THROWS(values("scatter_add", {x, ints({3}, {0, 1, 2})}, {{"axis", one(0)}, {"extent", one(2)}}),
               "argument");
  CHECK_THROWS(inferred("gather", {f32({3}), f32({1})}, axis), "dtype");
  CHECK_THROWS(inferred("scatter_add", {f32({3, 2}), i32({2})}, {{"axis", one(0)}, {"extent", one(2)}}),
               "shape");
  CHECK_EQ(inferred("gather", {f32({10, 4}), i32({kUnknown, 7})}, axis), (Shape{kUnknown, 7, 4}));
}

TEST(update_checks) {
  CHECK_EQ(inferred("update", {f32({2}), f32({2})}), (Shape{2}));
  CHECK_EQ(inferred("update", {f32({2}), f32({kUnknown})}), (Shape{2}));
  CHECK_THROWS(inferred("update", {f32({2}), f32({3})}), "shape");
  CHECK_THROWS(inferred("update", {f32({2}), f64({2})}), "dtype");
}

TEST(shape_of_values) {
  CHECK_EQ(values("shape_of", {real({2, 0, 3})}), (Numbers{2, 0, 3}));
  CHECK(infer_type(*find_op("shape_of"), {}, {f32({kUnknown, 3})}) == i32({2}));
}
