#include "winograd_correlation.h"

#include <algorithm>
#include <utility>

#include "../core/divide.h"
#include "../core/threads.h"
#include "tiled_correlation.h"
#include "walk.h"

namespace convnet {

using detail::align_up;
using detail::kWinogradGap;
using detail::kWinogradOutputs;
using detail::kWinogradWeights;
using detail::WinogradPhase;

namespace {

constexpr int64_t kInputBytes = 320 << 10;  // of a block's sums, which stay in a core's cache
constexpr int64_t kLeastBlock = 16, kMostBlock = 96;  // multiples of every tile's rows
constexpr int64_t kFewTasks = 8, kLeastShare = 32;  // tiles of one of few tasks

}  // namespace

template <typename T>
std::unique_ptr<WinogradCorrelation<T>> WinogradCorrelation<T>::of(const CorrelationShape& shape) {
  // Whatever the batch: a row does not depend on the number of others.
  std::vector<WinogradPhase> phases = detail::winograd_phases<T>(shape, winograd_transform<T>().lanes, 1, 0);
  if (phases.empty()) return nullptr;
  return std::unique_ptr<WinogradCorrelation>(new WinogradCorrelation(shape, std::move(phases)));
}

template <typename T>
WinogradCorrelation<T>::WinogradCorrelation(const CorrelationShape& shape, std::vector<WinogradPhase> phases)
    : shape_(shape),
      gemm_(gemm<T>()),
      transform_(winograd_transform<T>()),
      panels_(column_panels<T>(shape.out_channels)),
      kernel_(shape.kernel[0] * shape.kernel[1] * shape.kernel[2] * shape.in_channels * shape.out_channels) {
  for (WinogradPhase& phase : phases) {
    const int64_t components = phase.components(), row = phase.parts() * shape_.in_channels;
    const int64_t tiles = phase.tiles() * shape_.batch;
    const int64_t fit = kInputBytes / (components * row * static_cast<int64_t>(sizeof(T)));
    const int64_t share = std::max(kLeastShare, divide_up(tiles, kFewTasks));
    const int64_t most = std::min({kMostBlock, fit / gemm_.rows * gemm_.rows,
                                   divide_up(share, gemm_.rows) * gemm_.rows});
    const int64_t block = std::max(kLeastBlock, most);
    Plan plan{std::move(phase), weights_, row, block, block * row + kWinogradGap,
              block * GemmLimits::kMaxWidth + kWinogradGap, tiles_};
    weights_ += components * row * shape_.out_channels;
    tiles_ += tiles;
    work_ += tiles * components * row * shape_.out_channels;
    room_ = std::max(room_, components * (plan.input_step + plan.product_step) + shape_.out_channels);
    plans_.push_back(std::move(plan));
  }
  plan_tasks();
}

template <typename T>
void WinogradCorrelation<T>::plan_tasks() {
  int64_t blocks = 0;
  for (const Plan& plan : plans_) blocks += divide_up(plan.phase.tiles() * shape_.batch, plan.block);
  const int64_t panels = static_cast<int64_t>(panels_.size());
  while (blocks * parts_ < kFewTasks && 2 * parts_ <= panels) parts_ *= 2;
  for (int p = 0; p < static_cast<int>(plans_.size()); ++p) {
    const int64_t tiles = plans_[p].phase.tiles() * shape_.batch;
    for (int64_t first = 0; first < tiles; first += plans_[p].block)
      for (int64_t part = 0; part < parts_; ++part)
        tasks_.push_back({p, first, std::min(plans_[p].block, tiles - first), panels * part / parts_,
                          panels * (part + 1) / parts_});
  }
  rooms_ = room_count(static_cast<int64_t>(tasks_.size()));
}

// Which axes go in tiles, and by which parts.
template <typename T>
std::vector<int64_t> WinogradCorrelation<T>::layout_details() const {
  std::vector<int64_t> details;
  for (const Plan& plan : plans_)
    for (const detail::WinogradAxis& axis : plan.phase.axis) details.insert(details.end(), {axis.m, axis.parts});
  return details;
}

template <typename T>
int64_t WinogradCorrelation<T>::doubtful_bytes() const {
  return static_cast<int64_t>(align_up(static_cast<size_t>(tiles_ * parts_)));
}

template <typename T>
size_t WinogradCorrelation<T>::workspace() const {
  return align_up(static_cast<size_t>(shape_.in_channels) * sizeof(T)) + static_cast<size_t>(doubtful_bytes()) +
         static_cast<size_t>(rooms_ * room_) * sizeof(T);
}

// What a part's taps are added up to, [component][k][column of a panel].
template <typename T>
void WinogradCorrelation<T>::pack_part(const T* kernel, const Plan& plan, const ColumnPanel& panel,
                                       int64_t part, T* to) const {
  const auto transform = transform_.weights[plan.phase.axis[1].form()][plan.phase.axis[2].form()];
  int64_t taps[kWinogradWeights];
  plan.phase.kernel_taps(shape_, part, taps);
  const T zeros[GemmLimits::kMaxWidth] = {};
  T columns[kWinogradWeights][GemmLimits::kMaxWidth];
  const T* from[kWinogradWeights];
  for (int64_t k = 0; k < shape_.in_channels; ++k, to += panel.width) {
    for (int t = 0; t < plan.phase.weights(); ++t) {
      const T* row = kernel + taps[t] * shape_.tap_stride + k * shape_.in_stride + panel.first * shape_.out_stride;
      from[t] = taps[t] < 0 ? zeros : shape_.out_stride == 1 ? row : columns[t];
      if (from[t] == columns[t])
        for (int i = 0; i < panel.used; ++i) columns[t][i] = row[i * shape_.out_stride];
    }
    transform({from, to, plan.row * panel.width, panel.used});
  }
}

// [phase][panel][component][part][k][column], and after them the kernel as it is.
template <typename T>
void WinogradCorrelation<T>::pack(const T* kernel, T* packed) const {
  parallel_ranges(kernel_, kElementTime, [&](int64_t begin, int64_t end) {
    std::copy(kernel + begin, kernel + end, packed + weights_ + begin);
  });
  for (const Plan& plan : plans_) {
    const int64_t parts = plan.phase.parts(), panels = static_cast<int64_t>(panels_.size());
    parallel_for(panels * parts, kElementTime * plan.phase.components() * plan.row * shape_.out_channels,
                 [&](int64_t i) {
      const ColumnPanel& panel = panels_[i / parts];
      pack_part(kernel, plan, panel, i % parts,
                packed + plan.packed_at + plan.phase.components() * plan.row * panel.first +
                    i % parts * shape_.in_channels * panel.width);
    });
  }
}

// Of each component, for one panel.
template <typename T>
void WinogradCorrelation<T>::multiply(const Task& task, const ColumnPanel& panel, const T* sums,
                                      const T* packed, T* products) const {
  const Plan& plan = plans_[task.plan];
  const T* rows[kMostBlock + GemmLimits::kMaxRows];
  T* out[kMostBlock + GemmLimits::kMaxRows];
  for (int64_t i = 0; i < task.tiles + gemm_.rows; ++i) {
    const int64_t tile = std::min(i, task.tiles - 1);  // a tile's rows that are too many repeat the last one
    rows[i] = sums + tile * plan.row;
    out[i] = products + tile * panel.width;
  }
  for (int c = 0; c < plan.phase.components(); ++c, packed += plan.row * panel.width)
    gemm_.product(rows, c * plan.input_step, plan.row, packed, panel, out, c * plan.product_step, task.tiles);
}

template <typename T>
void WinogradCorrelation<T>::sum_products(const Task& task, const ColumnPanel& panel, const Call& call,
                                          const T* products, T* const* out) const {
  const Plan& plan = plans_[task.plan];
  const WinogradPhase& phase = plan.phase;
  const Epilogue<T> last = call.epilogue.from(panel.first);
  WinogradResults<T> args{products,    plan.product_step, panel.used, out,
                          panel.first, last.bias,         last.relu,  nullptr};
  const auto transform = transform_.results[phase.axis[1].form()][phase.axis[2].form()];
  unsigned char* doubtful = call.doubtful + (plan.first_tile + task.first_tile) * parts_ +
                            task.first_panel * parts_ / static_cast<int64_t>(panels_.size());
  alignas(64) T doubt[WinogradTransform<T>::kMostLanes] = {};
  args.doubt = doubt;
  // Of tiles of one image, the first of which is marked for all.
  for (int64_t first = 0, last; first < task.tiles; first = last) {
    const int64_t tiles = phase.tiles(), left = tiles - (task.first_tile + first) % tiles;
    last = std::min(task.tiles, first + left);
    for (int64_t i = first; i < last; ++i, args.products += panel.width, args.out += phase.outputs()) transform(args);
    if (std::all_of(doubt, doubt + transform_.lanes, [](T x) { return x == 0; })) continue;
    doubtful[first * parts_] = 1;
    std::fill_n(doubt, transform_.lanes, T(0));
  }
}

template <typename T>
void WinogradCorrelation<T>::compute(const Task& task, const Call& call, T* room) const {
  const Plan& plan = plans_[task.plan];
  const WinogradPhase& phase = plan.phase;
  T* sums = room;
  T* products = sums + phase.components() * plan.input_step;
  T* nowhere = products + phase.components() * plan.product_step;
  detail::sum_winograd_inputs<T>({shape_, phase, task.first_tile, task.tiles, 0, phase.parts(), call.input, call.zeros,
                                  shape_.in_channels},
                                 sums, plan.input_step);
  int64_t pixels[kWinogradOutputs];
  T* out[kMostBlock * kWinogradOutputs];
  T** to = out;
  detail::WinogradWalk walk(phase, task.first_tile);
  for (int64_t i = 0; i < task.tiles; ++i, walk.advance()) {
    phase.out_pixels(shape_, walk.tile(), pixels);
    for (int o = 0; o < phase.outputs(); ++o)
      *to++ = pixels[o] < 0 ? nowhere : call.output + pixels[o] * shape_.out_channels;
  }
  for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
    const ColumnPanel& panel = panels_[p];
    multiply(task, panel, sums, call.packed + plan.packed_at + phase.components() * plan.row * panel.first,
             products);
    sum_products(task, panel, call, products, out);
  }
}

template <typename T>
void WinogradCorrelation<T>::run(const T* input, const T*, const T* packed, T* output, T* workspace,
                                 const Epilogue<T>& epilogue) const {
  const int64_t zeros = static_cast<int64_t>(align_up(static_cast<size_t>(shape_.in_channels) * sizeof(T)) / sizeof(T));
  std::fill_n(workspace, zeros, T(0));
  unsigned char* doubtful = reinterpret_cast<unsigned char*>(workspace + zeros);
  std::fill_n(doubtful, doubtful_bytes(), static_cast<unsigned char>(0));
  T* rooms = reinterpret_cast<T*>(doubtful + doubtful_bytes());
  const Call call{input, packed, output, workspace, doubtful, epilogue};
  parallel_for_in_rooms(static_cast<int64_t>(tasks_.size()), kMultiplyTime * work_, rooms_,
                        [&](int64_t i, int room) { compute(tasks_[i], call, rooms + room * room_); });
  recompute_doubtful(call);
}

template <typename T>
void WinogradCorrelation<T>::recompute_doubtful(const Call& call) const {
  CorrelationShape one = shape_;
  one.batch = 1;
  std::unique_ptr<const TiledCorrelation<T>> direct;
  std::vector<T> packed;
  for (int64_t image = 0; image < shape_.batch; ++image) {
    const auto doubts = [&](const Plan& plan) {
      const int64_t tiles = plan.phase.tiles();
      const unsigned char* first = call.doubtful + (plan.first_tile + image * tiles) * parts_;
      return std::any_of(first, first + tiles * parts_, [](unsigned char doubtful) { return doubtful != 0; });
    };
    if (std::none_of(plans_.begin(), plans_.end(), doubts)) continue;
    if (!direct) {
      direct = std::make_unique<const TiledCorrelation<T>>(one);
      packed.resize(direct->packed_bytes() / sizeof(T));
      direct->pack(call.packed + weights_, packed.data());
    }
    T* output = call.output + image * one.out_pixels() * shape_.out_channels;
    direct->run(call.input + image * one.in_pixels() * shape_.in_channels, nullptr, packed.data(), output, nullptr,
                {call.epilogue.bias, call.epilogue.relu});
  }
}

template class WinogradCorrelation<float>;
template class WinogradCorrelation<double>;

}  // namespace convnet
