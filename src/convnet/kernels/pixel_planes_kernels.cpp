#include "pixel_planes_kernels.h"

#include <utility>

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

constexpr int64_t kSlots = PlaneLimits::kSlots;

#define CONVNET_BODY "pixel_planes_body.inc"
#include "each_isa.inc"

}  // namespace

template <typename T>
const PlaneKernels<T>& plane_kernels() {
  return CONVNET_OF_ISA(kKernels<T>);
}

template const PlaneKernels<float>& plane_kernels<float>();
template const PlaneKernels<double>& plane_kernels<double>();

}  // namespace convnet
