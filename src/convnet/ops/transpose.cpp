// transpose(x; perm): axis i of the result is axis perm[i] of x.
#include <algorithm>

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

// Blocks of kBlock x kBlock elements: each line of x that is read, and each line of
// the result, is used up while it is in the first-level cache, even where lines a
// power of two apart compete for the same place in it.
constexpr Dim kBlock = 16;

template <typename W>
void transpose_block(const W* from, Dim from_step, W* to, Dim to_step, Dim rows, Dim columns) {
  for (Dim r = 0; r < rows; ++r)
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
      parallel_ranges(runs, std::max<Dim>(1, kCopyGrain / (run * width)), [&](Dim begin, Dim end) {
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
  const Dim row_blocks = (rows.extent + kBlock - 1) / kBlock;
  const Dim column_blocks = (columns.extent + kBlock - 1) / kBlock;
  const Dim blocks = size / (rows.extent * columns.extent) * row_blocks * column_blocks;
  const Dim block_bytes = std::min(rows.extent, kBlock) * std::min(columns.extent, kBlock) * width;
  return dispatch_width(call.out.dtype, [&](auto* word) -> Prepared {
    using W = std::remove_pointer_t<decltype(word)>;
    return {[=](const void* const* in, void* out, const RunContext&) {
      const W* x = static_cast<const W*>(in[0]);
      W* result = static_cast<W*>(out);
      parallel_ranges(blocks, std::max<Dim>(1, kCopyGrain / block_bytes), [&](Dim begin, Dim end) {
        for (Dim block = begin; block < end; ++block) {
          const Dim c = block % column_blocks * kBlock;
          const Dim r = block / column_blocks % row_blocks * kBlock;
          Dim from = r + c * columns.from, to = r * rows.to + c;
          locate(axes, block / column_blocks / row_blocks, &from, &to);
          transpose_block(x + from, columns.from, result + to, rows.to,
                          std::min(kBlock, rows.extent - r), std::min(kBlock, columns.extent - c));
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
