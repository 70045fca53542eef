// resize(x; size or factor, method, antialias): images [N, spatial..., C] sampled at another number of
// pixels. Output o lies at (o + 1/2) in / out - 1/2 of the input: centres of pixels are at
// halves. method: nearest, bilinear, bicubic (Keys's kernel, a = -1/2). Pixels beyond the
// border have no weight; the others are scaled to sum to 1. With antialias the filter of an
// image that shrinks is as many times wider, so that every pixel counts.
// resize_transpose(g; size, method, antialias): its adjoint, `size` being the extents of x.
#include <cmath>
#include <numeric>

#include "build.h"
#include "check.h"
#include "conv_geometry.h"
#include "elementwise.h"

namespace convnet {

namespace {

using Values = std::vector<Value>;

// A sparse matrix by rows: row o has entries first[o] to first[o + 1].
struct Taps {
  std::vector<Dim> first{0}, index;
  std::vector<double> weight;

  Dim rows() const { return static_cast<Dim>(first.size()) - 1; }
  void append(const std::vector<std::pair<Dim, double>>& row) {
    double total = 0;
    for (const auto& tap : row) total += tap.second;
    for (const auto& tap : row) {
      index.push_back(tap.first);
      weight.push_back(tap.second / total);
    }
    first.push_back(static_cast<Dim>(index.size()));
  }
};

// R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
double cubic(double d) {
  if (d <= 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

struct Filter {
  std::string method;
  bool antialias;
};

Taps resize_taps(Dim in, Dim out, const Filter& filter) {
  const bool bicubic = filter.method == "bicubic";
  const double width = filter.antialias ? std::max(1.0, static_cast<double>(in) / out) : 1;
  const double reach = (bicubic ? 2 : 1) * width;
  Taps taps;
  for (Dim o = 0; o < out; ++o) {
    if (filter.method == "nearest") {
      taps.append({{(2 * o + 1) * in / (2 * out), 1}});
      continue;
    }
    const double at = (o + 0.5) * in / out - 0.5;
    const Dim first = std::max<Dim>(0, static_cast<Dim>(std::floor(at - reach)) + 1);
    const Dim last = std::min<Dim>(in - 1, static_cast<Dim>(std::ceil(at + reach)) - 1);
    std::vector<std::pair<Dim, double>> row;
    for (Dim i = first; i <= last; ++i) {
      const double distance = std::fabs(at - i) / width;
      const double weight = bicubic ? cubic(distance) : 1 - distance;
      if (weight != 0) row.emplace_back(i, weight);
    }
    taps.append(row);
  }
  return taps;
}

Taps transposed(const Taps& taps, Dim columns) {
  Taps result;
  result.first.assign(columns + 1, 0);
  for (Dim i : taps.index) ++result.first[i + 1];
  std::partial_sum(result.first.begin(), result.first.end(), result.first.begin());
  result.index.resize(taps.index.size());
  result.weight.resize(taps.index.size());
  std::vector<Dim> next(result.first.begin(), result.first.end() - 1);
  for (Dim o = 0; o < taps.rows(); ++o)
    for (Dim k = taps.first[o]; k < taps.first[o + 1]; ++k) {
      const Dim to = next[taps.index[k]]++;
      result.index[to] = o;
      result.weight[to] = taps.weight[k];
    }
  return result;
}

// One axis at a time: [outer, in, inner] to [outer, taps.rows(), inner].
struct Pass {
  Taps taps;
  Dim outer, in, inner;

  Dim size() const { return outer * taps.rows() * inner; }

  template <typename T>
  void run(const T* x, T* out) const {
    const Dim cost = inner * static_cast<Dim>(taps.index.size()) / std::max<Dim>(1, taps.rows()) + 1;
    parallel_ranges(outer * taps.rows(), kElementTime * cost, [&](Dim begin, Dim end) {
      for (Dim row = begin; row < end; ++row) {
        const T* from = x + row / taps.rows() * in * inner;
        run_row(from, row % taps.rows(), out + row * inner);
      }
    });
  }

 private:
  template <typename T>
  void run_row(const T* x, Dim o, T* out) const {
    const Dim first = taps.first[o], last = taps.first[o + 1];
    if (last - first == 1 && taps.weight[first] == 1) {
      std::copy_n(x + taps.index[first] * inner, inner, out);
      return;
    }
    std::fill_n(out, inner, T(0));
    for (Dim k = first; k < last; ++k) {
      const T* from = x + taps.index[k] * inner;
      const T weight = static_cast<T>(taps.weight[k]);
      CONVNET_SIMD
      for (Dim c = 0; c < inner; ++c) out[c] += weight * from[c];
    }
  }
};

// The passes that turn `from` into `to`: what shrinks first, so that the others have less to do.
std::vector<Pass> passes(Shape from, const Shape& to, const Filter& filter, bool transpose) {
  std::vector<int> axes;
  for (int axis = from.rank() - 2; axis > 0; --axis)
    if (from[axis] != to[axis]) axes.push_back(axis);
  std::stable_sort(axes.begin(), axes.end(),
                   [&](int a, int b) { return to[a] * from[b] < to[b] * from[a]; });
  std::vector<Pass> result;
  for (int axis : axes) {
    Taps taps = transpose ? transposed(resize_taps(to[axis], from[axis], filter), to[axis])
                          : resize_taps(from[axis], to[axis], filter);
    result.push_back({std::move(taps), from.product(0, axis), from[axis],
                      from.product(axis + 1, from.rank())});
    from[axis] = to[axis];
  }
  return result;
}

Filter checked_filter(const Attrs& attrs) {
  const std::string& method = attrs.text("method");
  if (method != "nearest" && method != "bilinear" && method != "bicubic")
    argument_error("There is no such interpolation.", "nearest, bilinear or bicubic", method);
  return {method, attrs.flag("antialias")};
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  require_float(in[0]);
  check_images(in[0].shape, "input");
  checked_filter(attrs);
  const char* given = attrs.has("factor") ? "factor" : "size";
  const std::vector<Dim> numbers = attrs.integers(given);
  TensorType out = in[0];
  require_per_axis(numbers, given, out.shape.rank() - 2);
  for (size_t a = 0; a < numbers.size(); ++a) {
    Dim& extent = out.shape[static_cast<int>(a) + 1];
    if (numbers[a] < 1)
      argument_error(std::string("`") + given + "` of a resized image must be positive.",
                     "at least 1", std::to_string(numbers[a]));
    if (extent == 0)
      shape_error("There are no pixels to resize.", "an image with pixels",
                  in[0].shape.to_string());
    if (!attrs.has("factor")) extent = numbers[a];
    else if (extent != kUnknown) extent *= numbers[a];
  }
  return out;
}

Prepared prepare_passes(const OpCall& call, bool transpose) {
  const auto steps = std::make_shared<const std::vector<Pass>>(
      passes(call.in[0].shape, call.out.shape, checked_filter(call.attrs), transpose));
  const Dim size = call.out.shape.size();
  return dispatch_float(call.out.dtype, [&](auto zero) {
    using T = decltype(zero);
    // What lies between two passes; used in turns.
    Dim room = 0;
    for (size_t i = 0; i + 1 < steps->size(); ++i) room = std::max(room, (*steps)[i].size());
    Prepared prepared;
    prepared.workspace = 2 * room * sizeof(T);
    prepared.run = [=](const void* const* in, void* out, const RunContext& context) {
      const T* from = static_cast<const T*>(in[0]);
      if (steps->empty()) std::copy_n(from, size, static_cast<T*>(out));
      for (size_t i = 0; i < steps->size(); ++i) {
        T* to = i + 1 == steps->size() ? static_cast<T*>(out)
                                       : static_cast<T*>(context.workspace) + i % 2 * room;
        (*steps)[i].run(from, to);
        from = to;
      }
    };
    return prepared;
  });
}

Prepared prepare(const OpCall& call) { return prepare_passes(call, false); }
Prepared prepare_transpose(const OpCall& call) { return prepare_passes(call, true); }

Value resized(Emitter& g, const char* op, const OpCall& call, Value grad) {
  const Shape& x = call.in[0].shape;
  std::vector<Dim> size;
  for (int axis = 1; axis < x.rank() - 1; ++axis) size.push_back(x[axis]);
  return g.emit(op, {grad}, {{"size", number_list(size)},
                             {"method", call.attrs.text("method")},
                             {"antialias", number_list(call.attrs.flag("antialias"))}});
}

Values vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {resized(g, "resize_transpose", call, grad)};
}

Values transpose_vjp(Emitter& g, const OpCall& call, const Values&, Value, Value grad) {
  return {resized(g, "resize", call, grad)};
}

}  // namespace

extern const Op op_resize{"resize", 1, 1, infer, prepare, vjp};
extern const Op op_resize_transpose{"resize_transpose", 1, 1, infer, prepare_transpose,
                                    transpose_vjp};

}  // namespace convnet
