// transpose(x; perm): axis i of the result is axis perm[i] of x.
#include <algorithm>

#include "../core/divide.h"
#include "../kernels/micro_kernel.h"
#include "build.h"
#include "check.h"
#include "copy.h"

namespace convnet {

namespace {

std::vector<Dim> checked_perm(const Attrs& attrs, int rank) {
  std::vector<Dim> perm = attrs.integers("perm");
  require_per_axis(perm, "perm", rank);
  std::vector<bool> seen(rank, false);
  for (Dim& axis : perm) {
    axis = normalize_axis(axis, rank);
    if (seen[axis])
      argument_error("`perm` lists an axis twice.", "each axis once",
                     std::to_string(axis) + " again");
    seen[axis] = true;
  }
  return perm;
}

TensorType infer(const Attrs& attrs, const std::vector<TensorType>& in) {
  TensorType out{in[0].dtype, {}};
  for (Dim axis : checked_perm(attrs, in[0].shape.rank())) out.shape.push_back(in[0].shape[axis]);
  return out;
}

// One axis of the result, with its step (in elements) in x and in the result.
struct Axis {
  Dim extent, from, to;
};

// The axes of the result, outermost first, those that stay neighbours merged.
std::vector<Axis> merged_axes(const Shape& shape, const std::vector<Dim>& perm) {
  std::vector<Dim> step(shape.rank());
  Dim n = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    step[axis] = n;
    n *= shape[axis];
  }
  std::vector<Axis> axes;
  for (Dim axis : perm) {
    if (shape[axis] == 1) continue;
    if (!axes.empty() && axes.back().from == step[axis] * shape[axis])
      axes.back() = {axes.back().extent * shape[axis], step[axis], 0};
    else
      axes.push_back({shape[axis], step[axis], 0});
  }
  n = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    axis->to = n;
    n *= axis->extent;
  }
  return axes;
}

// Where position n of a walk through these axes lies.
void locate(const std::vector<Axis>& axes, Dim n, Dim* from, Dim* to) {
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const Dim i = n % axis->extent;
    n /= axis->extent;
    *from += i * axis->from;
    *to += i * axis->to;
  }
}

// Blocks of about kBlock x kBlock elements: each line of x that is read, and each
// line of the result, is used up while it is in the first-level cache.
constexpr Dim kBlock = 16;
// Longer where the other side is short.
Dim block_length(Dim extent, Dim other) {
  return std::min(extent, kBlock * kBlock / std::min(kBlock, other) / 4 * 4);
}

// Squares of kSide x kSide elements, in vectors of 16 bytes.
template <int kWidth>
struct Square {
  static constexpr Dim kSide = 1;
  template <typename W>
  static void transpose(const W* from, Dim, W* to, Dim) {
    *to = *from;
  }
};

template <>
struct Square<4> {
  static constexpr Dim kSide = 4;
  static void transpose(const Word4* from, Dim from_step, Word4* to, Dim to_step) {
    typedef uint32_t V __attribute__((vector_size(16)));
    typedef uint32_t Memory __attribute__((vector_size(16), aligned(4), may_alias));
    const auto load = [&](Dim i) -> V {
      return *reinterpret_cast<const Memory*>(from + i * from_step);
    };
    const auto store = [&](Dim i, V y) { *reinterpret_cast<Memory*>(to + i * to_step) = y; };
    const V x0 = load(0), x1 = load(1), x2 = load(2), x3 = load(3);
    const V a = CONVNET_SHUFFLE(x0, x1, 0, 4, 1, 5), b = CONVNET_SHUFFLE(x0, x1, 2, 6, 3, 7);
    const V c = CONVNET_SHUFFLE(x2, x3, 0, 4, 1, 5), d = CONVNET_SHUFFLE(x2, x3, 2, 6, 3, 7);
    store(0, CONVNET_SHUFFLE(a, c, 0, 1, 4, 5));
    store(1, CONVNET_SHUFFLE(a, c, 2, 3, 6, 7));
    store(2, CONVNET_SHUFFLE(b, d, 0, 1, 4, 5));
    store(3, CONVNET_SHUFFLE(b, d, 2, 3, 6, 7));
  }
};

template <>
struct Square<8> {
  static constexpr Dim kSide = 2;
  static void transpose(const Word8* from, Dim from_step, Word8* to, Dim to_step) {
    typedef uint64_t V __attribute__((vector_size(16)));
    typedef uint64_t Memory __attribute__((vector_size(16), aligned(8), may_alias));
    const V a = *reinterpret_cast<const Memory*>(from);
    const V b = *reinterpret_cast<const Memory*>(from + from_step);
    *reinterpret_cast<Memory*>(to) = CONVNET_SHUFFLE(a, b, 0, 2);
    *reinterpret_cast<Memory*>(to + to_step) = CONVNET_SHUFFLE(a, b, 1, 3);
  }
};

// A line with the longer step is used up at once: lines a power of two apart compete
// for the same place in the cache.
template <typename W>
void transpose_block(const W* from, Dim from_step, W* to, Dim to_step, Dim rows, Dim columns) {
  using Tile = Square<sizeof(W)>;
  constexpr Dim kSide = Tile::kSide;
  const Dim r_end = rows / kSide * kSide, c_end = columns / kSide * kSide;
  if (to_step >= from_step) {
    for (Dim r = 0; r < r_end; r += kSide)
      for (Dim c = 0; c < c_end; c += kSide)
        Tile::transpose(from + c * from_step + r, from_step, to + r * to_step + c, to_step);
  } else {
    for (Dim c = 0; c < c_end; c += kSide)
      for (Dim r = 0; r < r_end; r += kSide)
        Tile::transpose(from + c * from_step + r, from_step, to + r * to_step + c, to_step);
  }
  for (Dim r = 0; r < r_end; ++r)
    for (Dim c = c_end; c < columns; ++c) to[r * to_step + c] = from[c * from_step + r];
  for (Dim r = r_end; r < rows; ++r)
    for (Dim c = 0; c < columns; ++c) to[r * to_step + c] = from[c * from_step + r];
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.in[0].shape;
  const Dim size = shape.size(), width = size_of(call.out.dtype);
  std::vector<Axis> axes = merged_axes(shape, checked_perm(call.attrs, shape.rank()));

  if (size == 0 || axes.size() <= 1)
    return {[=](const void* const* in, void* out, const RunContext&) {
      copy_rows(static_cast<char*>(out), 0, static_cast<const char*>(in[0]), 0, size * width, 1);
    }};

  // The last axis stays last: whole runs move.
  if (axes.back().from == 1) {
    const Dim run = axes.back().extent;
    axes.pop_back();
    const Dim runs = size / run;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const char* x = static_cast<const char*>(in[0]);
      char* result = static_cast<char*>(out);
      const Axis& last = axes.back();
      parallel_ranges(runs, copy_time(run * width), [&](Dim begin, Dim end) {
        while (begin < end) {
          Dim from = 0, to = 0;
          locate(axes, begin, &from, &to);
          const Dim count = std::min(last.extent - begin % last.extent, end - begin);
          for (Dim i = 0; i < count; ++i)
            std::memcpy(result + (to + i * last.to) * width, x + (from + i * last.from) * width,
                        run * width);
          begin += count;
        }
      });
    }};
  }

  // Otherwise the last axis of the result (columns) and the last of x (rows)
  // span a plane that is transposed block by block; the rest is a batch of planes.
  const Axis columns = axes.back();
  axes.pop_back();
  const auto last_of_x = std::find_if(axes.begin(), axes.end(), [](const Axis& axis) {
    return axis.from == 1;
  });
  const Axis rows = *last_of_x;
  axes.erase(last_of_x);
  const Dim row_block = block_length(rows.extent, columns.extent);
  const Dim column_block = block_length(columns.extent, rows.extent);
  const Dim row_blocks = divide_up(rows.extent, row_block);
  const Dim column_blocks = divide_up(columns.extent, column_block);
  const Dim blocks = size / (rows.extent * columns.extent) * row_blocks * column_blocks;
  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]);
      W* result = static_cast<W*>(out);
      parallel_ranges(blocks, kElementTime * row_block * column_block, [&](Dim begin, Dim end) {
        for (Dim block = begin; block < end; ++block) {
          const Dim c = block % column_blocks * column_block;
          const Dim r = block / column_blocks % row_blocks * row_block;
          Dim from = r + c * columns.from, to = r * rows.to + c;
          locate(axes, block / column_blocks / row_blocks, &from, &to);
          transpose_block(x + from, columns.from, result + to, rows.to,
                          std::min(row_block, rows.extent - r),
                          std::min(column_block, columns.extent - c));
        }
      });
    }};
  });
}

std::vector<Value> vjp(Emitter& g, const OpCall& call, const std::vector<Value>&, Value,
                       Value grad) {
  const std::vector<Dim> perm = checked_perm(call.attrs, call.out.shape.rank());
  std::vector<Dim> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) inverse[perm[i]] = static_cast<Dim>(i);
  return {g.emit("transpose", {grad}, {{"perm", number_list(inverse)}})};
}

}  // namespace

extern const Op op_transpose{"transpose", 1, 1, infer, prepare, vjp};

}  // namespace convnet
