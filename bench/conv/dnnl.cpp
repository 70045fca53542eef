// oneDNN as a peer of the benchmark: float32, the layouts it prefers, reorders not timed; versions 2 and 3.
#include <dnnl.hpp>
#include <omp.h>

#include <memory>

#include "peer.h"

namespace {

using namespace dnnl;
using dims = memory::dims;
using tag = memory::format_tag;
using md = memory::desc;
using Arguments = std::unordered_map<int, memory>;

struct Descriptors {
  md x, k, y, b;
  dims strides, dilates, pad_lo, pad_hi;
};

#if DNNL_VERSION_MAJOR >= 3
#define FORWARD(F, ALGORITHM, PROP, D, BIAS, ATTR)                                                          \
  ((BIAS) ? typename F::primitive_desc(engine_, PROP, ALGORITHM, (D).x, (D).k, (D).b, (D).y, (D).strides,   \
                                       (D).dilates, (D).pad_lo, (D).pad_hi, ATTR)                           \
          : typename F::primitive_desc(engine_, PROP, ALGORITHM, (D).x, (D).k, (D).y, (D).strides,          \
                                       (D).dilates, (D).pad_lo, (D).pad_hi, ATTR))
#define BACKWARD(B, ALGORITHM, S1, S2, S3, D, HINT)                                                        \
  typename B::primitive_desc(engine_, ALGORITHM, S1, S2, S3, (D).strides, (D).dilates, (D).pad_lo, (D).pad_hi, \
                             HINT)
#else
#define FORWARD(F, ALGORITHM, PROP, D, BIAS, ATTR)                                                                 \
  typename F::primitive_desc((BIAS) ? typename F::desc(PROP, ALGORITHM, (D).x, (D).k, (D).b, (D).y, (D).strides,   \
                                                       (D).dilates, (D).pad_lo, (D).pad_hi)                        \
                                    : typename F::desc(PROP, ALGORITHM, (D).x, (D).k, (D).y, (D).strides,          \
                                                       (D).dilates, (D).pad_lo, (D).pad_hi),                       \
                             ATTR, engine_)
#define BACKWARD(B, ALGORITHM, S1, S2, S3, D, HINT)                                                                  \
  typename B::primitive_desc(                                                                                        \
      typename B::desc(ALGORITHM, S1, S2, S3, (D).strides, (D).dilates, (D).pad_lo, (D).pad_hi), engine_, HINT)
#endif

class OneDnn final : public Peer {
 public:
  explicit OneDnn(bool winograd) : winograd_(winograd) {}

  std::string hello() override {
    const auto* v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  }

  void threads(int count) override { omp_set_num_threads(count); }

  std::vector<Work> setup(const Problem& p) override {
    inputs_.clear();
    dims x{p.batch, p.in_channels}, y{p.batch, p.out_channels}, k;
    if (p.groups > 1) k.push_back(p.groups);
    k.push_back(p.out_channels / p.groups);
    k.push_back(p.in_channels / p.groups);
    Descriptors d;
    for (const Axis& a : p.axes) {
      x.push_back(a.in);
      y.push_back(a.out);
      k.push_back(a.kernel);
      d.strides.push_back(a.stride);
      d.dilates.push_back(a.dilation - 1);
      d.pad_lo.push_back(a.pad_lo);
      d.pad_hi.push_back(a.pad_hi);
    }
    const auto any = [](const dims& shape) { return md(shape, memory::data_type::f32, tag::any); };
    d.x = any(x);
    d.k = any(k);
    d.y = any(y);
    d.b = any({p.out_channels});
    return p.transpose ? build<deconvolution_forward, deconvolution_backward_data, deconvolution_backward_weights>(
                             d, winograd_ ? algorithm::deconvolution_winograd : algorithm::deconvolution_direct)
                       : build<convolution_forward, convolution_backward_data, convolution_backward_weights>(
                             d, winograd_ ? algorithm::convolution_winograd : algorithm::convolution_direct);
  }

  void fill(bool ones) override {
    for (memory& m : inputs_) {
      memory plain(plain_of(m.get_desc()), engine_);
      fill_values(static_cast<float*>(plain.get_data_handle()), elements(m.get_desc()), ones);
      reorder(plain, m).execute(stream_, plain, m);
      stream_.wait();
    }
  }

 private:
  static dims shape_of(const md& d) {
#if DNNL_VERSION_MAJOR >= 3
    return d.get_dims();
#else
    return d.dims();
#endif
  }
  static int64_t elements(const md& d) {
    int64_t n = 1;
    for (auto e : shape_of(d)) n *= e;
    return n;
  }
  static md plain_of(const md& d) {
    const dims shape = shape_of(d);
    dims strides(shape.size(), 1);
    for (size_t i = shape.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * shape[i + 1];
    return md(shape, memory::data_type::f32, strides);
  }

  memory input(const md& d) {
    inputs_.emplace_back(d, engine_);
    return inputs_.back();
  }

  Work work(const char* name, const primitive& run, Arguments arguments, int result) {
    Work w;
    w.name = name;
    w.run = [this, run, arguments] {
      run.execute(stream_, arguments);
      stream_.wait();
    };
    w.sum = [this, arguments, result] {
      memory from = arguments.at(result);
      memory plain(plain_of(from.get_desc()), engine_);
      reorder(from, plain).execute(stream_, from, plain);
      stream_.wait();
      return sum_values(static_cast<const float*>(plain.get_data_handle()), elements(from.get_desc()));
    };
    return w;
  }

  template <typename Forward, typename BackwardData, typename BackwardWeights>
  std::vector<Work> build(const Descriptors& d, algorithm how) {
    std::vector<Work> works;
    const auto forward = FORWARD(Forward, how, prop_kind::forward_training, d, false, primitive_attr());
    works.push_back(work("forward", Forward(forward),
                         {{DNNL_ARG_SRC, input(forward.src_desc())},
                          {DNNL_ARG_WEIGHTS, input(forward.weights_desc())},
                          {DNNL_ARG_DST, memory(forward.dst_desc(), engine_)}},
                         DNNL_ARG_DST));
    const auto data = BACKWARD(BackwardData, how, d.x, d.k, d.y, d, forward);
    works.push_back(work("backward_data", BackwardData(data),
                         {{DNNL_ARG_DIFF_DST, input(data.diff_dst_desc())},
                          {DNNL_ARG_WEIGHTS, input(data.weights_desc())},
                          {DNNL_ARG_DIFF_SRC, memory(data.diff_src_desc(), engine_)}},
                         DNNL_ARG_DIFF_SRC));
    const auto weights = BACKWARD(BackwardWeights, how, d.x, d.k, d.y, d, forward);
    works.push_back(work("backward_weights", BackwardWeights(weights),
                         {{DNNL_ARG_SRC, input(weights.src_desc())},
                          {DNNL_ARG_DIFF_DST, input(weights.diff_dst_desc())},
                          {DNNL_ARG_DIFF_WEIGHTS, memory(weights.diff_weights_desc(), engine_)}},
                         DNNL_ARG_DIFF_WEIGHTS));
    post_ops relu;
#if DNNL_VERSION_MAJOR >= 3
    relu.append_eltwise(algorithm::eltwise_relu, 0, 0);
#else
    relu.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
#endif
    primitive_attr attr;
    attr.set_post_ops(relu);
    const auto fused = FORWARD(Forward, how, prop_kind::forward_inference, d, true, attr);
    works.push_back(work("forward_bias_relu", Forward(fused),
                         {{DNNL_ARG_SRC, input(fused.src_desc())},
                          {DNNL_ARG_WEIGHTS, input(fused.weights_desc())},
                          {DNNL_ARG_BIAS, input(fused.bias_desc())},
                          {DNNL_ARG_DST, memory(fused.dst_desc(), engine_)}},
                         DNNL_ARG_DST));
    return works;
  }

  bool winograd_;
  engine engine_{engine::kind::cpu, 0};
  stream stream_{engine_};
  std::vector<memory> inputs_;
};

}  // namespace

// `winograd` as an argument: its own algorithm of that name, which it takes only if asked to.
int main(int argc, char** argv) {
  OneDnn peer(argc > 1 && std::string(argv[1]) == "winograd");
  return serve(peer);
}
