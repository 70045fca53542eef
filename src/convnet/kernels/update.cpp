#include "update.h"

#include "isa.h"
#include "micro_kernel.h"
#include "root.h"

namespace convnet {

namespace {

#define CONVNET_BODY "update_body.inc"
#include "each_isa.inc"

}  // namespace

template <typename T>
const Updates<T>& updates() {
  return CONVNET_OF_ISA(kUpdates<T>);
}

template const Updates<float>& updates();
template const Updates<double>& updates();

}  // namespace convnet
