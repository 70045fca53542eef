#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlation_shape.h"
#include "epilogue.h"

namespace convnet {

// How a method packs kernels. One that packs in the same way, details included, for the same shape but for
// the batch and the size of its images, may read them.
enum class PackLayout { none, panels, dots, joined_dots, groups, scatter, winograd };

// A way to compute correlations; see Correlation, which chooses one.
template <typename T>
class CorrelationMethod {
 public:
  virtual ~CorrelationMethod() = default;
  virtual PackLayout layout() const { return PackLayout::none; }
  // What else packing depends on that does not follow from the shape but for images' sizes.
  virtual std::vector<int64_t> layout_details() const { return {}; }
  virtual size_t packed_bytes() const { return 0; }
  virtual void pack(const T* kernel, T* packed) const { (void)kernel, (void)packed; }
  virtual size_t workspace() const { return 0; }
  // Results that follow each other are those of several tasks.
  virtual bool scattered() const { return false; }
  virtual void run(const T* input, const T* kernel, const T* packed, T* output, T* workspace,
                   const Epilogue<T>& epilogue) const = 0;
};

}  // namespace convnet
