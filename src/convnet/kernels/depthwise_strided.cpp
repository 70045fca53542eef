#include "depthwise_strided.h"

#include <algorithm>

#include "../core/divide.h"
#include "../core/threads.h"
#include "isa.h"
#include "micro_kernel.h"

namespace convnet {

namespace {

constexpr int64_t kTask = 1 << 18;  // multiplications of a task
constexpr int64_t kWide = 256;      // bytes of a pixel from which going down columns pays
constexpr int64_t kVector = 64;     // bytes
constexpr int kTogether = 7;        // positions of a row

// out[q * out_row + p * out_step + c] = sum over taps r, k of x[(2 q + r) * x_row + (2 p + k) * x_tap + c] *
// w[r * w_row + k * w_tap + c] for q < rows, p < count, without those of rows 2 q + r outside [first_row, last_row), of
// the first column unless `first`, and of the last unless `last`.
template <typename T>
struct StridedArgs {
  const T *x, *w;
  T* out;
  int64_t x_row, x_tap, w_row, w_tap, out_row, out_step;
  int64_t rows, count, channels;
  int64_t first_row, last_row;
  bool first, last;
  const T* bias;  // added to the sums, or null
  bool relu;      // whether negative ones become 0 after that
};

#define CONVNET_BODY "depthwise_strided_body.inc"
#include "each_isa.inc"

bool strided(const CorrelationAxis& axis) {
  return axis.taps == 3 && axis.tap_step > 0 && axis.step == 2 * axis.tap_step && axis.out_step == 1 &&
         axis.out_start == 0;
}

// Whether at most the first and the last column lie outside, and few positions are computed twice.
bool suits(const CorrelationAxis& axis, int64_t in) {
  const int64_t end = axis.base + 2 * axis.count * axis.tap_step;  // the last column
  const int64_t twice = divide_up(axis.count, kTogether) * kTogether - axis.count;
  return strided(axis) && axis.base + axis.tap_step >= 0 && end - axis.tap_step < in && axis.count >= kTogether &&
         8 * twice <= axis.count;
}

}  // namespace

// A task is a stripe of rows of an image.
template <typename T>
bool strided_depthwise(const CorrelationShape& shape, const T* input, const T* kernel, T* output,
                       const Epilogue<T>& epilogue) {
  const auto products = CONVNET_OF(detail::isa(), kStridedProducts<T>);
  const int64_t C = shape.groups, pixel = C * static_cast<int64_t>(sizeof(T));
  if (!products || pixel < kWide || pixel % kVector != 0) return false;
  if (shape.phases.size() != 1 || shape.in[0] != 1 || shape.out[0] != 1 || shape.kernel[0] != 1) return false;
  const CorrelationAxis *axis = shape.phases[0].axis, &down = axis[1], &along = axis[2];
  if (!strided(down) || !suits(along, shape.in[2]) || axis[0].base != 0) return false;
  StridedArgs<T> all{};
  all.w = kernel + shape.tap(0, down.tap_first, along.tap_first) * shape.tap_stride;
  all.x_row = down.tap_step * shape.in[2] * C;
  all.x_tap = along.tap_step * C;
  all.w_row = down.tap_next * shape.kernel[2] * shape.tap_stride;
  all.w_tap = along.tap_next * shape.tap_stride;
  all.out_row = shape.out[2] * C;
  all.out_step = C;
  all.count = along.count;
  all.channels = C;
  all.first = along.base >= 0;
  all.last = along.base + 2 * along.count * along.tap_step < shape.in[2];
  all.bias = epilogue.bias;
  all.relu = epilogue.relu;
  const int64_t work = down.count * along.count * 10 * C;
  const int64_t stripes = std::max<int64_t>(1, std::min(down.count, work / kTask));
  parallel_for(shape.batch * stripes, kMultiplyTime * shape.batch * work, [&](int64_t task) {
    const int64_t n = task / stripes, stripe = task % stripes, row = down.count * stripe / stripes;
    const int64_t start = row * down.step + down.base;
    StridedArgs<T> args = all;
    args.rows = down.count * (stripe + 1) / stripes - row;
    args.first_row = divide_up(-start, down.tap_step);
    args.last_row = divide_up(shape.in[1] - start, down.tap_step);
    args.x = input + ((n * shape.in[1] + start) * shape.in[2] + along.base) * C;
    args.out = output + (n * shape.out[1] + row) * args.out_row;
    products(args);
    epilogue.finish(args.out, args.rows * args.out_row);
  });
  return true;
}

template bool strided_depthwise(const CorrelationShape&, const float*, const float*, float*, const Epilogue<float>&);
template bool strided_depthwise(const CorrelationShape&, const double*, const double*, double*,
                                const Epilogue<double>&);

}  // namespace convnet
