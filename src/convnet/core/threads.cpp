#include "threads.h"

#include <algorithm>
#include <atomic>

#ifdef _OPENMP
#include <omp.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#endif

namespace convnet {

namespace {
int count = 1;
std::atomic<int> used{1};
bool forked = false;

void watch_forks() {
#ifndef _WIN32
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
  (void)registered;
#endif
}
}  // namespace

int thread_count() { return forked ? 1 : count; }

void set_thread_count(int n) {
  watch_forks();
  count = std::max(1, n);
}

int threads_used() { return used.exchange(1); }

bool has_openmp() {
#ifdef _OPENMP
  return true;
#else
  return false;
#endif
}

namespace detail {

void parallel_run(int64_t tasks, void (*body)(int64_t, void*), void* state) {
#ifdef _OPENMP
  const int team = static_cast<int>(std::min<int64_t>(thread_count(), tasks));
  if (team > 1 && !omp_in_parallel()) {
#pragma omp parallel num_threads(team)
    {
#pragma omp single nowait
      used = std::max(used.load(), omp_get_num_threads());
#pragma omp for schedule(dynamic, 1)
      for (int64_t task = 0; task < tasks; ++task) body(task, state);
    }
    return;
  }
#endif
  for (int64_t task = 0; task < tasks; ++task) body(task, state);
}

}  // namespace detail
}  // namespace convnet
