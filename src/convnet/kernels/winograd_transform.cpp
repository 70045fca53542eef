#include "winograd_transform.h"

#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

#define CONVNET_BODY "winograd_body.inc"
#include "each_isa.inc"

}  // namespace

template <typename T>
const WinogradTransform<T>& winograd_transform() {
  return CONVNET_OF_ISA(kWinograd<T>);
}

template <typename T>
void detail::sum_winograd_inputs(const WinogradInputs<T>& of, T* to, int64_t step) {
  const WinogradPhase& phase = of.phase;
  const auto transform = winograd_transform<T>().inputs[phase.axis[1].n == 4][phase.axis[2].n == 4];
  const int64_t pixel = of.shape.in_channels;
  int64_t pixels[kWinogradComponents];
  const T* from[kWinogradComponents];
  WinogradWalk walk(phase, of.first_tile);
  for (int64_t i = 0; i < of.tiles; ++i, walk.advance()) {
    for (int64_t part = of.first_part; part < of.last_part; ++part, to += of.channels) {
      phase.in_pixels(of.shape, walk.tile(), part, pixels);
      for (int c = 0; c < phase.components(); ++c) from[c] = pixels[c] < 0 ? of.zeros : of.input + pixels[c] * pixel;
      transform({from, to, step, of.channels});
    }
  }
}

template const WinogradTransform<float>& winograd_transform();
template const WinogradTransform<double>& winograd_transform();
template void detail::sum_winograd_inputs(const WinogradInputs<float>&, float*, int64_t);
template void detail::sum_winograd_inputs(const WinogradInputs<double>&, double*, int64_t);

}  // namespace convnet
