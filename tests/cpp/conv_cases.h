#pragma once
// A convolution and its two derivatives, by the operations and by the loops of ops/ref.
#include "kernels.h"
#include "ops/conv_geometry.h"
#include "ops/ref/conv.h"

namespace convnet {

extern const Op op_conv, op_conv_backward_data, op_conv_backward_weights;

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

inline ConvCase layer_case(Dim batch, Dim groups, Dim in_channels, Dim out_channels,
                           std::vector<Dim> in, std::vector<Dim> kernel, std::vector<Dim> stride,
                           std::vector<Dim> dilation, const char* padding) {
  ConvCase c{batch, groups, in_channels, out_channels, in, kernel, stride, dilation, {}, {}};
  for (size_t a = 0; a < in.size(); ++a) {
    const Window w =
        conv_window(in[a], kernel[a], stride[a], dilation[a], padding_from_name(padding), "axis");
    c.pad_lo.push_back(w.pad_lo);
    c.out.push_back(w.out);
  }
  return c;
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
void test_conv_triangle(const std::vector<ConvCase>& cases) {
  for_each_isa([&] {
    for (const ConvCase& c : cases) check_triangle(ConvRun<T>(c), c);
  });
}

// What an Inf or a NaN touches is what the definition says, and no more: above
// all not outputs that read it only where padding is.
template <typename T>
void test_conv_not_finite(const std::vector<ConvCase>& cases) {
  const T values[] = {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()};
  for_each_isa([&] {
    for (const ConvCase& c : cases) {
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

template <typename T>
void test_conv_ends(const std::vector<ConvCase>& cases) {
  for_each_isa([&] {
    for (const ConvCase& c : cases)
      for (T value : {T(1), std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
        const test::Context context(c.to_string());
        ConvRun<T> r(c);
        r.kernel[r.kernel.size() / 3] = value;
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
void test_conv_packing(const std::vector<ConvCase>& cases) {
  for_each_isa([&] {
    for (const ConvCase& c : cases) {
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

template <typename T>
void test_conv_threads(const std::vector<ConvCase>& cases) {
  for_each_isa([&] {
    for (const ConvCase& c : cases) {
      const test::Context context(c.to_string());
      const ConvRun<T> r(c);
      check_same_at_any_thread_count([&] { return r.conv(); });
      check_same_at_any_thread_count([&] { return r.backward_data(); });
      check_same_at_any_thread_count([&] { return r.backward_weights(); });
    }
  });
}

}  // namespace convnet
