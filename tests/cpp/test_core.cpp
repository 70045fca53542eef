#include <cstdint>
#include <cstring>
#include <limits>
#include <set>
#include <thread>

#include "core/dtype.h"
#include "core/rng.h"
#include "core/shape.h"
#include "core/tensor.h"
#include "core/threads.h"
#include "core/window.h"
#include "test.h"

#if defined(__linux__)
#include <sched.h>
#endif
#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace convnet;

namespace {
constexpr Dim kHuge = std::numeric_limits<Dim>::max() / 2;

std::vector<Dim> padding_of(const Window& w) { return {w.pad_lo, w.pad_hi, w.out}; }
Window same(Dim in, Dim kernel, Dim stride, Dim dilation = 1) {
  return conv_window(in, kernel, stride, dilation, Padding::same, "height");
}
Window valid(Dim in, Dim kernel, Dim stride, Dim dilation = 1) {
  return conv_window(in, kernel, stride, dilation, Padding::valid, "height");
}
Window transposed(Dim in, Dim kernel, Dim stride, Padding padding, Dim output_padding = -1,
                  Dim dilation = 1) {
  return conv_transpose_window(in, kernel, stride, dilation, padding, output_padding, "height");
}
}  // namespace

TEST(shape_basics) {
  const Shape s{2, 3, 4};
  CHECK_EQ(s.rank(), 3);
  CHECK_EQ(s.size(), Dim{24});
  CHECK_EQ(s.product(1, 3), Dim{12});
  CHECK_EQ(s.back(), Dim{4});
  CHECK_EQ(Shape().size(), Dim{1});
  CHECK_EQ((Shape{0, 5}.size()), Dim{0});
  CHECK_EQ((Shape{kUnknown, 28, 28, 1}.to_string()), "(None, 28, 28, 1)");
  CHECK_EQ(Shape().to_string(), "()");
  CHECK(!Shape{kUnknown}.known());
  CHECK((Shape{1, 2} != Shape{2, 1}));
  CHECK((Shape{1, 2} != Shape{1, 2, 1}));
  CHECK_THROWS(Shape(std::vector<Dim>(kMaxRank + 1, 1)), "shape");
  CHECK_THROWS((Shape{kUnknown, 2}.size()), "shape");
}

TEST(shape_overflow) {
  CHECK_THROWS((Shape{kHuge, 4}.size()), "memory");
  CHECK_THROWS((TensorType{DType::f64, Shape{kHuge}}.bytes()), "memory");
  CHECK_EQ((TensorType{DType::f64, Shape{3, 2}}.bytes()), size_t{48});
  CHECK_THROWS(transposed(kHuge, 3, 8, Padding::same), "memory");
}

TEST(shape_broadcast) {
  CHECK_EQ(broadcast({2, 3}, {3}), (Shape{2, 3}));
  CHECK_EQ(broadcast({4, 1, 3}, {2, 1}), (Shape{4, 2, 3}));
  CHECK_EQ(broadcast({}, {5}), (Shape{5}));
  CHECK_EQ(broadcast({0}, {1}), (Shape{0}));
  CHECK_EQ(broadcast({kUnknown, 3}, {3}), (Shape{kUnknown, 3}));
  CHECK_EQ(broadcast({kUnknown, 3}, {1, 3}), (Shape{kUnknown, 3}));
  CHECK_EQ(broadcast({kUnknown, 3}, {7, 1}), (Shape{7, 3}));
  CHECK_THROWS(broadcast({2, 3}, {2}), "shape");
  CHECK_THROWS(broadcast({0}, {2}), "shape");
}

TEST(axis_normalization) {
  CHECK_EQ(normalize_axis(0, 3), 0);
  CHECK_EQ(normalize_axis(-1, 3), 2);
  CHECK_EQ(normalize_axis(-3, 3), 0);
  CHECK_THROWS(normalize_axis(3, 3), "argument");
  CHECK_THROWS(normalize_axis(-4, 3), "argument");
  CHECK_THROWS(normalize_axis(0, 0), "argument");
}

TEST(dtypes) {
  for (DType type : {DType::f32, DType::f64, DType::i32, DType::boolean})
    CHECK(dtype_from_name(name_of(type)) == type);
  CHECK_EQ(size_of(DType::f32), size_t{4});
  CHECK_EQ(size_of(DType::f64), size_t{8});
  CHECK_EQ(size_of(DType::i32), size_t{4});
  CHECK_EQ(size_of(DType::boolean), size_t{1});
  CHECK_THROWS(dtype_from_name("float16"), "dtype");
  CHECK_THROWS(dispatch_float(DType::i32, [](auto) { return 0; }), "dtype");
}

TEST(errors_carry_fields) {
  Error error("shape", "Wrong.", {{"expected", "a"}});
  error.with("where", "conv").with("where", "other");
  CHECK_EQ(error.kind(), "shape");
  CHECK_EQ(std::string(error.what()), "Wrong.");
  CHECK(error.has("problem"));
  for (const auto& field : error.fields())
    if (field.first == "where") CHECK_EQ(field.second, "conv");
}

TEST(conv_window_valid) {
  CHECK_EQ(padding_of(valid(10, 3, 1)), (std::vector<Dim>{0, 0, 8}));
  CHECK_EQ(valid(10, 3, 2).out, Dim{4});
  CHECK_EQ(valid(10, 3, 1, 3).out, Dim{4});  // dilated extent 7
  CHECK_EQ(valid(3, 3, 5).out, Dim{1});
  CHECK_THROWS(valid(2, 3, 1), "shape");
  for (Dim in = 1; in < 20; ++in)
    for (Dim kernel = 1; kernel <= 4; ++kernel)
      for (Dim stride = 1; stride <= 3; ++stride)
        for (Dim dilation = 1; dilation <= 3; ++dilation) {
          const Dim extent = dilation * (kernel - 1) + 1;
          if (in < extent) continue;
          CHECK_EQ(valid(in, kernel, stride, dilation).out, (in - extent + 1 + stride - 1) / stride);
        }
}

TEST(conv_window_same) {
  CHECK_EQ(padding_of(same(224, 7, 2)), (std::vector<Dim>{2, 3, 112}));
  CHECK_EQ(padding_of(same(5, 3, 1)), (std::vector<Dim>{1, 1, 5}));
  CHECK_EQ(padding_of(same(5, 2, 1)), (std::vector<Dim>{0, 1, 5}));
  CHECK_EQ(padding_of(same(6, 3, 2)), (std::vector<Dim>{0, 1, 3}));
  CHECK_EQ(padding_of(same(7, 3, 1, 2)), (std::vector<Dim>{2, 2, 7}));
  CHECK_EQ(same(5, 1, 2).out, Dim{3});
  CHECK_EQ(same(5, 1, 3).pad_lo, Dim{0});  // never negative before
}

TEST(conv_window_causal) {
  const Window w = conv_window(10, 3, 1, 2, Padding::causal, "length");
  CHECK_EQ(w.pad_lo, Dim{4});
  CHECK_EQ(w.out, Dim{10});
  CHECK_EQ(conv_window(10, 3, 2, 1, Padding::causal, "length").out, Dim{5});
}

TEST(conv_window_unknown) {
  CHECK_EQ(same(kUnknown, 3, 2).out, kUnknown);
  CHECK_EQ(valid(kUnknown, 3, 2).out, kUnknown);
  CHECK_EQ(transposed(kUnknown, 3, 2, Padding::same).in, kUnknown);
}

TEST(conv_window_checks) {
  CHECK_THROWS(same(5, 0, 1), "argument");
  CHECK_THROWS(same(5, 3, 0), "argument");
  CHECK_THROWS(same(5, 3, 1, 0), "argument");
  CHECK_THROWS(padding_from_name("full"), "argument");
  CHECK(padding_from_name("causal") == Padding::causal);
  CHECK_EQ(axis_name(0, 1), "length");
  CHECK_EQ(axis_name(0, 2), "height");
  CHECK_EQ(axis_name(1, 2), "width");
  CHECK_EQ(axis_name(0, 3), "depth");
  CHECK_EQ(axis_name(2, 3), "width");
}

// A 2x3 input, kernel 3, stride 2, "same": 4x6, 3x5 and 4x6.
TEST(transposed_window_output_padding) {
  const Dim expected[3][2] = {{4, 6}, {3, 5}, {4, 6}};
  for (Dim output_padding = -1; output_padding <= 1; ++output_padding)
    for (Dim axis = 0; axis < 2; ++axis)
      CHECK_EQ(transposed(2 + axis, 3, 2, Padding::same, output_padding).in,
               expected[output_padding + 1][axis]);
  CHECK_THROWS(transposed(2, 3, 2, Padding::same, 2), "argument");
  CHECK_THROWS(transposed(2, 3, 1, Padding::valid, 1), "argument");
}

TEST(transposed_window_sizes) {
  for (Dim in = 1; in < 8; ++in)
    for (Dim kernel = 1; kernel <= 5; ++kernel)
      for (Dim stride = 1; stride <= 4; ++stride) {
        CHECK_EQ(transposed(in, kernel, stride, Padding::valid).in,
                 (in - 1) * stride + std::max(kernel, stride));
        CHECK_EQ(transposed(in, kernel, stride, Padding::same).in, in * stride);
        for (Dim extra = 0; extra < stride; ++extra) {
          CHECK_EQ(transposed(in, kernel, stride, Padding::valid, extra).in,
                   (in - 1) * stride + kernel + extra);
          const Dim size = (in - 1) * stride + kernel - 2 * (kernel / 2) + extra;
          if (size > 0) CHECK_EQ(transposed(in, kernel, stride, Padding::same, extra).in, size);
          else CHECK_THROWS(transposed(in, kernel, stride, Padding::same, extra), "shape");
        }
      }
  // Dilation counts with the kernel's extent.
  CHECK_EQ(transposed(4, 3, 1, Padding::valid, -1, 2).in, Dim{8});
}

// The taps of each output are exactly those that read inside the input.
TEST(window_taps) {
  for (Dim in = 1; in <= 7; ++in)
    for (Dim kernel = 1; kernel <= 4; ++kernel)
      for (Dim stride = 1; stride <= 3; ++stride)
        for (Dim dilation = 1; dilation <= 3; ++dilation) {
          const Window w = same(in, kernel, stride, dilation);
          for (Dim o = 0; o < w.out; ++o)
            for (Dim tap = 0; tap < kernel; ++tap) {
              const Dim i = o * stride + tap * dilation - w.pad_lo;
              const bool inside = i >= 0 && i < in;
              CHECK_EQ(tap >= w.first_tap(o) && tap < w.last_tap(o), inside);
            }
        }
}

// Known answers of Random123 (kat_vectors, philox4x32 10).
TEST(philox_known_answers) {
  using Block = std::array<uint32_t, 4>;
  CHECK((Philox(0, 0, 0).block(0) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  CHECK((Philox(~0ull, ~0u, ~0u).block(~0ull) ==
         Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0
  CHECK((Philox(0x299f31d0a4093822ull, 0x13198a2e, 0x03707344).block(0x85a308d3243f6a88ull) ==
         Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(philox_unit_interval) {
  CHECK_EQ(uniform_unit(0), 0.0f);
  CHECK(uniform_unit(~0u) < 1.0f);
  double total = 0;
  const Philox random(42, 1, 2);
  for (uint64_t i = 0; i < 5000; ++i)
    for (uint32_t bits : random.block(i)) total += uniform_unit(bits);
  CHECK_CLOSE(total / 20000, 0.5, 0.01);
}

TEST(buffer_alignment) {
  for (size_t bytes : {1, 63, 64, 65, 1000, (1 << 21) - 1, 1 << 21, (5 << 20) + 1}) {
    const Buffer buffer(bytes);
    const uintptr_t alignment = bytes < 1 << 21 ? 64 : 1 << 21;  // pages that are advised must not begin before
    CHECK_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % alignment, uintptr_t{0});
    std::memset(buffer.data(), 1, bytes);
    CHECK_EQ(buffer.bytes(), bytes);
  }
  CHECK(Buffer(0).data() == nullptr);
}

TEST(parallel_for_covers_each_task_once) {
  for (int threads : {1, 2, 4}) {
    set_thread_count(threads);
    for (double time : {0.0, kTeamTime, kWakeTime}) {
      for (int64_t tasks : {0, 1, 2, 7, 1000}) {
        std::vector<int> runs(tasks, 0);
        parallel_for(tasks, time, [&](int64_t task) { ++runs[task]; });
        CHECK(runs == std::vector<int>(tasks, 1));
      }
    }
    for (double time : {0.0, kTaskTime / 100, 2 * kTaskTime}) {
      for (int64_t n : {0, 1, 99, 100, 101, 1234}) {
        std::vector<int> runs(n, 0);
        parallel_ranges(n, time, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) ++runs[i];
        });
        CHECK(runs == std::vector<int>(n, 1));
      }
    }
  }
  set_thread_count(1);
}

TEST(ranges_begin_at_multiples_of_their_step) {
  set_thread_count(2);
  for (double time : {kTaskTime / 10, kTaskTime / 3, kTaskTime}) {
    std::vector<int64_t> start(103, -1);
    parallel_ranges(103, time, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) start[i] = begin;
    }, 4);
    for (int64_t i = 0; i < 103; ++i) CHECK(start[i] % 4 == 0 && start[i] <= i && (i == 0 || start[i] >= start[i - 1]));
  }
  set_thread_count(1);
}

#if defined(__linux__)
// A helper on the caller's core leaves it, but may come back: nothing is pinned.
TEST(parallel_for_pins_nothing) {
  cpu_set_t before, here;
  CHECK_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  CPU_ZERO(&here);
  CPU_SET(sched_getcpu(), &here);
  const std::thread::id caller = std::this_thread::get_id();
  const auto rest = [&](auto&& helper) {
    parallel_for(40, 2 * kWakeTime, [&](int64_t) {
      usleep(100);
      if (std::this_thread::get_id() != caller) helper();
    });
  };
  set_thread_count(2);
  rest([] {});
  sched_setaffinity(0, sizeof(here), &here);
  rest([&] {
    sched_setaffinity(0, sizeof(here), &here);
    sched_setaffinity(0, sizeof(before), &before);
  });
  int helped = 0, changed = 0;
  for (int round = 0; round < 100 && helped == 0; ++round)
    rest([&] {
      cpu_set_t now;
      changed += sched_getaffinity(0, sizeof(now), &now) != 0 || !CPU_EQUAL(&now, &before);
      ++helped;
    });
  sched_setaffinity(0, sizeof(before), &before);
  CHECK(helped > 0);
  CHECK_EQ(changed, 0);
  set_thread_count(1);
}
#endif

TEST(parallel_for_uses_threads) {
  set_thread_count(2);
  threads_used();
  parallel_for(1000, kTeamTime, [](int64_t) {});
  CHECK_EQ(threads_used(), 2);
  CHECK_EQ(threads_used(), 1);
  // Small work is done by the one that calls.
  parallel_for(1000, kTeamTime / 2, [](int64_t) {});
  CHECK_EQ(threads_used(), 1);
  set_team_time(0);
  parallel_for(1000, kTeamTime / 2, [](int64_t) {});
  CHECK_EQ(threads_used(), 2);
  set_team_time(kTeamTime);
  // A nested loop runs on the thread that meets it.
  std::vector<int> runs(64, 0);
  parallel_for(8, kWakeTime, [&](int64_t outer) {
    parallel_for(8, kWakeTime, [&](int64_t inner) { ++runs[outer * 8 + inner]; });
  });
  CHECK(runs == std::vector<int>(64, 1));
  set_thread_count(0);
  CHECK_EQ(thread_count(), 1);
}

#ifndef _WIN32
TEST(forked_child_runs_serially) {
  set_thread_count(2);
  parallel_for(100, kWakeTime, [](int64_t) {});
  threads_used();
  const pid_t child = fork();
  if (child == 0) {
    std::vector<int> runs(100, 0);
    parallel_for(100, kWakeTime, [&](int64_t task) { ++runs[task]; });
    const bool serial = thread_count() == 1 && threads_used() == 1;
    _exit(serial && runs == std::vector<int>(100, 1) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK_EQ(thread_count(), 2);
  set_thread_count(1);
}
#endif
