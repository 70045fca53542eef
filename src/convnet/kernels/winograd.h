#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "correlation_shape.h"

namespace convnet {

// Whether correlations and their gradients may go by Winograd's algorithm. It is allowed at first;
// operations prepared earlier keep theirs.
bool winograd_allowed();
void set_winograd(bool allowed);

namespace detail {

// Along an axis m neighbouring sums of r taps each take n = m + r - 1 products instead of m * r, of what
// is added up of n inputs and of r weights before: the values of polynomials at n points (S. Winograd,
// Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, arXiv:1509.09308). Here n is 4, at
// the points 0, 1, -1 and infinity, with m = 2 or 3, whose sums lose next to no digits; or 1, where an
// axis stays as it is. With strides the taps of each residue are a part of their own, and parts are added
// up as input channels are; so are the taps of an axis that stays as it is.
struct WinogradAxis {
  int n, m, r;
  int64_t parts;     // tap j is tap j / parts of part j % parts
  int64_t in_step;   // from input to input of a tile
  int64_t out_step;  // from position to position
  std::vector<int64_t> starts;  // the first position of each tile

  // 0 for n = 1, 1 for m = 2, 2 for m = 3.
  int form() const { return m - 1; }
};

// The most of a tile.
constexpr int kWinogradComponents = 16, kWinogradOutputs = 9, kWinogradWeights = 9;

struct WinogradTile {
  int64_t image, first[3];  // positions
};

// A phase of a correlation in tiles.
struct WinogradPhase {
  CorrelationPhase whole;
  WinogradAxis axis[3];
  std::vector<std::array<int64_t, 3>> first_taps;  // of each part

  int components() const { return axis[1].n * axis[2].n; }
  int outputs() const { return axis[1].m * axis[2].m; }
  int weights() const { return axis[1].r * axis[2].r; }
  int64_t parts() const { return static_cast<int64_t>(first_taps.size()); }
  int64_t tiles() const {  // of an image
    return static_cast<int64_t>(axis[0].starts.size() * axis[1].starts.size() * axis[2].starts.size());
  }
  // The pixels that a part of a tile reads, components() of them; -1 for those outside.
  void in_pixels(const CorrelationShape& shape, const WinogradTile& tile, int64_t part, int64_t* pixels) const;
  // Those that it writes, outputs() of them; -1 for positions that are not there.
  void out_pixels(const CorrelationShape& shape, const WinogradTile& tile, int64_t* pixels) const;
  // The kernel elements of a part's taps, weights() of them; -1 where it has fewer.
  void kernel_taps(const CorrelationShape& shape, int64_t part, int64_t* taps) const;
};

// All phases, or none where `images` images are computed as fast, or nearly so, without; vectors have `lanes`,
// and each sum over tiles takes `sum_time` products. None for double: who asks for it asks for digits.
template <typename T>
std::vector<WinogradPhase> winograd_phases(const CorrelationShape& shape, int64_t lanes, int64_t images,
                                           double sum_time);

// Elements between components, which would share lines of the cache were they a power of two apart.
constexpr int64_t kWinogradGap = 16;

// Walks over the tiles of a phase, image by image.
class WinogradWalk {
 public:
  WinogradWalk(const WinogradPhase& phase, int64_t tile);
  const WinogradTile& tile() const { return tile_; }
  void advance();

 private:
  const WinogradPhase& phase_;
  size_t at_[3];  // of the starts
  WinogradTile tile_;
};

}  // namespace detail
}  // namespace convnet
