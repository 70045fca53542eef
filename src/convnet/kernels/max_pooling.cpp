#include "max_pooling.h"

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

#define CONVNET_BODY "max_pooling_body.inc"
#include "each_isa.inc"

}  // namespace

template <typename T>
const MaxPooling<T>& max_pooling() {
  return CONVNET_OF_ISA(kMaxPooling<T>);
}

template const MaxPooling<float>& max_pooling();
template const MaxPooling<double>& max_pooling();

}  // namespace convnet
