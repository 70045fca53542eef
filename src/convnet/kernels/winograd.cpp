#include "winograd.h"

#include <algorithm>

#include "walk.h"

namespace convnet {

namespace {

bool allowed = true;

}  // namespace

bool winograd_allowed() { return allowed; }
void set_winograd(bool value) { allowed = value; }

namespace detail {

namespace {

// In products of vectors: of a vector that is added up of inputs, and one that results are added up of; of a
// tile's pixels, and of those of each of its parts. Measured.
constexpr double kInputTime = 10, kOutputTime = 10, kTileTime = 60;
constexpr double kWorthIt = 1.1;

WinogradAxis plain_axis(const CorrelationAxis& axis) {
  WinogradAxis plain{1, 1, 1, axis.taps, 0, 1, {}};
  for (int64_t q = 0; q < axis.count; ++q) plain.starts.push_back(q);
  return plain;
}

// The same where there is nothing to gain.
WinogradAxis tiled_axis(const CorrelationAxis& axis) {
  const bool dense = axis.step == 1;
  if (!dense && axis.tap_step > 1) return plain_axis(axis);
  const int64_t parts = dense ? 1 : std::min(axis.step, axis.taps);
  const int64_t r = divide_up(axis.taps, std::max<int64_t>(1, parts));
  if (r != 2 && r != 3) return plain_axis(axis);
  const int64_t m = 5 - r, apart = dense ? axis.tap_step : 1;
  WinogradAxis tiled{4, static_cast<int>(m), static_cast<int>(r), parts, dense ? apart : axis.step, apart, {}};
  for (int64_t first = 0; first < axis.count; first += m * apart)
    for (int64_t q = first; q < std::min(first + apart, axis.count); ++q) tiled.starts.push_back(q);
  return tiled;
}

WinogradPhase phase_of(const CorrelationPhase& whole, bool tiled_rows, bool tiled_columns) {
  const auto planned = [&](int a, bool tiled) { return tiled ? tiled_axis(whole.axis[a]) : plain_axis(whole.axis[a]); };
  WinogradPhase phase{whole, {planned(0, false), planned(1, tiled_rows), planned(2, tiled_columns)}, {}};
  for (int64_t a = 0; a < phase.axis[0].parts; ++a)
    for (int64_t b = 0; b < phase.axis[1].parts; ++b)
      for (int64_t c = 0; c < phase.axis[2].parts; ++c) phase.first_taps.push_back({a, b, c});
  return phase;
}

// In products of vectors, as direct_time().
double time_of(const WinogradPhase& phase, double in, double out, double lanes, double images, double sum_time) {
  const double parts = static_cast<double>(phase.parts()), tiles = images * static_cast<double>(phase.tiles());
  return tiles * kTileTime * (parts + 1) +
         phase.components() * (tiles * (parts * in * out + kInputTime * parts * in / lanes + kOutputTime * out) +
                               sum_time * parts * in * out);
}

// Taps inside the input, of all positions.
double direct_time(const CorrelationShape& shape, const CorrelationPhase& phase, double in, double out) {
  double taps = in * out;
  for (int a = 0; a < 3; ++a) {
    int64_t inside = 0;
    for (int64_t q = 0; q < phase.axis[a].count; ++q) {
      const TapRange range = taps_inside(phase.axis[a], q, shape.in[a]);
      inside += range.last - range.first;
    }
    taps *= static_cast<double>(inside);
  }
  return taps;
}

}  // namespace

WinogradWalk::WinogradWalk(const WinogradPhase& phase, int64_t tile) : phase_(phase) {
  for (int a = 2; a >= 0; --a) {
    const int64_t count = static_cast<int64_t>(phase.axis[a].starts.size());
    at_[a] = static_cast<size_t>(tile % count);
    tile_.first[a] = phase.axis[a].starts[at_[a]];
    tile /= count;
  }
  tile_.image = tile;
}

void WinogradWalk::advance() {
  for (int a = 2; a >= 0; --a) {
    const std::vector<int64_t>& starts = phase_.axis[a].starts;
    const bool more = ++at_[a] < starts.size();
    if (!more) at_[a] = 0;
    tile_.first[a] = starts[at_[a]];
    if (more) return;
  }
  ++tile_.image;
}

void WinogradPhase::in_pixels(const CorrelationShape& shape, const WinogradTile& tile, int64_t part,
                              int64_t* pixels) const {
  int64_t first[3];
  for (int a = 0; a < 3; ++a) {
    const CorrelationAxis& of = whole.axis[a];
    first[a] = tile.first[a] * of.step + of.base + first_taps[part][a] * of.tap_step;
  }
  const bool depth_inside = first[0] >= 0 && first[0] < shape.in[0];
  for (int i = 0; i < axis[1].n; ++i) {
    const int64_t y = first[1] + i * axis[1].in_step;
    const bool inside = depth_inside && y >= 0 && y < shape.in[1];
    const int64_t row = ((tile.image * shape.in[0] + first[0]) * shape.in[1] + y) * shape.in[2];
    for (int j = 0; j < axis[2].n; ++j) {
      const int64_t x = first[2] + j * axis[2].in_step;
      *pixels++ = inside && x >= 0 && x < shape.in[2] ? row + x : -1;
    }
  }
}

void WinogradPhase::out_pixels(const CorrelationShape& shape, const WinogradTile& tile, int64_t* pixels) const {
  const auto position = [&](int a, int i) { return tile.first[a] + i * axis[a].out_step; };
  const auto out = [&](int a, int i) {
    return whole.axis[a].out_start + position(a, i) * whole.axis[a].out_step;
  };
  for (int i = 0; i < axis[1].m; ++i) {
    const bool inside = position(1, i) < whole.axis[1].count;
    const int64_t row = ((tile.image * shape.out[0] + out(0, 0)) * shape.out[1] + out(1, i)) * shape.out[2];
    for (int j = 0; j < axis[2].m; ++j)
      *pixels++ = inside && position(2, j) < whole.axis[2].count ? row + out(2, j) : -1;
  }
}

void WinogradPhase::kernel_taps(const CorrelationShape& shape, int64_t part, int64_t* taps) const {
  const auto tap = [&](int a, int i) { return first_taps[part][a] + i * axis[a].parts; };
  const auto element = [&](int a, int i) { return whole.axis[a].tap_first + tap(a, i) * whole.axis[a].tap_next; };
  for (int b = 0; b < axis[1].r; ++b)
    for (int c = 0; c < axis[2].r; ++c)
      *taps++ = tap(1, b) < whole.axis[1].taps && tap(2, c) < whole.axis[2].taps
                    ? shape.tap(element(0, 0), element(1, b), element(2, c))
                    : -1;
}

template <typename T>
std::vector<WinogradPhase> winograd_phases(const CorrelationShape& shape, int64_t lanes, int64_t images,
                                           double sum_time) {
  if (sizeof(T) > sizeof(float) || !winograd_allowed() || shape.groups > 1 || shape.together > 1 ||
      shape.in_channels == 0 || shape.out_channels == 0 || shape.in_channels % lanes != 0 ||
      shape.out_channels % lanes != 0)
    return {};
  const double in = static_cast<double>(shape.in_channels);
  const double out = static_cast<double>(shape.out_channels) / static_cast<double>(lanes);
  std::vector<WinogradPhase> phases;
  double direct = 0, tiled = 0;
  for (const CorrelationPhase& whole : shape.phases) {
    if (whole.taps() == 0) return {};
    WinogradPhase best{};
    double least = 0;
    for (const bool tile_rows : {true, false})
      for (const bool tile_columns : {true, false}) {
        WinogradPhase phase = phase_of(whole, tile_rows, tile_columns);
        const double time = time_of(phase, in, out, static_cast<double>(lanes), static_cast<double>(images), sum_time);
        if (least > 0 && time >= least) continue;
        least = time;
        best = std::move(phase);
      }
    direct += static_cast<double>(images) * direct_time(shape, whole, in, out);
    tiled += least;
    phases.push_back(std::move(best));
  }
  return direct > kWorthIt * tiled ? phases : std::vector<WinogradPhase>{};
}

template std::vector<WinogradPhase> winograd_phases<float>(const CorrelationShape&, int64_t, int64_t, double);
template std::vector<WinogradPhase> winograd_phases<double>(const CorrelationShape&, int64_t, int64_t, double);

}  // namespace detail
}  // namespace convnet
