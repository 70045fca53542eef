#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "correlation_method.h"
#include "gemm.h"
#include "winograd.h"
#include "winograd_transform.h"

namespace convnet {

// A correlation by Winograd's algorithm. A task takes a block of tiles: what is added up of their
// inputs, of each component a matrix [tile][part][k]; its products with the component's matrix of
// weights, a panel of columns at a time; and of these the results, in cache all of them.
// An image with a result that is not finite is computed again without, since infinity minus
// infinity would be NaN where there is infinity: NaN and infinity go where they belong.
template <typename T>
class WinogradCorrelation final : public CorrelationMethod<T> {
 public:
  // None where winograd_phases() has none.
  static std::unique_ptr<WinogradCorrelation> of(const CorrelationShape& shape);

  PackLayout layout() const override { return PackLayout::winograd; }
  std::vector<int64_t> layout_details() const override;
  size_t packed_bytes() const override { return static_cast<size_t>(weights_ + kernel_) * sizeof(T); }
  void pack(const T* kernel, T* packed) const override;
  bool scattered() const override { return true; }
  size_t workspace() const override;
  void run(const T* input, const T* kernel, const T* packed, T* output, T* workspace,
           const Epilogue<T>& epilogue) const override;

 private:
  struct Plan {
    detail::WinogradPhase phase;
    int64_t packed_at;         // where its weights begin, in elements
    int64_t row;               // elements of a tile's row: parts times input channels
    int64_t block;             // tiles of a task, at most
    int64_t input_step, product_step;  // from component to component
    int64_t first_tile;        // of all images, with those of other phases before them
  };
  struct Task {
    int plan;
    int64_t first_tile, tiles, first_panel, last_panel;
  };
  struct Call {
    const T* input;
    const T* packed;
    T* output;
    const T* zeros;          // of an input pixel that is none
    unsigned char* doubtful;  // of some tiles of each image, in each part of the panels
    const Epilogue<T>& epilogue;
  };

  WinogradCorrelation(const CorrelationShape& shape, std::vector<detail::WinogradPhase> phases);
  void plan_tasks();
  void pack_part(const T* kernel, const Plan& plan, const ColumnPanel& panel, int64_t part, T* to) const;
  int64_t doubtful_bytes() const;
  void compute(const Task& task, const Call& call, T* room) const;
  void multiply(const Task& task, const ColumnPanel& panel, const T* sums, const T* packed, T* products) const;
  void sum_products(const Task& task, const ColumnPanel& panel, const Call& call, const T* products,
                    T* const* out) const;
  void recompute_doubtful(const Call& call) const;

  CorrelationShape shape_;
  const Gemm<T>& gemm_;
  const WinogradTransform<T>& transform_;
  std::vector<ColumnPanel> panels_;
  std::vector<Plan> plans_;
  std::vector<Task> tasks_;
  int64_t kernel_;       // elements
  int64_t weights_ = 0;  // elements that it is packed to
  int64_t tiles_ = 0, work_ = 0;
  int64_t parts_ = 1;  // tasks that share the panels of a block
  int64_t room_ = 0;   // elements of a task's
  int rooms_ = 1;
};

}  // namespace convnet
