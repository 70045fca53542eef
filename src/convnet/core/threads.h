#pragma once
#include <cstdint>
#include <type_traits>

namespace convnet {

// How many threads parallel_for() may use; 1 in a child process after a fork,
// which has none of its parent's threads.
int thread_count();
void set_thread_count(int count);
// Size of the largest team that a parallel_for() has called up since the last call.
int threads_used();

namespace detail {
void parallel_run(int64_t tasks, void (*body)(int64_t task, void* state), void* state);
}

// Runs body(task) for task = 0..tasks-1, each exactly once, in any order and on
// any thread. Tasks own disjoint outputs, and what a task is must depend on
// shapes alone, never on the thread count: that makes results identical at any
// count. body must not throw and must not call R.
template <typename F>
void parallel_for(int64_t tasks, F&& body) {
  using Body = std::remove_reference_t<F>;
  detail::parallel_run(
      tasks, [](int64_t task, void* state) { (*static_cast<Body*>(state))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// The same over ranges [begin, end) of n items, `grain` items a task.
template <typename F>
void parallel_ranges(int64_t n, int64_t grain, F&& body) {
  parallel_for((n + grain - 1) / grain, [&](int64_t task) {
    const int64_t begin = task * grain;
    body(begin, begin + grain < n ? begin + grain : n);
  });
}

}  // namespace convnet
