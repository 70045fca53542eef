#include "correlation.h"

#include <utility>

#include "../core/threads.h"
#include "depthwise.h"
#include "gemm.h"
#include "scatter.h"
#include "strip_correlation.h"
#include "tiled_correlation.h"
#include "walk.h"
#include "winograd_correlation.h"

namespace convnet {

namespace {

template <typename T>
class Depthwise final : public CorrelationMethod<T> {
 public:
  explicit Depthwise(const CorrelationShape& shape) : shape_(shape) {}
  void run(const T* input, const T* kernel, const T*, T* output, T*,
           const Epilogue<T>& epilogue) const override {
    depthwise_correlation(shape_, input, kernel, output, epilogue);
  }

 private:
  CorrelationShape shape_;
};

// See without_multiplier().
template <typename T>
class MultipliedDepthwise final : public CorrelationMethod<T> {
 public:
  explicit MultipliedDepthwise(const CorrelationShape& shape)
      : shape_(shape), single_(without_multiplier(shape)) {}
  size_t workspace() const override {
    const int64_t pixels = repeats() ? shape_.in_pixels() : shape_.out_pixels();
    return static_cast<size_t>(pixels * single_.groups) * sizeof(T);
  }
  void run(const T* input, const T* kernel, const T*, T* output, T* workspace,
           const Epilogue<T>& epilogue) const override {
    const int64_t G = shape_.groups;
    if (repeats()) {
      repeat_channels(input, shape_.in_pixels() * G, shape_.out_channels, workspace);
      depthwise_correlation<T>(single_, workspace, kernel, output, epilogue);
    } else {
      depthwise_correlation<T>(single_, input, kernel, workspace, {});
      sum_channels(workspace, shape_.out_pixels(), G, shape_.in_channels, output, epilogue);
    }
  }

 private:
  bool repeats() const { return shape_.in_channels == 1; }

  CorrelationShape shape_, single_;
};

template <typename T>
std::unique_ptr<const CorrelationMethod<T>> choose_method(const CorrelationShape& shape) {
  if (shape.out_channels == 0) return nullptr;
  if (is_depthwise(shape)) return std::make_unique<Depthwise<T>>(shape);
  const bool wide = shape.in_channels == 1 && 2 * shape.out_channels > gemm<T>().lanes;
  if (has_multiplier(shape) && !wide) return std::make_unique<MultipliedDepthwise<T>>(shape);
  if (StripCorrelation<T>::suits_groups(shape) || StripCorrelation<T>::suits_dots(shape))
    return std::make_unique<StripCorrelation<T>>(shape);
  if (Scatter<T>::suits(shape)) return std::make_unique<Scatter<T>>(shape);
  if (auto winograd = WinogradCorrelation<T>::of(shape)) return winograd;
  if (StripCorrelation<T>::suits(shape)) return std::make_unique<StripCorrelation<T>>(shape);
  return std::make_unique<TiledCorrelation<T>>(shape);
}

}  // namespace

template <typename T>
Correlation<T>::Correlation(CorrelationShape shape)
    : shape_(std::move(shape)), method_(choose_method<T>(shape_)) {}

template <typename T>
size_t Correlation<T>::packed_bytes() const {
  return method_ ? detail::align_up(method_->packed_bytes()) : 0;
}

template <typename T>
PackKey Correlation<T>::pack_key() const {
  if (packed_bytes() == 0) return {};
  PackKey key{static_cast<int64_t>(sizeof(T)), gemm<T>().lanes,
              static_cast<int64_t>(method_->layout()),
              shape_.groups,                   shape_.in_channels,  shape_.out_channels,
              shape_.tap_stride,               shape_.group_stride, shape_.in_stride,
              shape_.out_stride,               shape_.kernel[1],    shape_.kernel[2]};
  for (const CorrelationPhase& phase : shape_.phases)
    for (const CorrelationAxis& axis : phase.axis)
      key.insert(key.end(), {axis.taps, axis.tap_first, axis.tap_next});
  const std::vector<int64_t> details = method_->layout_details();
  key.insert(key.end(), details.begin(), details.end());
  return key;
}

template <typename T>
void Correlation<T>::pack(const T* kernel, void* packed) const {
  if (packed_bytes() > 0) method_->pack(kernel, static_cast<T*>(packed));
}

template <typename T>
size_t Correlation<T>::workspace() const {
  return method_ ? method_->workspace() : 0;
}

template <typename T>
void Correlation<T>::run(const T* input, const T* kernel, const void* packed, T* output,
                         void* workspace, const Epilogue<T>& epilogue) const {
  if (!method_) return;
  const auto compute = [&](const Epilogue<T>& ends) {
    method_->run(input, kernel, static_cast<const T*>(packed), output, static_cast<T*>(workspace),
                 ends);
  };
  const Finish* finisher = epilogue.finisher;
  // Of other tensors large stretches arrive faster from memory than a block's share at a time.
  if (!finisher || !(method_->scattered() || finisher->reads_others())) return compute(epilogue);
  compute({epilogue.bias, epilogue.relu});
  const int64_t count = shape_.out_pixels() * shape_.groups * shape_.out_channels;
  parallel_ranges(count, finisher->time(), [&](int64_t begin, int64_t end) {
    epilogue.finish(output + begin, end - begin);
  });
}

template class Correlation<float>;
template class Correlation<double>;

}  // namespace convnet
