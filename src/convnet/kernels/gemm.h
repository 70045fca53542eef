#pragma once
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace convnet {

// The micro-kernels that every matrix product and convolution is made of.
// A row is one or more segments of `length` elements: a row of a matrix, or the
// channels under taps of a convolution. Accumulators live in registers; B is packed.
//
// tile:  out[r][n] (+)= sum over s, k of rows[r][segments[s].row + k] * b[segments[s].k + k][n]
//        b is [k][width] of the panel.
// strip: tile for rows that lie a constant distance apart, as their results do, and
//        segments of one element each. For short rows.
// dot:   the same for up to kDotColumns columns and longer segments, with lanes along k, for
//        which b is [k / lanes][column][k % lanes], with zeros behind the last k of a tap.
// groups: the same for a vector of groups with N channels in and out each: of a row they are neighbours,
//        and b is [k][group][column], or [group][k / 2][column][k % 2]: see groups_by_pairs().
struct GemmLimits {
  static constexpr int kMaxRows = 8, kMaxWidth = 32, kDotColumns = 4;
  static constexpr int64_t kChunk = 384;  // k that one accumulation may have: accuracy, and B in cache
};

// Whether groups of so many channels are multiplied by pairs of these: with shorter vectors shuffles are faster.
template <typename T>
constexpr bool groups_by_pairs(int64_t channels, int64_t lanes) {
  return sizeof(T) == 4 && lanes == 16 && channels == 8;
}

// Where a segment begins: in each row, and along k of B.
struct Segment {
  int64_t row, k;
};

template <typename T>
struct TileArgs {
  const T* const* rows;
  const Segment* segments;
  int64_t segment_count, length;
  const T* b;
  T* const* out;    // one pointer a row
  int64_t column;   // added to each
  int row_count;    // rows that count; the others repeat one of them, and where its sums go
  int column_count; // columns to store
  bool add;         // add to out
  // When these are the last terms: added to the sums of column 0, 1, .. (or
  // null), and whether negative ones become 0 after that.
  const T* bias;
  bool relu;
  // Memory whose cache lines are fetched on the way, one every other k. Both are null, or lie a
  // multiple of 64 bytes apart.
  const char *ahead, *ahead_end;
};

// Vectors of a tile's results and of what lies between them: which lanes are results, and of
// which of its sums. None where results lie too far apart.
template <typename T>
struct DotEnds {
  static constexpr int kVectors = 4, kMost = kVectors * 64 / static_cast<int>(sizeof(T));
  int vectors;
  unsigned short there[kVectors];
  std::conditional_t<sizeof(T) == 4, int32_t, int64_t> from[kMost];
  T bias[kMost];
};

// Taps that a segment of dots is repeated under: `whole` ones, the first of which is where it begins,
// and one before and one after them with products for so many of the first and the last columns.
struct DotTaps {
  int whole, before, after;
};

template <typename T>
struct StripArgs {
  int64_t row_step;
  const Segment* segments;
  int64_t segment_count, length;
  const T* b;
  int64_t out_step;
  int column_count;
  bool add;
  const T* bias;
  bool relu;
  bool ahead;  // what a row reads and writes lies apart from the next row's: fetched before its turn
  // Of dots and groups, for each segment. Its taps are row_step apart, in B tap_step * column_count.
  const DotTaps* taps;
  int64_t tap_step;
  bool tap_ends;  // any of them has taps before or after
  const DotEnds<T>* ends;
};

// add_runs: to[i * to_step + j] += from[i * from_step + j] for i < count, j < length.
// Up to 16 bytes past the last of a run are read from both, and stored to `to` as
// they were. Runs that overlap are added up in an order that count alone decides.
template <typename T>
struct AddRunsArgs {
  const T* from;
  int64_t from_step;
  T* to;
  int64_t to_step, count, length;
};

// copy_runs: the same with = for +=, and nothing touched past the ends.
template <typename T>
struct CopyRunsArgs {
  const T* from;
  int64_t from_step;
  T* to;
  int64_t to_step, count, length;
};

// thin: out[r * out_step + n] (+)= sum over k of a[r * a_step + k] * b[k * ldb + n] for
// few rows, which are not worth packing B for. add, bias, relu: as in TileArgs.
template <typename T>
struct ThinArgs {
  const T* a;
  int64_t a_step;
  const T* b;
  int64_t ldb, length, columns;
  T* out;
  int64_t out_step;
  bool add;
  const T* bias;
  bool relu;
};

// Columns that a tile has side by side. `width` is tile_width[size], of which `used`
// are there; the panel is packed at offset first * (length of k).
struct ColumnPanel {
  int64_t first;
  int used, width, size;
};

template <typename T>
struct Gemm {
  int rows, lanes;
  int dot_channels;  // dots take multiples of these as the length of a segment
  // For tile_rows rows, the first of which is `rows`, and panels of tile_width columns.
  static constexpr int kHeights = 4, kWidths = 3;
  int tile_rows[kHeights], tile_width[kWidths];
  void (*tile[kHeights][kWidths])(const TileArgs<T>&);
  // For `count` rows, the first of which begins at `row`.
  void (*strip[kWidths])(const StripArgs<T>&, const T* row, T* out, int64_t count);
  void (*dot)(const StripArgs<T>&, const T* row, T* out, int64_t count);
  // For 2, 4 and 8 channels, where they fill no vector; null elsewhere.
  void (*groups[3])(const StripArgs<T>&, const T* row, T* out, int64_t count);
  void (*place_dots)(const StripArgs<T>&, DotEnds<T>& ends);
  void (*add_runs)(const AddRunsArgs<T>&);
  void (*copy_runs)(const CopyRunsArgs<T>&);
  // For 1, 2 and 4 rows.
  void (*thin[3])(const ThinArgs<T>&);

  int width() const { return 2 * lanes; }
  // Of the tile that begins what is left of the rows: the lowest that takes them all, or the highest.
  int height_for(int64_t left) const {
    int height = kHeights - 1;
    while (height > 0 && tile_rows[height] < left) --height;
    return height;
  }
  // The tiles of `count` rows; behind them `row` and `out` have `rows` pointers more, of which a tile that is
  // too high makes use. before(args) is told of each.
  template <typename F>
  void tiles(TileArgs<T> args, const T* const* row, T* const* out, int64_t count, int size, F&& before) const {
    for (int64_t i = 0; i < count; i += args.row_count) {
      const int height = height_for(count - i);
      args.rows = row + i;
      args.out = out + i;
      args.row_count = static_cast<int>(std::min<int64_t>(tile_rows[height], count - i));
      before(args);
      tile[height][size](args);
    }
  }
  // out[r][column + n] = sum over k < length of row[r][first + k] * b[k][n] for all columns n of a panel.
  void product(const T* const* row, int64_t first, int64_t length, const T* b, const ColumnPanel& panel,
               T* const* out, int64_t column, int64_t count) const {
    TileArgs<T> args{};
    args.segment_count = 1;
    args.column_count = panel.width;
    args.b = b;
    args.column = column;
    for (int64_t k = 0; k < length; k += GemmLimits::kChunk) {
      const Segment segment{first + k, k};
      args.segments = &segment;
      args.length = std::min(GemmLimits::kChunk, length - k);
      args.add = k > 0;
      tiles(args, row, out, count, panel.size, [](const TileArgs<T>&) {});
    }
  }
};

// Those of the instruction set in use; see isa.h.
template <typename T>
const Gemm<T>& gemm();

// Columns 0..n-1 cut into panels, wide ones first, with as few idle lanes as there can be.
template <typename T>
std::vector<ColumnPanel> column_panels(int64_t columns);

}  // namespace convnet
