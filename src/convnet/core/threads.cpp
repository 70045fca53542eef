// A pool of threads that help the one that calls. Tasks are taken from a counter,
// so a helper that the system does not let run holds nobody up: the caller does
// its share of the tasks and waits only for tasks that have been begun. (A team
// of OpenMP waits until every member has come and gone; on a busy machine that
// makes a training step 50 times slower.)
#include "threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#endif

namespace convnet {

namespace {

int count = 1;
double team_time = kTeamTime;
std::atomic<int> used{1};
std::atomic<bool> forked{false};
thread_local bool inside_task = false;

// Nothing is computed in a step for less than this between two parallel loops,
// so a helper looks out for the next one before it goes to sleep.
constexpr auto kPatience = std::chrono::microseconds(50);

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

#if defined(__linux__)
int this_core() { return sched_getcpu(); }

// To another core, if this thread may run on one; later the system may move it again.
void leave_core(int core) {
  cpu_set_t all, others;
  if (sched_getaffinity(0, sizeof(all), &all) != 0) return;
  others = all;
  CPU_CLR(core, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof(others), &others) == 0)
    sched_setaffinity(0, sizeof(all), &all);
}
#else
int this_core() { return -1; }  // not known
void leave_core(int) {}
#endif

class Pool {
 public:
  void run(int64_t tasks, int team, bool wake, void (*body)(int64_t, void*), void* state) {
    ensure_helpers(team - 1);
    const uint64_t job = (ticket_.load(std::memory_order_relaxed) >> kIndexBits) + 1;
    // Closed while the job is being described, then open at task 0.
    ticket_.store(job << kIndexBits | kIndexMask, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_release);
    tasks_.store(tasks, std::memory_order_relaxed);
    helpers_wanted_.store(team - 1, std::memory_order_relaxed);
    body_.store(body, std::memory_order_relaxed);
    state_.store(state, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    caller_core_.store(this_core(), std::memory_order_relaxed);
    ticket_.store(job << kIndexBits, std::memory_order_seq_cst);
    if (wake && sleepers_.load(std::memory_order_seq_cst) > 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    while (work(-1)) {
    }
    // Every task has been taken; some may still be running elsewhere.
    for (int spins = 0; done_.load(std::memory_order_acquire) < tasks; ++spins)
      spins < 4096 ? relax() : std::this_thread::yield();
  }

 private:
  static constexpr int kIndexBits = 32;
  static constexpr uint64_t kIndexMask = (uint64_t(1) << kIndexBits) - 1;

  // The number of the last job that was opened.
  uint64_t open_job() const {
    const uint64_t ticket = ticket_.load(std::memory_order_seq_cst);
    return (ticket >> kIndexBits) - ((ticket & kIndexMask) == kIndexMask);
  }

  // Does one task of the current job, if there is one for this helper.
  bool work(int helper) {
    uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
      const auto index = static_cast<int64_t>(ticket & kIndexMask);
      const auto body = body_.load(std::memory_order_relaxed);
      void* state = state_.load(std::memory_order_relaxed);
      if (index >= tasks_.load(std::memory_order_relaxed) ||
          helper >= helpers_wanted_.load(std::memory_order_relaxed))
        return false;
      std::atomic_thread_fence(std::memory_order_acquire);
      // Success means that no other job has begun: what was read belongs to this one.
      if (ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
        body(index, state);
        done_.fetch_add(1, std::memory_order_release);
        return true;
      }
    }
  }

  void help(int helper) {
    inside_task = true;
    for (;;) {
      const uint64_t seen = open_job();
      // Systems wake a thread where it ran last. On the caller's core it would only take turns with the
      // caller, and may not be moved for many milliseconds.
      const int core = this_core();
      if (core >= 0 && core == caller_core_.load(std::memory_order_relaxed)) leave_core(core);
      while (work(helper)) {
      }
      const auto start = std::chrono::steady_clock::now();
      bool news = false;
      for (int spins = 1; !news; ++spins) {
        relax();
        news = open_job() != seen;
        if (spins % 64) continue;
        if (std::chrono::steady_clock::now() - start > kPatience) break;
        // The one that calls may be waiting for this very core.
        std::this_thread::yield();
      }
      if (news) continue;
      std::unique_lock<std::mutex> lock(mutex_);
      sleepers_.fetch_add(1, std::memory_order_seq_cst);
      wake_.wait(lock, [&] { return open_job() != seen; });
      sleepers_.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  void ensure_helpers(int wanted) {
#ifndef _WIN32
    // Signals are for R's own thread.
    sigset_t all, before;
    sigfillset(&all);
    if (helpers_ < wanted) pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool masked = helpers_ < wanted;
#endif
    for (; helpers_ < wanted; ++helpers_)
      std::thread([this, helper = helpers_] { help(helper); }).detach();
#ifndef _WIN32
    if (masked) pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
  }

  // (number of the job, next task): one word, so that taking a task and knowing
  // its job are one step.
  std::atomic<uint64_t> ticket_{uint64_t(1) << kIndexBits | kIndexMask};
  std::atomic<int64_t> tasks_{0}, done_{0};
  std::atomic<int> helpers_wanted_{0}, sleepers_{0}, caller_core_{-1};
  std::atomic<void (*)(int64_t, void*)> body_{nullptr};
  std::atomic<void*> state_{nullptr};
  std::mutex mutex_;
  std::condition_variable wake_;
  int helpers_ = 0;
};

// Never destroyed: its threads sleep in it until the process ends.
Pool& pool() {
  static Pool* pool = new Pool;
  return *pool;
}

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

void set_team_time(double time) { team_time = time; }

int room_count(int64_t tasks) {
  constexpr int kLeast = 2, kMost = 32;  // more would be memory that is seldom used
  return static_cast<int>(std::min<int64_t>(tasks, std::clamp(thread_count(), kLeast, kMost)));
}

int threads_used() { return used.exchange(1); }

namespace detail {

void parallel_run(int64_t tasks, double time, void (*body)(int64_t, void*), void* state) {
  static std::mutex one_caller;
  const int team = time < team_time ? 1 : static_cast<int>(std::min<int64_t>(thread_count(), tasks));
  if (team > 1 && !inside_task && one_caller.try_lock()) {
    inside_task = true;
    used = std::max(used.load(), team);
    pool().run(tasks, team, time >= kWakeTime, body, state);
    inside_task = false;
    one_caller.unlock();
    return;
  }
  for (int64_t task = 0; task < tasks; ++task) body(task, state);
}

int FreeRooms::take() {
  for (;;) {
    uint64_t now = free_.load(std::memory_order_relaxed);
    while (now != 0) {
      int room = 0;
      while (!(now >> room & 1)) ++room;
      if (free_.compare_exchange_weak(now, now & ~(uint64_t{1} << room), std::memory_order_acquire)) return room;
    }
    std::this_thread::yield();
  }
}

}  // namespace detail
}  // namespace convnet
